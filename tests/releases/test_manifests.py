"""From what is in force to a signed manifest that a stranger can verify; a backup counts once it was restored."""

import datetime as dt
import io
import json
import shutil

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from releases.core.roles import ROLES
from releases.models import Release
from releases.services import backups, candidates, lifecycle, signing, writing
from releases.services.collecting import Wanted
from releases.services.signing import Proof, Word
from sensequant.lib import manifests, release_keys
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.releases.world import PASSWORD, audit, audit_forged, people
from tests.trading.desks import LIVELY
from tests.trading.pupils import installed
from trading.services import strategies

CONFIGS = ["config/optimization/intraday_grid.json", "config/optimization/swing_grid.json", "requirements.txt",
           "settings.json", "strategies.json"]  # fmt: skip


@pytest.fixture
def cast(home, db, noon):
    row = strategies.propose("intraday", LIVELY, by="tara", at=noon)
    strategies.activate(row.pk, by="tara", at=noon)
    installed(home / "data/models/production/s1", noon)
    audit(noon)
    return people()


def signed(release, cast, at):
    release = candidates.judge(release.release_id, "audit_20261123_113000", by="tara", at=at)
    for role in ROLES:
        word = Word(role, "approve", "read it", signing.read_digest(release))
        signing.sign(release.release_id, cast[role], word, Proof(PASSWORD), at=at)
    return lifecycle.find(release.release_id)


def approved(cast, at, **wanted):
    return signed(candidates.make(Wanted(summary="wider stops", **wanted), cast["author"], at=at), cast, at)


def asked(command, *words):
    out, err = io.StringIO(), io.StringIO()
    try:
        call_command(command, *words, stdout=out, stderr=err)
    except SystemExit as gone:
        return gone.code, out.getvalue() + err.getvalue()
    return 0, out.getvalue()


def test_a_candidate_is_everything_that_decides_trading_copied_and_numbered(cast, home, noon):
    made = candidates.make(Wanted(summary="first"), cast["author"], at=noon)
    names = {group: [each["name"] for each in found] for group, found in made.content["artifacts"].items()}
    assert names["configs"] == CONFIGS
    assert set(names["models"]) >= {"student/manifest.json", "student/model.json"}
    assert (made.release_id, made.seq, made.state) == ("release_20261123_120000", 1, "draft")
    kept = json.loads((backups.folder(made.release_id) / "strategies.json").read_text())
    assert kept["intraday"] == {"version": 1, "params": LIVELY}
    assert backups.restored(made.content) == []
    again = candidates.make(Wanted(summary="second"), cast["author"], at=noon + dt.timedelta(seconds=1))
    assert again.seq == 2
    for name in ("code", "settings", "data"):
        assert again.content[name] == made.content[name]
    with pytest.raises(NotAllowed, match="made just now"):
        candidates.make(Wanted(summary="third"), cast["author"], at=noon)


def test_a_named_student_and_named_parameters_are_released_instead(cast, home, noon):
    row = strategies.propose("intraday", {**LIVELY, "stop_loss": 0.02}, by="tara", at=noon)
    made = candidates.make(Wanted(summary="x", student="none", configs=(row.pk,)), cast["author"], at=noon)
    assert made.content["artifacts"]["models"] == []
    assert json.loads((backups.folder(made.release_id) / "strategies.json").read_text())["intraday"]["version"] == 2
    refused = (
        (Wanted(summary="x", configs=(99,)), "99 does not exist"),
        (Wanted(summary="x", student="nobody"), "no finished artifact"),
        (Wanted(summary=" "), "no summary"),
        (Wanted(kind="tiny", summary="x"), "not known"),
    )
    for wanted, words in refused:
        with pytest.raises((BadInput, NotFound), match=words):
            candidates.make(wanted, cast["author"], at=noon + dt.timedelta(seconds=5))


def test_the_manifest_has_the_documents_fields_and_a_stranger_verifies_a_copy(cast, home, noon, tmp_path, monkeypatch):
    row = writing.write(approved(cast, noon), by="omar", at=noon)
    told = manifests.load((home / row.manifest_path).read_bytes())
    assert list(told) == [name for name in manifests.FIELDS if name != "waivers"], "none was needed"
    assert [each["role"] for each in told["approvals"]] == list(ROLES)
    assert (told["release_type"], told["deployment"]["deployer"]) == ("minor", "omar")
    assert told["monitoring"]["alert_thresholds"]["intraday_hit_ratio_drop"] == 0.05
    assert manifests.opened(manifests.beside(home / row.manifest_path), digest=row.envelope_sha256) == told
    copy = tmp_path / "copy"
    shutil.copytree(home, copy, ignore=shutil.ignore_patterns("keys", "*.sqlite3"))
    key = shutil.copy(release_keys.public_path(), tmp_path / "stranger.pub")
    words = (str(copy / row.manifest_path), "--public-key", key, "--seen", str(tmp_path / "seen"))
    monkeypatch.setattr("releases.management.commands.verify_manifest.now", lambda: noon)
    code, told = asked("verify_manifest", *words, "--json")
    assert (code, json.loads(told)["holds"], json.loads(told)["release_seq"]) == (0, True, 1)
    model = copy / "data/models/production/s1/model.json"
    model.write_bytes(model.read_bytes()[:-1] + b" ")
    code, told = asked("verify_manifest", *words)
    assert code == 1
    assert "s1/model.json is not the file that was released" in told
    assert asked("verify_manifest", *words, "--backups-only")[0] == 0
    assert asked("verify_manifest", *words, "--environment", "staging", "--former")[0] == 1
    assert asked("verify_manifest", "nowhere.yaml")[0] == 2


def test_an_older_manifest_is_a_replay_once_a_newer_one_was_seen(cast, home, noon, monkeypatch):
    first = writing.write(approved(cast, noon), by="omar", at=noon)
    second = writing.write(approved(cast, noon + dt.timedelta(seconds=1)), by="omar", at=noon + dt.timedelta(seconds=2))
    monkeypatch.setattr("releases.management.commands.verify_manifest.now", lambda: noon + dt.timedelta(hours=1))
    assert asked("verify_manifest", second.manifest_path)[0] == 0
    code, told = asked("verify_manifest", first.manifest_path)
    assert (code, "number 2 was seen before: a replay" in told) == (1, True)
    assert asked("verify_manifest", first.manifest_path, "--former")[0] == 0
    (home / first.manifest_path).write_bytes((home / second.manifest_path).read_bytes())
    manifests.beside(home / first.manifest_path).write_bytes(
        manifests.beside(home / second.manifest_path).read_bytes()
    )  # fmt: skip
    assert "is the manifest of release_20261123_120001" in asked("verify_manifest", first.manifest_path)[1]


@pytest.mark.parametrize(("harm", "words"), [
    ("backup", "is not the file that was released"), ("lost", "cannot be restored"), ("more", "belongs to no artifact"),
    ("role", "the Risk Manager has not approved it"), ("late", "has not approved it"), ("flags", "open flags"),
])  # fmt: skip
def test_no_manifest_of_what_does_not_count(cast, home, noon, harm, words):
    row, at = approved(cast, noon), noon
    copy = backups.folder(row.release_id) / "strategies.json"
    if harm == "backup":
        copy.write_bytes(copy.read_bytes().replace(b"1", b"2", 1))
    if harm == "lost":
        copy.unlink()
    if harm == "more":
        (copy.parent / "extra").write_text("x")
    if harm == "role":
        cast[ROLES[1]].groups.clear()
    if harm == "late":
        at = noon + dt.timedelta(hours=73)
    if harm == "flags":
        audit_forged(deployment_ready=False)
        row.refresh_from_db()
    with pytest.raises(NotAllowed, match=words):
        writing.write(row, by="omar", at=at)
    assert Release.objects.get(pk=row.pk).manifest_path == ""


def test_the_rollback_plan_is_that_of_the_release_in_force(cast, home, noon):
    row = writing.write(approved(cast, noon), by="omar", at=noon)
    for state in ("staged", "active"):
        lifecycle.advance(row, state, by="omar", reason="deployed", at=noon)
    plan = candidates.make(Wanted(summary="next"), cast["author"], at=noon + dt.timedelta(days=1)).content[
        "rollback_plan"
    ]
    assert (plan["previous_release_id"], plan["previous_manifest"]) == (row.release_id, row.manifest_path)
    assert plan["previous_manifest_hash"] == f"sha256:{row.manifest_sha256}"
    model = "student/model.json data/models/production/s1/model.json"
    assert f"cp release/backups/{row.release_id}/{model}" in plan["restore_commands"]


def test_three_people_sign_by_command_what_they_read_and_the_manifest_follows(cast, home, tmp_path):
    told = asked("release_candidate", "--by", "tara", "--summary", "x", "--audit", "audit_20261123_113000", "--json")[1]
    name = json.loads(told)["release_id"]
    file = tmp_path / "password"
    file.write_text(f"{PASSWORD}\n")
    words = ("--note", "read it", "--password-file", str(file))
    assert "read it again" in asked("release_sign", name, "--by", "engineering", "--seen", "0" * 64, *words)[1]
    for role in ROLES:
        seen = json.loads(asked("release_sign", name, "--show", "--json")[1])["seen"]
        by = role.split()[0].lower()
        code, told = asked("release_sign", name, "--by", by, "--role", role, "--seen", seen, *words)
        assert code == 0, told
    assert "approved; nothing is missing" in told
    assert asked("release_manifest", name, "--by", "omar")[0] == 0


def test_the_commands_tell_how_it_stands(cast, home, noon):
    assert asked("release_manifest") == (
        1,
        "error: no release is approved (make one, audit it and have it signed on /releases)\n",
    )
    code, told = asked(
        "release_candidate", "--by", "tara", "--summary", "x", "--audit", "audit_20261123_113000", "--json"
    )
    assert (code, json.loads(told)["state"]) == (0, "audited")
    assert asked("release_candidate", "--by", "nobody", "--summary", "x")[0] == 2
    rows = json.loads(asked("release_candidate", "--list", "--json")[1])
    assert rows[0]["missing"] == [f"the {role} has not approved it" for role in ROLES]
    assert "is audited" in asked("release_manifest")[1]
    assert User.objects.get(username="tara").is_active
