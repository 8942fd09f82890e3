"""A signed release is put in force in one switch, watched, and left again in one switch; everything else is refused."""

import pytest

from releases.models import LedgerEntry, Operation, Release, Watch
from releases.services import deploying, ledger, rolling_back, status
from releases.services.deploying import Override
from sensequant.lib import paths
from sensequant.lib.errors import BadInput, NotAllowed
from tests.releases.deployed import EVENING, back, cast, deployed, later, proof, signed, two
from tests.releases.world import person
from trading.models import Halt, ReleasePointer, StrategyConfig
from trading.services import release_gate, release_state

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def differs():
    return release_gate.verified(ReleasePointer.objects.get())


def test_a_deployment_switches_pointer_and_parameters_and_begins_the_watch():
    who = cast()
    old, new = two(who)
    row = ReleasePointer.objects.get()
    assert (row.release_id, row.seq, row.epoch, row.mode) == (new.release_id, 2, 2, "heightened")
    assert release_state.strategies() == {"intraday": {"version": 2, "params": {"adx_min": 30}}}
    assert {each.release_id: each.state for each in Release.objects.all()} == {
        old.release_id: "superseded", new.release_id: "active",
    }  # fmt: skip
    assert [(each.release, each.state) for each in Watch.objects.order_by("id")] == [(old, "ended"), (new, "watching")]
    assert differs() == []
    told = (paths.home() / "data/monitoring/releases/active_release.yaml").read_text()
    assert "heightened_monitoring_active: true" in told
    assert new.release_id in told
    assert "still needs 48.0 hours, 2 full sessions, no check yet" in status.words(status.told(at=later(2)))


def test_a_rollback_brings_the_release_before_back_with_a_signed_record():
    who = cast()
    old, new = two(who)
    done = back(who, new)
    row = ReleasePointer.objects.get()
    assert (row.release_id, row.seq, row.highest_seq, row.epoch, row.mode) == (old.release_id, 1, 2, 3, "normal")
    assert StrategyConfig.objects.get(status="active").params == {"adx_min": 25}
    assert differs() == []
    assert [each.step for each in done.steps.all()] == [
        "pause", "verify", "restore", "switch", "smoke", "audit", "record",
    ]  # fmt: skip
    assert done.steps.get(step="smoke").told["wrong"] == []
    assert done.steps.get(step="audit").told["audit"]
    assert not Halt.objects.filter(released_at=None).exists()
    new.refresh_from_db()
    assert new.state == "rolled_back"
    ReleasePointer.objects.update(rollback=row.rollback.replace("e", "f", 1))
    assert "the record of the rollback is no good" in differs()[0]


def test_what_is_damaged_is_restored_from_what_is_whole_before_the_switch():
    who = cast()
    old, new = two(who)
    staged = paths.home() / f"release/deployed/{old.release_id}/files/strategies.json"
    staged.chmod(0o644)
    staged.write_bytes(staged.read_bytes().replace(b"25", b"26"))
    kept = paths.home() / f"release/backups/{old.release_id}/settings.json"
    kept.write_text("{}")
    done = back(who, new)
    assert done.steps.get(step="restore").told["staged"] == ["strategies.json"]
    assert done.steps.get(step="restore").told["backups"] == ["settings.json"]
    assert differs() == []


def test_a_file_lost_in_both_places_leaves_the_release_in_force_and_entries_stopped():
    who = cast()
    old, new = two(who)
    (paths.home() / f"release/deployed/{old.release_id}/files/strategies.json").unlink()
    (paths.home() / f"release/backups/{old.release_id}/strategies.json").unlink()
    with pytest.raises(Exception, match=r"strategies\.json of .* are neither in"):
        back(who, new)
    assert ReleasePointer.objects.get().release_id == new.release_id
    assert Halt.objects.get(released_at=None).kind == "release"
    assert Operation.objects.first().state == "failed"
    ledger.pull(at=later(4))
    assert "strategies.json" in LedgerEntry.objects.get(action="rollback failed").reason


def changed_file(new):
    path = paths.home() / f"release/deployed/{new.release_id}/files/requirements.txt"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes() + b"#")
    return "requirements.txt is not the file that was released"


def changed_manifest(new):
    path = paths.home() / f"release/deployed/{new.release_id}/manifest.dsse.json"
    path.chmod(0o644)
    path.write_bytes(path.read_bytes().replace(b"A", b"B", 1))
    return "is not the envelope that was deployed"


def other_parameters(new):
    StrategyConfig.objects.filter(status="active").update(params={"adx_min": 3})
    return "strategies.json: intraday is"


def an_older_one(new):
    old = Release.objects.get(seq=1)
    ReleasePointer.objects.update(
        release_id=old.release_id, seq=1, highest_seq=1, manifest_sha256=old.envelope_sha256,
        folder=f"release/deployed/{old.release_id}",
    )  # fmt: skip
    return "is older than #2, and the record of the rollback is no good"


def test_the_engine_is_refused_by_name():
    who = cast()
    _, new = two(who)
    words = [change(new) for change in (other_parameters, changed_file)]
    assert all(each in "; ".join(differs()) for each in words), differs()
    for change in (changed_manifest, an_older_one):  # nothing else is read under a broken signature
        words = change(new)
        assert words in "; ".join(differs())


def test_what_a_deployment_needs_is_refused_by_name(monkeypatch):
    who = cast()
    release = signed(who)
    name, lead = release.release_id, who["Engineering Lead"]
    with pytest.raises(BadInput, match="is not the release's name"):
        deploying.deploy(name, "release_x", proof(lead), at=EVENING)
    with pytest.raises(NotAllowed, match="tara made this release"):
        deploying.deploy(name, name, proof(who["author"]), at=EVENING)
    with pytest.raises(NotAllowed, match="root is not in the group"):
        deploying.deploy(name, name, proof(who["root"]), at=EVENING)
    with pytest.raises(NotAllowed, match="has not approved it"):
        deploying.deploy(name, name, proof(lead), at=later(73))
    monkeypatch.setattr(deploying.watched, "held", lambda: ["TCS (10)"])
    with pytest.raises(NotAllowed, match=r"held or working: TCS \(10\)"):
        deploying.deploy(name, name, proof(lead), at=EVENING)
    with pytest.raises(NotAllowed, match="business cannot override"):
        deploying.deploy(name, name, proof(lead), at=EVENING, override=Override(proof(who["Business Owner"]), "now"))
    who["Risk Manager"].groups.clear()
    with pytest.raises(NotAllowed, match="the Risk Manager has not approved it"):
        deploying.deploy(name, name, proof(lead), at=EVENING)
    assert not ReleasePointer.objects.exists()


def test_an_operator_rolls_back_alone_and_somebody_else_reviews_it():
    who = cast()
    _, new = two(who)
    omar = person("omar", "operator")
    done = rolling_back.back(new.release_id, "prices look wrong", proof(omar), at=later(3))
    assert done.review_by == later(27)
    assert rolling_back.remind(at=later(26)) == 0
    assert rolling_back.remind(at=later(28)) == 1
    with pytest.raises(NotAllowed, match="cannot review"):
        rolling_back.review(done.pk, omar, "fine", at=later(28))
    rolling_back.review(done.pk, who["Risk Manager"], "it was right", at=later(28))
    assert rolling_back.remind(at=later(29)) == 0
    ledger.pull(at=later(29))
    found = LedgerEntry.objects.filter(action__in=("rollback begun", "rollback reviewed")).order_by("seq")
    assert [(each.actor, each.reason) for each in found] == [("omar", "prices look wrong"), ("risk", "it was right")]


def test_the_first_release_has_no_way_back():
    who = cast()
    new = deployed(who)
    with pytest.raises(Exception, match="is the first release"):
        back(who, new)
