"""The folder a release is put in force from: its signed manifest and its files, copied once, compared, never written.

``release/deployed/<release_id>/``; what is damaged there is restored from the release's backups, and the other way
round: each is whole as long as one of the two is.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from releases.models import Release
from sensequant.lib import dsse, manifests, paths, release_keys
from sensequant.lib.errors import Failed, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.services import release_gate, release_state
from trading.services.release_gate import ENVELOPE, FILES
from trading.services.releases import Target

DEPLOYED: Final = "release/deployed"
BACKUPS: Final = "release/backups"
log = get_logger("releases")


def folder(release: Release) -> Path:
    """Return where a release is staged."""
    return paths.resolve(DEPLOYED) / release.release_id


def backups(release: Release) -> Path:
    """Return where a release's backups lie."""
    return paths.resolve(BACKUPS) / release.release_id


def envelope(release: Release) -> Path:
    """Return the signed envelope as it was written, or as it was staged when that is lost."""
    written = manifests.beside(paths.resolve(release.manifest_path))
    return written if _is(written, release.envelope_sha256) else folder(release) / ENVELOPE


def content(release: Release) -> Mapping[str, Any]:
    """Return what a release's signed manifest says; NotFound or BadInput says what is wrong with it."""
    return release_gate.opened(envelope(release), release.envelope_sha256)


def files(told: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each file of a manifest by its name."""
    return manifests.files(told)


def damaged(place: Path, named: Mapping[str, str]) -> list[str]:
    """Return which of the named files are not whole in ``place``."""
    return [name for name, digest in named.items() if not _is(place / name, digest)]


def proved(release: Release, told: Mapping[str, Any]) -> int:
    """Restore every backup to a scratch folder, compare it there, and return how many; Failed names what differs."""
    named = files(told)
    scratch = paths.resolve("cache") / f"restored_{release.release_id}"
    shutil.rmtree(scratch, ignore_errors=True)
    try:
        for name in named:
            target = scratch / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(backups(release) / name, target)
        if bad := damaged(scratch, named):
            raise Failed(f"backups of {release.release_id} are not what was released: {', '.join(bad)}")
    except OSError as error:
        raise Failed(
            f"backups of {release.release_id} cannot be restored: {error.filename}: {error.strerror}"
        ) from None
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return len(named)


def stage(release: Release, told: Mapping[str, Any]) -> Path:
    """Copy manifest and files to the release's own folder, compare them there, and return it; again changes nothing."""
    place, fresh = folder(release), folder(release).with_name(f".{release.release_id}.new")
    if place.exists() and not release_gate.differing(place, told) and _is(place / ENVELOPE, release.envelope_sha256):
        return place
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        for name in files(told):
            (fresh / FILES / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(backups(release) / name, fresh / FILES / name)
        shutil.copyfile(envelope(release), fresh / ENVELOPE)
        if bad := release_gate.differing(fresh, told):
            raise Failed(f"{release.release_id} could not be staged: {'; '.join(bad)}", fix="mend the disk")
        _seal(fresh)
        if place.exists():  # damaged, or half of an older attempt
            _thaw(place)
            shutil.rmtree(place)
        fresh.replace(place)
    except OSError as error:
        raise Failed(
            f"{release.release_id} could not be staged: {error.strerror or error}", fix="mend the disk"
        ) from None
    return place


def whole(release: Release) -> dict[str, Any]:
    """Return what of a release is damaged, in its folder and in its backups; NotFound when a file is lost in both."""
    told = content(release)
    named = files(told)
    staged, kept = damaged(folder(release) / FILES, named), damaged(backups(release), named)
    lost = sorted(set(staged) & set(kept))
    if lost:
        raise NotFound(
            f"{', '.join(lost)} of {release.release_id} are neither in {folder(release)} nor in {backups(release)}",
            fix="restore one of the two from a backup of SENSEQUANT_HOME",
        )
    return {"staged": staged, "backups": kept, "files": len(named)}


def mend(release: Release, told: Mapping[str, Any]) -> dict[str, Any]:
    """Restore what is damaged from what is whole and return what that was."""
    found = whole(release)
    for name in found["backups"]:
        _copy(folder(release) / FILES / name, backups(release) / name)
    extra = release_gate.differing(folder(release), told) if folder(release).exists() else ["all"]
    if found["staged"] or extra or not _is(folder(release) / ENVELOPE, release.envelope_sha256):
        stage(release, told)
    if bad := release_gate.differing(folder(release), told):
        raise Failed(f"{release.release_id} could not be restored: {'; '.join(bad)}", fix="mend the disk")
    if found["staged"] or found["backups"]:
        log.warning("restored", release=release.release_id, staged=found["staged"], backups=found["backups"])
    return found


def target(release: Release, told: Mapping[str, Any]) -> Target:
    """Return what the switch makes active."""
    place, named = folder(release), files(told)
    strategies = json.loads((place / FILES / release_state.STRATEGIES).read_bytes())
    student = None
    if release_state.STUDENT_MANIFEST in named:
        digest = str(json.loads((place / FILES / release_state.STUDENT_MANIFEST).read_bytes())["sha256"])
        student = (str(place / FILES / release_state.STUDENT), digest)
    key = dsse.key_id(release_keys.public())
    return Target(release.release_id, release.seq, str(place), release.envelope_sha256, key, strategies, student)


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        shutil.copyfile(source, fresh)
        target.chmod(0o644) if target.exists() else None
        fresh.replace(target)
    except OSError as error:
        raise Failed(f"{target} cannot be restored: {error.strerror}", fix="mend the disk") from None


def _seal(place: Path) -> None:
    """Take the right to write from every file: what is in force is replaced as a whole, never edited."""
    for each in place.rglob("*"):
        if each.is_file():
            each.chmod(0o444)


def _thaw(place: Path) -> None:
    for each in (place, *place.rglob("*")):
        if each.is_dir() and not each.is_symlink():
            each.chmod(0o755)


def _is(path: Path, digest: str) -> bool:
    try:
        return not path.is_symlink() and hashlib.sha256(path.read_bytes()).hexdigest() == digest
    except OSError:
        return False


__all__ = ["SenseQuantError", "content", "mend", "proved", "stage", "target", "whole"]
