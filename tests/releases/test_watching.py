"""The watch over a fresh release: idle nights, a hold that pages, a reduction, a rollback by rule, and its end."""

import datetime as dt
from pathlib import Path

import pytest

from monitoring.models import Report
from releases.core import watch as rules
from releases.core.watch import Reading
from releases.models import Release
from releases.services import readings, watching
from sensequant.lib.clock import IST
from tests.releases.deployed import cast, later, two
from trading.models import Halt, ReleasePointer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def day(number, hour):
    return dt.datetime(2026, 11, number, hour, 0, tzinfo=IST)


def says(monkeypatch, *found):
    good = Reading("integrity", 0.0, 1, 1.0)
    monkeypatch.setattr(readings, "every", lambda watch, *, at: [good, *found])


FINE = Reading("intraday_hit_ratio_drop", 0.01, 60, 0.05)
FELL = Reading("intraday_hit_ratio_drop", 0.30, 60, 0.05)


def test_a_watch_ends_after_its_hours_and_two_full_sessions_when_the_newest_check_succeeds(monkeypatch):
    _, new = two(cast())
    says(monkeypatch, FINE)
    assert watching.look(at=day(22, 12)).word == "idle"  # a Sunday
    assert watching.look(at=day(22, 13)) is None  # two hours are not over
    assert watching.progress(watching.current(), at=day(22, 21)).missing == ("2 full sessions", "no check yet")
    assert watching.look(at=day(23, 12)).word == "success"
    assert ReleasePointer.objects.get().mode == "heightened"
    says(monkeypatch, Reading("intraday_hit_ratio_drop", None, 3, 0.05))
    assert (held := watching.look(at=day(23, 15))).action == "hold"
    assert "3 samples, 20 are needed" in held.told
    assert Report.objects.get(group=new.release_id).value == 1.0
    watching.look(at=day(26, 10))
    assert watching.current().state == "held"  # hours and sessions are over, but nothing can be told
    says(monkeypatch, FINE)
    watching.look(at=day(26, 12))  # the 24th was a holiday
    assert watching.current() is None
    assert ReleasePointer.objects.get().mode == "normal"
    assert Release.objects.get(pk=new.pk).state == "stable"
    assert Report.objects.get(group=new.release_id).value == 0.0


def test_what_fails_stops_entries_and_what_goes_on_failing_brings_the_release_before_back(monkeypatch):
    old, new = two(cast())
    says(monkeypatch, FELL)
    assert watching.look(at=day(23, 11)).action == "reduce"
    assert watching.current().state == "reduced"
    assert Halt.objects.get(released_at=None).kind == "release"
    assert watching.look(at=day(23, 13)).action == "rollback"
    assert ReleasePointer.objects.get().release_id == old.release_id
    assert Release.objects.get(pk=new.pk).state == "rolled_back"
    assert not Halt.objects.filter(released_at=None).exists()
    assert "rolled back to" in Report.objects.get(group=new.release_id).context["told"]


def test_a_changed_file_brings_the_release_before_back_at_once_even_at_night():
    old, new = two(cast())
    place = ReleasePointer.objects.get().folder
    path = Path(place) / "files/strategies.json"
    path.chmod(0o644)
    path.write_text("{}")
    assert watching.look(at=later(5)).action == "rollback"
    assert ReleasePointer.objects.get().release_id == old.release_id
    assert new.release_id != old.release_id


@pytest.mark.parametrize(
    ("reading", "before", "word", "action"),
    [
        (FINE, 1, "success", "none"),
        (FELL, 0, "failure", "reduce"),
        (FELL, 1, "failure", "rollback"),
        (Reading("intraday_hit_ratio_drop", 0.3, 60, 0.05, sure=False), 0, "inconclusive", "hold"),
        (Reading("intraday_hit_ratio_drop", 0.3, 19, 0.05), 1, "inconclusive", "hold"),
        (Reading("unknown_orders", 1.0, 1, 1.0), 5, "failure", "reduce"),
    ],
)
def test_verdicts(reading, before, word, action):
    found = rules.judge(reading, before)
    assert (found.word, found.action) == (word, action)
