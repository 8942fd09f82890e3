"""Who sets whose password: each person their own; an administrator only that of who holds nothing yet.

Who knows somebody's password signs, confirms and starts in their name, so four eyes are worth no more than this rule.
A role holder who forgot theirs loses the roles (one administrator), is handed a password, chooses one of their own and
is given the roles again (two administrators); or who has the machine's shell sets it there (``changepassword``).
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from releases.services import granting
from sensequant.lib import identity
from sensequant.lib.errors import BadInput, NotAllowed


def choose(user: Any, old: str, new: str, code: str = "") -> None:
    """Give ``user``, who says the old password (and the second factor's code) once more, the password they choose."""
    identity.confirm(user, old, code, required=False)
    if new == old:
        raise BadInput("that is the password you have", fix="choose another one")
    try:
        validate_password(new, user)
    except ValidationError as error:
        raise BadInput(" ".join(error.messages), fix="choose another one") from None
    user.set_password(new)
    user.save(update_fields=["password"])


def may_hand_out(user: Any, *, by: Any) -> None:
    """Raise NotAllowed unless ``by`` may set the password of ``user``, who is somebody else."""
    if not (by.is_active and by.is_superuser):
        raise NotAllowed(f"{by} is no administrator", fix="ask one; your own password is changed on the page /account")
    if not granting.needs_two():
        return
    held = [each for each in granting.roles() if granting.has(user, each)]
    if user.user_permissions.exists():
        held.append("single permissions")
    if held:
        raise NotAllowed(
            f"{user} is {', '.join(held)}: no administrator sets the password of who holds a role",
            fix="take the roles away first and have them given again by two; or use manage.py changepassword "
            "on the machine",
        )
