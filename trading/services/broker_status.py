"""How the desk stands with its broker, as one document for the page, the REST API and the engine's screen."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.conf import settings

from sensequant.lib import clock
from sensequant.lib.errors import BadInput, Unavailable
from trading.adapters.breeze.client import BreezeDesk
from trading.models.broker import Condition, Lease
from trading.models.instruments import MasterFile
from trading.services import arming, budgets, sessions
from trading.services.market_clock import addresses, market_clock

SHOWN = 20


def venue() -> dict[str, Any]:
    """Return where Breeze is for this desk, its moment, and whether money is real there; never raises."""
    try:
        origin = addresses().origin
        ticking = market_clock()
    except (BadInput, Unavailable) as error:
        return {"name": settings.DESK.breeze_base_url, "simulated": False, "at": clock.now(), "trouble": str(error)}
    name = "ICICI Breeze" if not origin else f"simulator at {origin}" if ticking.simulated else origin
    return {"name": name, "simulated": ticking.simulated, "at": ticking(), "trouble": ""}


def status() -> dict[str, Any]:
    """Return session, arming, budgets, open conditions, the master read last, and who owns the stream."""
    where = venue()
    at: dt.datetime = where["at"]
    row, armed = sessions.current(at=at), arming.armed(at=at)
    master = MasterFile.objects.first()
    lease = Lease.objects.filter(name="breeze-stream").first()
    return {
        "venue": where,
        "keys": bool(settings.DESK.breeze_api_key and settings.DESK.breeze_api_secret) or where["simulated"],
        "session": None if row is None else {
            "state": row.state, "login_user": row.login_user, "obtained_at": row.obtained_at,
            "obtained_by": row.obtained_by, "expires_at": row.expires_at, "note": row.note, "version": row.version,
        },
        "armed": None if armed is None else {
            "by": armed.armed_by, "at": armed.armed_at, "until": armed.expires_at, "plan": armed.plan,
        },
        "cost": arming.shown(at=at),
        "budgets": budgets.gauges(at=clock.now()),
        "conditions": list(Condition.objects.filter(until=None).order_by("-since")[:SHOWN]),
        "master": master,
        "stream": None if lease is None or lease.expires_at < clock.now() else lease.holder,
        "capabilities": BreezeDesk.capabilities,
    }  # fmt: skip
