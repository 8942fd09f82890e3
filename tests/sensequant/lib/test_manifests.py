"""A release on disk is what was signed, to the last byte, or what differs is named."""

import copy
import datetime as dt
import hashlib
import os
import shutil

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib import dsse, manifest_checks, manifests
from sensequant.lib.errors import BadInput
from tests.sensequant.lib.signed import KEY, NAME, NOON, PUBLIC, ROLES, Folder, approval, artifact, core, manifest


@pytest.fixture
def folder(tmp_path):
    return Folder(tmp_path).write()


def test_a_copy_is_verified_with_nothing_but_the_public_key(folder, tmp_path_factory):
    other = Folder(tmp_path_factory.mktemp("elsewhere") / "copy")
    shutil.copytree(folder.root, other.root)
    assert other.told() == []
    found = manifest_checks.verify(other.yaml, manifest_checks.Asked(other.root, PUBLIC, ROLES))
    assert (found.content["release_seq"], found.compared) == (7, 4)


@pytest.mark.once
def test_every_flipped_byte_of_manifest_envelope_artifact_and_backup_is_named(folder):
    files = [each for each in sorted(folder.root.rglob("*")) if each.is_file()]
    assert len(files) == 6
    for path in files:
        whole = path.read_bytes()
        name = folder.yaml.name if path in (folder.yaml, folder.envelope) else str(path.relative_to(folder.root))
        with path.open("r+b", buffering=0) as file:
            for number, byte in enumerate(whole):
                os.pwrite(file.fileno(), bytes([byte ^ 1 << number % 8]), number)
                told = folder.told()
                assert [each for each in told if each.startswith(name)], (path.name, number, told)
                os.pwrite(file.fileno(), bytes([byte]), number)
        path.write_bytes(whole[:-1])
        assert folder.told(), f"{path.name} cut short"
        path.write_bytes(whole)
    assert folder.told() == []


def test_swapped_artifacts_are_both_named(folder):
    backups = folder.root / "release" / "backups" / NAME
    one, other = backups / "strategies.json", backups / "settings.json"
    texts = one.read_bytes(), other.read_bytes()
    one.write_bytes(texts[1])
    other.write_bytes(texts[0])
    assert [each.split()[0].rpartition("/")[2] for each in folder.told()] == ["strategies.json", "settings.json"]


def test_what_is_missing_added_or_a_link_is_named(folder):
    backups = folder.root / "release" / "backups" / NAME
    (backups / "settings.json").unlink()
    (backups / "more.txt").write_text("more")
    (backups / "student" / "model.json").unlink()
    (backups / "student" / "model.json").symlink_to(folder.root / "data/models/production/s1/model.json")
    told = " | ".join(folder.told())
    for words in ("settings.json is missing", "more.txt is not in the manifest", "model.json leads out of the folder"):
        assert words in told


@pytest.mark.parametrize(("asked", "words"), [
    ({"highest": 8}, "number 8 was seen before: a replay"),
    ({"at": NOON + dt.timedelta(hours=73)}, "expired on"),
    ({"at": NOON - dt.timedelta(days=365)}, "a clock is wrong"),
    ({"environment": "staging"}, "was released for production, not for staging"),
    ({"public": b"x" * 32}, "is not known"),
])  # fmt: skip
def test_used_at_the_wrong_time_or_place_it_is_refused(folder, asked, words):
    assert words in " | ".join(folder.told(**asked))


def test_the_highest_number_is_kept_outside_and_only_grows(tmp_path):
    place = tmp_path / "keys" / "seen.json"
    for seq in (3, 7, 5):
        manifest_checks.remember(place, PUBLIC, "production", seq)
    assert manifest_checks.highest_seen(place, PUBLIC, "production") == 7
    assert manifest_checks.highest_seen(place, PUBLIC, "staging") == 0
    place.write_text("{")
    with pytest.raises(BadInput, match="cannot be read"):
        manifest_checks.highest_seen(place, PUBLIC, "production")


OTHER = Ed25519PrivateKey.from_private_bytes(b"o" * 32)


@pytest.mark.parametrize(("keys", "words"), [
    ((), "is missing"), ((KEY, KEY), "signed twice"), ((OTHER,), "is not known"), ((KEY, OTHER), "is not known"),
])  # fmt: skip
def test_a_signature_dropped_doubled_or_of_a_stranger_is_refused(folder, keys, words):
    assert words in folder.write(keys=keys).told()[0]


def test_a_signature_of_another_kind_of_text_is_no_signature_of_a_manifest(folder):
    folder.envelope.write_bytes(dsse.sign(manifests.RECORD, folder.yaml.read_bytes(), [KEY]))
    assert "holds 'application/vnd.sensequant.record+json'" in folder.told()[0]


def without(number):
    return lambda told: told["approvals"].pop(number)


def put(number, **changes):
    return lambda told: told["approvals"][number].update(changes)


HARMS = {
    "dropped": (without(1), "the approval of the Risk Manager is missing"),
    "doubled": (lambda told: told["approvals"].append(told["approvals"][0]), "person emma signed twice"),
    "of another role": (put(1, role="Janitor"), "a role that approves nothing"),
    "renamed": (put(1, name="omar"), "is not of this content"),
    "reworded": (put(1, note="never saw it"), "is not of this content"),
    "of other evidence": (put(1, evidence="sha256:" + "0" * 64), "is not of this content"),
    "by the author": (lambda told: told.update(author="risa"), "is the author's own"),
    "of a rejection": (lambda told: told["approvals"].__setitem__(
        0, approval(core(), ROLES[0], decision="reject")), "is not of this content"),
    "stale": (lambda told: told["approvals"].__setitem__(
        0, approval(core(), ROLES[0], at=NOON - dt.timedelta(hours=73))), "within 72 hours"),
    "of other content": (lambda told: told.update(summary="tighter stops"), "is not of this content"),
    "of another audit": (lambda told: told["audit"].update(bundle="sha256:" + "b" * 64), "is not of this content"),
    "of other flags": (lambda told: told["audit"].update(flags="sha256:" + "b" * 64), "is not of this content"),
}  # fmt: skip


@pytest.mark.parametrize("harm", HARMS)
def test_even_the_holder_of_the_release_key_cannot_invent_approvals(folder, harm):
    told = copy.deepcopy(manifest())
    change, words = HARMS[harm]
    change(told)
    assert words in " | ".join(folder.write(told).told())


SPELLINGS = {
    "a key twice": (lambda text: text + b"summary: again\n", "a second time"),
    "an inner key twice": (lambda text: text.replace(b"  dirty: false\n", b"  dirty: false\n  dirty: false\n"),
                           "'dirty' a second time"),
    "a field too many": (lambda text: text + b"more: 1\n", "more is not a field"),
    "a field too few": (lambda text: text.replace(b"release_seq: 7\n", b""), "release_seq is missing"),
    "another spelling": (lambda text: text.replace(b"release_seq: 7", b"release_seq: 0x7"), "not written as we"),
    "a remark": (lambda text: text + b"# signed\n", "not written as we write it"),
    "an anchor": (lambda text: text.replace(b"code:", b"code: &c"), "uses an anchor"),
    "an object": (lambda text: text.replace(b"summary: wider stops", b"summary: !!python/name:os.system"), "cannot be"),
    "no YAML": (lambda text: text + b"}{", "cannot be read"),
    "another hash": (lambda text: text.replace(b"settings: sha256:", b"settings: md5:"), "settings cannot be"),
    "a word for a number": (lambda text: text.replace(b"release_seq: 7", b"release_seq: seven"), "release_seq cannot"),
}  # fmt: skip


@pytest.mark.parametrize("harm", SPELLINGS)
def test_a_signed_manifest_of_another_spelling_is_refused_too(folder, harm):
    change, words = SPELLINGS[harm]
    assert words in folder.write(text=change(manifests.dump(manifest()))).told()[0]


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a/../../x", "a//b", "a/./b", "C:\\x", "a/b ", "e\u0301/x", ""]
)
def test_a_path_that_leads_elsewhere_is_refused(folder, path):
    told = copy.deepcopy(manifest())
    told["artifacts"]["models"][0]["path"] = path
    assert "artifacts.models[0].path cannot be" in folder.write(told).told()[0]


def test_backups_stand_in_their_own_folder_once_each(folder):
    for backup, words in ((f"release/backups/{NAME}/STRATEGIES.json", "named twice"),
                          ("release/backups/release_20200101_000000/x", "is no backup of")):  # fmt: skip
        told = copy.deepcopy(manifest())
        told["artifacts"]["configs"].append({**artifact("x.json", b""), "backup": backup})
        assert words in folder.write(told).told()[0]


@given(st.binary(max_size=300))
def test_no_bytes_at_all_are_taken_for_a_manifest_or_an_envelope(text):
    with pytest.raises(BadInput):
        manifests.load(text)
    with pytest.raises(BadInput):
        dsse.opened(text, manifests.KIND, [PUBLIC])


@given(st.binary(max_size=200), st.sampled_from(["a/b", "text/plain"]))
def test_what_was_signed_is_read_back(payload, kind):
    assert dsse.opened(dsse.sign(kind, payload, [KEY, OTHER]), kind, [PUBLIC, dsse.public_of(OTHER)]) == payload


def test_the_desks_key_is_private_and_a_record_signed_with_it_is_read_back(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    text = manifests.signed_text({"to": NAME, "seq": 6})
    assert manifests.checked_text(text) == {"seq": 6, "to": NAME}
    assert (tmp_path / "keys" / "release.key").stat().st_mode & 0o777 == 0o600
    with pytest.raises(BadInput):
        manifests.checked_text(text.replace("A", "B", 1))
    with pytest.raises(BadInput, match="is not known"):
        manifests.checked_text(text, PUBLIC)


def test_the_engine_opens_the_envelope_it_was_told_of_and_no_other(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    folder = Folder(tmp_path)
    _, envelope = manifests.sealed(manifest())
    folder.put(folder.envelope, envelope)
    content = manifests.opened(folder.envelope, digest=hashlib.sha256(envelope).hexdigest())
    assert manifests.files(content)["student/model.json"] == artifact("x", b'{"w": [1, 2, 3]}\n')["hash"][7:]
    with pytest.raises(BadInput, match="is not the envelope that was deployed"):
        manifests.opened(folder.envelope, digest="0" * 64)
