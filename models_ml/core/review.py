"""The teacher's evening review (§6): from the trades of the last sessions to changed parameters, each with evidence.

Rules, not a model. A rule that has too few trades to go by changes nothing and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

FEWEST: Final = 8  # trades a rule needs
QUICK: Final = 4 * 3600  # seconds in which an entry should have paid
GAIN: Final = 0.02  # …at least this fraction, to be reinforced
HAPPY: Final = 0.5  # sentiment above which news were good
STEP_RSI, STEP_NEWS = 2.0, 0.1
BIGGER, SMALLER = 1.1, 0.9
LEAST_SHARPE, LEAST_WINS = 0.3, 0.45  # §6: below either, the parameters stay as they were
SIZES: Final = {0: "", 1: "notional", 2: "kelly_fraction", 3: "risk"}


class Deal(NamedTuple):
    """One closed trade as the review sees it: fractions of its entry value, seconds, the entry's RSI and news.

    ``best`` is the furthest the price went its way within four hours; NaN where unknown.
    """

    side: int
    net: float
    best: float
    seconds: float
    rsi: float
    sentiment: float


class Change(NamedTuple):
    """What one rule found: the parameter, its value before and after (the same: nothing changes), and why."""

    rule: str
    parameter: str
    before: float
    after: float
    trades: int
    evidence: str

    @property
    def real(self) -> bool:
        """Say whether anything changes."""
        return self.after != self.before


def threshold(deals: Sequence[Deal], params: Mapping[str, float], parameter: str) -> Change:
    """Return the entry threshold after the trades that were nearest to it.

    Entries in the lowest third of RSI are the ones the threshold let in. When they paid 2 % within four hours or were
    worth it on average, it is loosened a step; when they lost on average, tightened.
    """
    before = float(params[parameter])
    known = sorted((_strength(d), d) for d in deals if d.rsi == d.rsi)
    edge = [d for _, d in known[: len(known) // 3]]
    if len(edge) < FEWEST:
        return Change(
            "threshold", parameter, before, before, len(edge), f"{len(edge)} entries near it, {FEWEST} needed"
        )
    mean = sum(d.net for d in edge) / len(edge)
    paid = sum(1 for d in edge if d.best >= GAIN)
    told = f"{len(edge)} entries near it: {mean * 100:+.2f} % each after charges, {paid} of them +2 % within 4 h"
    if mean > 0.0 and (paid * 3 >= len(edge) or mean >= GAIN / 4):
        return Change("threshold", parameter, before, before - STEP_RSI, len(edge), told)
    after = before + STEP_RSI if mean < 0.0 else before
    return Change("threshold", parameter, before, after, len(edge), told)


def _strength(deal: Deal) -> float:
    return deal.rsi if deal.side > 0 else 100.0 - deal.rsi


def sentiment_gate(deals: Sequence[Deal], params: Mapping[str, float]) -> Change:
    """Return the level from which good news make a LONG surer: raised when they were followed by losses."""
    before = float(params["boost_above"])
    happy = [d for d in deals if d.side > 0 and d.sentiment > HAPPY]
    name = "boost_above"
    if len(happy) < FEWEST:
        return Change("sentiment_gate", name, before, before, len(happy), f"{len(happy)} on good news, {FEWEST} needed")
    mean = sum(d.net for d in happy) / len(happy)
    fell = sum(1 for d in happy if d.net < 0.0)
    told = f"{len(happy)} LONGs on sentiment above {HAPPY}: {mean * 100:+.2f} % each, {fell} lost"
    after = before + STEP_NEWS if mean < 0.0 and fell * 2 > len(happy) else before
    return Change("sentiment_gate", name, before, round(after, 4), len(happy), told)


def position_size(deals: Sequence[Deal], params: Mapping[str, float]) -> Change:
    """Return the size after all trades: a tenth more when they clearly paid, a tenth less when they clearly did not."""
    name = SIZES[int(params["mode"])]
    if not name:
        return Change("position_size_multiplier", "", 1.0, 1.0, len(deals), "a fixed quantity is not scaled")
    before = float(params[name])
    if len(deals) < 2 * FEWEST:
        told = f"{len(deals)} trades, {2 * FEWEST} needed"
        return Change("position_size_multiplier", name, before, before, len(deals), told)
    wins, gains = sum(1 for d in deals if d.net > 0.0) / len(deals), sum(d.net for d in deals if d.net > 0.0)
    losses = -sum(d.net for d in deals if d.net < 0.0)
    factor = gains / losses if losses > 0.0 else float("inf")
    told = f"{len(deals)} trades: {wins * 100:.0f} % won, profit factor {factor:.2f}"
    times = BIGGER if wins >= 0.55 and factor >= 1.5 else SMALLER if wins < LEAST_WINS or factor < 0.8 else 1.0
    return Change("position_size_multiplier", name, before, round(before * times, 6), len(deals), told)


ENTRY: Final = {"intraday": "rsi_low", "swing": "rsi_entry", "crossover": "rsi_cap"}
Rule = Callable[[Sequence[Deal], Mapping[str, float]], Change]


def review(strategy: str, deals: Sequence[Deal], params: Mapping[str, float]) -> list[Change]:
    """Return what every rule found in ``deals``, oldest first; ``params`` are all values in force by name."""
    found = [sentiment_gate(deals, params), position_size(deals, params)]
    return [threshold(deals, params, ENTRY[strategy]), *found] if strategy in ENTRY else found


def as_document(changes: Sequence[Change], params: Mapping[str, float]) -> dict[str, float]:
    """Return the review as §6 writes it: rsi_buy, sentiment_gate, position_size_multiplier, changed or not."""
    told: dict[str, float] = {}
    for each in changes:
        if each.rule == "threshold":
            told["rsi_buy"] = each.after
        elif each.rule == "sentiment_gate":
            told["sentiment_gate"] = each.after
        else:
            told["position_size_multiplier"] = round(each.after / each.before, 4) if each.before else 1.0
    return told


def holds(validation: Mapping[str, Any]) -> str:
    """Return why changed parameters may not be proposed by their held-out week, or an empty text.

    ``validation`` holds ``sharpe`` (yearly) and ``win_rate`` (a share); what is missing is not good enough.
    """
    sharpe, wins = validation.get("sharpe"), validation.get("win_rate")
    if sharpe is None or not sharpe >= LEAST_SHARPE:
        return f"validation Sharpe {_told(sharpe)} is below {LEAST_SHARPE}"
    if wins is None or not wins >= LEAST_WINS:
        return f"win rate {_told(wins)} is below {LEAST_WINS:.0%}"
    return ""


def _told(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.2f}"
