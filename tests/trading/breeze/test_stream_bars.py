"""From the real SDK's socket to bars: whatever happens to the stream, what the desk decides on is what was traded."""

import time

import pytest

from tests.simulators import bar_folder, simulator
from tests.trading.breeze.followed import Followed
from tests.trading.breeze.streamed import HASTY
from trading.core.tick_bars import Pace
from trading.models import Condition
from trading.models.fetching import StreamBar
from trading.services.live_day import Patience

pytestmark = [pytest.mark.django_db, pytest.mark.slow, pytest.mark.once]
SYMBOLS = ("DEMOCEM", "DEMOINFRA", "DEMOLABS")
MARKET = (
    "--date", "2026-11-23", "--at", "09:14", "--speed", "60", "--ticks-per-second", "20", "--calls-per-minute", "99999",
    "--calls-per-day", "99999", "--symbols", *SYMBOLS,
)  # fmt: skip
LOSING = ("ticks_index_none_fields", "wrong_token_ticks", "short_lists")


def followed_at(venue):
    patience = Patience(Pace(hold=0.3, grace=1.0, quiet=2.0), stale=0.8, partial=3.0, missing=3.0)
    return Followed(venue, SYMBOLS, patience=patience, terms=HASTY)


def agrees(followed):
    """Assert that every bar given out is the one recorded, and none is missing.

    On a machine under load a tick may be too late even so; its bar is then known by that.
    """
    for lane, symbol in enumerate(SYMBOLS):
        given = {ts: rows[lane] for ts, rows in followed.found.items() if lane in rows}
        late = StreamBar.objects.filter(symbol=symbol, late__gt=0).values_list("start", flat=True)
        known = {int(start.timestamp()) for start in late}
        recorded = followed.recorded(lane)
        assert list(given) == list(recorded)
        sure = [ts for ts in given if ts not in known]
        assert [given[ts] for ts in sure] == [recorded[ts] for ts in sure]


def origins():
    return dict(StreamBar.objects.filter(symbol="DEMOLABS").values_list("start", "origin"))


def test_through_every_fault_of_its_ticks_the_stream_gives_the_bars_that_were_traded():
    with simulator(*MARKET) as venue:
        followed = followed_at(venue)
        try:
            followed.take(1)
            for fault in ("ticks_repeated", "ticks_out_of_order", "ticks_late"):
                venue.fault(fault, **({"seconds": 0.2} if fault == "ticks_late" else {}))
                followed.take(1)
                venue.clear(fault)
            for symbol, fault in zip(SYMBOLS, LOSING, strict=True):
                venue.fault(fault, symbol=symbol, times=15)
            followed.take(3)
            agrees(followed)
        finally:
            followed.close()
        assert followed.tape.live.verdicts["strange"] > 0
        assert followed.tape.live.refused["layout"] == 15
        assert followed.tape.live.verdicts["quote"] > 10
    assert set(origins().values()) == {"ticks", "history"}
    assert not Condition.objects.filter(code="bar-missing").exists()


def test_killed_for_a_while_the_market_is_followed_again_and_the_gap_filled_and_marked(tmp_path):
    with simulator(*MARKET, "--state", tmp_path / "state") as venue:
        followed = followed_at(venue)
        try:
            followed.take(2)
            killed = time.monotonic()
            venue.kill()
            followed.meanwhile = [(killed + 2.0, venue.restart)]
            followed.take(3)
            while origins()[max(origins())] != "ticks":
                followed.take(1)
            agrees(followed)
            back = followed.tape.blocked()
        finally:
            followed.close()
    assert all(blocked == {0, 1, 2} for at, blocked in followed.blocked if killed + 1.0 < at < killed + 2.0)
    assert back == frozenset()
    found = list(origins().values())
    assert found[1] == "ticks", "the first minute may have begun before the stream was there"
    assert "history" in found[2:]
    assert not Condition.objects.filter(code="bar-missing").exists()
    assert len(followed.stream.outages) == 2


def test_fifty_busy_shares_lose_no_bar(tmp_path):
    symbols = [f"SHARE{number:02d}" for number in range(50)]
    folder = bar_folder(tmp_path, {symbol: 200.0 + 37.0 * k for k, symbol in enumerate(symbols)})
    busy = ("--date", "2026-11-23", "--at", "09:14:30", "--speed", "30", "--ticks-per-second", "10")
    with simulator(*busy, "--calls-per-minute", "9999", csv=folder) as venue:
        followed = Followed(venue, symbols)
        try:
            followed.take(3)
            recorded = {lane: list(followed.recorded(lane)) for lane in (0, 25, 49)}
        finally:
            followed.close()
    assert {lane: list(followed.found) for lane in recorded} == recorded
    assert all(len(rows) == 50 for rows in followed.found.values())
    assert sum(followed.tape.latency.buckets) > 1000
    assert followed.tape.latency.quantile(0.5) < 50_000  # a tenth of that when nobody else works here
    assert followed.stream.overflowed == 0
