"""A release on disk against its manifest: with nothing but the public key, every difference by its name.

Needs no database, so it works on a copied folder, on another machine, years later.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sensequant.lib import approvals, dsse, manifests, waivers
from sensequant.lib.errors import BadInput, SenseQuantError

LARGEST: Final = 1 << 30  # bytes of an artifact


@dataclass(frozen=True, slots=True)
class Asked:
    """What a manifest is compared with.

    ``root`` is the folder that ``release/`` and ``data/`` lie in; ``code`` that of the program (None: its files are not
    compared); ``environment`` where it is meant to run (empty: anywhere); ``at`` when (None: it may have expired);
    ``highest`` the highest number seen before (0: any); ``waivers`` the roles that waive a flag together.
    """

    root: Path
    public: bytes
    roles: Sequence[str] = ()
    hours: int = 72
    code: Path | None = None
    backups_only: bool = False
    environment: str = ""
    at: dt.datetime | None = None
    highest: int = 0
    waivers: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Found:
    """What a manifest says, empty when its signature does not hold, and everything that differs from it."""

    content: Mapping[str, Any]
    differences: Sequence[str]
    compared: int = 0
    left_out: int = 0


def verify(path: Path, asked: Asked) -> Found:
    """Return everything that is not as the manifest at ``path`` (its YAML) says; the signature comes first."""
    try:
        text = manifests.read(path)
        payload = dsse.opened(manifests.read(manifests.beside(path), dsse.MOST), manifests.KIND, [asked.public])
        if text != payload:
            return Found({}, [f"{path.name} is not what was signed: it differs at byte {_first(text, payload)}"])
        content = manifests.load(payload)
    except SenseQuantError as error:
        return Found({}, [f"{path.name}: {error.message}"])
    told = [*_meant(path, content, asked), *approvals.against(content, asked.roles, asked.hours)]
    told += waivers.against(content, asked.waivers, asked.at)
    compared = list(_places(content, asked))
    told += [f"{name} {why}" for name, base, each in compared if (why := differs(base, name, each))]
    whole = len(list(manifests.artifacts(content))) * 2
    return Found(content, [*told, *_extra(content, asked.root)], len(compared), whole - len(compared))


def _first(one: bytes, other: bytes) -> int:
    pairs = zip(one, other, strict=False)
    return next((number for number, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _meant(path: Path, content: Mapping[str, Any], asked: Asked) -> Iterator[str]:
    """Yield what speaks against using this manifest here and now."""
    name, environment = content["release_id"], content["deployment"]["environment"]
    if path.name != f"{name}.yaml":
        yield f"{path.name} is the manifest of {name}"
    if environment != content["environment"] or (asked.environment and environment != asked.environment):
        yield f"{name} was released for {environment}, not for {asked.environment or content['environment']}"
    if asked.at is not None and asked.at > dt.datetime.fromisoformat(content["expires_at"]):
        yield f"{name} expired on {content['expires_at']}"
    if asked.at is not None and asked.at < dt.datetime.fromisoformat(content["created_at"]):
        yield f"{name} was made on {content['created_at']}, later than now: a clock is wrong"
    if content["release_seq"] < asked.highest:
        yield f"{name} is number {content['release_seq']}, and number {asked.highest} was seen before: a replay"


def _places(content: Mapping[str, Any], asked: Asked) -> Iterator[tuple[str, Path, Mapping[str, Any]]]:
    for each in manifests.artifacts(content):
        yield each["backup"], asked.root, each
        if asked.backups_only:
            continue
        if each["source"] == "home":
            yield each["path"], asked.root, each
        if each["source"] == "code" and asked.code is not None:
            yield each["path"], asked.code, each


def differs(base: Path, name: str, artifact: Mapping[str, Any]) -> str:
    """Return why the file ``name`` below ``base`` is not the artifact; empty when it is."""
    path = base / name
    try:
        if not path.resolve().is_relative_to(base.resolve()) or path.is_symlink():
            return "leads out of the folder"
        if path.stat().st_size != artifact["size"]:
            return f"has {path.stat().st_size} bytes, not {artifact['size']}"
        found = sha256(path)
    except FileNotFoundError:
        return "is missing"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return "" if f"sha256:{found}" == artifact["hash"] else "is not the file that was released: its SHA-256 differs"


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _extra(content: Mapping[str, Any], root: Path) -> Iterator[str]:
    """Yield files among the backups that the manifest does not name."""
    folder = root / "release" / "backups" / content["release_id"]
    named = {each["backup"] for each in manifests.artifacts(content)}
    for base, _, names in sorted(os.walk(folder)):
        for name in sorted(names):
            told = (Path(base) / name).relative_to(root).as_posix()
            if told not in named:
                yield f"{told} is not in the manifest"


def _place(public: bytes, environment: str) -> str:
    return f"{dsse.key_id(public)[:16]} {environment}"


def highest_seen(path: Path, public: bytes, environment: str) -> int:
    """Return the highest number of a release seen here from that key, for that environment; 0 for none yet.

    BadInput when the file cannot be read: whoever harmed it may want to replay something.
    """
    try:
        return int(json.loads(path.read_text("utf-8")).get(_place(public, environment), 0))
    except FileNotFoundError:
        return 0
    except (OSError, ValueError, AttributeError, TypeError):
        raise BadInput(f"{path} cannot be read", fix="restore it: it says which releases were seen") from None


def remember(path: Path, public: bytes, environment: str, seq: int) -> None:
    """Keep ``seq`` as seen, unless a higher one was."""
    if seq <= highest_seen(path, public, environment):
        return
    told: dict[str, int] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    with contextlib.suppress(FileNotFoundError):
        fresh.unlink()
    fresh.write_text(json.dumps({**told, _place(public, environment): seq}, indent=1, sort_keys=True) + "\n", "utf-8")
    fresh.replace(path)
