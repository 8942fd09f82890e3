"""One error family; every door maps it to the outside once.

    SenseQuantError
      ├─ BadInput      the caller can mend it: HTTP 400, exit 2
      ├─ NotFound      no such thing:          HTTP 404, exit 2
      ├─ NotAllowed    not in this state:      HTTP 409, exit 1
      ├─ Unavailable   outside did not answer: HTTP 503, exit 1
      └─ Failed        the run itself failed:  HTTP 500, exit 1

The cores import nothing of ours; they raise ``ValueError`` subclasses that carry ``bad_input = True``.
"""

from __future__ import annotations

from typing import Any, ClassVar


class SenseQuantError(Exception):
    """A foreseeable error: ``message`` names the value, ``fix`` says what to do about it."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, fix: str = "", **context: Any) -> None:
        self.message = message
        self.fix = fix
        self.context = context
        super().__init__(f"{message} ({fix})" if fix else message)


class BadInput(SenseQuantError):
    """What was given cannot be used."""

    code = "bad_input"
    status = 400
    exit_code = 2


class NotFound(SenseQuantError):
    """What was asked for does not exist."""

    code = "not_found"
    status = 404
    exit_code = 2


class NotAllowed(SenseQuantError):
    """The thing exists, but its state or the caller's role forbids this."""

    code = "not_allowed"
    status = 409


class Unavailable(SenseQuantError):
    """Something outside did not answer; trying later may help."""

    code = "unavailable"
    status = 503


class Failed(SenseQuantError):
    """The work was tried and did not succeed."""

    code = "failed"


def is_bad_input(error: BaseException) -> bool:
    """Say whether ``error`` is the caller's to mend, a core's ``bad_input`` errors included."""
    return isinstance(error, BadInput | NotFound) or bool(getattr(error, "bad_input", False))
