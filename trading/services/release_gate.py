"""Whether what would trade here is what was released: asked at every start of an engine and at every load of a model.

The signature, every file's SHA-256, parameters, settings and the student are compared with the manifest; whatever
differs is told by name, and the engine enters nothing until it is mended. Exits are always allowed.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from django.conf import settings

from sensequant.lib import manifests, paths
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.models.engine import EngineRun
from trading.models.positions import Position
from trading.models.releases import ReleasePointer
from trading.selectors.releases import pointer, standing
from trading.services import conditions, release_state, students
from trading.services.halts import SIMULATED

REFUSED: Final = "release-refused"
ENVELOPE, FILES = "manifest.dsse.json", "files"
SEEN: Final = "data/state/release_seq"  # highest number ever deployed here, kept outside database and release
OWN: Final = ("latched", "square_off")  # what every live run sets by itself
MOST: Final = 1 << 30  # bytes of a file
FIX: Final = "mend what is named, roll back (make release-rollback), or have what is here released"
log = get_logger("release-gate")


class Gate:
    """One engine's look at the release: ``refused`` says what differs, empty while nothing does."""

    def __init__(self, run: EngineRun) -> None:
        """Look for ``run``."""
        self.run, self.refused = run, ()  # type: tuple[EngineRun, tuple[str, ...]]
        self._seen: object = None

    def look(self, *, at: dt.datetime) -> None:
        """Compare everything when another release, or another student, is in place than at the last look."""
        seen = (standing().epoch, students.standing())
        if seen == self._seen:
            return
        self._seen = seen
        self.refused = tuple(check(self.run))
        tell(self.run, self.refused, at=at)


def tell(run: EngineRun, refused: Sequence[str], *, at: dt.datetime) -> None:
    """Keep the condition that says why an engine enters nothing; monitoring makes an alert of it."""
    told = "; ".join(refused)
    message = f"{run.name} enters nothing, for it is not what was released: {told}"
    conditions.keep(bool(refused), REFUSED, level="bad", subject=run.name, message=message, fix=FIX, at=at)
    if refused:
        log.error("an engine is refused", run=run.pk, name=run.name, why=told)


def check(run: EngineRun) -> list[str]:
    """Return what keeps a run from entering anything, name by name; empty when it may."""
    found = pointer()
    if found is None:
        return needed(run.mode, simulated=run.label == SIMULATED)
    against = verified(found)
    if run.mode == "live":
        against += _parameters(run, found)
    return against


def needed(mode: str, *, simulated: bool) -> list[str]:
    """Return why an engine of ``mode`` may not trade while nothing is deployed; empty when it may."""
    wanted = settings.DESK.release_required
    if wanted == "never" or (wanted == "live" and (mode != "live" or simulated)):
        return []
    return [f"nothing is deployed, and RELEASE_REQUIRED={wanted} asks {mode} for a release (make release-deploy)"]


def require(name: str, mode: str, *, simulated: bool, at: dt.datetime) -> None:
    """Raise NotAllowed for an engine that may not start; one that holds something may, for it must get out."""
    found = pointer()
    against = verified(found) if found is not None else needed(mode, simulated=simulated)
    if not against or Position.objects.filter(run__name=name, run__current=True).exists():
        return
    message = f"{name} does not start, for it is not what was released: {'; '.join(against)}"
    conditions.hold(REFUSED, level="bad", subject=name, message=message, fix=FIX, at=at)
    log.error("an engine is refused", name=name, why=message)
    raise NotAllowed(message, fix=FIX)


def verified(found: ReleasePointer) -> list[str]:
    """Return what differs from the release in force, name by name."""
    folder = paths.resolve(found.folder)
    try:
        content = opened(folder / ENVELOPE, found.manifest_sha256)
    except SenseQuantError as error:
        return [f"manifest of {found.release_id}: {error.message}"]
    told = (content["release_id"], content["release_seq"])
    if told != (found.release_id, found.seq):
        return [f"the manifest is of {told[0]} (#{told[1]}), the pointer says {found}"]
    return [*_replayed(found), *differing(folder, content), *standing_against(folder, content)]


def opened(path: Path, digest: str) -> Mapping[str, Any]:
    """Return what a signed manifest says; BadInput or NotFound names the file and what is wrong with it."""
    return manifests.opened(path, digest=digest)


def _replayed(found: ReleasePointer) -> list[str]:
    """Return what is wrong with the number: an older release needs the signed record of the rollback to it."""
    highest = max(found.highest_seq, highest_seen())
    if found.seq >= highest:
        return []
    try:
        told = manifests.checked_text(found.rollback)
    except SenseQuantError as error:
        return [f"{found.release_id} is older than #{highest}, and the record of the rollback is no good: {error}"]
    if (told.get("to"), told.get("seq"), told.get("epoch")) != (found.release_id, found.seq, found.epoch):
        return [f"{found.release_id} is older than #{highest}, and the rollback's record is of {told.get('to')}"]
    return []


def highest_seen() -> int:
    """Return the highest number ever deployed here, as the file outside the database says; 0 without one."""
    try:
        return int(paths.resolve(SEEN).read_text("ascii").strip())
    except (OSError, ValueError):
        return 0


def differing(folder: Path, content: Mapping[str, Any]) -> list[str]:
    """Return which staged files are missing, changed, or not named by the manifest."""
    named = manifests.files(content)
    told = [f"{name} {why}" for name, digest in named.items() if (why := _file(folder / FILES / name, digest))]
    there = {str(each.relative_to(folder / FILES)) for each in (folder / FILES).rglob("*") if not each.is_dir()}
    return told + [f"{name} is not in the manifest" for name in sorted(there - set(named))]


def _file(path: Path, digest: str) -> str:
    try:
        if path.is_symlink():
            return "is a link, not a file"
        with path.open("rb") as file:
            found = file.read(MOST + 1)
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if hashlib.sha256(found).hexdigest() == digest else "is not the file that was released: SHA-256 differs"


def standing_against(folder: Path, content: Mapping[str, Any]) -> list[str]:
    """Return what differs between what is in force here and what was released: parameters, settings, the student."""
    told: list[str] = []
    named = manifests.files(content)
    for name, now in release_state.standing().items():
        if name in named and hashlib.sha256(now).hexdigest() != named[name]:
            told += _entries(name, folder / FILES / name, now)
    student, released = release_state.student(), _student(folder, named)
    if student is not None and student[1] != released:
        told.append(f"the student in place ({student[1][:12]}…) is not the released one ({released[:12] or 'none'})")
    return told


def _entries(name: str, path: Path, now: bytes) -> list[str]:
    try:
        return release_state.differences(name, path.read_bytes(), now) or [f"{name} differs"]
    except (OSError, ValueError) as error:
        return [f"{name} differs, and {path} cannot be read: {error}"]


def _student(folder: Path, named: Mapping[str, str]) -> str:
    """Return the digest a released student's own manifest states; empty when there is none."""
    if release_state.STUDENT_MANIFEST not in named:
        return ""
    try:
        return str(json.loads((folder / FILES / release_state.STUDENT_MANIFEST).read_bytes())["sha256"])
    except (OSError, ValueError, KeyError):
        return ""


def _parameters(run: EngineRun, found: ReleasePointer) -> list[str]:
    """Return which parameters a run was begun with that the release does not say."""
    try:
        text = (paths.resolve(found.folder) / FILES / release_state.STRATEGIES).read_bytes()
        told = json.loads(text).get(run.strategy, {}).get("params", {})
    except (OSError, ValueError):
        return []  # said already: the file is missing or changed
    given = {key: value for key, value in run.plan["params"].items() if key in told or key not in OWN}
    return [
        f"parameter {key} of this run is {given.get(key)}, the release says {told.get(key)}: start it anew"
        for key in sorted({*given, *told})
        if given.get(key) != told.get(key)
    ]
