"""Everything that decides trading, gathered as bytes: what is in force now, or a named student and named parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from models_ml.selectors.models import promotions
from models_ml.services import student_folders
from releases.core.contents import CODE, CONFIGS, DATABASE, HOME, MODELS, Item
from releases.services.provenance import LOCK, code_root
from sensequant.lib import manifests, paths
from sensequant.lib.env import rows
from sensequant.lib.errors import BadInput
from trading.adapters.sealed_folders import MANIFEST, unseal
from trading.selectors import series
from trading.services import release_state, sentiment_models, strategies

NONE: Final = "none"
KINDS: Final = ("major", "minor", "hotfix")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be released.

    A version, a folder or ``none`` as student (empty: the one in place), and the numbers of strategy versions that are
    to replace the active ones. ``dirty`` says why it may be although files of the program are in no commit.
    """

    kind: str = "minor"
    summary: str = ""
    student: str = ""
    configs: Sequence[int] = ()
    dirty: str = ""


def items(wanted: Wanted) -> list[Item]:
    """Return every artifact; BadInput or NotFound names what cannot be released."""
    return [*_rows(wanted), *_student(wanted.student), *_sentiment(), *_code()]


def _rows(wanted: Wanted) -> Iterator[Item]:
    standing = release_state.standing()
    if wanted.configs:
        told = dict(release_state.strategies())
        for number in wanted.configs:
            row = strategies.config(number)
            strategies.checked(row.strategy, row.params)
            told[row.strategy] = {"version": row.version, "params": row.params}
        standing[release_state.STRATEGIES] = release_state.canonical(told)
    for name, content in standing.items():
        yield Item(CONFIGS, name, f"config/{name}", DATABASE, content)


def _student(named: str) -> Iterator[Item]:
    folder, digest = _place(named)
    if folder is None:
        return
    sealed = unseal(folder)
    if digest and sealed.digest != digest:
        raise BadInput(f"{folder} is not the student that was put in place", fix="restore it, or name another")
    version = student_folders.seat(folder).scorer.version
    for name in [*sealed.told["files"], MANIFEST]:
        content = (folder / name).read_bytes() if name == MANIFEST else sealed.read(name)
        path, source = _below_home(folder / name)
        yield Item(
            MODELS, f"student/{name}", path or f"data/models/production/{version}/{name}", source, content, version
        )


def _place(named: str) -> tuple[Path | None, str]:
    if named == NONE:
        return None, ""
    if not named:
        found = release_state.student()
        return (Path(found[0]), found[1]) if found else (None, "")
    row = promotions().filter(version=named).first()
    return (Path(row.folder), row.digest) if row else (student_folders.absolute(named), "")


def _below_home(path: Path) -> tuple[str, str]:
    try:
        return path.resolve().relative_to(paths.home().resolve()).as_posix(), HOME
    except ValueError:
        return "", DATABASE


def _sentiment() -> Iterator[Item]:
    folder = sentiment_models.folder()
    version = folder.current()
    if not version:
        return
    path = folder.path(version)
    told, source = _below_home(path)
    where = told or f"data/models/sentiment/{path.name}"
    yield Item(MODELS, f"sentiment/{path.name}", where, source, path.read_bytes(), version)


def _code() -> Iterator[Item]:
    root = code_root()
    for path in [root / LOCK, *sorted((root / "config" / "optimization").glob("*.json"))]:
        name = path.relative_to(root).as_posix()
        yield Item(CONFIGS, name, name, CODE, path.read_bytes())


def all_settings() -> str:
    """Return the SHA-256 of every setting that is no secret."""
    told = {
        each.name: each.show(getattr(settings.DESK, each.attribute))
        for each in rows(type(settings.DESK))
        if not each.secret
    }
    return f"sha256:{manifests.digest(told)}"


def data() -> str:
    """Return the SHA-256 of which bars the desk read last."""
    return f"sha256:{manifests.digest(series.digests())}"
