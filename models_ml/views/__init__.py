"""The pages of learning: each reads the request, calls one selector or service, and renders."""
