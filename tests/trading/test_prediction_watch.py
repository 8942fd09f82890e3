"""What a page knows of the record: only what was appended is read, and what was written anew is still found."""

import datetime as dt

import pytest

from tests.trading.desks import begun, driven
from tests.trading.test_predictions import remove, rewrite
from trading.core.chain import digest
from trading.models import PredictionRecord
from trading.selectors import accuracy as selected
from trading.services import accuracy, accuracy_sources, prediction_watch, predictions

pytestmark = pytest.mark.django_db
NOON = dt.datetime(2026, 11, 26, 6, 30, tzinfo=dt.UTC)


@pytest.fixture
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def run(home, unguarded):
    """A run that was interrupted, of which a page already knows everything."""
    run = driven(begun(name="cut"), looks=150)
    assert look()["sound"]
    return run


def look(at=NOON):
    return prediction_watch.checked(at=at)


def looks():
    """Look as often as it takes to read every record again, and a little longer."""
    for _ in range(3 + PredictionRecord.objects.count()):
        found = look()
    return found


def test_what_was_appended_is_read_and_nothing_of_the_rest_as_a_whole(run, monkeypatch):
    before = look()["records"]
    driven(begun(name="cut"))
    driven(begun(name="another"))
    monkeypatch.setattr(prediction_watch, "_whole", lambda at: pytest.fail("everything was read again"))
    found = looks()
    assert found["records"] > before
    assert found == predictions.check()


def test_a_record_that_was_edited_is_found_when_its_stretch_is_read_again(run, monkeypatch):
    monkeypatch.setattr(prediction_watch, "STRETCH", 2)
    rewrite(3, symbol="OTHER")
    assert looks()["breaks"] == [{"chain": f"run {run.pk}", "number": 3, "why": "it was changed after it was written"}]
    row = PredictionRecord.objects.get(number=2)
    rewrite(2, payload=row.payload + " ")
    assert looks()["breaks"][0]["number"] == 3, "what does not hold is read again after a minute"
    assert look(NOON + dt.timedelta(minutes=2))["breaks"][0]["number"] == 2


def test_a_chain_that_was_cut_off_or_written_anew_is_found_at_once(run):
    remove("number > 2")
    assert not look()["sound"]


def test_a_chain_written_anew_from_a_record_on_has_another_head(run):
    row = PredictionRecord.objects.order_by("number").last()
    before = row.digest
    row.payload += " "
    rewrite(row.number, payload=row.payload, digest=digest(predictions.as_digested(row)))
    predictions.anchors_path().unlink(missing_ok=True)
    found = look()
    assert found == predictions.check()
    assert found["heads"][0]["digest"] != before


def test_an_anchor_that_says_otherwise_is_heard(run):
    with predictions.anchors_path().open("a") as file:
        file.write(f'{{"run": {run.pk}, "number": 1, "digest": "forged"}}\n')
    assert look()["breaks"][0]["why"] == "it is not the record that was anchored"


@pytest.mark.parametrize("strategy", ["", "intraday"])
def test_measures_of_what_was_appended_are_those_of_everything_read_anew(run, strategy):
    accuracy_sources.measured(accuracy_sources.RECORD, strategy, at=NOON)
    driven(begun(name="cut"))
    found, _ = accuracy_sources.measured(accuracy_sources.RECORD, strategy, at=NOON)
    whole = accuracy.of(selected.recorded(strategy))
    assert {name: found[name] for name in whole} == whole


def test_outcomes_that_are_gone_are_measured_no_more(run):
    accuracy_sources.measured(accuracy_sources.RECORD, at=NOON)
    before = PredictionRecord.objects.filter(kind="outcome").order_by("number")
    remove(f"number = {before.first().number}")
    found, _ = accuracy_sources.measured(accuracy_sources.RECORD, at=NOON)
    assert found["total_trades"] == before.count() > 0
