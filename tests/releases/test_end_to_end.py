"""The whole way of one release: optimised, trained, audited, signed by three, deployed, watched, worse, rolled back."""

import dataclasses
import datetime as dt
import json

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from releases.core.audit_states import ROLLBACK
from releases.core.roles import ROLES
from releases.core.steps import STEPS
from releases.models import Audit, LedgerEntry, Operation, Release, Watch
from releases.services import audits, candidates, deploying, ledger, ledger_checks, signing, watching, writing
from releases.services.audits import Asked, How
from releases.services.collecting import Wanted
from releases.services.signing import Proof, Word
from sensequant.lib.clock import IST
from tests.models_ml.test_promotions import passing as passing
from tests.releases import audited
from tests.releases.deployed import cast, proof
from tests.releases.world import PASSWORD
from tests.trading.desks import NOON, command
from trading.models import Halt, ReleasePointer
from trading.services import release_gate, release_state, strategies

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("home", "passing")]
EVENING = NOON.replace(hour=19)  # of a Monday; Tuesday is a holiday
SESSION = dt.datetime(2026, 11, 25, 11, 30, tzinfo=IST)


@pytest.fixture(autouse=True)
def learning(home, settings):
    settings.DESK = dataclasses.replace(settings.DESK, student_model_enabled=True)


def released(who, audit, configs=(), *, summary, at):
    """Make a candidate, put it under the audit, have three people sign it, write its manifest and deploy it."""
    made = candidates.make(Wanted(summary=summary, configs=configs), who["author"], at=at)
    found = candidates.judge(made.release_id, audit.audit_id, by="tara", at=at)
    for role in ROLES:
        word = Word(role, "approve", "read it", signing.read_digest(found))
        signing.sign(found.release_id, who[role], word, Proof(PASSWORD), at=at)
    found = writing.write(found, by="tara", at=at)
    deploying.deploy(found.release_id, found.release_id, proof(who["Engineering Lead"]), at=at)
    return Release.objects.get(pk=found.pk)


def trained(home):
    """Return the folder of a student that learned from a teacher that learned from bars, by the commands."""
    days = ("--start-date", "2026-08-17", "--end-date", "2026-09-25", "--data-source", "demo")
    small = ("--warmup", "100", "--rounds", "15", "--folds", "2")
    told = command("train_teacher", "--symbols", "DEMOBANK,DEMOLABS", *days, *small, "--json")
    assert (told[0], told[2]) == (0, "")
    told = command("train_student", "--teacher-dir", json.loads(told[1])["folder"], "--json")
    assert (told[0], told[2]) == (0, "")
    return home / json.loads(told[1])["folder"]


def test_from_the_optimisation_to_the_rollback_and_every_step_of_it_in_the_ledger(client, home, tmp_path):
    refused = audited.judged(trained(home))
    assert (refused.recommendation, refused.state) == ("REJECT", "rejected"), "six weeks of random bars teach nothing"
    audited.whole(tmp_path)
    audit = audits.execute(audits.keep(Asked(skip_plots=True), by="tara", at=NOON), How(lambda: NOON))
    assert (audit.flags, audit.deployment_ready) == ([], True)
    who = cast()
    old = released(who, audit, summary="as it is", at=EVENING)
    before = release_state.strategies()["intraday"]
    row = strategies.propose("intraday", {**before["params"], "adx_min": 30}, by="tara", at=EVENING)
    new = released(who, audit, [row.pk], summary="adx 30", at=EVENING + dt.timedelta(minutes=30))
    watch = watching.current()
    assert (watch.release, ReleasePointer.objects.get().mode) == (new, "heightened")
    worse(old, new, before)
    audited_after(client, old, new)
    kept(audit, old, new)


def worse(old, new, before):
    """Thirty trades, one of five wins; it was three of five: entries stop, and as it stays the one before is back."""
    audited.traded("intraday", 0, 2, at=SESSION)
    first = watching.look(at=SESSION)
    assert (first.word, first.action) == ("failure", "reduce"), first.told
    assert "fall of the intraday hit ratio: 0.4" in first.told
    assert Halt.objects.get(released_at=None).kind == "release"
    assert watching.look(at=SESSION + dt.timedelta(hours=2)).action == "rollback"
    row = ReleasePointer.objects.get()
    assert (row.release_id, row.seq, row.epoch, row.mode) == (old.release_id, 1, 3, "normal")
    assert release_state.strategies()["intraday"] == before
    assert release_gate.verified(row) == []
    assert dict(Release.objects.values_list("pk", "state")) == {old.pk: "stable", new.pk: "rolled_back"}
    assert set(Watch.objects.values_list("state", flat=True)) == {"ended"}
    assert not Halt.objects.filter(released_at=None).exists()


def audited_after(client, old, new):
    """It was audited anew by itself: clean, for what is worse came with the release that is gone, and is told so."""
    operation = Operation.objects.get(kind="rollback")
    told = operation.steps.get(step="audit").told
    found = Audit.objects.get(audit_id=told["audit"])
    assert (found.state, found.cause, found.by) == ("done", ROLLBACK, "release watch")
    assert (told["clean"], told["new"]) == (True, [])
    assert {each["code"]: each["why"] for each in told["accounted"]} == {
        "intraday_degraded": f"it was not there before {new.release_id} was deployed, which is gone",
        "validation_skipped": "a rollback waits for no validation",
    }
    assert audits.verify(found)
    client.force_login(User.objects.get(username="risk"))
    for release in (old, new):
        page = client.get(reverse("release", args=[release.release_id])).content.decode()
        assert "clean: nothing is open that is new" in page
        assert all(step in page for step in STEPS["rollback"])
    page = client.get(reverse("audit", args=[found.audit_id])).content.decode()
    assert "Not new: it was not there before" in page
    assert "clean after the rollback" in page


def kept(audit, old, new):
    """Everything that was done stands in the ledger, once, with who and why, and all of it is as it was written."""
    ledger.pull(at=SESSION + dt.timedelta(hours=3))
    done = set(LedgerEntry.objects.values_list("actor", "action", "object"))
    for release in (old, new):
        about = f"release {release.release_id}"
        assert {each for each in done if each[2] == about} >= {
            *((name, f"signed as {role}: approve", about) for role, name in NAMES.items()),
            *(("engineering", f"deploy {step}", about) for step in STEPS["deploy"]),
            ("tara", "release audited", about), ("engineering", "release active", about),
        }  # fmt: skip
    done_by_command = {(action, about.rpartition(" ")[0]) for _, action, about in done}
    assert {
        ("optimisation done", "optimisation"), ("teacher training success", "teacher training"),
        ("student training success", "student training"), ("promotion assessed: REJECT", "promotion"),
    } <= done_by_command  # fmt: skip
    assert {
        ("tara", "audit done", f"audit {audit.audit_id}"),
        ("release watch", "release checked: failure, reduce", f"release {new.release_id}"),
        ("release watch", "release checked: failure, rollback", f"release {new.release_id}"),
        ("release watch", "release rolled_back", f"release {new.release_id}"),
        *(("release watch", f"rollback {step}", f"release {old.release_id}") for step in STEPS["rollback"]),
    } <= done, sorted(done)  # fmt: skip
    found = ledger_checks.verify()
    assert (found.breaks, found.waiting, found.entries) == ([], 0, LedgerEntry.objects.count())


NAMES = {role: role.split()[0].lower() for role in ROLES}
