"""What an operator tells a running engine to do at once: asked for as a row, taken once, each leg's outcome told.

``requested`` becomes ``taken`` by the engine, or ``lapsed`` when it did not look within ``PATIENCE``.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Callable, Mapping
from typing import Any, Final

from django.db import IntegrityError, transaction

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.core.orders import OPEN
from trading.models.control import Command
from trading.models.engine import EngineRun
from trading.models.orders import Order
from trading.models.positions import Position

PATIENCE: Final = dt.timedelta(seconds=60)
CANCEL, LEAVE = "cancel-all", "square-off"
NAMES: Final = {CANCEL: "Cancel all", LEAVE: "Square off"}
log = get_logger("control")


def ask(run_id: int, verb: str, key: str, *, at: dt.datetime, by: str) -> Command:
    """Ask the run's engine for ``verb``; the same ``key`` again gives the command it gave before.

    BadInput for words that are not known, NotFound or NotAllowed for a run that takes no commands.
    """
    if verb not in NAMES:
        raise BadInput(f"{verb[:40]!r} is nothing an engine does", fix=f"use one of {', '.join(NAMES)}")
    try:
        known = uuid.UUID(key)
    except ValueError:
        raise BadInput(f"{key[:40]!r} is not the key of a form", fix="load the page again") from None
    if (earlier := Command.objects.filter(key=known).first()) is not None:
        return earlier
    run = EngineRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no engine run {run_id}", fix="look at the list of runs")
    if run.state != "running":
        raise NotAllowed(
            f"run {run_id} is {run.state}: nobody would do it", fix="start its engine, or act at the broker"
        )
    try:
        with transaction.atomic():
            command = Command.objects.create(key=known, run=run, verb=verb, asked_by=by, asked_at=at)
    except IntegrityError:  # the same form arrived twice at once
        return Command.objects.get(key=known)
    log.warning("operator command", command=command.pk, run=run_id, verb=verb, by=by)
    return command


def obey(run: EngineRun, does: Mapping[str, Callable[[], None]], *, at: dt.datetime) -> None:
    """Do what waits for ``run``, each once; what has waited too long is left undone and says so."""
    for command in Command.objects.filter(run=run, state="requested").order_by("id"):
        rows = Command.objects.filter(pk=command.pk, state="requested")
        if at - command.asked_at > PATIENCE:
            rows.update(state="lapsed")
            continue
        legs = _legs(run, command.verb)
        if rows.update(state="taken", taken_at=at, legs=legs):
            does[command.verb]()
            log.warning("operator command taken", command=command.pk, verb=command.verb, legs=len(legs))


def _legs(run: EngineRun, verb: str) -> list[dict[str, Any]]:
    """Return what a command is about to be done to: every entry that waits, and for leaving every position."""
    entries = Order.objects.filter(run=run, purpose="entry", status__in=OPEN).order_by("number")
    found: list[dict[str, Any]] = [
        {"kind": "entry", "number": each.number, "symbol": each.symbol, "side": each.side, "quantity": each.quantity}
        for each in entries
    ]
    if verb == LEAVE:
        last = Order.objects.filter(run=run).order_by("-number").values_list("number", flat=True).first() or 0
        found += [
            {"kind": "position", "after": last, "symbol": each.symbol, "side": each.side, "quantity": each.quantity}
            for each in Position.objects.filter(run=run)
        ]
    return found


def outcome(command: Command, *, at: dt.datetime) -> dict[str, Any]:
    """Return how a command stands: its legs with their state now, whether all is over, and in words."""
    state = command.state
    if state == "requested" and at - command.asked_at > PATIENCE:
        state = "lapsed"
    legs = [_leg(command, leg) for leg in command.legs]
    open_legs = sum(not leg["over"] for leg in legs)
    words = {
        "requested": "requested; the engine has not taken it yet",
        "lapsed": "not done: the engine did not look within a minute",
        "taken": f"{open_legs} of {len(legs)} under way"
        if open_legs
        else "done"
        if legs
        else "done: there was nothing",
    }
    over = state == "lapsed" or (state == "taken" and not open_legs)
    return {
        "number": command.pk, "name": NAMES[command.verb], "verb": command.verb, "state": state, "text": words[state],
        "legs": legs, "over": over, "asked_by": command.asked_by, "asked_at": command.asked_at,
        "taken_at": command.taken_at,
    }  # fmt: skip


def _leg(command: Command, leg: dict[str, Any]) -> dict[str, Any]:
    if leg["kind"] == "entry":
        order = Order.objects.filter(run=command.run_id, number=leg["number"]).first()
    else:
        mine = Order.objects.filter(run=command.run_id, symbol=leg["symbol"], purpose="exit")
        order = mine.order_by("-number").first()
    held = leg["kind"] == "position" and Position.objects.filter(run=command.run_id, symbol=leg["symbol"]).exists()
    status = order.status if order is not None else ""
    over = not held if leg["kind"] == "position" else status not in OPEN
    told = ("held" if held else "left") if leg["kind"] == "position" else status
    return {**leg, "order": order.number if order else None, "order_id": order.pk if order else None,
            "status": status, "told": told, "over": over}  # fmt: skip


def latest(run_id: int) -> Command | None:
    """Return the newest command of a run; None when it never had one."""
    return Command.objects.filter(run=run_id).first()


def command(pk: int) -> Command | None:
    """Return one command; None when there is none of that number."""
    return Command.objects.filter(pk=pk).first()
