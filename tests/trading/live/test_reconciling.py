"""The books compared: what our fills say must be there is there, or a named person says that it may differ."""

from decimal import Decimal

import pytest

from tests.trading.live.desk import Desk
from trading.core.ports import Ticket
from trading.models import Difference
from trading.services import differences
from trading.services.reconciling import Reconciler

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk():
    made = Desk()
    made.reconciler = Reconciler(made.room, made.book)
    yield made
    made.close()


def compare(desk, times=2):
    for _ in range(times):
        desk.read_book()
        desk.reconciler.tend()


def test_a_desk_whose_fills_are_the_brokers_is_ready_after_one_reading(desk):
    desk.hold()
    compare(desk, times=1)
    assert desk.reconciler.ready
    assert desk.reconciler.blocked() == frozenset()
    assert not Difference.objects.exists()


def test_shares_sold_in_the_brokers_own_app_stop_entries_in_that_symbol_until_a_person_accepts_it(desk):
    desk.hold()
    ticket = Ticket("RELIND", "SELL", 4, Decimal("100.00"))
    desk.venue.place(ticket, deadline=0, exit=False)
    desk.venue.fill(desk.venue.newest(), 4, "100.00")
    compare(desk, times=1)
    assert not desk.reconciler.ready  # one reading alone proves nothing
    compare(desk, times=1)
    row = Difference.objects.get()
    assert (row.symbol, row.ours, row.theirs) == ("RELIANCE", 10, 6)
    assert "sold by other means 4" in row.detail
    assert desk.reconciler.blocked() == {0}
    differences.accept(row.pk, "sold by hand, will not be replaced", at=desk.clock(), by="asha")
    assert desk.reconciler.blocked() == frozenset()


def test_a_difference_that_is_gone_is_closed_by_itself(desk):
    desk.hold()
    desk.venue.place(Ticket("RELIND", "SELL", 4, Decimal("100.00")), deadline=0, exit=False)
    sold = desk.venue.newest()
    desk.venue.fill(sold, 4, "100.00")
    compare(desk)
    assert Difference.objects.filter(gone_at=None).count() == 1
    desk.venue.book[sold].filled = 0
    compare(desk)
    assert Difference.objects.filter(gone_at=None).count() == 0


def test_somebody_elses_shares_of_another_company_are_none_of_our_business(desk):
    desk.hold()
    desk.venue.place(Ticket("INFTEC", "SELL", 4, Decimal("1500.00")), deadline=0, exit=False)
    desk.venue.fill(desk.venue.newest(), 4, "1500.00")
    compare(desk)
    assert desk.reconciler.ready
    assert not Difference.objects.exists()
