"""What the engine and the bar files cost: a bar through fifty symbols, minute bars of a quarter read and kept."""

from __future__ import annotations

import datetime as dt
import multiprocessing
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np

from sensequant.lib.clock import now
from sensequant.lib.fan_out import begin_worker
from trading.adapters.columns import ColumnStore
from trading.adapters.csvfeed import CsvFeed
from trading.core import demo
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.features import Bar
from trading.core.panel import LaneBars, LaneSpec, lane
from trading.core.setups import make_setup
from trading.core.simulation import schedule
from trading.models.engine import EngineRun
from trading.services.engine import Engine
from trading.services.live import Picture
from trading.services.tapes import Tape

NAME: Final = "DESK"
LANES = 50
FIRST, LAST = dt.date(2026, 11, 2), dt.date(2026, 11, 4)
SESSIONS = 60  # of minute bars in the file that is read
Moments = Iterator[tuple[Picture, int, Sequence[tuple[int, Bar]]]]
ALLOWED: Final = {"bar_p99": 1.0, "load": 50.0}  # milliseconds


def measure() -> dict[str, Any]:
    """Return a bar's milliseconds in the engine, its memory, rows read a second, and a kept series' loading."""
    # in a process of its own, whose memory is the engine's and not what was measured before
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), begin_worker) as alone:
        took, grown, whole = alone.submit(engine, LANES).result()
    rows, parsed, loaded = _files()
    middle, worst = np.percentile(took, (50, 99)).tolist()
    told = {"bar_p50_ms": middle, "bar_p99_ms": worst, "parse_ms": parsed * 1e3, "load_ms": loaded * 1e3}
    slow = [name for name, most in ALLOWED.items() if told[f"{name}_ms"] >= most]
    return {
        "seconds": middle / 1e3, **{name: round(each, 5) for name, each in told.items()},
        "rows_a_second": round(rows / parsed), "lanes_mb": round(grown, 1), "engine_mb": round(whole, 1),
        "allowed_ms": dict(ALLOWED), "slow": slow,
    }  # fmt: skip


def engine(lanes: int) -> tuple[list[float], float, float]:
    """Return each bar's milliseconds in an engine of so many symbols, the megabytes it added, and all there are."""
    before, made = _peak(), _lanes(lanes)
    desk, tape, took = _engine_of(made), Tape(made), []
    for day in tape.days:
        for ts, rows in tape.moments(day):
            begun = time.perf_counter()
            desk.step(ts, rows)
            took.append((time.perf_counter() - begun) / max(1, len(rows)) * 1e3)
    return took, _peak() - before, _peak()


def _engine_of(made: list[LaneBars]) -> Engine:
    charges = schedule("i-secure", "cash", FIRST, LAST)
    setup = make_setup("intraday", 1, {}, {})
    return Engine("intraday", setup, [each.spec for each in made], capital=1e7, charges=charges)


def shown() -> Moments:
    """Yield the engine moment by moment: the picture its readers see, when the moment began, its bars by lane."""
    made, at = _lanes(LANES), now()
    run = EngineRun.objects.create(
        name="bench", mode="replay", source="demo", interval="1minute", strategy="intraday", plan={},
        capital=Decimal(10_000_000), state="running", started_at=at, heartbeat_at=at,
    )  # fmt: skip
    tape = Tape(made)
    picture = Picture(run, _engine_of(made), tape)
    for day in tape.days:
        picture.open_session(None, day)
        for ts, rows in tape.moments(day):
            yield picture, ts, rows


def _lanes(count: int) -> list[LaneBars]:
    names, sessions = list(demo.INSTRUMENTS), NSE.sessions(FIRST, LAST)
    made = []
    for number in range(count):
        name = names[number % len(names)]
        spec = LaneSpec(f"{name}{number}", demo.INSTRUMENTS[name].tick, 1, "equity")
        made.append(lane(spec, demo.generate(name, sessions, seed=number, minutes=1), 1))
    return made


def _files() -> tuple[int, float, float]:
    """Return how many rows a file holds, the seconds to read and judge it, and to load it once it is kept."""
    sessions = NSE.sessions(dt.date(2026, 6, 1), dt.date(2026, 11, 20))[:SESSIONS]
    bars = demo.generate("DEMOBANK", sessions, seed=7, minutes=1)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write(folder / "DEMOBANK_1m.csv", bars)
        feed = CsvFeed(folder, dt.datetime(2026, 11, 26, tzinfo=dt.UTC), store=ColumnStore(folder / "kept"))
        took = []
        for _ in range(2):
            begun = time.perf_counter()
            feed.series("DEMOBANK", "1minute")
            took.append(time.perf_counter() - begun)
    return len(bars.ts), took[0], took[1]


def _write(path: Path, bars: Bars) -> None:
    columns = zip(bars.ts, bars.open, bars.high, bars.low, bars.close, bars.volume, strict=True)
    lines = ["timestamp,open,high,low,close,volume"]
    lines += [
        f"{dt.datetime.fromtimestamp(int(ts), dt.UTC).isoformat()},{o:.2f},{h:.2f},{lo:.2f},{c:.2f},{v:.0f}"
        for ts, o, h, lo, c, v in columns
    ]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _peak() -> float:
    """Return the most memory this process held; getrusage would count that of whoever began it."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024.0
