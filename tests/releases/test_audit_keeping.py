"""Audits come by themselves, each once; their bundles go to the archive in time, and never one that is needed."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction

from releases.adapters import bundles
from releases.core.roles import RISK
from releases.core.states import ABORTED
from releases.models import Audit, ReleaseEvent
from releases.selectors import audits as asked
from releases.services import archiving, audit_planning, audits, candidates, lifecycle, signing
from releases.services.audits import Asked, How
from releases.services.signing import Proof, Word
from sensequant.lib import manifests
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput
from tests.releases import world
from tests.trading.desks import command
from tests.trading.pages import a_run
from trading.models import Halt
from trading.services import leases

pytestmark = pytest.mark.django_db
QUICK = Asked(skip_validation=True, skip_plots=True)


def moment(*when):
    return dt.datetime(*when, tzinfo=IST)


@pytest.fixture(autouse=True)
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return settings.SENSEQUANT_HOME


def audit(at):
    return audits.run(skip_validation=True, by="asha", at=at)


def planned(at):
    return [(row.trigger, row.cause) for row in audit_planning.plan(at=at)]


# planned


def test_a_month_has_one_audit_on_its_first_evening_or_made_up_for_within_the_week():
    assert planned(moment(2026, 11, 1, 19, 59)) == []
    assert planned(moment(2026, 11, 1, 20, 0)) == [("monthly:2026-11", "monthly")]
    audits.execute(Audit.objects.get(), How(lambda: moment(2026, 11, 1, 20, 1)))
    assert planned(moment(2026, 11, 1, 20, 10)) == []
    assert planned(moment(2026, 11, 6, 21, 0)) == []
    assert planned(moment(2026, 12, 7, 23, 0)) == [("monthly:2026-12", "monthly")]
    assert planned(moment(2027, 1, 8, 21, 0)) == [("monthly:2026-12", "monthly")], "January's came too late; one waits"
    assert Audit.objects.count() == 2


def test_a_breaker_and_a_rollback_are_audited_once_after_the_close():
    noon, close = moment(2026, 11, 23, 12, 0), moment(2026, 11, 23, 15, 30)
    halt = Halt.objects.create(kind="breaker", reason="5 % lost", engaged_by="breaker", engaged_at=noon)
    Halt.objects.create(kind="kill", reason="by hand", engaged_by="asha", engaged_at=noon)
    Halt.objects.create(
        kind="breaker", reason="played", engaged_by="x", engaged_at=noon, run=a_run(), released_at=noon,
        released_by="asha", release_reason="a replay",
    )  # fmt: skip
    author = world.person("tara")
    ReleaseEvent.objects.create(
        release=world.release(author, noon), old="active", new="rolled_back", by="asha", reason="worse", at=noon
    )
    assert planned(noon) == [], "a session is not disturbed"
    assert set(Audit.objects.values_list("trigger", "cause", "due_at")) == {
        (f"breaker:{halt.pk}", "incident", close + dt.timedelta(minutes=45)),
        (f"rollback:{ReleaseEvent.objects.get().pk}", "rollback", close + dt.timedelta(minutes=45)),
    }
    assert len(planned(close + dt.timedelta(minutes=45))) == 2
    for row in Audit.objects.all():
        audits.execute(row, How(lambda: close))
    assert planned(moment(2026, 11, 24, 20, 0)) == []
    assert Audit.objects.count() == 2


def test_one_whose_process_died_is_not_running_for_ever(home):
    at = moment(2026, 11, 23, 20, 0)
    row = audits.keep(QUICK, by="asha", at=at)
    Audit.objects.filter(pk=row.pk).update(state="running", step="validate")
    held = leases.take(audits.lease(row), leases.myself(), ttl=60)
    audit_planning.plan(at=at)
    row.refresh_from_db()
    assert row.state == "running", "its process lives"
    leases.release(held)
    half = home / "release" / f".{row.audit_id}.new"
    half.mkdir(parents=True)
    audit_planning.plan(at=at)
    row.refresh_from_db()
    assert (row.state, row.error, half.exists()) == ("failed", "its process died", False)


def test_a_bundle_that_was_sealed_and_not_told_of_is_made_again(home):
    at = moment(2026, 11, 23, 20, 0)
    row = audits.keep(QUICK, by="asha", at=at)
    Audit.objects.filter(pk=row.pk).update(state="running", step="write")
    orphan = bundles.write(audits.place(row), {"metrics.json": b"{}"}, {"audit_id": row.audit_id})
    done = audits.execute(row, How(lambda: at))
    assert (done.state, audits.verify(done).digest == orphan.digest) == ("done", False)


# kept


def test_what_is_older_than_half_a_year_goes_to_the_archive_and_can_still_be_read(home):
    old, newer = audit(moment(2026, 5, 25, 21, 0)), audit(moment(2026, 5, 26, 21, 0))
    at = moment(2026, 11, 26, 8, 0)
    told = archiving.archive(at=at, dry_run=True)
    assert told.moved == [{
        "audit_id": old.audit_id, "from": f"release/{old.audit_id}", "to": f"release/archive/{old.audit_id}",
    }]  # fmt: skip
    assert audits.place(old).exists(), "a dry run moves nothing"
    assert archiving.archive(at=at).moved == told.moved
    for row in (old, newer):
        row.refresh_from_db()
        assert audits.verify(row)
    assert audits.place(old) == home / "release" / "archive" / old.audit_id
    assert audits.place(newer) == home / "release" / newer.audit_id
    assert archiving.archive(at=at).moved == []


def test_what_a_release_needs_stays_until_it_needs_it_no_more(home):
    row = audit(moment(2026, 1, 5, 21, 0))
    author, at = world.person("tara"), moment(2026, 11, 26, 8, 0)
    release = world.release(author, at, audit=row)
    found = archiving.archive(at=at)
    assert (found.moved, found.needed) == ([], [row.audit_id])
    lifecycle.advance(release, ABORTED, by="tara", reason="never mind", at=at)
    assert asked.needed() == set()
    assert len(archiving.archive(at=at).moved) == 1


def test_a_bundle_somebody_changed_is_told_of_and_left_where_it_is(home):
    row = audit(moment(2026, 1, 5, 21, 0))
    (audits.place(row) / "summary.md").write_text("all is well")
    for words in ((), ("--dry-run",)):
        code, out, err = command("release_archive", "--json", *words)
        assert code == 1
        assert json.loads(out)["failed"][0]["audit_id"] == row.audit_id
        assert "summary.md is not the file" in err
    assert audits.place(row).exists()


def test_a_move_that_was_broken_off_before_it_was_told_is_told_later(home):
    row = audit(moment(2026, 1, 5, 21, 0))
    there = archiving.target(row)
    there.parent.mkdir(parents=True)
    audits.place(row).rename(there)
    assert len(archiving.archive(at=moment(2026, 11, 26, 8, 0)).moved) == 1
    row.refresh_from_db()
    assert audits.place(row) == there


def test_a_year_is_kept_whatever_is_asked_for_and_longer_unless_it_is(home):
    row = audit(moment(2025, 1, 5, 21, 0))
    at = moment(2026, 11, 26, 8, 0)
    with pytest.raises(BadInput, match="at least 12 months are kept"):
        archiving.archive(at=at, delete_after=11)
    assert archiving.archive(at=at).deleted == []
    assert archiving.archive(at=at, delete_after=24).deleted == []
    assert len(archiving.archive(at=at, delete_after=12, dry_run=True).deleted) == 1
    row.refresh_from_db()
    assert audits.verify(row)
    assert len(archiving.archive(at=at, delete_after=12).deleted) == 1
    row.refresh_from_db()
    assert row.deleted_at == at
    assert (audits.names(row), row.bundle_sha256 != "") == ([], True)
    assert not audits.place(row).exists()


EDITS = {
    "deployment_ready": True, "flags": [], "metrics": {}, "bundle_sha256": "0" * 64, "by": "eve", "state": "queued",
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_what_an_audit_has_found_is_edited_by_nobody(home, name):
    row = audit(moment(2026, 11, 23, 20, 0))
    with pytest.raises(IntegrityError, match=r"never edited|no legal move"), transaction.atomic():
        Audit.objects.filter(pk=row.pk).update(**{name: EDITS[name]})
    with pytest.raises(IntegrityError, match="never deleted"), transaction.atomic():
        Audit.objects.filter(pk=row.pk).delete()


# approvals


def test_approvals_stand_beside_the_seal_as_they_come(home):
    at = moment(2026, 11, 23, 12, 0)
    row, author = audit(at), world.person("tara")
    guard = world.person("riya", RISK, first_name="Riya", last_name="<b>|Rao")
    content = {"release_id": "release_20261123_120000"}
    release = world.release(author, at, content=content, content_sha256=manifests.digest(content))
    release = candidates.judge(release.release_id, row.audit_id, by="tara", at=at)
    word = Word(RISK, "reject", "flags are open", signing.read_digest(release))
    signing.sign(release.release_id, guard, word, Proof(world.PASSWORD), at=at)
    beside = (audits.place(row) / "approvals.md").read_text()
    assert "| Risk Manager | Riya \\<b\\>\\|Rao (riya@desk.example) | reject | 23 Nov 2026 12:00 IST |" in beside
    assert beside.count("waiting") == 2
    told = json.loads((audits.place(row) / "approvals.json").read_text())
    assert [(each["role"], each["decision"]) for each in told["approvals"]] == [(RISK, "reject")]
    assert told["bundle_sha256"] == row.bundle_sha256
    assert audits.verify(row), "the sealed files are as they were"
