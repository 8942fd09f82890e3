"""What the core says when a value cannot be used."""

from __future__ import annotations


class Invalid(ValueError):
    """A value that cannot be used; the message names it and what would be accepted."""

    bad_input = True
