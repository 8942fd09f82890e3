"""What is open after a rollback: waivers go on, what came with the release that is gone is named, new is new."""

import datetime as dt

import pytest

from releases.core import after_rollback, audit_flags
from releases.core.after_rollback import Past
from releases.core.roles import RISK
from releases.services import after_rollback as service
from releases.services import waiving
from tests.releases import world
from tests.releases.test_waivers import FLAGS, both
from tests.releases.test_waivers import audit as audit
from tests.releases.test_waivers import cast as cast

DAY = dt.timedelta(days=1)


def flag(code, subject="x", message="it is so"):
    return {"code": code, "subject": subject, "message": message}


def open_after(*flags, **past):
    return after_rollback.new(after_rollback.accounted(flags, Past("release_2", **past)))


def test_a_rollback_is_clean_of_what_it_skipped_and_of_what_came_with_the_release_that_is_gone():
    assert open_after(flag("validation_skipped")) == []
    assert open_after(flag("intraday_degraded"), sound=["intraday"]) == []
    assert open_after(flag("open_critical_alert", "release_watch_failed:release_2")) == []


@pytest.mark.parametrize("found", [
    flag("intraday_degraded"), flag("swing_degraded"), flag("release_differs"), flag("ledger_broken"),
    flag("open_critical_alert", "release_watch_failed:release_1"), flag("open_critical_alert", "order_unknown"),
    flag("missing", message="it is otherwise"),
])  # fmt: skip
def test_everything_else_is_new_and_named(found):
    waived = {audit_flags.digest(flag("missing")): "waived"}
    sound = ["intraday"] if found["code"] != "intraday_degraded" else ["swing"]
    assert open_after(found, waived=waived, sound=sound if found["code"] != "swing_degraded" else ["intraday"]) == [
        f"{found['code']}: {found['message']}"
    ]


@pytest.fixture
def back(audit, cast, noon):
    """The release that came back, under an audit with both flags waived for it."""
    for number in (1, 2):
        both(audit, cast, noon, number)
    return world.release(cast["author"], noon, audit=audit)


def after(back, cast, at, flags=FLAGS):
    gone = world.release(cast["author"], at, release_id="release_20261124_120000", seq=2)
    found = world.audit(at, "audit_20261125_120000", flags=flags, cause="rollback", by="release watch")
    return [each["why"] for each in service.accounted(found, back, gone, at=at)]


def test_what_two_people_waived_for_the_release_that_came_back_is_carried_on_in_their_names(back, cast, noon):
    first, second, third = after(back, cast, noon + DAY)
    assert first.startswith("waived for release_20261123_120000 under audit_20261123_113000 by quentin (Quant Lead)")
    assert first.endswith("and risk (Risk Manager) until 30 Nov 2026 12:00 IST")
    assert (second, third) == (first, "a rollback waits for no validation")


def test_a_waiver_carries_nothing_once_it_is_over_or_taken_back_or_the_flag_says_something_else(back, cast, noon):
    half = back.audit.waivers.get(position=0, role=RISK)
    waiving.take_back(back.audit.audit_id, half.pk, cast[RISK], "I was wrong", at=noon)
    other = {**FLAGS[1], "message": "it is worse"}
    assert after(back, cast, noon + DAY, [FLAGS[0], other]) == ["", ""]


def test_days_end_a_waiver_here_too(back, cast, noon):
    assert after(back, cast, noon + 8 * DAY, FLAGS[:2]) == ["", ""]
