"""A roll of lanes gives what a panel of them gives, to the last bit, and holds a stretch of it at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.trading.core.desks import indian
from tests.trading.core.panels import placed, walk
from tests.trading.core.test_strategies import QUICK
from trading.core import bookmarks
from trading.core.bars import Bars
from trading.core.calendar import NSE
from trading.core.errors import Invalid
from trading.core.panel import LaneSpec, Unplaced, lane, panel
from trading.core.rolls import MANY, Roll, light, rest, rolled
from trading.core.setups import make_setup
from trading.core.simulation import Desk, Run, Schedule, simulate, simulate_desks

SETUP = make_setup("crossover", 5, {}, {**QUICK["crossover"], "sizing": "quantity", "flat": 0.0005})
WORD = np.linspace(-1, 1, 120)


def given(news=True):
    """Return three lanes, one of which begins late, one with news, one without a bar."""
    late, full = (placed(walk(seed, days=8, a_day=15), 15, 5, LaneSpec(f"R{seed}", fixed=50)) for seed in (1, 2))
    cut = late.bars.between(int(late.bars.ts[30]), int(late.bars.ts[100]))
    some = placed(full.bars, 15, 5, full.spec, sentiment=WORD) if news else full
    return [placed(cut, 15, 5, late.spec), some, placed(late.bars.until(0), 15, 5, LaneSpec("R0"))]


def run(bars, **options):
    return simulate("crossover", SETUP, bars, capital=1e6, charges=indian(), compiled=False, **options)


@pytest.mark.parametrize("stretch", [1, 7, 40, 10_000])
def test_a_roll_ends_as_its_panel_does_whatever_its_stretches(stretch):
    whole, bit_by_bit = run(panel(given())), run(Roll.of(given(), stretch))
    assert bit_by_bit.events.tobytes() == whole.events.tobytes()
    assert (repr(bit_by_bit.measures), bit_by_bit.bars) == (repr(whole.measures), whole.bars)
    assert whole.measures.trades > 3


def test_two_desks_that_take_turns_end_the_same_over_rolls():
    def both(of):
        desks = [Desk("crossover", SETUP, of(given(news=False))) for _ in range(2)]
        return simulate_desks(desks, capital=1e6, charges=indian(), compiled=False)

    assert both(lambda lanes: Roll.of(lanes, 20)).events.tobytes() == both(panel).events.tobytes()


def test_a_rolled_run_is_watched_marked_and_taken_up_again_where_it_was_left():
    books = []
    desk = Desk("crossover", SETUP, Roll.of(given(), 20))
    told = {"capital": 1e6, "charges": indian(), "compiled": False}
    whole = simulate_desks([desk], **told, watch=lambda _: False, keep=lambda b: books.append(bookmarks.numbers(b)))
    left = bookmarks.book(books[len(books) // 2], compiled=False)
    again = simulate_desks([desk], **told, watch=lambda _: False, begun=left)
    assert again.events.tobytes() == whole.events.tobytes()
    changed = given()
    changed[1].bars.close[50] += 0.05
    marks = [bookmarks.fingerprint(_run(Roll.of(lanes, 20)), 1e6) for lanes in (given(), given(), changed)]
    assert marks[0] == marks[1] != marks[2]


def _run(bars):
    return Run([Desk("crossover", SETUP, bars)], Schedule(np.zeros(1, np.int64), np.zeros((1, 16), np.int64)), False)


def test_only_what_is_large_is_rolled_and_nothing_at_all_is_refused():
    assert not isinstance(rolled(given()), Roll)
    assert sum(len(each.bars) for each in given()) < MANY
    with pytest.raises(Invalid, match="there are no bars"):
        Roll.of([given()[2]])


def test_a_light_lane_finds_its_places_anew_and_gives_back_the_memory_of_its_file(tmp_path):
    """The pages of a mapped column that was read through count as memory until the lane rests."""
    rows = 1 << 20
    np.save(tmp_path / "ts.npy", np.arange(rows, dtype=np.int64) * 60 + 1_700_000_000)
    np.save(tmp_path / "price.npy", np.full(rows, 100.0))
    ts, price = (np.load(tmp_path / f"{name}.npy", mmap_mode="c") for name in ("ts", "price"))
    bars = Bars(np.asarray(ts), *(np.asarray(price),) * 5)
    kept = lane(LaneSpec("X"), bars.until(500), 1)
    price.sum()
    held = _resident(tmp_path / "price.npy")
    slight = light(kept, 1, calendar=NSE)
    assert held > 8_000
    assert _resident(tmp_path / "price.npy") == 0
    assert price[-1] == 100.0  # it is still there
    assert isinstance(slight.places, Unplaced)
    for name in ("session", "minute", "left", "inside"):
        np.testing.assert_array_equal(getattr(slight.places, name), getattr(kept.places, name))
    rest(walk_bars := walk(1, days=1, a_day=3))
    assert len(walk_bars) == 3  # bars that lie in no file stay as they are


def _resident(path):
    """Return how many kB of a mapped file this process holds, as the system counts them."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    return sum(
        next(int(line.split()[1]) for line in lines if line.startswith("Rss:")) for line in lines if str(path) in line
    )
