"""Who starts something says again who they are: with the password and, where one is set up, the second factor.

Asked for by what starts or raises (arming live, releasing a halt, signing, promoting, deploying), never by what stops.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings

from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed
from sensequant.lib.security import events, factors

REFUSED, HELD_BACK = "confirmation refused", "confirmation held back"
MOST, WITHIN = 5, dt.timedelta(minutes=15)


class Wrong(NotAllowed):
    """A password or a code that is not right: it counts towards being held back."""


def confirm(user: Any, password: str, code: str = "", *, required: bool = True) -> None:
    """Raise NotAllowed, naming what is wrong, unless this is ``user``: the password is theirs and the code is right.

    A code is taken once; after five refusals within a quarter of an hour nothing is taken until it is over. Call it
    outside a transaction, so that a refusal is remembered. Without ``required`` the setting SECOND_FACTOR_REQUIRED is
    left aside: for the page that sets one up.
    """
    try:
        _confirmed(user, password, code, required=required)
    except NotAllowed as error:
        kind = REFUSED if isinstance(error, Wrong) else HELD_BACK
        events.note(kind, at=now(), who=user.get_username(), why=error.message)
        raise


def _confirmed(user: Any, password: str, code: str, *, required: bool) -> None:
    if not user.is_authenticated or not user.is_active:
        raise NotAllowed("nobody is logged in", fix="log in")
    if events.counted(REFUSED, user.get_username(), since=now() - WITHIN) >= MOST:
        raise NotAllowed("too many wrong passwords or codes", fix="wait a quarter of an hour; stopping needs neither")
    if not password:
        raise NotAllowed("this needs your password again", fix="give it in the field password")
    if not user.check_password(password):
        raise Wrong("the password is not right", fix="give the password you log in with")
    if factors.enrolled(user):
        try:
            factors.verified(user, code)
        except NotAllowed as error:
            raise Wrong(error.message, fix=error.fix) from None
    elif required and settings.DESK.second_factor_required:
        raise NotAllowed("this needs a second factor", fix="set one up on the page /account")
