"""A trading day made fast, with everything that can fall over falling over: what is left must be what was decided."""
