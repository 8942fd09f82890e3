"""Bars and news of any number of invented companies, as files and rows the desk reads like any others."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from sensequant.soak.plan import SESSION, Wish
from trading.core import demo
from trading.core.calendar import IST, NSE, Session

SEED: Final = 20_071
HEADER: Final = "timestamp,open,high,low,close,volume"
News = tuple[str, int, float]  # symbol, seconds UTC, score


def companies(count: int) -> list[demo.Instrument]:
    """Return ``count`` companies: the demo market's dozen again and again, each with a path and a price of its own."""
    known = list(demo.INSTRUMENTS.values())
    return [
        replace(known[k % len(known)], symbol=f"SOAK{k + 1:03}", company=f"Soak Company {k + 1}",
                price=known[k % len(known)].price * (1.0 + 0.07 * (k // len(known))))
        for k in range(count)
    ]  # fmt: skip


def sessions(wish: Wish, *, before: dt.date) -> list[Session]:
    """Return the newest whole sessions that are over, as many as are played, oldest first."""
    span = dt.timedelta(days=14 + 3 * wish.sessions)
    found = [each for each in NSE.sessions(before - span, before - dt.timedelta(days=1)) if _whole(each)]
    return found[-wish.sessions :]


def _whole(session: Session) -> bool:
    return (session.close - session.open).total_seconds() == SESSION * 60


def write(wish: Wish, folder: Path, days: list[Session]) -> dict[str, dict[str, int]]:
    """Write a file a company into ``folder``; return how many bars each has on each day."""
    counts: dict[str, dict[str, int]] = {}
    for company in companies(wish.symbols):
        bars = demo.bars_of(company, days, seed=SEED)
        where = folder / company.symbol / "1minute"
        where.mkdir(parents=True)
        lines, mine = [HEADER], dict.fromkeys((str(day.date) for day in days), 0)
        for k in range(min(len(bars), wish.minutes)):
            at = dt.datetime.fromtimestamp(int(bars.ts[k]), IST)
            mine[str(at.date())] += 1
            prices = ",".join(f"{column[k]:.2f}" for column in (bars.open, bars.high, bars.low, bars.close))
            lines.append(f"{at:%Y-%m-%d %H:%M:%S},{prices},{bars.volume[k]:.0f}")
        (where / f"{company.symbol}.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        counts[company.symbol] = mine
    return counts


def news(wish: Wish, days: list[Session]) -> Iterator[News]:
    """Yield what was said of the companies on those days, and something now and then of every one."""
    for number, company in enumerate(companies(wish.symbols)):
        for at, score, _ in demo.news_of(company, days, SEED):
            yield company.symbol, at, score
        for day in days:
            opened = int(day.open.timestamp())
            for k in range(4):
                yield company.symbol, opened + 600 + 5_000 * k + 60 * number, round(0.6 - 0.4 * ((number + k) % 4), 3)
