"""Release manifests as texts: one spelling in YAML, its fields, its digests, and the signed envelope around it.

Knows nothing of the desk's tables: the engine opens a manifest with it, and so does whoever has a copy and a key.
"""

from __future__ import annotations

import copy
import datetime as dt
import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, NamedTuple

import yaml

from sensequant.lib import dsse, release_keys
from sensequant.lib.errors import BadInput, NotFound

KIND: Final = "application/vnd.sensequant.release+yaml"
RECORD: Final = "application/vnd.sensequant.record+json"
ENVELOPE: Final = ".dsse.json"
MOST: Final = 4 << 20  # bytes of a manifest
FIX: Final = "take the manifest from where it was signed"
GROUPS: Final = ("configs", "models", "notebooks")
LATER: Final = (
    "expires_at", "audit_bundle", "audit", "deployment", "approvals", "waivers", "monitoring", "metadata",
)  # fmt: skip
"""What is added to a release's content when its manifest is written; people sign the rest, and the audit."""


class Maybe(NamedTuple):
    """A field that manifests have since it was thought of; older ones go without."""

    wanted: Any


Sha, Moment, Name = r"sha256:[0-9a-f]{64}\Z", "moment", "path"
FIELDS: Final[Mapping[str, Any]] = {
    "release_id": r"release_[0-9]{8}_[0-9]{6}\Z",
    "release_type": r"(major|minor|hotfix)\Z",
    "release_seq": int,
    "environment": r"[a-z0-9][a-z0-9_-]{0,31}\Z",
    "author": str,
    "summary": str,
    "created_at": Moment,
    "expires_at": Moment,
    "audit_bundle": str,
    "audit": {"audit_id": str, "bundle": Sha, "flags": Sha, "open_flags": int},
    "code": {
        "commit": str, "dirty": bool, "tree": Sha, "lockfile": Sha, "python": str,
        "authors": Maybe([{"name": str, "email": str}]), "override": Maybe(str),
    },
    "settings": Sha,
    "data": Sha,
    "deployment": {"timestamp": Moment, "deployer": str, "environment": str},
    "approvals": [{
        "role": str, "name": str, "email": str, "timestamp": Moment, "note": str, "evidence": Sha,
        "public_key": r"ed25519:[A-Za-z0-9+/]{43}=\Z", "signature": r"ed25519:[A-Za-z0-9+/]{86}==\Z",
    }],
    "waivers": Maybe([{
        "flag": Sha, "code": str, "role": str, "name": str, "email": str, "reason": str, "expires_at": Moment,
        "timestamp": Moment, "evidence": Sha, "public_key": r"ed25519:[A-Za-z0-9+/]{43}=\Z",
        "signature": r"ed25519:[A-Za-z0-9+/]{86}==\Z",
    }]),
    "artifacts": {
        group: [{"name": Name, "path": Name, "source": r"(home|code|database)\Z", "hash": Sha, "size": int,
                 "version": str, "backup": Name}]
        for group in GROUPS
    },
    "rollback_plan": {
        "previous_release_id": str, "previous_manifest": str, "previous_manifest_hash": str,
        "restore_commands": [str], "verification_steps": [str],
    },
    "monitoring": {
        "heightened_period_hours": float, "heightened_start": Moment, "heightened_end": Moment,
        "alert_thresholds": {"intraday_hit_ratio_drop": float, "swing_precision_drop": float},
        "alert_frequency_hours": float,
    },
    "metadata": {"generator": str, "generator_version": str},
}  # fmt: skip
"""Every field and what it holds: a pattern, a type, fields of its own, or a list of such. None may be more, and none
but a ``Maybe`` may miss."""


class _Writer(yaml.SafeDumper):
    """Writes each value out: no anchors."""

    def ignore_aliases(self, data: Any) -> bool:
        """Say yes: nothing is written as a reference to something else."""
        return True


class _Reader(yaml.SafeLoader):
    """Reads what the writer writes; a doubled key or an anchor is an error."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Return the next node, unless it refers to another or can be referred to."""
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadInput(f"line {event.start_mark.line + 1} uses an anchor", fix=FIX)
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return the mapping; BadInput names a key that stands there twice."""
        seen: set[str] = set()
        for key, _ in node.value:
            if key.value in seen:
                raise BadInput(f"line {key.start_mark.line + 1} says {key.value!r} a second time", fix=FIX)
            seen.add(key.value)
        return super().construct_mapping(node, deep=deep)


def dump(content: Mapping[str, Any]) -> bytes:
    """Return a manifest's YAML: the one spelling that ``load`` takes."""
    text = yaml.dump(dict(content), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=10_000)
    return str(text).encode()


def load(text: bytes) -> dict[str, Any]:
    """Return what a manifest says; BadInput names what cannot be: another spelling, a field too many or too few."""
    if len(text) > MOST:
        raise BadInput(f"a manifest of {len(text)} bytes is too long", fix=FIX)
    return copy.deepcopy(_loaded(text))


@lru_cache(maxsize=8)
def _loaded(text: bytes) -> dict[str, Any]:
    """Return the same, kept by its very bytes: the engine reads the one in force again and again."""
    try:
        content = yaml.load(text.decode(), Loader=_Reader)  # noqa: S506 - a SafeLoader that refuses more
        same = isinstance(content, dict) and dump(content) == text
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"the manifest cannot be read: {' '.join(str(error).split())[:200]}", fix=FIX) from None
    if not same:
        raise BadInput("the manifest is not written as we write it", fix=FIX)
    check(content)
    return dict(content)


def check(content: Mapping[str, Any]) -> None:
    """Raise BadInput naming the first field that is missing, unknown or not what it must be."""
    _fields("", content, FIELDS)
    seen: dict[str, str] = {}
    for each in artifacts(content):
        for name in (each["backup"], f"name:{each['name']}"):
            folded = unicodedata.normalize("NFKC", name).casefold()
            if folded in seen:
                raise BadInput(f"{name} is named twice", fix=FIX)
            seen[folded] = name
        if not each["backup"].startswith(f"release/backups/{content['release_id']}/"):
            raise BadInput(f"{each['backup']} is no backup of {content['release_id']}", fix=FIX)


def ordered(found: Any, wanted: Any = FIELDS) -> Any:
    """Return a checked manifest with its fields in their order, whatever order a database gave them."""
    wanted = wanted.wanted if isinstance(wanted, Maybe) else wanted
    if isinstance(wanted, dict):
        return {name: ordered(found[name], each) for name, each in wanted.items() if name in found}
    return [ordered(each, wanted[0]) for each in found] if isinstance(wanted, list) else found


def _fields(where: str, found: Any, wanted: Mapping[str, Any]) -> None:
    if not isinstance(found, dict):
        raise BadInput(f"{where or 'the manifest'} holds no fields", fix=FIX)
    for name in [*wanted, *found]:
        told = f"{where}.{name}" if where else str(name)
        if name not in found and isinstance(wanted[name], Maybe):
            continue
        if name not in found:
            raise BadInput(f"{told} is missing", fix=FIX)
        if name not in wanted:
            raise BadInput(f"{told} is not a field of a manifest", fix=FIX)
        _value(told, found[name], wanted[name])


def _value(where: str, found: Any, wanted: Any) -> None:
    wanted = wanted.wanted if isinstance(wanted, Maybe) else wanted
    if isinstance(wanted, dict):
        return _fields(where, found, wanted)
    if isinstance(wanted, list):
        if not isinstance(found, list):
            raise BadInput(f"{where} is no list", fix=FIX)
        for number, each in enumerate(found):
            _value(f"{where}[{number}]", each, wanted[0])
        return None
    if not _fits(found, wanted):
        raise BadInput(f"{where} cannot be {str(found)[:80]!r}", fix=FIX)
    return None


def _fits(found: Any, wanted: Any) -> bool:
    if wanted is float:
        return isinstance(found, int | float) and not isinstance(found, bool)
    if isinstance(wanted, type):
        return type(found) is wanted
    if not isinstance(found, str):
        return False
    if wanted == Moment:
        return _moment(found)
    return is_safe(found) if wanted == Name else re.match(wanted, found) is not None


def _moment(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def is_safe(path: str) -> bool:
    """Say whether a path stays below the folder it is looked for in, whatever the system."""
    parts = path.split("/")
    plain = unicodedata.normalize("NFC", path) == path and path.isprintable()
    return plain and len(path) <= 500 and not any(
        part in ("", ".", "..") or part != part.strip() or set(part) & set('\\:*?"<>|') for part in parts
    )  # fmt: skip


def artifacts(content: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield every artifact a manifest, or a release's content, names."""
    for group in GROUPS:
        yield from content["artifacts"][group]


def files(content: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of each artifact by its name, such as ``strategies.json`` or ``student/model.json``."""
    return {each["name"]: each["hash"].removeprefix("sha256:") for each in artifacts(content)}


def core(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the part of a manifest that people sign: what was fixed when the release was made."""
    return {name: value for name, value in content.items() if name not in LATER}


def digest(content: Any) -> str:
    """Return the SHA-256 of JSON, however its keys are ordered."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def beside(path: Path) -> Path:
    """Return the envelope of a manifest's YAML file."""
    return path.with_name(path.name.removesuffix(".yaml") + ENVELOPE)


def read(path: Path, most: int = MOST) -> bytes:
    """Return a file's bytes; NotFound or BadInput names it."""
    try:
        if path.is_symlink():
            raise BadInput(f"{path} is a link, not a file", fix=FIX)
        with path.open("rb") as file:
            found = file.read(most + 1)
    except FileNotFoundError:
        raise NotFound(f"{path} is not there", fix=FIX) from None
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}", fix=FIX) from None
    if len(found) > most:
        raise BadInput(f"{path} is too long", fix=FIX)
    return found


def sealed(content: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return a manifest's YAML and its envelope, signed with the desk's key; BadInput for one that cannot be."""
    check(content)
    text = dump(ordered(content))
    load(text)
    return text, dsse.sign(KIND, text, [release_keys.private()])


def opened(path: Path, *, digest: str = "", public: bytes = b"") -> dict[str, Any]:
    """Return what the signed envelope at ``path`` says; NotFound or BadInput names what is wrong with it.

    ``digest`` is the SHA-256 its bytes must have, ``public`` the key that must have signed; empty: the desk's own.
    """
    envelope = read(path, dsse.MOST)
    if digest and hashlib.sha256(envelope).hexdigest() != digest:
        raise BadInput(f"{path} is not the envelope that was deployed: its SHA-256 differs", fix=FIX)
    return load(dsse.opened(envelope, KIND, [public or release_keys.public()]))


def signed_text(content: Mapping[str, Any]) -> str:
    """Return a record (a rollback, the head of a ledger) as a text signed with the desk's key."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, allow_nan=False)
    return dsse.sign(RECORD, text.encode(), [release_keys.private()]).decode()


def checked_text(text: str, public: bytes = b"") -> dict[str, Any]:
    """Return what a signed record says; BadInput when it is not as it was signed with the desk's key."""
    payload = dsse.opened(text.encode(), RECORD, [public or release_keys.public()])
    told: dict[str, Any] = json.loads(payload)
    return told
