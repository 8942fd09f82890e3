"""The desk's rules beside the strategy's own: holding, protection, sizing, limits, venue, costs."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple

from trading.core.bounds import Bound
from trading.core.signals import SentimentRule


class Rules(NamedTuple):
    """How long a position may live and what protects it."""

    stop_loss: Annotated[float, Bound(0, 0.5, "fraction", "stop this far from the entry; 0 = none")] = 0.02
    take_profit: Annotated[float, Bound(0, 2, "fraction", "target this far from the entry; 0 = none")] = 0.04
    min_hold: Annotated[int, Bound(0, 60, "sessions", "a signal may not close it earlier; stops always may")] = 0
    max_hold: Annotated[int, Bound(0, 250, "sessions", "leave at the close of this session; 0 = never")] = 0
    intraday: Annotated[int, Bound(0, 1, "flag", "1: flat before the session ends")] = 1
    entry_cutoff: Annotated[int, Bound(0, 360, "minutes", "no entry signal with less than this left")] = 30
    square_off: Annotated[int, Bound(1, 120, "minutes", "be out at the latest this long before the close")] = 1
    arm_on_fill_bar: Annotated[int, Bound(0, 1, "flag", "1: stop and target already watch the bar of the fill")] = 1
    min_confidence: Annotated[float, Bound(0, 1, "confidence", "no entry below this")] = 0.0
    min_student: Annotated[float, Bound(0, 1, "chance", "no entry to which an active student gives less")] = 0.6
    decide_early: Annotated[int, Bound(0, 60, "minutes", "live swing: decide so long before the close; 0: at it")] = 0
    allow_short: Annotated[int, Bound(0, 1, "flag", "1: SHORT entries allowed (paper and backtest only)")] = 0


FIXED_QUANTITY, NOTIONAL, KELLY, VOLATILITY = 0, 1, 2, 3
SIZING_MODES = {"quantity": FIXED_QUANTITY, "notional": NOTIONAL, "kelly": KELLY, "volatility": VOLATILITY}


class Sizing(NamedTuple):
    """How much to buy."""

    mode: Annotated[int, Bound(0, 3, "choice", "0 fixed quantity, 1 fixed notional, 2 Kelly, 3 volatility target")] = 1
    notional: Annotated[float, Bound(1, 1e9, "₹", "value of a position when mode is notional")] = 50_000.0
    kelly_fraction: Annotated[float, Bound(0.01, 1, "fraction", "share of the full Kelly stake")] = 0.25
    kelly_cap: Annotated[float, Bound(0.001, 1, "fraction", "largest stake, and the one before 20 trades")] = 0.1
    risk: Annotated[float, Bound(0.0001, 0.1, "fraction", "equity at risk over one ATR multiple")] = 0.005
    atr_multiple: Annotated[float, Bound(0.1, 20, "ATR", "distance that risk is measured over")] = 2.0
    by_confidence: Annotated[int, Bound(0, 1, "flag", "1: scale the size by the signal's confidence")] = 1


class Limits(NamedTuple):
    """What the desk may never exceed; 0 switches a limit off."""

    max_exposure: Annotated[float, Bound(0, 1e12, "₹", "value of all positions and waiting entries")] = 0.0
    max_symbol_exposure: Annotated[float, Bound(0, 1e12, "₹", "value of one position")] = 0.0
    max_positions: Annotated[int, Bound(0, 10_000, "positions", "open at once, waiting entries included")] = 0
    max_trades_day: Annotated[int, Bound(0, 100_000, "entries", "in one session")] = 0
    daily_loss: Annotated[float, Bound(0, 1e12, "₹", "loss in a session, open positions too, that stops entries")] = 0.0
    daily_loss_pct: Annotated[float, Bound(0, 100, "%", "the same, of the equity the session began with")] = 0.0
    loss_streak: Annotated[int, Bound(0, 100, "trades", "so many losses in a row start a cool-down; 0 = never")] = 0
    cool_down: Annotated[int, Bound(0, 2000, "minutes", "no entry for this long after such a streak")] = 60
    latched: Annotated[int, Bound(0, 1, "flag", "1: the breaker stays until a person resets it")] = 0


class Venue(NamedTuple):
    """How the paper market fills."""

    slippage: Annotated[float, Bound(0, 500, "bps", "against us, on every market fill")] = 2.0
    participation: Annotated[float, Bound(0, 1, "fraction", "largest share of a bar's volume; 0 = no cap")] = 0.1


class Costs(NamedTuple):
    """What a fill costs: Indian charges by the day's schedule, or one flat fraction of the value."""

    flat: Annotated[float, Bound(-1, 0.1, "fraction", "of value each side; below 0 the Indian schedule")] = -1.0


class Setup(NamedTuple):
    """Everything a decision depends on beside the bars and the state."""

    params: Any
    rules: Rules
    sentiment: SentimentRule
    sizing: Sizing
    limits: Limits
    venue: Venue
    costs: Costs
    minutes: int  # of one bar
