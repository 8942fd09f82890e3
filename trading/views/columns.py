"""The columns of every table, in one place: key in the row, heading, how it is written, what it means.

Server and browser draw the same rows from these: templates through the tag ``table_body``, scripts from their JSON.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sensequant.lib import formats

TIMES = frozenset({"time", "stamp"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column; ``sort`` is the model field it can be ordered by, ``link`` the row's key of its cell's address.

    ``hint`` is the row's key of what its cell says under the pointer; ``heading`` cells are the headings of their rows;
    ``figures`` stand like numbers though they are written as they are.
    """

    key: str
    title: str
    how: str = "text"
    help: str = ""
    sort: str = ""
    link: str = ""
    hint: str = ""
    heading: bool = False
    figures: bool = False

    @property
    def numeric(self) -> bool:
        """Say whether its values stand right-aligned in tabular figures."""
        return self.figures or self.how in formats.NUMERIC


def as_json(columns: Sequence[Column]) -> str:
    """Return columns as scripts read them."""
    return json.dumps([{"k": c.key, "f": c.how, "n": c.numeric} for c in columns])


C = Column
LIVE_POSITIONS = (
    C("symbol", "Symbol", "symbol"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty"),
    C("entry_price", "Avg", "number", "mean entry price, ₹"),
    C("last", "Last", "number", "close of the newest bar, ₹"),
    C("pnl", "P&L ₹", "pnl", "unrealised, before the charges of leaving"),
    C("pnl_pct", "%", "pct", "of the entry value"),
    C("stop", "Stop", "number", "leaves at this price, ₹"),
    C("target", "Target", "number", "takes the profit at this price, ₹"),
    C("opened_at", "Since", "time", "market time of the entry"),
)
LIVE_ORDERS = (
    C("at", "Time", "time", "market time"),
    C("symbol", "Symbol", "symbol"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty"),
    C("price", "Price", "number", "price it was sized at, ₹"),
    C("purpose", "For", "word"),
    C("status", "Status", "status"),
)
LIVE_SIGNALS = (
    C("at", "Bar", "time", "start of the bar that was judged"),
    C("symbol", "Symbol", "symbol"),
    C("direction", "Says", "side"),
    C("confidence", "Conf.", "share", "how sure the strategy is, after sentiment"),
    C("price", "Price", "number", "close of the bar, ₹"),
    C("reason", "Why"),
    C("objections", "Why not", "objections", "what spoke against acting on it"),
)
LIVE_TRADES = (
    C("exit_time", "Closed", "time"),
    C("symbol", "Symbol", "symbol"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty"),
    C("entry_price", "In", "number", "mean entry price, ₹"),
    C("exit_price", "Out", "number", "mean exit price, ₹"),
    C("net_pnl", "Net ₹", "pnl", "after charges"),
    C("exit_reason", "Left by", "word"),
)
LIVE_WATCH = (
    C("symbol", "Symbol", "symbol"),
    C("last", "Last", "number", "close of the newest bar, ₹"),
    C("change_pct", "Day", "pct", "against the close of the session before"),
    C("volume", "Volume", "volume", "shares in the newest bar"),
    C("sentiment", "News", "number", "−1 bearish … +1 bullish; a dash where none is known"),
)
FEATURES = {  # name in the engine's feature row → heading, how it is written, meaning; what is not here is not shown
    "fast": ("Fast", "number", "fast simple moving average, ₹"),
    "slow": ("Slow", "number", "slow simple moving average, ₹"),
    "sma": ("SMA", "number", "simple moving average, ₹"),
    "ema": ("EMA", "number", "exponential moving average, ₹"),
    "vwap": ("VWAP", "number", "volume-weighted average price of the session, ₹"),
    "rsi": ("RSI", "number", "Wilder’s relative strength index, 0 … 100"),
    "adx": ("ADX", "number", "Wilder’s average directional index, 0 … 100"),
    "atr": ("ATR", "number", "average true range, ₹"),
    "bollinger_upper": ("BB high", "number", "upper Bollinger band, ₹"),
    "bollinger_lower": ("BB low", "number", "lower Bollinger band, ₹"),
    "macd": ("MACD", "number", "difference of two exponential averages, ₹"),
    "macd_signal": ("Signal", "number", "exponential average of MACD, ₹"),
    "volume_ratio": ("Vol ×", "number", "volume against its mean"),
    "return_1": ("1 bar", "pct_of_one", "change over one bar"),
}


def features(names: Iterable[str]) -> tuple[Column, ...]:
    """Return the columns of the features called ``names``, in the order of ``FEATURES``."""
    known = set(names)
    return tuple(Column(f"features.{name}", *told) for name, told in FEATURES.items() if name in known)


ORDERS = (
    C("number", "No.", "qty", sort="number", link="address"),
    C("created_at", "Decided", "stamp", "market time, end of the deciding bar", "created_at"),
    C("symbol", "Symbol", "symbol", sort="symbol"),
    C("strategy", "Strategy", "word"),
    C("side", "Side", "side"),
    C("purpose", "For", "word"),
    C("quantity", "Qty", "qty", sort="quantity"),
    C("filled", "Filled", "qty"),
    C("price", "Sized at", "number", "price the size was computed from, ₹"),
    C("average", "Filled at", "number", "mean price of its fills, ₹"),
    C("charges", "Charges", "number", "brokerage and levies of its fills, ₹"),
    C("status", "Status", "status", sort="status"),
    C("reason", "Why", "word"),
)
POSITIONS = (
    C("symbol", "Symbol", "symbol", sort="symbol"),
    C("strategy", "Strategy", "word"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty", sort="quantity"),
    C("entry_price", "Avg", "number", "mean entry price, ₹"),
    C("last", "Last", "number", "as of the newest snapshot, ₹"),
    C("pnl", "P&L ₹", "pnl", "unrealised"),
    C("pnl_pct", "%", "pct"),
    C("stop", "Stop", "number"),
    C("target", "Target", "number"),
    C("protection", "Protection", "status", "unprotected: no stop; unwatched: a stop, but no engine runs to watch it"),
    C("charges", "Charges so far", "number", "of the entry, ₹"),
    C("opened_at", "Opened", "stamp", sort="opened_at"),
)
SIGNALS = (
    C("at", "Bar", "stamp", "start of the bar that was judged", "at"),
    C("symbol", "Symbol", "symbol", sort="symbol"),
    C("strategy", "Strategy", "word"),
    C("direction", "Says", "side"),
    C("confidence", "Conf.", "share", "how sure the strategy is, after sentiment", "confidence"),
    C("model_confidence", "Student", "share", "chance the student gave it; a dash where none was asked"),
    C("sentiment", "Sentiment", "number", "−1 … +1; a dash where none is known"),
    C("price", "Price", "number", "close of the bar, ₹"),
    C("reason", "Why"),
    C("objections", "Why not", "objections"),
)
JOURNAL = (
    C("exit_time", "Closed", "stamp", sort="exit_time"),
    C("symbol", "Symbol", "symbol", sort="symbol"),
    C("strategy", "Strategy", "word"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty", sort="quantity"),
    C("entry_time", "Opened", "stamp", sort="entry_time"),
    C("entry_price", "In", "number"),
    C("exit_price", "Out", "number"),
    C("exit_reason", "Left by", "word", sort="exit_reason"),
    C("gross_pnl", "Gross ₹", "pnl", sort="gross_pnl"),
    C("charges", "Charges", "number", "brokerage and levies of both sides, ₹", "charges"),
    C("net_pnl", "Net ₹", "pnl", "after charges", "net_pnl"),
)
BACKTESTS = (
    C("number", "No.", "qty", link="address"),
    C("status", "Status", "status"),
    C("strategy", "Strategy"),
    C("interval", "Bars"),
    C("names", "Symbols", hint="symbols"),
    C("source", "Source"),
    C("first", "From"),
    C("last", "To"),
    C("total_pnl", "Net P&L", "pnl"),
    C("total_return", "Return", "pct_of_one"),
    C("sharpe_ratio", "Sharpe", "ratio"),
    C("max_drawdown", "Max drawdown", "share2"),
    C("trades", "Trades", "qty"),
    C("win_rate", "Win rate", "share"),
    C("created_at", "Asked", "stamp"),
    C("created_by", "By"),
)
BACKTEST_TRADES = (
    C("number", "No.", "qty", sort="number"),
    C("symbol", "Symbol", "symbol", sort="symbol"),
    C("strategy", "Strategy", "word", sort="strategy"),
    C("side", "Side", "side"),
    C("quantity", "Qty", "qty", sort="quantity"),
    C("entry_time", "Opened", "stamp", sort="entry_time"),
    C("entry_price", "In", "number"),
    C("exit_time", "Closed", "stamp", sort="exit_time"),
    C("exit_price", "Out", "number"),
    C("exit_reason", "Left by", "word", sort="exit_reason"),
    C("gross_pnl", "Gross ₹", "pnl", sort="gross_pnl"),
    C("charges", "Charges", "number", "brokerage and levies of both sides, ₹", "charges"),
    C("net_pnl", "Net ₹", "pnl", "after charges", "net_pnl"),
    C("mae", "MAE", "share2", "furthest against it while held, of the entry price", "mae"),
    C("mfe", "MFE", "share2", "furthest in its favour while held, of the entry price", "mfe"),
)
FILLS = (
    C("at", "Time", "stamp"),
    C("quantity", "Qty", "qty"),
    C("price", "Price", "number"),
    C("charges", "Charges", "number", "₹, brokerage and all levies"),
)
STEPS = (C("at", "Time", "stamp"), C("old", "From", "status"), C("new", "To", "status"), C("note", "Note"))
SENTIMENT_PROVIDERS = (
    C("name", "Provider", "word"),
    C("circuit", "Circuit", "status", "closed: asked; open: passed over; half-open: one request probes"),
    C("until", "Until", "time", "when an open circuit is tried again, or it asked us to wait until"),
    C("weight", "Weight", "number", "in the average of those that answered"),
    C("success_rate", "Answered %", "number", "calls that were answered, of all"),
    C("failed_requests", "Failed", "qty", "calls that failed"),
    C("avg_latency_ms", "Latency ms", "number", "running average"),
    C("cache_hit_rate", "Cache %", "number", "looks that found a fresh score"),
    C("requests_left", "Left", "qty", "requests of this minute’s ration"),
    C("last_success", "Last answer", "stamp"),
    C("last_error", "Last error"),
)
SENTIMENT_SCORES = (
    C("symbol", "Symbol", "symbol"),
    C("value", "Score", "pnl", "−1 bearish … +1 bullish; a dash is neutral"),
    C("confidence", "Sure", "share"),
    C("source", "From", "word"),
    C("at", "As of", "stamp"),
    C("reason", "Note"),
)
SENTIMENT_ITEMS = (
    C("published_at", "Published", "stamp"),
    C("symbol", "Symbol", "symbol"),
    C("headline", "Headline", link="url", hint="text"),
    C("value", "Score", "pnl", "−1 bearish … +1 bullish"),
    C("confidence", "Sure", "share"),
    C("weight", "Weight", "number", "relevance and engagement"),
    C("outlet", "By", "word"),
    C("provider", "Found by", "word"),
    C("fetched_at", "Known since", "stamp", "before this it changed nothing"),
    C("scorer", "Scorer", "word"),
)
SENTIMENT_CALLS = (
    C("at", "Time", "stamp"),
    C("provider", "Provider", "word"),
    C("symbol", "Symbol", "symbol"),
    C("error", "What went wrong"),
)
DEMO_NEWS = (
    C("published_at", "Published", "stamp", "market time"),
    C("symbol", "Symbol", "symbol"),
    C("title", "Headline"),
    C("value", "Score", "pnl", "what the demo desk trades on"),
)
