"""What a soak must show, judged from what was gathered: pure, so that it can be tried on a story of a few lines."""

from __future__ import annotations

import math
import re
import statistics
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

HOUR: Final = 3_600.0  # market seconds
WARM: Final = 0.25  # of the first hour: an engine that has just begun has not yet everything in memory
FLAT_PCT: Final = 5.0
MOST_MB: Final = 150.0
LEAST: Final = 0.25  # trades a share and hour
TRACE: Final = "Traceback (most recent call last)"
CHAINED: Final = re.compile(
    r"^(?:The above exception was the direct cause of|During handling of the above exception, another)"
)

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """One traceback of a process's log: how it ended, and how often it is there."""

    process: str
    error: str
    count: int


@dataclass(frozen=True, slots=True)
class Sample:
    """What the engine had in memory (MB) when it had come to ``market`` seconds of trading, in its ``life``."""

    market: float
    life: int
    mb: float


@dataclass(slots=True)
class Verdict:
    """What was found, and what of it is not as it must be."""

    figures: dict[str, Any] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def need(self, holds: bool, told: str) -> None:
        """Note ``told`` unless it ``holds``."""
        if not holds:
            self.faults.append(told)


def traces(name: str, text: str) -> list[Trace]:
    """Return the tracebacks in a log, those that end alike counted together; of a chain only its last link counts."""
    found: Counter[str] = Counter()
    inside, last = False, ""
    for line in text.splitlines():
        if TRACE in line:
            inside = True
        elif inside and line and not line[0].isspace() and line[0] not in "+|":
            last, inside = re.sub(r"\d+|0x[0-9a-f]+", "N", line)[:160], False
            found[last] += 1
        elif CHAINED.search(line) and last:
            found[last] -= 1
            last = ""
    found = +found
    return [Trace(name, error, count) for error, count in found.most_common()]


def memory(samples: Sequence[Sample], hours: float) -> dict[str, Any]:
    """Return the median memory of the first and the last market hour, the most there was, and the growth in a life."""
    end = hours * HOUR
    span = min(HOUR, end / 2)
    first = [each.mb for each in samples if WARM * span <= each.market < span]
    last = [each.mb for each in samples if each.market >= end - span]
    if not first or not last:
        return {"first_mb": None, "last_mb": None, "change_pct": None, "most_mb": None, "growth_mb_an_hour": None}
    a, b = statistics.median(first), statistics.median(last)
    return {
        "first_mb": round(a, 1), "last_mb": round(b, 1), "change_pct": round((b / a - 1.0) * 100.0, 2),
        "most_mb": round(max(each.mb for each in samples), 1), "growth_mb_an_hour": growth(samples),
    }  # fmt: skip


def growth(samples: Sequence[Sample]) -> float | None:
    """Return MB a market hour within the longest life of one process, its warming up left out; None without one."""
    lives: dict[int, list[Sample]] = {}
    for each in samples:
        lives.setdefault(each.life, []).append(each)
    longest = max(lives.values(), key=len, default=[])
    rows = longest[len(longest) // 4 :]
    if len(rows) < 4 or rows[-1].market <= rows[0].market:
        return None
    slope = statistics.linear_regression([each.market / HOUR for each in rows], [each.mb for each in rows]).slope
    return round(slope, 2)


def judge_memory(verdict: Verdict, samples: Sequence[Sample], hours: float) -> None:
    """Judge that the engine's memory is flat and small."""
    found = verdict.figures["memory"] = memory(samples, hours)
    if found["first_mb"] is None:
        verdict.need(False, "the engine's memory was not seen in the first and the last hour")
        return
    verdict.need(
        abs(found["change_pct"]) <= FLAT_PCT, f"memory changed by {found['change_pct']} % ({FLAT_PCT} % allowed)"
    )
    verdict.need(found["most_mb"] < MOST_MB, f"memory reached {found['most_mb']} MB ({MOST_MB:g} MB allowed)")


def judge_rows(verdict: Verdict, kind: str, soaked: Sequence[Row], undisturbed: Sequence[Row]) -> None:
    """Judge that the rows of a kind are those of an undisturbed run, each once, in the same order."""
    a, b = Counter(soaked), Counter(undisturbed)
    lost, extra = sum((b - a).values()), sum((a - b).values())
    verdict.figures.setdefault("rows", {})[kind] = {"soak": len(soaked), "undisturbed": len(undisturbed)}
    verdict.need(
        not lost and not extra, f"{kind}: {lost} lost, {extra} that should not be there: {_first(b - a, a - b)}"
    )
    verdict.need(bool(lost or extra) or list(soaked) == list(undisturbed), f"{kind}: the same, in another order")


def _first(lost: Counter[Row], extra: Counter[Row]) -> str:
    return "; ".join(f"{word} {next(iter(rows))}" for word, rows in (("lost", lost), ("extra", extra)) if rows)


def judge_trade(verdict: Verdict, share_hours: float) -> None:
    """Judge that enough was traded for a loss to show: ``share_hours`` are the shares times the hours played."""
    least = math.ceil(LEAST * share_hours)
    done = verdict.figures["rows"]["trades"]["undisturbed"]
    verdict.need(
        done >= least, f"only {done} trades, fewer than {least}: a soak in which nothing happens shows nothing"
    )


def judge_bars(
    verdict: Verdict, source: Mapping[str, Mapping[str, int]], decided: Mapping[str, Mapping[str, int]]
) -> None:
    """Judge that every bar was decided exactly once, by symbol and day."""
    wrong = [
        f"{symbol} {day}: {decided.get(symbol, {}).get(day, 0)} of {count}"
        for symbol, days in source.items() for day, count in days.items()
        if decided.get(symbol, {}).get(day, 0) != count
    ]  # fmt: skip
    total = sum(sum(days.values()) for days in source.values())
    verdict.figures["bars"] = {"source": total, "decided": sum(sum(days.values()) for days in decided.values())}
    verdict.need(not wrong, f"bars: {len(wrong)} symbol days differ, first {wrong[:1]}")


@dataclass(frozen=True, slots=True)
class Told:
    """One message of the outbox: its key, its state, and how often the receiver heard it."""

    key: str
    state: str
    heard: int


def judge_alerts(
    verdict: Verdict, held: Iterable[str], fired: Iterable[str], told: Sequence[Told], strays: int
) -> None:
    """Judge that whatever held has fired, that every message arrived, and none that nobody sent.

    A message may arrive more than once, under the same key: that is what at least once means.
    """
    missing = sorted(set(held) - set(fired))
    unheard = [each.key for each in told if each.state == "sent" and not each.heard]
    stuck = [each.key for each in told if each.state in ("waiting", "failed")]
    doubles = sum(each.heard - 1 for each in told if each.heard > 1)
    verdict.figures["alerts"] = {
        "held": len(set(held)), "fired": len(set(fired)), "messages": len(told), "doubles": doubles,
    }  # fmt: skip
    verdict.need(not missing, f"alerts: {len(missing)} conditions held and nothing fired: {missing[:5]}")
    verdict.need(not unheard, f"alerts: {len(unheard)} messages sent and never heard: {unheard[:3]}")
    verdict.need(not stuck, f"alerts: {len(stuck)} messages not delivered: {stuck[:3]}")
    verdict.need(not strays, f"alerts: {strays} messages heard that the outbox does not know")


def judge_logs(verdict: Verdict, found: Sequence[Trace]) -> None:
    """Judge that nobody ended in an exception nobody had thought of."""
    verdict.figures["tracebacks"] = [[each.process, each.count, each.error] for each in found]
    total = sum(each.count for each in found)
    verdict.need(not total, f"logs: {total} tracebacks of {len(found)} kinds")
