"""Traces as columns: what accuracy is computed from, checked row by row on the way in."""

from __future__ import annotations

import datetime as dt
import json
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core.calendar import IST
from trading.core.errors import Invalid
from trading.core.state import TRADED, WIDTH
from trading.core.traces import LABELS, Told, threshold

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Places = npt.NDArray[np.bool_] | Ints | slice

SYMBOL = re.compile(r"[A-Z0-9][A-Z0-9&.\-]{0,31}")
WORD = re.compile(r"[a-z][a-z0-9_\-]{0,31}")
PLACE = {label: k for k, label in enumerate(LABELS)}
UNVERSIONED = ""
DECODE = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Table:
    """Traces as columns of equal length; ``predicted`` and ``actual`` are places in LABELS, returns per cent.

    ``net`` is what was left after charges, NaN where the trace does not say. ``symbol``, ``strategy``, ``version`` and
    ``mode`` are objects (texts).
    """

    ts: Ints  # entry, seconds UTC
    symbol: npt.NDArray[np.object_]
    strategy: npt.NDArray[np.object_]
    predicted: Ints
    actual: Ints
    confidence: Floats
    entry: Floats
    exit: Floats
    holding: Floats  # minutes
    returns: Floats
    net: Floats
    version: npt.NDArray[np.object_]
    mode: npt.NDArray[np.object_]

    def __len__(self) -> int:
        """Return how many traces there are."""
        return len(self.ts)

    def take(self, where: Places) -> Table:
        """Return the rows at ``where``: places, a mask or a slice."""
        return replace(self, **{each.name: getattr(self, each.name)[where] for each in fields(self)})

    def of(self, strategy: str) -> Table:
        """Return the traces of one strategy."""
        return self.take(np.asarray(self.strategy == strategy, bool))

    def in_order(self) -> Table:
        """Return the traces as their positions were closed, ties as they were opened."""
        return self.take(np.lexsort((self.ts, self.ts + self.holding * 60.0)))


def closed(events: Floats, symbols: Sequence[str], told: Told) -> Table:
    """Return the closed positions among a run's events (flat) as a table, at once; confidences are not looked up."""
    rows = events.reshape(-1, WIDTH)
    rows = rows[rows[:, 0] == TRADED]
    n, limit = len(rows), threshold(told.strategy, told.kind)
    side, quantity, entry, exit_ = rows[:, 4], rows[:, 5], rows[:, 6], rows[:, 7]
    move = np.round((exit_ / entry - 1.0) * 100.0, 6)
    names = np.array([*symbols, ""], object)
    texts = (np.full(n, text, object) for text in (told.strategy, told.version, told.mode))
    strategy, version, mode = texts
    return Table(
        rows[:, 9].astype(np.int64), names[rows[:, 1].astype(np.int64)], strategy, np.where(side > 0, 0, 1),
        np.where(move > limit, 0, np.where(move < -limit, 1, 2)), np.full(n, np.nan), entry, exit_,
        np.round((rows[:, 3] - rows[:, 9]) / 60.0, 4), move * side, rows[:, 11] / (quantity * entry) * 100.0,
        version, mode,
    )  # fmt: skip


def joined(tables: Sequence[Table]) -> Table:
    """Return several tables as one."""
    return Table(**{each.name: np.concatenate([getattr(x, each.name) for x in tables]) for each in fields(Table)})


def at_once(rows: Sequence[Sequence[Any]]) -> Table:
    """Return rows of twelve fields as a table, column by column; Invalid where ``parse`` would refuse one of them."""
    if not rows:
        return Builder().table()
    ts, symbol, strategy, predicted, actual, *numbers, features, metadata = zip(*rows, strict=True)
    try:
        strange = [each for each in set(symbol) if not SYMBOL.fullmatch(each)]
        strange += [each for each in set(strategy) if not WORD.fullmatch(each)]
        said, was = ([PLACE[each] for each in column] for column in (predicted, actual))
        columns = [np.array([float(each) for each in column]) for column in numbers]
    except (KeyError, TypeError, ValueError):
        raise Invalid("a trace cannot be read") from None
    confidence, entry, exit_, holding, returns = columns
    clean = all(np.isfinite(column).all() for column in columns) and bool((confidence <= 1.0).all())
    if strange or not clean or min(entry.min(), exit_.min()) <= 0.0 or min(confidence.min(), holding.min()) < 0.0:
        raise Invalid("a trace cannot be read")
    for each in features:
        _object(each, "features")
    notes = [_notes(_object(each, "metadata")) for each in metadata]
    net, version, mode = zip(*notes, strict=True)
    texts = (np.array(column, object) for column in (symbol, strategy, version, mode))
    symbols, strategies, versions, modes = texts
    return Table(
        np.array([_seconds(each) for each in ts], np.int64), symbols, strategies, np.array(said, np.int64),
        np.array(was, np.int64), confidence, entry, exit_, holding, returns, np.array(net), versions, modes,
    )  # fmt: skip


class Builder:
    """Collects rows into a table."""

    def __init__(self) -> None:
        """Begin with none."""
        self._rows: list[tuple[Any, ...]] = []

    def add(self, row: Sequence[Any]) -> None:
        """Take the twelve fields of a trace, texts or parsed JSON; Invalid names the field that cannot be."""
        self._rows.append(parse(row))

    def table(self) -> Table:
        """Return what was taken so far."""
        columns = list(zip(*self._rows, strict=True)) if self._rows else [()] * len(fields(Table))
        kinds: dict[str, type] = {"ts": np.int64, "predicted": np.int64, "actual": np.int64}
        texts = ("symbol", "strategy", "version", "mode")
        made: dict[str, Any] = {
            each.name: np.array(column, object if each.name in texts else kinds.get(each.name, np.float64))
            for each, column in zip(fields(Table), columns, strict=True)
        }
        return Table(**made)


def parse(row: Sequence[Any]) -> tuple[Any, ...]:
    """Return a trace's twelve fields as a row of Table; Invalid names what is wrong with which."""
    ts = _seconds(row[0])
    symbol, strategy, predicted, actual = row[1], row[2], row[3], row[4]
    if not (isinstance(symbol, str) and _is(SYMBOL, symbol)):
        raise Invalid(f"symbol {symbol!r} is no NSE symbol")
    if not (isinstance(strategy, str) and _is(WORD, strategy)):
        raise Invalid(f"strategy {strategy!r} is no name")
    if predicted not in PLACE:
        raise Invalid(f"predicted_direction {predicted!r} is none of {', '.join(LABELS)}")
    if actual not in PLACE:
        raise Invalid(f"actual_direction {actual!r} is none of {', '.join(LABELS)}")
    confidence = _number(row[5], "predicted_confidence", 0.0, 1.0)
    entry, exit_ = _number(row[6], "entry_price", 0.0), _number(row[7], "exit_price", 0.0)
    if entry == 0.0 or exit_ == 0.0:
        raise Invalid("a price of 0 is none")
    holding = _number(row[8], "holding_period_minutes", 0.0)
    returns = _number(row[9], "realized_return_pct")
    _object(row[10], "features")
    return (
        ts, symbol, strategy, PLACE[predicted], PLACE[actual], confidence, entry, exit_, holding, returns,
        *_notes(_object(row[11], "metadata")),
    )  # fmt: skip


def _notes(meta: dict[str, Any]) -> tuple[float, str, str]:
    """Return what of a trace's metadata is a column: the net return, the version that predicted, the mode."""
    net = meta.get("net_return_pct")
    net = float(net) if isinstance(net, int | float) and not isinstance(net, bool) else math.nan
    return net, _short(meta.get("model_version", UNVERSIONED)), _short(meta.get("mode", ""))


@lru_cache(maxsize=4096)
def _is(pattern: re.Pattern[str], text: str) -> bool:
    return pattern.fullmatch(text) is not None


def _short(value: Any) -> str:
    return _cleaned(value) if isinstance(value, str) else UNVERSIONED


@lru_cache(maxsize=4096)
def _cleaned(text: str) -> str:
    """Return a text of the metadata as a name: nothing that a page or a spreadsheet could take for more."""
    return re.sub(r"[^A-Za-z0-9_.:@\-]", "_", text)[:80].lstrip("-@")


def _seconds(value: Any) -> int:
    try:
        at = dt.datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise Invalid(f"timestamp {value!r} is no ISO 8601 time") from None
    if at.tzinfo is None:
        at = at.replace(tzinfo=IST)
    return int(at.timestamp())


def _number(value: Any, name: str, low: float = -math.inf, high: float = math.inf) -> float:
    try:
        found = float(value)
    except (TypeError, ValueError):
        raise Invalid(f"{name} {value!r} is no number") from None
    if not (low <= found <= high and math.isfinite(found)):
        raise Invalid(f"{name} {value!r} is out of bounds")
    return found


def _object(value: Any, name: str) -> dict[str, Any]:
    if isinstance(value, str):
        if value in ("", "{}"):
            return {}
        try:
            found, end = DECODE(value)  # quicker than loads, which looks for blanks first
            value = found if end == len(value) else json.loads(value)
        except (ValueError, RecursionError):
            raise Invalid(f"{name} is no JSON: {value[:60]!r}") from None
    if not isinstance(value, dict):
        raise Invalid(f"{name} is no JSON object: {str(value)[:60]!r}")
    return value
