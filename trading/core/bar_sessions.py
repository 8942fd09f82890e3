"""Do the bars stand where the exchange's sessions put them? Zone, interval, hours, gaps and holes."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from trading.core import zones
from trading.core.bar_report import Example, counted
from trading.core.bar_rows import SHOWN, Setting, Sieve
from trading.core.bars import DAY, INTERVALS, IST_OFFSET, OPEN_MINUTE, Ints, ordinals
from trading.core.calendar import Session

Mask = npt.NDArray[np.bool_]

TOLERANCE: Final = 5  # seconds a bar may start off its interval
DAY_SECONDS: Final = 86_400
EPOCH: Final = 719_163
REGULAR_MINUTES: Final = 375


@dataclass(frozen=True, slots=True)
class Places:
    """Where bars stand: seconds from the open, whether inside the session, and whether the calendar knows the day."""

    second: Ints
    inside: Mask
    trades: Mask
    known: Mask


def place(ts: Ints, setting: Setting) -> Places:
    """Return each bar's place; on days outside the calendar's range every hour and day counts as open."""
    day = ordinals(ts)
    calendar = setting.calendar
    known = (day >= calendar.known_from.toordinal()) & (day <= calendar.known_until.toordinal())
    clock = (ts + IST_OFFSET) % DAY_SECONDS
    second, inside, trades = clock - OPEN_MINUTE * 60, np.ones(ts.size, np.bool_), np.ones(ts.size, np.bool_)
    if known.any():
        found = calendar.session_columns(ts[known], setting.minutes, setting.segment)
        daily = calendar.session_columns(ts[known], DAY, setting.segment)
        second[known] = found.minute.astype(np.int64) * 60 + ts[known] % 60
        inside[known], trades[known] = found.inside, daily.inside
    return Places(second, inside, trades, known)


def wrong_interval(sieve: Sieve) -> None:
    """Reject a file whose bars stand at another distance than the interval it is read as."""
    usual = usual_minutes(sieve.ts)
    if not usual or usual == sieve.setting.minutes:
        return
    name = next((name for name, minutes in INTERVALS.items() if minutes == usual), f"{usual} minutes")
    message = f"the bars stand {name} apart, but the file is read as {sieve.setting.interval}"
    sieve.note("wrong_interval", 1, message, usual=name)


def usual_minutes(ts: Ints) -> int:
    """Return how many minutes apart the bars of a typical day stand (1440 for daily bars), 0 when it cannot be told."""
    distinct = np.unique(ts)
    if distinct.size < 3:
        return 0
    day = ordinals(distinct)
    first = np.flatnonzero(np.diff(day, prepend=day[0] - 1))
    per_day = np.diff(np.append(first, day.size))
    if np.median(per_day) < 2:
        return DAY
    step = np.rint(np.diff(distinct, append=distinct[-1]) / 60).astype(np.int64)
    step[first + per_day - 1] = -1  # the step into the next day says nothing; it sorts first in its day
    ordered = step[np.lexsort((step, day))]
    middle = ordered[(first + per_day // 2)[per_day > 2]]
    return int(np.median(middle)) if middle.size else 0


def wrong_zone(sieve: Sieve) -> None:
    """Reject an intraday file most of whose bars fall outside the session, when another zone would put them inside."""
    if sieve.setting.daily or not sieve.ts.size:
        return
    share = _inside(sieve.ts, sieve.setting)
    if share >= 0.5:
        return
    best, name = max((_inside(ts, sieve.setting), name) for name, ts in _other_readings(sieve).items())
    if best >= share + 0.3 or share < 0.1:
        _reject_zone(sieve, share, name if best >= share + 0.3 else "")


def _other_readings(sieve: Sieve) -> dict[str, Ints]:
    """Return the instants the timestamps would be if their clock were another zone's."""
    naive = sieve.rows.zone
    if not naive:
        return {"Asia/Kolkata": sieve.ts - IST_OFFSET}
    wall = sieve.ts + (sieve.ts - zones.to_utc(sieve.ts, naive))
    return {name: zones.to_utc(wall, name) for name in zones.CANDIDATES if name != naive}


def _inside(ts: Ints, setting: Setting) -> float:
    found = place(ts, setting)
    return float(np.mean(found.inside & found.trades))


def _reject_zone(sieve: Sieve, share: float, fitting: str) -> None:
    naive = sieve.rows.zone
    trading = place(sieve.ts, sieve.setting).trades
    if not fitting and not trading.any():
        return  # the dates are wrong, not the hours: another rule says so
    outside = f"{100 * (1 - share):.0f} % of the bars fall outside the session"
    if not naive:
        message = f"{outside}: the offset written behind the timestamps does not fit"
        fix = "write the exchange's own clock with +05:30, or without an offset"
    else:
        message = f"{outside} when naive timestamps are read as {naive}"
        fix = f"set DATA_FEED_NAIVE_TIMEZONE={fitting}" if fitting else ""
    sieve.note("wrong_timezone", 1, message, examples=(sieve.example(0),), fix=fix, zone=naive, fitting=fitting)


def known_dates(sieve: Sieve) -> None:
    """Note bars of days the calendar does not know: their hours and sessions cannot be judged."""
    places = np.flatnonzero(~place(sieve.ts, sieve.setting).known)
    if places.size:
        known = f"{sieve.setting.calendar.known_from} to {sieve.setting.calendar.known_until}"
        message = f"{counted(places.size, 'bar')} outside the calendar ({known}): their sessions are not checked"
        sieve.note("calendar_unknown", int(places.size), message, examples=sieve.examples(places[:1]))


def closed_days(sieve: Sieve) -> None:
    """Set aside bars of days without a session."""
    bad = ~place(sieve.ts, sieve.setting).trades
    days = np.unique(ordinals(sieve.ts[bad])).size
    message = f"on {counted(days, 'day')} on which NSE was closed"
    sieve.set_aside("not_a_session", bad, message, lambda at: _weekday(int(sieve.ts[at])))


def _weekday(ts: int) -> str:
    return f"a {dt.date.fromordinal((ts + IST_OFFSET) // DAY_SECONDS + EPOCH):%A} without a session"


def end_labelled(sieve: Sieve) -> None:
    """Note an intraday file whose bars seem to be labelled by their end instead of their start."""
    if sieve.setting.daily or not sieve.ts.size:
        return
    second = place(sieve.ts, sieve.setting).second
    sessions = np.unique(ordinals(sieve.ts)).size
    at_close, at_open = int((second == REGULAR_MINUTES * 60).sum()), int((second == 0).sum())
    if at_close >= 0.8 * sessions and at_open <= 0.2 * sessions:
        message = f"{at_close} of {sessions} sessions have a bar at the close but none at the open"
        sieve.note("end_labelled", at_close, message)


def outside_hours(sieve: Sieve) -> None:
    """Set aside intraday bars outside the continuous windows of their session."""
    if sieve.setting.daily:
        return
    bad = ~place(sieve.ts, sieve.setting).inside
    sieve.set_aside("outside_hours", bad, "outside continuous trading (09:15 to 15:30 on a usual day)")


def off_grid(sieve: Sieve) -> None:
    """Snap bars within 5 s of their interval, set aside runs of finer bars, note what remains irregular."""
    if sieve.setting.daily or not sieve.ts.size:
        return
    step = sieve.setting.minutes * 60
    off = place(sieve.ts, sieve.setting).second % step
    ahead = step - off <= TOLERANCE
    near = (off <= TOLERANCE) | ahead
    sieve.ts = np.where(near, sieve.ts - off + step * ahead, sieve.ts)
    finer = ~near & _crowded(sieve.ts, step)
    irregular = ~near & ~finer
    interval = sieve.setting.interval
    sieve.set_aside("mixed_resolution", finer, f"of a finer interval inside a {interval} file")
    places = np.flatnonzero(irregular[~finer])
    if places.size:
        message = f"{counted(places.size, 'bar')} off the {interval} steps from the open (tolerance {TOLERANCE} s)"
        sieve.note("irregular_interval", int(places.size), message, examples=sieve.examples(places))


def _crowded(ts: Ints, step: int) -> Mask:
    """Say which bars have neighbours on both sides closer than a step."""
    order = np.argsort(ts, kind="stable")
    close = np.diff(ts[order]) < step - TOLERANCE
    both = np.zeros(ts.size, dtype=np.bool_)
    both[order] = np.concatenate(([False], close)) & np.concatenate((close, [False]))
    return both


def missing_bars(sieve: Sieve) -> None:
    """Note sessions with fewer bars than their windows hold; quiet minutes without a trade look the same."""
    if sieve.setting.daily or not sieve.ts.size:
        return
    days, first, counts = np.unique(ordinals(sieve.ts), return_index=True, return_counts=True)
    expected = np.array([_expected(int(day), sieve.setting) for day in days])
    short = np.maximum(expected - counts, 0)
    total = int(short.sum())
    if not total:
        return
    worst = np.argsort(-short, kind="stable")[: min(SHOWN, int((short > 0).sum()))]
    examples = tuple(sieve.example(int(first[at]), f"{short[at]} of {expected[at]} bars missing") for at in worst)
    sessions = int((short > 0).sum())
    message = f"{counted(total, 'bar')} missing, in {sessions} of {counted(days.size, 'session')}"
    sieve.note("missing_bars", total, message, examples=examples, sessions=sessions)


def _expected(day: int, setting: Setting) -> int:
    """Return how many bars of the interval the continuous windows of ``day`` hold, up to the present moment."""
    calendar, date = setting.calendar, dt.date.fromordinal(day)
    if not calendar.known_from <= date <= calendar.known_until:
        return 0
    session = calendar.session(date, setting.segment)
    return sum(_bars_in(*window, setting) for window in _windows(session)) if session else 0


def _windows(session: Session) -> list[tuple[int, int]]:
    return [(int(phase.start.timestamp()), int(phase.end.timestamp())) for phase in session.windows]


def _bars_in(start: int, end: int, setting: Setting) -> int:
    until = end if setting.now is None else min(end, setting.now)
    return max(0, -(-(until - start) // (setting.minutes * 60)))


def missing_sessions(sieve: Sieve) -> None:
    """Note sessions between the first and the last bar that have none, longest holes first."""
    present = np.unique(ordinals(sieve.ts))
    if present.size < 2:
        return
    sessions = _sessions(int(present[0]), int(present[-1]), sieve.setting)
    absent = ~np.isin(sessions, present)
    if not absent.any():
        return
    edges = np.flatnonzero(np.diff(np.concatenate(([0], absent.astype(np.int8), [0]))))
    holes = sorted(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True), key=lambda hole: hole[0] - hole[1])
    examples = tuple(_hole(sieve, sessions, *hole) for hole in holes[:SHOWN])
    count = int(absent.sum())
    absence = f"{counted(count, 'session')} without a bar, in {counted(len(holes), 'hole')}"
    message = f"{absence}; the longest: {examples[0].detail}"
    sieve.note("missing_sessions", count, message, examples=examples, holes=len(holes))


def _hole(sieve: Sieve, sessions: Ints, start: int, end: int) -> Example:
    """Return the hole over ``sessions[start:end]`` as an example that points at the row after it."""
    after = int(np.searchsorted(ordinals(sieve.ts), sessions[end - 1], side="right"))
    first, last = (dt.date.fromordinal(int(sessions[at])) for at in (start, end - 1))
    days = f"{first} to {last}, {end - start} sessions" if end - start > 1 else f"{first}"
    return sieve.example(min(after, sieve.ts.size - 1), days)


def _sessions(first: int, last: int, setting: Setting) -> Ints:
    """Return the ordinals of the known sessions from ``first`` to ``last``."""
    calendar = setting.calendar
    low, high = max(first, calendar.known_from.toordinal()), min(last, calendar.known_until.toordinal())
    days = np.arange(low, high + 1, dtype=np.int64)
    if not days.size:
        return days
    midnight = (days - EPOCH) * DAY_SECONDS - IST_OFFSET
    return days[calendar.session_columns(midnight, DAY, setting.segment).inside]
