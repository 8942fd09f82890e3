"""What was done to the desk, written down in the transaction that does it."""

from __future__ import annotations

import datetime as dt
from typing import Any

from sensequant.lib import caller
from sensequant.lib.history import plain
from trading.models.deeds import Deed


def record(what: str, subject: str, *, by: str, at: dt.datetime, reason: str = "", **detail: Any) -> Deed:
    """Append one deed; call it inside the transaction it tells of."""
    who = caller.current()
    return Deed.objects.create(
        at=at, by=by[:150], what=what, object=subject[:120], reason=reason[:300], detail=plain(detail),
        ip=who.ip or None, session=who.session, request_id=who.request_id,
    )  # fmt: skip
