"""A run's traces as lines of CSV, written straight from columns: character for character what ``traces.trace`` says.

A backtest has thousands of them and lasts a fraction of a second, so what is the same for all is worked out once.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator, Sequence
from itertools import compress
from typing import Any

import numpy as np

from trading.core.signals import DIRECTIONS
from trading.core.state import EXIT_REASONS
from trading.core.traces import Columns, Told, direction, form, stamp, threshold

CHUNK = 500  # lines


def lines(
    found: Columns, symbols: Sequence[str], names: Sequence[str], told: Told, keep: Callable[[], bool] | None = None
) -> Iterator[list[str]]:
    """Yield the lines of the positions, some at a time, oldest first; ``keep`` says of each whether it is sampled."""
    kept = np.array([keep() for _ in found.lane], bool) if keep is not None else np.ones(len(found.lane), bool)
    places = np.flatnonzero(kept)
    names_said, write = [quoted(symbol) for symbol in symbols], _writer(told)
    template = form(names).replace('"', '""')
    for begin in range(0, len(places), CHUNK):
        some = places[begin : begin + CHUNK]
        notes = _notes(found, some, template, bool(names))
        when = _stamps(found.rows[some, 9])
        parts = (found.rows, found.confidence, found.sentiment, found.student, found.decided, found.fees)
        columns = [part[some].tolist() for part in parts]
        said = [names_said[lane] for lane in found.lane[some].tolist()]
        yield [write(*row) for row in zip(when, said, notes, *columns, strict=True)]


def quoted(text: str) -> str:
    """Return a text as CSV wants it."""
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow([text])
    return out.getvalue()


def _notes(found: Columns, some: Any, template: str, wanted: bool) -> list[str]:
    if not wanted:
        return ["{}"] * len(some)
    told = [template % tuple(row) for row in found.notes[some].tolist()]
    for k in np.flatnonzero(np.isnan(found.notes[some]).any(axis=1)).tolist():
        told[k] = told[k].replace(":nan", ":null")
    for k in compress(range(len(told)), (~found.noted[some]).tolist()):
        told[k] = "{}"
    return told


def _stamps(seconds: Any) -> list[str]:
    known, at = np.unique(seconds, return_inverse=True)
    texts = [stamp(ts) for ts in known.tolist()]
    return [texts[k] for k in at.tolist()]


def _writer(told: Told) -> Callable[..., str]:
    """Return what writes one position's line."""
    limit, strategy = threshold(told.strategy, told.kind), quoted(told.strategy)
    mode, version, student = told.mode.replace('"', '""'), told.version, told.student
    tail = f'""run"":""{told.run}"",""quantity"":'
    alone = f'""mode"":""{mode}"",""model_version"":""{version}"",{tail}'
    asked = f'""mode"":""{mode}"",""model_version"":""{student}"",""rules_version"":""{version}"",""rules_confidence"":'

    def write(
        when: str, symbol: str, notes: str, e: list[float], sure: float, news: float, word: float, decided: float,
        fees: float,
    ) -> str:  # fmt: skip
        side, quantity, entry, leave = int(e[4]), int(e[5]), e[6], e[7]
        move, value = round((leave / entry - 1.0) * 100.0, 6), quantity * entry
        slip = (entry / decided - 1.0) * 100.0 * side if decided > 0.0 else 0.0
        who, chance = (alone, sure) if word != word else (f"{asked}{sure:.6f},{tail}", abs(word))
        heard = "null" if news != news else f"{news:.4f}"
        return (
            f"{when},{symbol},{strategy},{DIRECTIONS[side]},{direction(move, limit)},{round(chance, 6)},"
            f"{round(entry, 4)},{round(leave, 4)},{round((int(e[3]) - int(e[9])) / 60.0, 4)},{move * side},"
            f'"{notes}","{{""exit_reason"":""{EXIT_REASONS[int(e[12])]}"",{who}{quantity},'
            f'""position_value"":{value:.2f},""entry_fees"":{fees:.2f},""exit_fees"":{e[10] - fees:.2f},'
            f'""total_fees"":{e[10]:.2f},""gross_pnl"":{e[13]:.2f},""net_pnl"":{e[11]:.2f},'
            f'""net_return_pct"":{e[11] / value * 100.0:.6f},""slippage_pct"":{slip:.6f},""sentiment"":{heard}}}"\r\n'
        )

    return write
