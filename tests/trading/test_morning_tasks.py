"""What the desk does before the market opens: the master is read and the ticks are renewed, by the same services."""

import datetime as dt
from dataclasses import replace
from decimal import Decimal

import pytest

from sensequant import celery
from sensequant.lib.clock import IST
from sensequant.lib.errors import NotFound
from tests import simulators
from tests.trading import masters
from tests.trading.bar_files import days, write
from trading import tasks
from trading.adapters.breeze.addresses import Addresses
from trading.adapters.breeze.errors import Transient
from trading.core.calendar import NSE
from trading.models import BarSeries, Instrument, Listing, MasterFile
from trading.services import closes, instruments, markets, sessions

pytestmark = pytest.mark.django_db

NOON = dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)
REVIEW = dt.date(2026, 10, 30)


def test_the_morning_s_jobs_are_on_the_schedule():
    for name, hour in (("read the security master", {8}), ("renew the ticks", set(range(8, 16)))):
        row = celery.SCHEDULE[name]
        assert row["schedule"].hour == hour
        assert hasattr(tasks, row["task"].rpartition(".")[2])


def test_a_desk_without_a_broker_fetches_nothing():
    tasks.read_security_master()
    assert not MasterFile.objects.exists()


@pytest.fixture(scope="module")
def venue():
    with simulators.simulator("--master-rows", "600", "--date", "2026-11-23", "--at", "08:05") as found:
        yield found


@pytest.mark.slow
def test_ticks_are_renewed_from_the_desk_s_own_bars(venue, settings, tmp_path):
    settings.DESK = replace(settings.DESK, breeze_base_url=venue.url, data_feed_csv_directory=str(tmp_path))
    instruments.load(masters.archive(*masters.SHARES), at=NOON, source="test")
    for symbol, level in (("TCS", 3000.0), ("INFY", 500.0)):
        write(tmp_path / f"{symbol}_1d.csv", days(dt.date(2026, 10, 1), dt.date(2026, 11, 20), level))
        BarSeries.objects.create(
            source="csv", symbol=symbol, interval="1day", path=symbol, rows=1, digest="d", verdict="ok",
            refreshed_at=NOON,
        )  # fmt: skip
    tasks.renew_ticks()
    ticks = dict(Instrument.objects.exclude(tick_close=None).values_list("symbol", "tick"))
    assert ticks == {"TCS": Decimal("0.10"), "INFY": Decimal("0.05")}


@pytest.mark.slow
def test_the_simulator_s_master_is_read_over_http_and_its_traps_are_seen(venue, settings):
    settings.DESK = replace(settings.DESK, breeze_base_url=venue.url)
    tasks.read_security_master()
    file = MasterFile.objects.get()
    assert (file.day, file.rows) == (dt.date(2026, 11, 23), 600)
    assert file.usable == Listing.objects.count() > 400
    colliding = {word for word, why in file.refused if "it means the NSE symbol" in why}
    assert colliding == {"360ONE", "MON100", "MAHLOG", "WELENT"}
    day = file.day
    assert all(instruments.resolve(word, on=day).isec_code != word for word in colliding)
    assert instruments.resolve("HDFCBANK", on=day).token == "1333"
    invented = Instrument.objects.get(symbol="DEMOBANK")
    assert (invented.is_demo, invented.segment, invented.name) == (True, "equity_fno", "Demo National Bank")


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["master_truncated", "master_404", "master_html"])
def test_a_master_that_arrives_broken_changes_nothing(venue, fault):
    addresses = Addresses.of(venue.url)
    instruments.fetch(at=NOON, addresses=addresses)
    before = [list(model.objects.order_by("pk").values()) for model in (Listing, Instrument, MasterFile)]
    venue.fault(fault, times=2)
    with pytest.raises(Transient):
        instruments.fetch(at=NOON + dt.timedelta(days=1), addresses=addresses)
    note = instruments.ensure(at=NOON + dt.timedelta(days=1), addresses=addresses)
    assert note.startswith("the security master of 2026-11-23 is still in use")
    assert [list(model.objects.order_by("pk").values()) for model in (Listing, Instrument, MasterFile)] == before


@pytest.mark.slow
def test_while_somebody_is_logged_in_the_broker_is_asked_for_closes(venue, settings):
    keys = venue.credentials
    told = {"breeze_base_url": venue.url, "breeze_api_key": keys["api_key"], "breeze_api_secret": keys["api_secret"]}
    settings.DESK = replace(settings.DESK, **told)
    instruments.fetch(at=NOON, addresses=Addresses.of(venue.url))
    close_of = closes.closer(lambda: NOON)
    assert close_of("DEMOBANK", REVIEW) is None
    sessions.log_in(keys["api_session"], at=NOON)
    (session,) = NSE.sessions(REVIEW, REVIEW, "equity_fno")
    known = markets.demo_bars("DEMOBANK", session.date, session.date, 1440)
    assert closes.closer(lambda: NOON)("DEMOBANK", REVIEW) == Decimal(f"{known.close[-1]:.2f}")
    with pytest.raises(NotFound):
        closes.closer(lambda: NOON)("NOPE", REVIEW)
