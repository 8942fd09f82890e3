"""The ground floor: small tools every app may use, which know nothing of ours."""
