"""Reads: what is asked of learning."""
