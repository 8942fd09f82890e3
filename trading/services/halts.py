"""Stops that outlive restarts: the kill switch, the breaker and the release hold. Engaging takes one person; where
money is real, releasing takes another.

The engine looks at these rows several times a second, and once more in the transaction in which it claims an order.
"""

from __future__ import annotations

import datetime as dt

from django.db import IntegrityError, transaction

from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.models.control import Halt
from trading.models.engine import EngineRun
from trading.services import deeds
from trading.services.reasons import reason as checked

KILL, BREAKER, RELEASE = "kill", "breaker", "release"
STOP, SQUARE_OFF = "stop-entries", "square-off"
SIMULATED = "SIMULATED"  # label of a run at a simulator
SYSTEM = "the desk"  # who engages a breaker
NAMES = {KILL: "kill switch", BREAKER: "breaker", RELEASE: "release hold"}
ENTRIES = (KILL, RELEASE)  # kinds that stop entries by themselves; a breaker does it through the engine's numbers
log = get_logger("halts")


def engage(
    kind: str, reason: str, *, at: dt.datetime, by: str, square_off: bool = False, run: EngineRun | None = None
) -> Halt:  # fmt: skip
    """Stop entries, and leave every position when ``square_off``; engaging again only adds the square-off.

    BadInput without a reason.
    """
    words = checked(reason)
    action = SQUARE_OFF if square_off else STOP
    with transaction.atomic():
        known = Halt.objects.filter(kind=kind, released_at=None).first()
        if known is None:
            try:
                with transaction.atomic():
                    known = Halt.objects.create(
                        kind=kind, action=action, reason=words, engaged_by=by, engaged_at=at, run=run
                    )
            except IntegrityError:  # another process was first
                known = Halt.objects.get(kind=kind, released_at=None)
        if square_off and known.action != SQUARE_OFF:
            Halt.objects.filter(pk=known.pk).update(action=SQUARE_OFF)
            deeds.record("square-off added", f"halt {known.pk}", by=by, at=at, reason=words, kind=kind)
            known.refresh_from_db()
    log.warning("trading halted", kind=kind, by=by, reason=words, action=known.action)
    return known


def release(kind: str, reason: str, *, at: dt.datetime, by: str) -> Halt:
    """Let trading go on; NotAllowed when nothing is engaged, or, where money is real, for who engaged it."""
    words = checked(reason)
    known = Halt.objects.filter(kind=kind, released_at=None).first()
    if known is None:
        raise NotAllowed(f"the {NAMES[kind]} is not engaged", fix="nothing to release")
    if known.engaged_by == by and real_money():
        raise NotAllowed(f"{by} engaged the {NAMES[kind]} and cannot release it", fix="ask a second person")
    Halt.objects.filter(pk=known.pk, released_at=None).update(released_at=at, released_by=by, release_reason=words)
    known.refresh_from_db()
    log.warning("trading released", kind=kind, by=by, reason=words)
    return known


def engaged(kind: str = "") -> list[Halt]:
    """Return what is engaged now, of one kind or of all."""
    rows = Halt.objects.filter(released_at=None)
    return list(rows.filter(kind=kind) if kind else rows)


def no_entries() -> bool:
    """Say whether something is engaged that stops entries by itself."""
    return Halt.objects.filter(kind__in=ENTRIES, released_at=None).exists()


def real_money() -> bool:
    """Say whether an engine trades with real money, or would go on to: live, and not at a simulator."""
    live = EngineRun.objects.filter(mode="live", current=True, state__in=("starting", "running", "suspended", "failed"))
    return live.exclude(label=SIMULATED).exists()
