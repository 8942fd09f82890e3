"""The record of predictions: written first, scored after, and no link can be changed or taken out unseen."""

import datetime as dt
import json

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib.errors import NotAllowed
from tests.trading.desks import begun, command, driven
from trading.core.chain import digest
from trading.models import EngineRun, Order, PredictionRecord, Trade
from trading.services import predictions
from trading.services.tracing import Tracing

pytestmark = pytest.mark.django_db


@pytest.fixture
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


@pytest.fixture
def run(home, unguarded):
    return driven()


def rewrite(number, **values):
    """Change a record behind the desk's back, as somebody with the database could."""
    columns = ", ".join(f'"{name}" = %s' for name in values)
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE trading_predictionrecord SET {columns} WHERE number = %s",  # noqa: S608 - our own words
            [*values.values(), number],
        )


def remove(where):
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM trading_predictionrecord WHERE {where}")  # noqa: S608 - our own words


def test_every_entry_is_predicted_and_every_trade_is_scored_later(run):
    found = PredictionRecord.objects.filter(run=run)
    said = found.filter(kind="prediction")
    assert said.count() == Order.objects.filter(run=run, purpose="entry").count()
    outcomes = found.filter(kind="outcome")
    assert outcomes.count() == Trade.objects.filter(run=run).count() > 3
    for outcome in outcomes:
        about = said.get(order=outcome.order)
        assert about.number < outcome.number
        assert about.at < outcome.at
        payload = json.loads(outcome.payload)
        assert payload["prediction"] == about.number
        assert payload["trace"]["predicted_direction"] == json.loads(about.payload)["direction"]
    assert predictions.check()["sound"]


@given(st.text(), st.text(), st.text(), st.datetimes(timezones=st.just(dt.UTC)), st.integers(0, 2**53))
def test_what_is_digested_of_a_record_is_the_json_of_what_it_says(payload, symbol, strategy, at, number):
    said = {"symbol": symbol, "strategy": strategy, "order": number, "payload": payload, "previous": "9f86d081"}
    row = PredictionRecord(run_id=7, number=number, kind="outcome", at=at, **said)
    told = ["run 7", number, "outcome", at.isoformat(), symbol, strategy, number, payload, "9f86d081"]
    assert predictions.as_digested(row) == json.dumps(told, ensure_ascii=False)


def test_a_changed_outcome_is_found_where_it_stands(run):
    outcome = PredictionRecord.objects.filter(kind="outcome").first()
    rewrite(outcome.number, payload=outcome.payload.replace('"LONG"', '"SHORT"').replace('"NOOP"', '"LONG"'))
    found = predictions.check()
    assert not found["sound"]
    assert found["breaks"] == [
        {"chain": f"run {run.pk}", "number": outcome.number, "why": "it was changed after it was written"}
    ]


def test_a_record_left_out_is_found(run):
    remove("number = 3")
    why = {each["number"]: each["why"] for each in predictions.check()["breaks"]}
    assert why[3] == "record 3 is missing"


def test_a_tail_that_was_cut_off_and_a_chain_that_was_taken_whole_are_found(run):
    count = PredictionRecord.objects.count()
    remove(f"number = {count}")
    (found,) = predictions.check(run.pk)["breaks"]
    assert (found["number"], found["why"]) == (count, f"records up to {count} were anchored and are gone")
    remove("number > 0")
    assert not predictions.check()["sound"]


def test_a_chain_that_was_forged_anew_from_end_to_end_disagrees_with_its_anchor(run):
    before = ""
    for row in PredictionRecord.objects.order_by("number"):
        payload = row.payload.replace('"confidence":0.', '"confidence":0.9')
        row.payload, row.previous = payload, before
        before = digest(predictions.as_digested(row))
        rewrite(row.number, payload=payload, previous=row.previous, digest=before)
    found = predictions.check()["breaks"]
    assert {each["why"] for each in found} == {"it is not the record that was anchored"}


def test_the_command_says_where_it_breaks_and_exits_with_1(run):
    code, out, err = command("check_predictions")
    assert (code, err) == (0, "")
    assert "every one as it was written" in out
    rewrite(2, symbol="OTHER")
    code, out, err = command("check_predictions", "--json")
    assert code == 1
    assert json.loads(out)["breaks"][0]["number"] == 2
    assert err == f"error: run {run.pk} breaks at record 2: it was changed after it was written\n"
    code, _, err = command("check_predictions", "--run", 4711)
    assert (code, "run 4711 has recorded no prediction" in err) == (2, True)


def test_the_desk_itself_neither_edits_nor_deletes_them(run):
    row = PredictionRecord.objects.first()
    row.symbol = "OTHER"
    for forbidden in (
        row.save, row.delete, PredictionRecord.objects.all().delete, lambda: PredictionRecord.objects.update(number=1),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            forbidden()
    with pytest.raises(Exception, match="protected"):
        EngineRun.objects.filter(pk=run.pk).delete()


def test_a_run_that_was_interrupted_goes_on_with_the_same_chain(run, home):
    whole = list(PredictionRecord.objects.order_by("number").values_list("kind", "symbol", "at", "payload"))
    cut = driven(begun(name="cut"), looks=150)
    assert 0 < PredictionRecord.objects.filter(run=cut).count() < len(whole)
    driven(begun(name="cut"))
    again = PredictionRecord.objects.filter(run=cut).order_by("number")

    def plain(rows):
        return [
            (kind, symbol, at, text.replace(f'"run":"{cut.pk}"', f'"run":"{run.pk}"'))
            for kind, symbol, at, text in rows
        ]

    assert plain(again.values_list("kind", "symbol", "at", "payload")) == whole
    assert predictions.check()["sound"]


def test_a_record_that_fails_costs_the_engine_nothing(home, monkeypatch):
    plain = driven(begun(name="plain"))

    def fail(*_):
        raise RuntimeError("no more numbers")

    monkeypatch.setattr(predictions.chain, "digest", fail)
    told = []
    monkeypatch.setattr(Tracing, "tell", lambda self, at: told.append(self.recorder.ledger.trouble))
    broken = driven(begun(name="broken"))
    assert broken.trades.count() == plain.trades.count()
    assert not broken.predictions.exists()
    assert "no more numbers" in told[-1]
