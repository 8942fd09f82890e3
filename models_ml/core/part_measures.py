"""The measures of a run on some of its days, from its events: closed trades by exit, returns by session."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from models_ml.core.periods import Span
from trading.core.accuracy import by_class, confusion
from trading.core.metrics import DAYS
from trading.core.state import DAY_END, EVENT_FIELDS, TRADED, WIDTH

Floats = npt.NDArray[np.float64]
IST_SECONDS, DAY_SECONDS, EPOCH_ORDINAL = 19_800, 86_400, 719_163
RATE_PLACES = 10  # digits kept of what is written to JSON; the returns themselves are kept whole


class Curve(NamedTuple):
    """A run by session and by trade: ordinals and equity returns; then columns of the closed trades."""

    session: npt.NDArray[np.int64]
    returns: Floats
    exit_session: npt.NDArray[np.int64]
    side: Floats
    move: Floats  # of the price from entry to exit, as a fraction
    net: Floats  # rupees after charges
    gross: Floats
    charges: Floats
    minutes: Floats


def curve(events: Floats, capital: float) -> Curve:
    """Return the curve of a run's flat event buffer; ``capital`` is the equity before its first session, in rupees."""
    rows = events.reshape(-1, WIDTH)
    ends, trades = rows[rows[:, 0] == DAY_END], rows[rows[:, 0] == TRADED]
    equity = _column(ends, DAY_END, "equity")
    before = np.concatenate(([capital], equity[:-1]))
    entry, leave = _column(trades, TRADED, "entry_price"), _column(trades, TRADED, "exit_price")
    closed = trades[:, 3]
    return Curve(
        session=_column(ends, DAY_END, "session").astype(np.int64),
        returns=equity / before - 1.0,
        exit_session=((closed + IST_SECONDS) // DAY_SECONDS).astype(np.int64) + EPOCH_ORDINAL,
        side=_column(trades, TRADED, "side"),
        move=leave / entry - 1.0,
        net=_column(trades, TRADED, "net"),
        gross=_column(trades, TRADED, "gross"),
        charges=_column(trades, TRADED, "charges"),
        minutes=(closed - _column(trades, TRADED, "entry_ts")) / 60.0,
    )


def _column(rows: Floats, kind: int, name: str) -> Floats:
    return rows[:, 4 + EVENT_FIELDS[kind].index(name)]


def within(found: Curve, span: Span) -> Floats:
    """Return the daily returns of the span's sessions."""
    return found.returns[(found.session >= span.first) & (found.session <= span.last)]


def measure(found: Curve, span: Span, limit: float) -> dict[str, Any]:
    """Return the measures of the span: fractions, rupees, minutes; None where one has no meaning.

    Definitions are those of ``trading.core.metrics``, except that the drawdown is of daily equity. Precision and recall
    compare each trade's side with what the price did, a move of at most ``limit`` per cent being neither (§14.6).
    """
    returns = within(found, span)
    here = (found.exit_session >= span.first) & (found.exit_session <= span.last)
    net, gross, count = found.net[here], found.gross[here], int(here.sum())
    won, lost = float(net[net > 0.0].sum()), float(-net[net <= 0.0].sum())
    mean, deviation = (float(returns.mean()), float(returns.std(ddof=1))) if returns.size > 1 else (math.nan, math.nan)
    downside = float(np.sqrt((np.minimum(returns, 0.0) ** 2).mean())) if returns.size else math.nan
    growth = float(np.prod(1.0 + returns))
    drawdown = _drawdown(returns)
    cagr = growth ** (DAYS / returns.size) - 1.0 if returns.size and growth > 0.0 else math.nan
    numbers = {
        "sharpe_ratio": _ratio(mean, deviation) * math.sqrt(DAYS),
        "sortino_ratio": _ratio(mean, downside) * math.sqrt(DAYS),
        "calmar_ratio": _ratio(cagr, drawdown),
        "total_return": growth - 1.0,
        "total_pnl": float(net.sum()),
        "max_drawdown": drawdown,
        "volatility": deviation * math.sqrt(DAYS),
        "win_rate": _ratio(float((net > 0.0).sum()), count),
        "profit_factor": _ratio(won, lost),
        "expectancy": _ratio(float(net.sum()), count),
        "avg_hold_minutes": _ratio(float(found.minutes[here].sum()), count),
        "charges": float(found.charges[here].sum()),
        "hit_ratio": _ratio(float((gross > 0.0).sum()), count),
    }
    told = classes(found.side[here], found.move[here] * 100.0, limit)
    return {"trades": count, "days": int(returns.size), **{k: _tidy(v) for k, v in numbers.items()}, **told}


def classes(side: Floats, move: Floats, limit: float) -> dict[str, Any]:
    """Return precision and recall of LONG and SHORT, and the 3×3 confusion matrix (rows actual, columns predicted).

    ``move`` is in per cent; beyond ``limit`` it is a direction, else NOOP.
    """
    actual = np.where(move > limit, 0, np.where(move < -limit, 1, 2)).astype(np.int64)
    matrix = confusion(actual, np.where(side > 0, 0, 1).astype(np.int64))
    precision, recall, _ = by_class(matrix)
    found: dict[str, Any] = {}
    for label in ("LONG", "SHORT"):
        found[f"precision_{label.lower()}"] = _tidy(precision[label])
        found[f"recall_{label.lower()}"] = _tidy(recall[label])
    return {**found, "confusion_matrix": matrix.tolist()}


def _drawdown(returns: Floats) -> float:
    wealth = np.cumprod(np.concatenate(([1.0], 1.0 + returns)))
    return float((1.0 - wealth / np.maximum.accumulate(wealth)).max())


def _ratio(a: float, b: float) -> float:
    return a / b if b > 1e-14 else math.nan


def _tidy(value: float) -> float | None:
    return round(value, RATE_PLACES) if math.isfinite(value) else None
