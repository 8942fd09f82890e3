"""Students on disk: verified whenever they are read or copied, kept in production/ and archive/, never overwritten."""

from __future__ import annotations

import datetime as dt
import shutil
from pathlib import Path
from typing import Any

from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, Failed, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.adapters.sealed_folders import unseal
from trading.services import students
from trading.services.students import Seat

log = get_logger("promotion")


def absolute(folder: str | Path) -> Path:
    """Return where a folder is meant to lie: as it stands when it is there, else under SENSEQUANT_HOME."""
    here = Path(folder).expanduser()
    return here.absolute() if here.is_dir() else paths.resolve(here)


def digest(folder: str | Path) -> str:
    """Return the digest of a student's manifest, every file compared with it."""
    return unseal(absolute(folder)).digest


def seat(folder: str | Path) -> Seat:
    """Return the student in ``folder``, ready to be tried; a ``.pkl`` is refused by name."""
    if str(folder).endswith((".pkl", ".pickle", ".joblib")):
        raise BadInput(f"{folder} is a pickle, and nothing is loaded from one", fix="name the student's folder")
    where = absolute(folder)
    return students.load(where, unseal(where).digest)


def copied(source: Path, target: Path, wanted: str) -> Path:
    """Copy a student to ``target``, verify it there, and return ``target``; the same student there is left alone."""
    if _is(target, wanted):
        return target
    if target.exists():
        raise Failed(f"{target} is there already and is another model", fix="move it away")
    if unseal(source).digest != wanted:
        raise BadInput(f"{source} is not what was judged", fix="judge it again")
    fresh = target.with_name(f".{target.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, fresh, symlinks=False)
        if unseal(fresh).digest != wanted:
            raise Failed(f"the copy of {source} is not what was judged", fix="try again")
        fresh.replace(target)
    except OSError as error:
        raise Failed(f"{source} cannot be copied to {target}: {error.strerror}", fix="mend the disk") from None
    return target


def _is(folder: Path, wanted: str) -> bool:
    try:
        return unseal(folder).digest == wanted
    except SenseQuantError:
        return False


def archive() -> Path:
    """Return where former champions are kept."""
    return students.production().parent / "archive"


def archived(folder: str, wanted: str, version: str, *, at: dt.datetime) -> Path | None:
    """Keep a copy of a champion that goes; a corrupt one is said and not kept: it must not stop its successor."""
    target = archive() / f"{version}_{at.astimezone(IST):%Y%m%d}"
    try:
        return copied(paths.resolve(folder), target, wanted)
    except SenseQuantError as error:
        log.exception("the former champion was not archived", version=version, error=str(error))
        return None


def former() -> Any | None:
    """Return the row of the champion before the one in place, of another version; None when there was none."""
    current = students.champion()
    return students.last_champion_but(current.version if current is not None else "")


def restored(folder: str, wanted: str, version: str) -> Path:
    """Return the folder of a former champion, or its archived copy; NotFound when both are lost."""
    place = paths.resolve(folder)
    if _is(place, wanted):
        return place
    for kept in sorted(archive().glob(f"{version}_*"), reverse=True):
        if _is(kept, wanted):
            log.warning("a former champion is taken from the archive", version=version, path=str(kept))
            return kept
    raise NotFound(f"{version} is neither in {place} nor in {archive()} as it was", fix="restore it from a backup")
