"""What a person should look at now, worst first, out of one snapshot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sensequant.lib import formats

NEAR = 0.8  # of a limit: from here on it is worth saying
LEVELS = ("bad", "warn", "info")
Item = dict[str, str]


def attention(body: dict[str, Any]) -> list[Item]:
    """Return the items ``{level, title, detail}`` of one published state, worst first."""
    found = [*_conditions(body), *_states(body), *_limits(body), *_orders(body), *_positions(body), *_switches(body)]
    return sorted(found, key=lambda item: LEVELS.index(item["level"]))


def _item(level: str, title: str, detail: str = "") -> Item:
    return {"level": level, "title": title, "detail": detail}


def _conditions(body: dict[str, Any]) -> Iterator[Item]:
    for each in body.get("conditions") or []:
        about = f" {each['subject']}" if each.get("subject") else ""
        yield _item(
            each["level"], f"{each['code'].replace('-', ' ').capitalize()}{about}", f"{each['message']}. {each['fix']}"
        )


def _states(body: dict[str, Any]) -> Iterator[Item]:
    for state in body.get("states") or []:
        if state.get("level") in ("warn", "bad"):
            yield _item(state["level"], str(state["key"]).title(), str(state.get("text") or ""))


def _limits(body: dict[str, Any]) -> Iterator[Item]:
    money = body.get("pnl") or {}
    loss, cap = formats.decimal(money.get("day")), formats.decimal(money.get("day_loss_limit"))
    if loss is not None and cap and -loss >= NEAR * float(cap):
        part = formats.show(-loss / cap, "share").text
        yield _item("bad" if -loss >= cap else "warn", "Day loss", f"{part} of its limit is used")
    held, most = formats.decimal(money.get("exposure")), formats.decimal(money.get("exposure_limit"))
    if held is not None and most and held >= NEAR * float(most):
        yield _item("warn", "Exposure", f"{formats.show(held / most, 'share').text} of its limit is used")


def _orders(body: dict[str, Any]) -> Iterator[Item]:
    for order in body.get("orders") or []:
        if order.get("status") == "rejected":
            title = f"{order['symbol']} {order['side']} {order['quantity']} rejected"
            yield _item("bad", title, str(order.get("reason") or ""))


def _positions(body: dict[str, Any]) -> Iterator[Item]:
    for position in body.get("positions") or []:
        if position.get("stop") is None:
            yield _item("warn", f"{position['symbol']} has no stop", f"{position['side']} {position['quantity']}")


def _switches(body: dict[str, Any]) -> Iterator[Item]:
    if body.get("entries_paused"):
        yield _item("info", "Entries are paused", "exits, stops and targets go on")
    if body.get("held"):
        yield _item("info", "The replay stands still", "press Play to go on")
