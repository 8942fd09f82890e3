"""What the cores raise when what they were given cannot be used."""

from __future__ import annotations


class Invalid(ValueError):
    """A value that cannot be used; the message names it and says what to write instead."""

    bad_input = True
