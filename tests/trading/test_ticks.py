"""The price step of each share: set by the month-end close, once a month, and never guessed."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from sensequant.lib.clock import IST
from sensequant.lib.errors import NotFound, Unavailable
from tests.trading import masters
from tests.trading.bar_files import days, minutes, write
from trading.core.errors import Invalid
from trading.models import BarSeries, Instrument
from trading.services import closes, instruments, ticks

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
REVIEW, SINCE = dt.date(2026, 10, 30), dt.date(2026, 11, 2)
D = Decimal


@pytest.fixture(autouse=True)
def listed():
    instruments.load(masters.archive(*masters.SHARES), at=NOON, source="test")


def share(symbol):
    return Instrument.objects.get(symbol=symbol)


def follow(*symbols):
    for symbol in symbols:
        BarSeries.objects.create(
            source="csv", symbol=symbol, interval="1day", path=symbol, rows=1, digest="d", verdict="ok",
            refreshed_at=NOON,
        )  # fmt: skip


def test_the_step_follows_from_the_close_and_holds_from_the_first_session_of_the_month():
    assert ticks.set_ticks(at=NOON, closes={"RELIANCE": D("1402.15"), "TCS": D("249.95")}) == {
        "RELIANCE": D("0.10"), "TCS": D("0.01"),
    }  # fmt: skip
    row = share("RELIANCE")
    assert (row.tick, row.tick_close, row.tick_since) == (D("0.10"), D("1402.15"), SINCE)


def test_a_fund_keeps_its_paisa_whatever_it_costs():
    ticks.set_ticks(at=NOON, closes={"GOLDBEES": D(3000)})
    assert share("GOLDBEES").tick == D("0.01")


@pytest.mark.parametrize(
    ("told", "error", "said"),
    [({"TCS": D(3000), "NOPE": D(1)}, NotFound, "NOPE is no share"), ({"TCS": D(3000), "INFY": D(0)}, Invalid, "of 0")],
)  # fmt: skip
def test_a_wrong_close_or_symbol_sets_nothing(told, error, said):
    with pytest.raises(error, match=said):
        ticks.set_ticks(at=NOON, closes=told)
    assert share("TCS").tick_since is None


def test_a_default_is_not_known_and_what_somebody_set_is():
    assert ticks.known(share("TCS")) is None
    assert ticks.known(share("GOLDBEES")) == D("0.01")
    assert ticks.known(None) is None
    assert ticks.known(Instrument.objects.create(symbol="BYHAND", tick=D("0.25"))) == D("0.25")
    ticks.set_ticks(at=NOON, closes={"TCS": D(3000)})
    assert ticks.known(share("TCS")) == D("0.10")


def test_followed_shares_are_renewed_once_a_month():
    follow("RELIANCE", "TCS", "NOBODY")
    asked = []

    def close_of(symbol, day):
        asked.append((symbol, day))
        return D(1500)

    done = ticks.refresh_ticks(at=NOON, close_of=close_of)
    assert asked == [("RELIANCE", REVIEW), ("TCS", REVIEW)]
    assert (done.review, dict(done.ticks), done.missing) == (REVIEW, {"RELIANCE": D("0.10"), "TCS": D("0.10")}, ())
    assert dict(ticks.refresh_ticks(at=NOON, close_of=close_of).ticks) == {}
    later = ticks.refresh_ticks(at=NOON + dt.timedelta(days=9), close_of=close_of)
    assert (later.review, len(later.ticks)) == (dt.date(2026, 11, 30), 2)


def test_the_shares_somebody_names_are_renewed_too():
    done = ticks.refresh_ticks(at=NOON, close_of=lambda *_: D(300), symbols=["infy", "RELIANCE"])
    assert dict(done.ticks) == {"INFY": D("0.05"), "RELIANCE": D("0.05")}


@pytest.mark.parametrize("answer", [None, D("NaN"), D(0), Unavailable("no answer"), NotFound("no bar"), Invalid("no")])
def test_a_share_whose_close_cannot_be_had_keeps_its_step_and_the_others_are_renewed(answer):
    follow("RELIANCE", "TCS")

    def close_of(symbol, day):
        if symbol != "RELIANCE":
            return D(3000)
        if isinstance(answer, Exception):
            raise answer
        return answer

    done = ticks.refresh_ticks(at=NOON, close_of=close_of)
    assert (done.missing, list(done.ticks)) == (("RELIANCE",), ["TCS"])
    assert share("RELIANCE").tick_since is None


def test_the_demo_market_keeps_its_steps():
    Instrument.objects.create(symbol="DEMOBANK", is_demo=True, tick="0.05")
    follow("DEMOBANK")
    assert dict(ticks.refresh_ticks(at=NOON, close_of=lambda *_: D(9000)).ticks) == {}
    assert ticks.known(share("DEMOBANK")) == D("0.05")


@pytest.fixture
def folder(settings, tmp_path):
    settings.DESK = replace(settings.DESK, data_feed_csv_directory=str(tmp_path), minute_data_cache_dir="nowhere")
    return tmp_path


def test_a_close_is_read_from_the_desk_s_own_daily_bars(folder):
    rows = days(dt.date(2026, 10, 1), dt.date(2026, 11, 20))
    write(folder / "TCS_1d.csv", rows)
    close = closes.closer(lambda: NOON)("TCS", REVIEW)
    (row,) = [row for row in rows if row.time.date() == REVIEW]
    assert close == D(f"{row.close:.2f}")


def test_a_close_made_of_minutes_is_not_the_exchange_s_and_without_a_session_nobody_is_asked(folder):
    write(folder / "TCS_5m.csv", minutes(REVIEW, REVIEW, 5))
    assert closes.closer(lambda: NOON)("TCS", REVIEW) is None
    assert closes.closer(lambda: NOON)("INFY", REVIEW) is None
