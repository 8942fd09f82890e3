"""The tour of the demo day, as a table: page by page, what is to be seen there and what to try."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Stop:
    """One stop of the tour: the name of its page, a title, what is to be seen there, what to try."""

    page: str
    title: str
    see: str
    act: str


TOUR = (
    Stop(
        "live", "The desk at work",
        "A generated market runs a minute of market time in a second. The strip at the top says how engine, broker, "
        "feed, risk, database and queue are; the tiles say what the day has earned.",
        "Press 600× and watch positions come and go; press Hold to let it stand still.",
    ),
    Stop(
        "signals", "Why it trades, and why not",
        "Every opinion of the strategy is kept, with its reason and with everything that spoke against acting on it.",
        "Choose status “declined”: most signals never become orders.",
    ),
    Stop(
        "orders", "What became of a decision",
        "An order shows its life step by step, its fills and charges, and the signal behind it.",
        "Press j to go down the rows and Enter to open one.",
    ),
    Stop(
        "positions", "What is held",
        "Each position with its stop, its target and whether a running engine protects it.",
        "On Live, open Leave… and hold Square off: each leg’s outcome is told.",
    ),
    Stop(
        "risk", "What stops trading",
        "Every limit and how much of it is used, the breaker, the kill switch.",
        "Engage the kill switch, look at Live, and release it with a reason.",
    ),
    Stop(
        "journal", "What it earned",
        "Every closed trade with its gross and net result; Reports sums a day or a week.",
        "Download the table as CSV.",
    ),
    Stop(
        "backtests", "The same strategy over the past",
        "A backtest decides by the same code as the engine, and says how much of its result could be luck.",
        "Start one with the values as they stand; it takes a few seconds.",
    ),
    Stop(
        "parity", "Proof that both are one",
        "A day the desk traded is simulated again and compared, fill by fill.",
        "Choose the first day and compare.",
    ),
    Stop(
        "alerts", "When something is wrong",
        "Rules watch the desk; each leads to a runbook that says what to do.",
        "Send a test message of a rule, then open its runbook.",
    ),
)  # fmt: skip
