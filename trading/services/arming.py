"""Trading with money is armed by a person, for one day, while seeing what a round trip costs on the desk's own plan."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import Any

from django.conf import settings

from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger
from trading.core.charges import rates_on
from trading.core.round_trips import Terms, breakeven, round_trip
from trading.models.broker import LiveArming
from trading.services.sessions import midnight

ACCEPT = "I have seen the cost"  # what a person types to arm
PRICE, QUANTITY = Decimal(1000), 100  # the trade that is shown: ₹1,00,000
log = get_logger("arming")


def shown(*, at: dt.datetime) -> dict[str, Any]:
    """Return what buying and selling ₹1,00,000 of shares through Breeze (``cash``) costs today on CHARGE_PLAN."""
    plan = settings.DESK.charge_plan
    rates = rates_on(at.astimezone(IST).date(), plan, "cash", "NSE")
    told: dict[str, Any] = {"plan": plan, "turnover": str(PRICE * QUANTITY)}
    for kind in ("intraday", "delivery"):
        terms = Terms(rates, delivery=kind == "delivery")
        cost, even = round_trip(PRICE, PRICE, QUANTITY, terms), breakeven(PRICE, QUANTITY, terms)
        items = {item: str(amount) for item, amount in cost.items().items()}
        told[kind] = {**items, "breakeven_pct": str((even.bp / 100).quantize(Decimal("0.001")))}
    return told


def armed(*, at: dt.datetime) -> LiveArming | None:
    """Return the arming in force, if there is one."""
    return LiveArming.objects.filter(disarmed_at=None, armed_at__lte=at, expires_at__gt=at).first()


def arm(accepted: str, *, at: dt.datetime, by: str) -> LiveArming:
    """Arm live trading until midnight IST; BadInput unless the cost was accepted in so many words."""
    if accepted.strip().casefold() != ACCEPT.casefold():
        raise BadInput(f"{accepted!r} does not accept the cost of a round trip", fix=f"type: {ACCEPT}")
    if (known := armed(at=at)) is not None:
        return known
    row = LiveArming.objects.create(
        armed_by=by, armed_at=at, expires_at=midnight(at), plan=settings.DESK.charge_plan, shown=shown(at=at)
    )
    log.warning("live trading armed", by=by, until=row.expires_at.isoformat())
    return row


def disarm(*, at: dt.datetime, by: str) -> int:
    """End every arming in force and return how many there were: entries stop, exits go on."""
    ended = LiveArming.objects.filter(disarmed_at=None, expires_at__gt=at).update(disarmed_at=at, disarmed_by=by)
    if ended:
        log.warning("live trading disarmed", by=by)
    return ended


def require(*, at: dt.datetime) -> None:
    """Raise NotAllowed unless live trading is armed for today on the plan in force."""
    row = armed(at=at)
    if row is None:
        raise NotAllowed("live trading is not armed for today", fix="look at the cost and arm it on the page Broker")
    if row.plan != settings.DESK.charge_plan:
        fix = "arm it again on the page Broker"
        raise NotAllowed(f"live trading was armed on plan {row.plan}, the plan is {settings.DESK.charge_plan}", fix=fix)
