"""Which program it is: the commit, whether files differ from it, and who wrote what came since the last release.

git is asked where the program lies in a repository. Elsewhere (a container) SOURCE_COMMIT and SOURCE_AUTHORS say what
the image was built from; without them the commit is not known, which counts as files that differ.
"""

from __future__ import annotations

import hashlib
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from django.conf import settings

PACKAGES: Final = ("sensequant", "trading", "models_ml", "monitoring", "releases")
LOCK: Final = "requirements.txt"
UNKNOWN: Final = "unknown"
COMMIT: Final = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?\Z")
SHOWN: Final = 5  # changed files that are named
LOG: Final = "--format=%aN%x09%aE%n%cN%x09%cE%n%(trailers:key=Co-authored-by,valueonly,separator=%x0A)"


class Origin(NamedTuple):
    """A commit, why the program may be something else, and its authors: name and e-mail address."""

    commit: str
    against: str
    authors: tuple[tuple[str, str], ...]


def code_root() -> Path:
    """Return the folder the program lies in."""
    return Path(settings.BASE_DIR)


def look(since: str) -> Origin:
    """Return where the program comes from; ``since`` is the commit of the last release, empty for all of history."""
    try:
        commit = _git("rev-parse", "HEAD").strip()
        changed = [line[3:] for line in _git("status", "--porcelain", "--untracked-files=no").splitlines()]
    except (OSError, subprocess.SubprocessError):
        return _told()
    more = f" and {len(changed) - SHOWN} more" if len(changed) > SHOWN else ""
    against = f"files differ from the commit: {', '.join(changed[:SHOWN])}{more}" if changed else ""
    return Origin(commit, against, _authors(since))


def _told() -> Origin:
    commit = settings.DESK.source_commit
    against = "" if COMMIT.match(commit) else "the commit is not known: there is no git, and SOURCE_COMMIT names none"
    return Origin(commit or UNKNOWN, against, tuple((each, each) for each in settings.DESK.source_authors))


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=code_root(), capture_output=True, text=True, check=True, timeout=20)
    return done.stdout


def _authors(since: str) -> tuple[tuple[str, str], ...]:
    """Return who wrote or committed what came since; everybody there ever was when that commit is not known here."""
    for span in ([f"{since}..HEAD"] if COMMIT.match(since) else []) + ["HEAD"]:
        try:
            return people(_git("log", LOG, span).splitlines())
        except (OSError, subprocess.SubprocessError):
            continue
    return ()


def people(lines: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return each e-mail address once, with its first name: ``name TAB address`` or ``name <address>``."""
    found: dict[str, str] = {}
    for line in lines:
        name, _, address = line.partition("\t") if "\t" in line else line.rstrip(">").rpartition("<")
        if address.strip():
            found.setdefault(address.strip().casefold(), name.strip())
    return tuple((name, address) for address, name in sorted(found.items()))


def code(since: str, because: str = "") -> dict[str, Any]:
    """Return the manifest's ``code``; ``because`` says why it may be released although files differ."""
    origin = look(since)
    told = {
        "commit": origin.commit, "dirty": bool(origin.against), "tree": f"sha256:{_tree()}",
        "python": platform.python_version(),
        "lockfile": "sha256:" + hashlib.sha256((code_root() / LOCK).read_bytes()).hexdigest(),
        "authors": [{"name": name, "email": address} for name, address in origin.authors],
    }  # fmt: skip
    return {**told, "override": f"{because.strip()[:300]} ({origin.against})"} if origin.against else told


def wrote(content: Mapping[str, Any], email: str) -> bool:
    """Say whether the person of this address wrote some of what a release's content brings."""
    authors = content.get("code", {}).get("authors", ())
    return bool(email) and email.casefold() in {each["email"].casefold() for each in authors}


def unexplained(content: Mapping[str, Any]) -> bool:
    """Say whether a content is of files that are in no commit, and nobody said why that may be."""
    told = content.get("code", {})
    return bool(told.get("dirty")) and not told.get("override")


def _tree() -> str:
    found = hashlib.sha256()
    for package in PACKAGES:
        for path in sorted((code_root() / package).rglob("*.py")):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update(f"{path.relative_to(code_root()).as_posix()} {digest}\n".encode())
    return found.hexdigest()
