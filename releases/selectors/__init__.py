"""Reads: what is asked of releases."""
