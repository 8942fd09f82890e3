"""Opens the simulated venue: lists the shares, restores what the journal holds, sets the clock going."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sensequant.lib.errors import BadInput
from trading.adapters.simulator.desk import Desk
from trading.adapters.simulator.entrance import Credentials, Entrance, Quota
from trading.adapters.simulator.floor import Floor, Tempo
from trading.adapters.simulator.journal import Journal
from trading.adapters.simulator.listing import Trait, listed
from trading.adapters.simulator.shares import Share
from trading.adapters.simulator.venue import Older, Venue
from trading.core.bars import Bars
from trading.core.calendar import IST, Calendar
from trading.core.exchange import path
from trading.core.exchange.book import Liquidity
from trading.core.exchange.timeline import Pace

FIX = "start with an empty --state folder, or with the arguments it was made with"


@dataclass(frozen=True, slots=True)
class Limits:
    """How often a client may ask: ICICI's own numbers unless somebody needs others."""

    minute: int = 100
    day: int = 5_000
    orders: int = 10


@dataclass(frozen=True)
class Setup:
    """What a simulator is made of; ``wall`` gives seconds UTC, ``monotonic`` never goes back."""

    traits: Sequence[Trait]
    bars: Mapping[str, Bars]
    minutes: int
    dates: Sequence[dt.date]
    calendar: Calendar
    credentials: Credentials
    wall: Callable[[], float]
    monotonic: Callable[[], float]
    redirect_url: str
    speed: float = 1.0
    at: dt.time = dt.time(9, 0)
    seed: int = 7
    tempo: Tempo = field(default_factory=Tempo)
    limits: Limits = field(default_factory=Limits)
    liquidity: Liquidity = field(default_factory=Liquidity)
    cash: float = 5_000_000.0
    master_rows: int = 0
    state: Path | None = None
    older: Older | None = None


def open_venue(setup: Setup) -> Venue:
    """Return the venue, as it was left when its journal says so; BadInput when the journal is of another market."""
    shares = {
        each.symbol: Share(
            each, setup.bars[each.symbol], setup.minutes, path.key(setup.seed, each.symbol), setup.liquidity
        )
        for each in listed(setup.traits)
    }
    journal = Journal(setup.state)
    pace = Pace(0.0, setup.wall(), setup.speed)
    floor = Floor(shares, setup.calendar, setup.dates, pace, setup.wall, journal, setup.tempo)
    desk = Desk(floor, journal, setup.cash)
    limits = setup.limits
    quota = Quota(minute=limits.minute, day=limits.day, orders=limits.orders, monotonic=setup.monotonic)
    venue = Venue(
        floor, desk, Entrance(setup.credentials), quota, setup.monotonic, setup.redirect_url, setup.master_rows,
        bank=2 * setup.cash, older=setup.older,
    )  # fmt: skip
    try:
        resumed = _resume(setup, venue)
    except BaseException:
        journal.close()
        raise
    if not resumed:
        floor.open(0)
        start = dt.datetime.combine(setup.dates[0], setup.at, IST).timestamp()
        floor.pace = Pace(floor.timeline.position(0, start), setup.wall(), setup.speed)
        journal.write("market", **_market(setup))
        floor.keep_clock()
    floor.ears = [desk, venue]
    floor.advance()
    return venue


def _market(setup: Setup) -> dict[str, Any]:
    """Return what must be the same for a journal to go on."""
    return {
        "dates": [date.isoformat() for date in setup.dates], "symbols": [trait.symbol for trait in setup.traits],
        "minutes": setup.minutes, "seed": setup.seed,
    }  # fmt: skip


def _resume(setup: Setup, venue: Venue) -> bool:
    """Take back what the journal holds and say whether there was anything."""
    floor, desk = venue.floor, venue.desk
    last: dict[str, int] = {}
    days = found = 0
    for kind, row in desk.journal.read():
        found += 1
        if kind == "market":
            _compare(setup, row)
        elif kind == "clock":
            floor.pace = Pace(row["position"], row["since"], row["speed"])
        elif kind == "session":
            venue.entrance.resume(row["api_session"], expired=row["expired"])
        else:
            desk.restore(kind, row)
            days += kind == "day"
        for told in row.get("orders", ()):
            last[told["symbol"]] = max(last.get(told["symbol"], 0), told["changed_ms"])
    if found:
        floor.open(min(days, len(setup.dates) - 1))
        _catch_up(venue, last)
    return bool(found)


def _compare(setup: Setup, row: Mapping[str, Any]) -> None:
    for name, value in _market(setup).items():
        if row.get(name) != value:
            raise BadInput(f"--state {setup.state} is of another market: {name} differs", fix=FIX)


def _catch_up(venue: Venue, last: Mapping[str, int]) -> None:
    """Bring every share to its last happening, then give it back its orders: what came after is still to come.

    Between that happening and the end of the process nothing was filled, or it would stand in the journal.
    """
    floor = venue.floor
    for symbol, ms in last.items():
        share = floor.shares[symbol]
        share.edges = [edge for edge in share.edges if edge[0] > ms]
        share.skip(ms)
        share.book.left = 0
        orders = (each for each in venue.desk.orders.values() if each.symbol == symbol and each.working)
        share.book.orders = {each.id: each for each in orders}
        floor.ms = max(floor.ms, ms)
