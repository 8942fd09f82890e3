"""Is this file of bars sound? Each rule looks at the rows still in, sets some aside or leaves a note, and says why."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from trading.core import bar_levels, bar_sessions
from trading.core.bar_report import FileReport, Severity, counted, stamp
from trading.core.bar_rows import UNREADABLE, Rows, Setting, Sieve
from trading.core.bars import IST_OFFSET, Bars, ordinals

DAY_SECONDS: Final = 86_400
PRICE_SLACK: Final = 1e-9  # relative; adjusted prices carry rounding of their last digit


@dataclass(frozen=True, slots=True)
class Checked:
    """The bars that passed, sorted and without duplicates, and the report."""

    bars: Bars
    report: FileReport


def check(rows: Rows, setting: Setting, *, file: str, symbol: str) -> Checked:
    """Return the sound bars among ``rows`` and what was found; ``file`` names them in the report."""
    sieve = Sieve.of(rows, setting)
    for rule in STEPS:
        if not sieve.stopped:
            rule(sieve)
    bars = sieve.bars()
    ends = ("", "") if not len(bars) else (_stamp(bars, 0, setting), _stamp(bars, -1, setting))
    removed = sieve.removed()
    report = FileReport(
        file, symbol, setting.interval, len(rows), len(bars), len(removed), *ends, tuple(sieve.findings), removed
    )
    return Checked(bars, report)


def _stamp(bars: Bars, at: int, setting: Setting) -> str:
    return stamp(int(bars.ts[at]), daily=setting.daily)


def empty(sieve: Sieve) -> None:
    """Reject a file without rows."""
    if not len(sieve.rows):
        sieve.note("no_rows", 1, "the file holds no bar, only its header")


def unreadable(sieve: Sieve) -> None:
    """Set aside rows with a value that is missing or is not what its column holds."""
    bad = sieve.rows.broken | (sieve.rows.ts == UNREADABLE)
    told = "a value is missing or unreadable"
    sieve.set_aside("unreadable", bad, "with a missing or unreadable time, price or volume", lambda _: told)


def foreign(sieve: Sieve) -> None:
    """Set aside rows whose own symbol or series column names another instrument."""
    bad = sieve.rows.foreign[sieve.index]
    sieve.set_aside("mixed_instrument", bad, "naming another symbol or series than the rest of the file")


def ohlc(sieve: Sieve) -> None:
    """Set aside bars whose prices contradict each other: high below open or close, low above, not positive."""
    bars = sieve.bars()
    slack = 1 + PRICE_SLACK
    top, bottom = np.maximum(bars.open, bars.close), np.minimum(bars.open, bars.close)
    bad = (bars.high * slack < top) | (bars.low > bottom * slack) | (bars.low > bars.high * slack)
    bad |= ~(np.minimum(bars.low, bottom) > 0)
    sieve.set_aside("ohlc", bad, "with a high below, or a low above, their open or close, or no positive price")


def negative_volume(sieve: Sieve) -> None:
    """Set aside rows with a volume below zero."""
    sieve.set_aside("negative_volume", sieve.rows.volume[sieve.index] < 0, "with a volume below zero")


def future(sieve: Sieve) -> None:
    """Set aside bars that start after the present moment."""
    now = sieve.setting.now
    if now is not None:
        sieve.set_aside("future", sieve.ts > now, f"in the future, after {stamp(now)} IST")


def mixed_resolution(sieve: Sieve) -> None:
    """In a daily file, set aside the intraday rows, then let each bar start at midnight IST."""
    if not sieve.setting.daily or not sieve.ts.size:
        return
    day, clock = ordinals(sieve.ts), (sieve.ts + IST_OFFSET) % DAY_SECONDS
    _, inverse, counts = np.unique(day, return_inverse=True, return_counts=True)
    alone = counts[inverse] == 1
    values, times = np.unique(clock[alone], return_counts=True)
    usual = int(values[np.argmax(times)]) if values.size else 0
    bad = ~alone & (clock != usual)
    days = sorted({stamp(int(ts), daily=True) for ts in sieve.ts[bad]})
    message = f"of intraday bars inside a daily file, on {', '.join(days[:3])}{' and more' if len(days) > 3 else ''}"
    told = f"a daily row stands at {usual // 3600:02d}:{usual // 60 % 60:02d}"
    sieve.set_aside("mixed_resolution", bad, message, lambda _: told, days=days)
    sieve.ts = sieve.ts - (sieve.ts + IST_OFFSET) % DAY_SECONDS


def unsorted(sieve: Sieve) -> None:
    """Note rows that stand before an earlier one of their file, and sort."""
    file = sieve.rows.file[sieve.index]
    backwards = (np.diff(sieve.ts, prepend=sieve.ts[:1]) < 0) & (np.diff(file, prepend=file[:1]) == 0)
    places = np.flatnonzero(backwards)
    if places.size:
        message = f"{counted(places.size, 'row')} after a later one; the bars were sorted"
        sieve.note("unsorted", int(places.size), message, examples=sieve.examples(places))
    sieve.keep(np.argsort(sieve.ts, kind="stable"))


def duplicates(sieve: Sieve) -> None:
    """Keep the last row of each time; repeats that say something else within one file are errors."""
    if sieve.ts.size < 2:
        return
    file = sieve.rows.file[sieve.index]
    differs = np.zeros(sieve.ts.size - 1, dtype=np.bool_)
    for column in sieve.bars().columns()[1:]:
        differs |= (column[1:] != column[:-1]) & ~(np.isnan(column[1:]) & np.isnan(column[:-1]))
    repeated = np.append(sieve.ts[1:] == sieve.ts[:-1], False)
    conflicting = repeated & np.append(differs & (file[1:] == file[:-1]), False)
    agreeing = repeated & ~conflicting
    sieve.set_aside("duplicate", agreeing, "repeating a later row's time; the last is kept")
    message = "with the time of a later row but other values; the last is kept"
    sieve.set_aside("conflicting_duplicate", conflicting[~agreeing], message)


def mixed_instrument(sieve: Sieve) -> None:
    """Set aside rows where prices jump between levels that trading cannot join."""
    bars = sieve.bars()
    bad, jumps = bar_levels.mixed(bars, ordinals(bars.ts), sieve.setting.minutes)
    if not jumps.size:
        return

    def moved(at: int) -> str:
        return f"{bars.close[at - 1]:,.2f} to {bars.open[at]:,.2f}"

    first = "; ".join(f"{moved(at)} at {stamp(int(bars.ts[at]))}" for at in jumps[:3].tolist())
    days = sorted({stamp(int(ts), daily=True) for ts in bars.ts[jumps]})
    message = f"mixing two price levels, {counted(jumps.size, 'jump')}: {first}"
    shown = sieve.examples(jumps, moved)
    sieve.set_aside("mixed_instrument", bad, message, examples=shown, days=days, jumps=int(jumps.size))


def level_break(sieve: Sieve) -> None:
    """Report each lasting change of price level between two sessions."""
    bars = sieve.bars()
    for found in bar_levels.breaks(bars, ordinals(bars.ts)):
        _break(sieve, bars, found)


def _break(sieve: Sieve, bars: Bars, found: bar_levels.Break) -> None:
    """Note one change of level: a corporate action, another instrument, or something to look at."""
    at, day = found.at, stamp(int(bars.ts[found.at]), daily=True)
    moved = f"{bars.close[at - 1]:,.2f} to {bars.open[at]:,.2f}"
    example, span = sieve.example(at, moved), (int(bars.ts[at - 1]), int(bars.ts[at]))
    if not found.fits or found.across_hole:
        severity = Severity.REJECT if found.impossible else Severity.WARN
        message = f"on {day} prices go from {moved} and stay there"
        sieve.note("level_break", 1, message, examples=(example,), severity=severity, span=span, date=day)
        return
    top, bottom = found.ratio
    sieve.note(
        "unadjusted_action",
        1,
        f"on {day} prices go from {moved}, old to new as {top} to {bottom}, and stay there: "
        f"{found.kind} that the older rows do not carry",
        examples=(example,),
        fix=f"record it (manage.py import_actions), or divide the prices before {day} by {found.factor:g} and "
        f"multiply their volumes by it, or use bars from {day} on",
        span=span,
        date=day,
        ratio=f"{top}:{bottom}",
        factor=found.factor,
    )


def unknown_volume(sieve: Sieve) -> None:
    """Note bars whose volume is unknown, which is not zero."""
    places = np.flatnonzero(np.isnan(sieve.rows.volume[sieve.index]))
    if places.size:
        message = f"{counted(places.size, 'bar')} without a volume: it is taken as unknown, not as zero"
        sieve.note("unknown_volume", int(places.size), message, examples=sieve.examples(places[:1]))


STEPS: Final[tuple[Callable[[Sieve], None], ...]] = (
    empty, unreadable, foreign, ohlc, negative_volume, future,
    bar_sessions.wrong_interval, bar_sessions.wrong_zone, mixed_resolution, bar_sessions.known_dates,
    bar_sessions.closed_days, bar_sessions.end_labelled, bar_sessions.outside_hours, bar_sessions.off_grid,
    unsorted, duplicates, mixed_instrument, level_break,
    bar_sessions.missing_bars, bar_sessions.missing_sessions, unknown_volume,
)  # fmt: skip
