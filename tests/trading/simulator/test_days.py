"""Days going by on the floor, what the journal brings back, and recordings of every kind."""

import datetime as dt

import pytest

from sensequant.lib.errors import BadInput
from tests.trading.bar_files import Row
from tests.trading.simulator import opened as opener
from tests.trading.simulator.opened import MONDAY, bars, gentle, opened
from trading.adapters.simulator import history, rest
from trading.adapters.simulator.desk import Refused, Wish
from trading.adapters.simulator.floor import Tempo
from trading.core.bars import DAY
from trading.core.calendar import IST
from trading.core.errors import Invalid
from trading.core.exchange.book import BUY, SELL

WEDNESDAY = dt.date(2026, 11, 25)  # the Tuesday between is a holiday


@pytest.fixture(autouse=True)
def _closed():
    yield
    opener.close()


def place(venue, price=1500.0, quantity=10, side=BUY, symbol="RELIANCE"):
    return venue.desk.place(Wish(symbol, side, quantity, price))


def second(text, date=MONDAY):
    return int(dt.datetime.combine(date, dt.time.fromisoformat(text), IST).timestamp())


def test_an_order_before_the_opening_waits_for_it_and_ends_with_the_session():
    venue = opened(at="09:05")
    order = place(venue, 1250.0)
    assert order.status == "Queued"
    venue.floor.wind(at="09:15")
    assert order.status == "Ordered"
    venue.floor.wind(at="15:30")
    assert (order.status, order.expired) == ("Expired", 10)


def test_a_session_that_ends_early_for_some_stocks_ends_their_orders_early():
    venue = opened(segment="equity_fno", at="15:14")
    resting = place(venue, 1300.0)
    venue.floor.wind(at="15:15")
    assert resting.status == "Expired"
    with pytest.raises(Refused, match="closing auction"):
        place(venue, 1300.0)
    venue.floor.wind(at="15:36")
    with pytest.raises(Refused, match="closed"):
        place(venue, 1300.0)


def test_the_next_day_begins_with_a_new_session_and_yesterdays_shares():
    venue = opened({"RELIANCE": gentle(MONDAY, WEDNESDAY)}, dates=(MONDAY, WEDNESDAY))
    bought = place(venue, quantity=60)
    venue.floor.wind(at="15:29")
    assert bought.status == "Executed"
    close = venue.floor.shares["RELIANCE"].bars.close[374]
    venue.floor.wind(at="09:20")
    assert venue.floor.date == WEDNESDAY
    assert venue.floor.shares["RELIANCE"].market.previous_close == close
    assert venue.entrance.expired
    assert venue.desk.held == {"RELIANCE": 60}
    assert venue.desk.todays_trades() == []
    assert place(venue, 1200.0, 60, SELL).id.startswith("20261125")
    with pytest.raises(Refused, match="Insufficient holdings: 0"):
        place(venue, 1200.0, 1, SELL)


def test_the_clock_runs_at_its_speed_and_stands_still_at_the_end():
    venue = opened(speed=60.0)
    venue.hand[0] += 10
    venue.floor.advance()
    assert venue.floor.at.time() == dt.time(10, 10)
    venue.hand[0] += 10_000
    venue.floor.advance()
    assert venue.floor.ended
    assert venue.floor.at.time() == dt.time(15, 35)
    with pytest.raises(Invalid, match="behind the clock"):
        venue.floor.wind(at="10:00")


def test_nobody_hears_of_a_tick_twice_or_not_at_all_however_the_clock_is_wound():
    heard, whole = [], []
    for ears, turns in ((heard, (7, 0.4, 61, 3_600, 20_000)), (whole, (30_000,))):
        venue = opened(at="09:00")
        venue.floor.watch = lambda share, ears=ears: (
            lambda s: ears.append((s.market.ms, s.market.last, s.market.volume))
        )
        for seconds in turns:
            venue.floor.wind(seconds=seconds)
    assert heard == whole[: len(heard)]
    assert len(whole) == 375 * 12


@pytest.mark.parametrize("step", [5, 15, DAY])
def test_coarser_recordings_play_through_the_whole_session(step):
    venue = opened({"RELIANCE": gentle(dt.date(2026, 11, 20), MONDAY, step=step)}, step=step, at="09:15")
    share = venue.floor.shares["RELIANCE"]
    venue.floor.wind(at="12:00")
    middle = share.market.volume
    venue.floor.wind(at="15:30")
    recorded = share.bars.between(second("00:00"), second("23:59"))
    assert 0 < middle < share.market.volume == recorded.volume.sum()
    assert (share.market.open, share.market.last) == (recorded.open[0], recorded.close[-1])
    assert (share.market.high, share.market.low) == (recorded.high.max(), recorded.low.min())
    daily = history.bars_of(venue, share, DAY, second("00:00", dt.date(2026, 11, 1)), second("23:00"))
    assert len(daily) == 2
    finer = history.bars_of(venue, share, 1, second("00:00"), second("23:00"))
    assert len(finer) == 0


def test_a_bar_is_history_when_it_is_over_and_not_before():
    venue = opened(at="10:00")
    share = venue.floor.shares["RELIANCE"]

    def last(minutes):
        found = history.bars_of(venue, share, minutes, second("09:15"), second("15:30"))
        return dt.datetime.fromtimestamp(int(found.ts[-1]), IST).strftime("%H:%M")

    assert (last(1), last(5), last(30)) == ("09:59", "09:55", "09:15")
    venue.floor.wind(at="15:29")
    assert (last(1), last(30)) == ("15:28", "14:45")
    assert len(history.bars_of(venue, share, DAY, second("00:00"), second("15:30"))) == 0
    venue.floor.wind(at="15:30")
    assert (last(1), last(30)) == ("15:29", "15:15"), "the last half hour ends with its session"
    assert len(history.bars_of(venue, share, DAY, second("00:00"), second("15:30"))) == 1


def test_bars_without_volume_trade_nominally_and_count_as_nothing():
    rows = [
        Row(dt.datetime.combine(MONDAY, dt.time(9, 15)) + dt.timedelta(minutes=n), 1400, 1401, 1399, 1400, None)
        for n in range(375)
    ]
    venue = opened({"RELIANCE": bars(rows)})
    order = place(venue, 1410.0, 150)
    assert order.filled == 100
    venue.floor.wind(seconds=10)
    assert order.status == "Executed"
    assert venue.floor.shares["RELIANCE"].market.volume == 0


def test_an_index_is_quoted_and_cannot_be_bought():
    venue = opened({"NIFTY50": gentle(level=26_000.0)})
    assert venue.share("NIFTY").listed.token == "NIFTY 50"
    with pytest.raises(Refused, match="not valid"):
        place(venue, 26_000.0, symbol="NIFTY50")


def test_a_day_of_which_a_share_has_no_bars_is_quiet_for_it():
    venue = opened({"RELIANCE": gentle(), "TCS": gentle(dt.date(2026, 11, 20), dt.date(2026, 11, 20), level=3_000.0)})
    quiet = venue.floor.shares["TCS"]
    venue.floor.wind(at="15:30")
    assert (quiet.market.ms, quiet.market.previous_close) == (0, quiet.bars.close[-1])
    assert rest.quotes(venue, {"stock_code": "TCS"})[0]["ltp"] == quiet.bars.close[-1]


@pytest.mark.parametrize(
    ("tempo", "minutes", "speed", "count"),
    [
        (Tempo(), 1, 1.0, 12), (Tempo(), 5, 60.0, 60), (Tempo(), 1, 600.0, 4), (Tempo(), DAY, 1.0, 4_500),
        (Tempo(9), 5, 1.0, 9), (Tempo(0, 10.0), 1, 1.0, 600), (Tempo(0, 10.0), 1, 60.0, 10),
        (Tempo(0, 1.0), 1, 0.0, 60),
    ],
)  # fmt: skip
def test_how_many_ticks_a_bar_becomes(tempo, minutes, speed, count):
    assert tempo.count(minutes, speed) == count


def test_what_happened_while_it_was_dead_is_the_same_as_if_it_had_lived(tmp_path):
    def day(state, crash):
        recorded, dates = (
            {"RELIANCE": gentle(MONDAY, WEDNESDAY), "TCS": gentle(MONDAY, WEDNESDAY, level=3_000.0)},
            (MONDAY, WEDNESDAY),
        )
        wall, venue = [1_795_000_000.0], None
        for at, turn in enumerate(
            (
                lambda v: place(v, quantity=900),
                lambda v: place(v, 1385.5, 200),
                lambda v: place(v, 3_010.0, 5, symbol="TCS"),
            )
        ):
            if venue is None or crash:
                venue = opened(recorded, dates=dates, state=state, speed=60.0, wall=wall)
            turn(venue)
            wall[0] += 40 * (at + 1)
            venue.floor.advance()
        wall[0] += 900
        if crash:
            venue = opened(recorded, dates=dates, state=state, speed=60.0, wall=wall)
        venue.floor.advance()
        return venue

    lived, died = day(tmp_path / "a", False), day(tmp_path / "b", True)
    assert lived.desk.orders == died.desk.orders
    assert lived.desk.trades == died.desk.trades
    assert lived.desk.cash == pytest.approx(died.desk.cash)
    assert lived.desk.held == died.desk.held
    assert lived.floor.date == died.floor.date == WEDNESDAY
    assert lived.floor.ms == died.floor.ms
    assert len(died.desk.trades) > 10


def test_session_money_and_holdings_are_kept(tmp_path):
    venue = opened(state=tmp_path)
    number = venue.log_in()
    venue.desk.hold("RELIANCE", 7)
    venue.desk.allocate(-1_000.0)
    again = opened(state=tmp_path)
    assert (again.entrance.api_session, again.entrance.token) == (number, venue.entrance.token)
    assert (again.desk.held, again.desk.cash) == ({"RELIANCE": 7}, 4_999_000.0)


def test_a_half_written_line_is_forgotten(tmp_path):
    order = place(opened(state=tmp_path), 1250.0)
    with (tmp_path / "journal.jsonl").open("a") as journal:
        journal.write('{"kind":"orders","ord')
    venue = opened(state=tmp_path)
    assert venue.desk.orders[order.id].working
    assert order.id in venue.floor.shares["RELIANCE"].book.orders


def test_the_journal_of_another_market_and_a_spoilt_one_are_refused(tmp_path):
    opened(state=tmp_path)
    with pytest.raises(BadInput, match="another market: dates differs"):
        opened({"RELIANCE": gentle(MONDAY, WEDNESDAY)}, dates=(MONDAY, WEDNESDAY), state=tmp_path)
    (tmp_path / "journal.jsonl").write_text("nonsense\n")
    with pytest.raises(BadInput, match="line 1 cannot be read"):
        opened(state=tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="--state"):
        opened(state=tmp_path / "file")
