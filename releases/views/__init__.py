"""The pages of releases: each reads the request, calls one selector or service, and renders."""
