"""A release is of a commit: files in none need a reason that stays, and who wrote what it brings signs nothing."""

import shutil
import subprocess
from dataclasses import replace

import pytest
from django.db import IntegrityError, transaction

from releases.models import ReleaseSignOff
from releases.models.guarded import plain
from releases.services import candidates, lifecycle, provenance, signing
from releases.services.collecting import Wanted
from releases.services.provenance import Origin
from releases.services.signing import Proof, Word
from sensequant.lib import manifests
from sensequant.lib.errors import NotAllowed
from tests.releases.world import PASSWORD, audit, people, release
from tests.trading.desks import LIVELY
from trading.services import strategies

LOOK = provenance.look
RISA = {"GIT_AUTHOR_NAME": "Risa", "GIT_AUTHOR_EMAIL": "Risk@desk.example"}


@pytest.fixture
def repository(tmp_path, monkeypatch):
    """A repository of two commits: one by Old, one by Risa, which Tara committed and Omar helped with."""
    monkeypatch.setattr(provenance, "code_root", lambda: tmp_path / "code")
    (tmp_path / "code").mkdir()
    (tmp_path / "code/requirements.txt").write_text("django\n")
    git(tmp_path, "init", "-q")
    git(tmp_path, "add", "-A")
    git(tmp_path, "commit", "-qm", "first", GIT_AUTHOR_NAME="Old", GIT_AUTHOR_EMAIL="old@desk.example")
    first = git(tmp_path, "rev-parse", "HEAD").strip()
    words = "second\n\nCo-authored-by: Omar <omar@desk.example>"
    git(tmp_path, "commit", "-q", "--allow-empty", "-m", words, **RISA)
    return tmp_path / "code", first


def git(folder, *words, **env):
    base = {
        "PATH": "/usr/bin:/bin", "HOME": str(folder),
        "GIT_AUTHOR_NAME": "Tara", "GIT_AUTHOR_EMAIL": "tara@desk.example",
        "GIT_COMMITTER_NAME": "Tara", "GIT_COMMITTER_EMAIL": "tara@desk.example",
    }  # fmt: skip
    return subprocess.run(
        ["git", *words], cwd=folder / "code", env={**base, **env}, check=True, capture_output=True, text=True
    ).stdout


def test_git_tells_the_commit_the_files_that_differ_and_everybody_who_wrote_since(repository):
    folder, first = repository
    found = LOOK(first)
    assert (found.commit, found.against) == (git(folder.parent, "rev-parse", "HEAD").strip(), "")
    assert [address for _, address in found.authors] == ["omar@desk.example", "risk@desk.example", "tara@desk.example"]
    assert "old@desk.example" in dict(map(reversed, LOOK("").authors))
    assert "old@desk.example" in dict(map(reversed, LOOK("f" * 40).authors)), "the last commit is not known here"
    (folder / "requirements.txt").write_text("django\nnumpy\n")
    assert LOOK(first).against == "files differ from the commit: requirements.txt"


def test_without_git_the_settings_say_what_the_image_was_built_from(repository, settings):
    folder, _ = repository
    shutil.rmtree(folder / ".git")
    git_above = subprocess.run(["git", "rev-parse"], cwd=folder, capture_output=True, check=False).returncode == 0
    assert not git_above
    assert LOOK("").against.startswith("the commit is not known")
    settings.DESK = replace(settings.DESK, source_commit="a" * 40, source_authors=("risk@desk.example",))
    assert LOOK("") == ("a" * 40, "", (("risk@desk.example", "risk@desk.example"),))


def test_files_in_no_commit_are_released_with_a_reason_that_stays_or_not_at_all(home, db, noon, monkeypatch):
    strategies.activate(strategies.propose("intraday", LIVELY, by="tara", at=noon).pk, by="tara", at=noon)
    author = people()["author"]
    monkeypatch.setattr(provenance, "look", lambda since: Origin("a" * 40, "files differ from the commit: x.py", ()))
    with pytest.raises(NotAllowed, match=r"in no commit: .*x\.py"):
        candidates.make(Wanted(summary="x"), author, at=noon)
    made = candidates.make(Wanted(summary="x", dirty="the fix of tonight"), author, at=noon)
    told = made.content["code"]
    assert (told["dirty"], told["override"]) == (True, "the fix of tonight (files differ from the commit: x.py)")
    bare = release(author, noon, release_id="release_20261123_120001", seq=2, content={"code": {"dirty": True}})
    audit(noon)
    candidates.judge(bare.release_id, "audit_20261123_113000", by="tara", at=noon)
    assert "its program is in no commit, and nobody said why" in signing.missing(bare, at=noon)


def test_who_wrote_what_a_release_brings_signs_it_through_no_door(home, db, noon):
    who = people()
    content = {
        "release_id": "release_20261123_120000",
        "code": {"authors": [{"name": "R", "email": "risk@desk.example"}]},
    }
    made = release(who["author"], noon, content=content, content_sha256=manifests.digest(content))
    audit(noon)
    row = candidates.judge(made.release_id, "audit_20261123_113000", by="tara", at=noon)
    seen = signing.read_digest(row)
    word = Word("Risk Manager", "approve", "read it", seen)
    with pytest.raises(NotAllowed, match="wrote some of what it brings"):
        signing.sign(row.release_id, who["Risk Manager"], word, Proof(PASSWORD), at=noon)
    signing.sign(row.release_id, who["Business Owner"], replace(word, role="Business Owner"), Proof(PASSWORD), at=noon)
    good = ReleaseSignOff.objects.get()
    who["Business Owner"].email = "RISK@desk.example"  # found out later whose address it is
    who["Business Owner"].save()
    assert signing.valid(lifecycle.find(row.release_id), at=noon) == []
    forged = {each.name: getattr(good, each.name) for each in ReleaseSignOff._meta.concrete_fields if each.name != "id"}
    with pytest.raises(IntegrityError, match="does not sign it"), transaction.atomic():
        plain(ReleaseSignOff).bulk_create([ReleaseSignOff(**{**forged, "revoked_at": noon})])
