"""Where the books differ: one open row a symbol, a person's word for two numbers, and entries that wait for either."""

import pytest
from django.db import IntegrityError, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading import rows
from trading.models import Difference
from trading.services import differences

pytestmark = pytest.mark.django_db
APART = (10, 8, "sold in another app")


@pytest.fixture
def run():
    return rows.run()


def read(run, minute=0, **found):
    """Let a reading at ``minute`` find what the keywords say."""
    differences.keep(run, found, at=rows.at(minute))


def accept(row, reason="sold by hand", by="asha", minute=5, **more):
    return differences.accept(row.pk, reason, at=rows.at(minute), by=by, **more)


def test_what_differs_is_kept_once_and_seen_again(run):
    read(run, 0, TCS=APART)
    read(run, 1, TCS=APART)
    row = Difference.objects.get()
    assert (row.ours, row.theirs, row.detail) == APART
    assert (row.found_at, row.seen_at, row.gone_at) == (rows.at(0), rows.at(1), None)
    assert differences.blocking(run) == {"TCS"}


def test_what_is_gone_is_closed_and_what_comes_back_is_another(run):
    read(run, 0, TCS=APART, INFY=(0, 5, ""))
    read(run, 1, INFY=(0, 5, ""))
    assert Difference.objects.get(symbol="TCS").gone_at == rows.at(1)
    assert differences.blocking(run) == {"INFY"}
    read(run, 2, TCS=APART)
    assert Difference.objects.filter(symbol="TCS").count() == 2
    assert differences.blocking(run) == {"TCS"}


def test_numbers_that_change_are_the_same_difference_still(run):
    read(run, 0, TCS=APART)
    read(run, 1, TCS=(10, 6, "more sold"))
    row = Difference.objects.get()
    assert (row.ours, row.theirs, row.detail, row.found_at) == (10, 6, "more sold", rows.at(0))


def test_an_accepted_difference_blocks_nothing_while_its_numbers_stay(run):
    read(run, 0, TCS=APART)
    row = accept(Difference.objects.get())
    assert (row.accepted_by, row.reason, row.accepted_at) == ("asha", "sold by hand", rows.at(5))
    read(run, 6, TCS=(10, 8, "said in other words"))
    assert differences.blocking(run) == set()
    row.refresh_from_db()
    assert (row.accepted_by, row.detail) == ("asha", "said in other words")


@pytest.mark.parametrize("changed", [(10, 7), (9, 8), (8, 10)])
def test_a_number_that_changes_voids_the_acceptance_and_it_is_told(run, changed, caplog):
    read(run, 0, TCS=APART)
    row = accept(Difference.objects.get())
    read(run, 6, TCS=(*changed, ""))
    row.refresh_from_db()
    assert (row.accepted_by, row.accepted_at, row.reason) == ("", None, "")
    assert differences.blocking(run) == {"TCS"}
    told = next(each for each in caplog.records if each.getMessage() == "a difference changed")
    assert (told.context["voided"], told.context["reason"]) == ("asha", "sold by hand")


def test_an_acceptance_that_crosses_a_change_is_void(run):
    """The engine read the row before the person accepted it, and writes other numbers after that."""
    read(run, 0, TCS=APART)
    stale = Difference.objects.get()
    accept(stale)
    differences._again(stale, 10, 0, "", rows.at(6))
    assert differences.blocking(run) == {"TCS"}


def test_who_looked_at_other_numbers_accepts_nothing(run):
    read(run, 0, TCS=APART)
    row = Difference.objects.get()
    read(run, 1, TCS=(10, 0, ""))
    with pytest.raises(NotAllowed, match="meanwhile it is TCS: ours 10, theirs 0"):
        accept(row, seen=(10, 8))
    assert differences.blocking(run) == {"TCS"}
    accept(row, seen=(10, 0))
    assert differences.blocking(run) == set()


def test_what_is_gone_accepted_or_unknown_is_not_accepted(run):
    read(run, 0, TCS=APART, INFY=APART)
    tcs, infy = Difference.objects.get(symbol="TCS"), Difference.objects.get(symbol="INFY")
    accept(infy)
    with pytest.raises(NotAllowed, match="asha has accepted the difference in INFY"):
        accept(infy, by="omar")
    read(run, 1, INFY=APART)
    with pytest.raises(NotAllowed, match="the difference in TCS is gone"):
        accept(tcs)
    Difference.objects.all().delete()
    with pytest.raises(NotFound, match="there is no difference"):
        accept(tcs)


@pytest.mark.parametrize("reason", ["", " \n "])
def test_nobody_accepts_without_a_reason(run, reason):
    read(run, 0, TCS=APART)
    with pytest.raises(BadInput, match="no reason was given"):
        accept(Difference.objects.get(), reason)
    assert differences.blocking(run) == {"TCS"}


def test_runs_do_not_meddle_with_each_other(run):
    other = rows.run(name="other")
    read(run, 0, TCS=APART)
    read(other, 0, TCS=(1, 2, ""))
    read(other, 1)
    assert differences.blocking(run) == {"TCS"}
    assert differences.blocking(other) == set()


def test_a_long_detail_is_shortened(run):
    read(run, 0, TCS=(1, 2, "x" * 900))
    read(run, 1, TCS=(1, 2, "y" * 900))
    assert Difference.objects.get().detail == "y" * 400


def test_the_database_itself_knows_one_open_difference_a_symbol(run):
    rows.difference(run)
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.difference(run)
    rows.difference(run, symbol="TCS")


@pytest.mark.parametrize("lacking", ["accepted_by", "reason"])
def test_the_database_itself_wants_a_name_and_a_reason_for_accepting(run, lacking):
    given = {"accepted_by": "asha", "reason": "x", "accepted_at": rows.at(9), lacking: ""}
    with pytest.raises(IntegrityError), transaction.atomic():
        rows.difference(run, **given)


SYMBOLS = st.sampled_from(["TCS", "INFY", "SBIN"])
NUMBERS = st.tuples(st.integers(-2, 2), st.integers(-2, 2), st.just(""))
STEPS = st.lists(st.one_of(st.dictionaries(SYMBOLS, NUMBERS), SYMBOLS), max_size=12)


@given(steps=STEPS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_open_is_what_the_newest_reading_found_and_blocking_what_of_it_nobody_accepted(run, steps):
    """A step is a reading (what it found) or somebody accepting a symbol as it stands."""
    Difference.objects.all().delete()
    found, accepted = {}, {}
    for minute, step in enumerate(steps):
        if isinstance(step, dict):
            read(run, minute, **step)
            found = step
            accepted = {symbol: numbers for symbol, numbers in accepted.items() if found.get(symbol) == numbers}
        elif step in found and step not in accepted:
            accept(Difference.objects.get(symbol=step, gone_at=None), minute=minute)
            accepted[step] = found[step]
        standing = Difference.objects.filter(gone_at=None)
        assert {row.symbol: (row.ours, row.theirs, row.detail) for row in standing} == found
        assert differences.blocking(run) == found.keys() - accepted.keys()
