"""What a release consists of, as the fields of its manifest; pure, so that the same things give the same digest."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

CONFIGS, MODELS, NOTEBOOKS = "configs", "models", "notebooks"
HOME, CODE, DATABASE = "home", "code", "database"
VERIFICATION: Final = ("python manage.py release_audit --skip-validation", "make test")
HEIGHTENED_DROP: Final = 0.05


class Item(NamedTuple):
    """One artifact: ``name`` is how others ask for it, ``path`` where it stands, below what ``source`` says."""

    group: str
    name: str
    path: str
    source: str
    content: bytes
    version: str = ""

    @property
    def sha256(self) -> str:
        """Return the SHA-256 of its bytes."""
        return hashlib.sha256(self.content).hexdigest()


def backup_of(release_id: str, name: str) -> str:
    """Return where the copy of an artifact is kept."""
    return f"release/backups/{release_id}/{name}"


def artifacts(release_id: str, items: Sequence[Item]) -> dict[str, list[dict[str, Any]]]:
    """Return the manifest's ``artifacts``."""
    return {
        group: [
            {"name": each.name, "path": each.path, "source": each.source, "hash": f"sha256:{each.sha256}",
             "size": len(each.content), "version": each.version, "backup": backup_of(release_id, each.name)}
            for each in sorted(items, key=lambda item: item.name) if each.group == group
        ]
        for group in (CONFIGS, MODELS, NOTEBOOKS)
    }  # fmt: skip


def rollback_plan(previous: dict[str, Any] | None, manifest: str, sha256: str) -> dict[str, Any]:
    """Return how one comes back to the release before: ``previous`` is its content, None when there is none."""
    if previous is None:
        return {
            "previous_release_id": "", "previous_manifest": "", "previous_manifest_hash": "", "restore_commands": [],
            "verification_steps": list(VERIFICATION),
        }  # fmt: skip
    restored = [
        f"cp {each['backup']} {each['path']}"
        for group in (CONFIGS, MODELS, NOTEBOOKS)
        for each in previous["artifacts"][group]
        if each["source"] == HOME
    ]
    return {
        "previous_release_id": previous["release_id"], "previous_manifest": manifest,
        "previous_manifest_hash": f"sha256:{sha256}" if sha256 else "",
        "restore_commands": [
            f"python manage.py verify_manifest {manifest} --former", *restored,
            'python manage.py release_rollback --reason "why"',
        ],
        "verification_steps": list(VERIFICATION),
    }  # fmt: skip


def changes(content: dict[str, Any], previous: dict[str, Any] | None) -> list[dict[str, str]]:
    """Return what differs between two contents, name by name: added, changed or removed."""
    mine, theirs = _hashes(content), _hashes(previous)
    return [
        {"name": name, "word": _word(mine.get(name), theirs.get(name)), "hash": mine.get(name, theirs.get(name, ""))}
        for name in sorted({*mine, *theirs})
        if mine.get(name) != theirs.get(name)
    ]


def _hashes(content: dict[str, Any] | None) -> dict[str, str]:
    if content is None:
        return {}
    found = {each["name"]: each["hash"] for group in content["artifacts"].values() for each in group}
    return {**found, "code": content["code"]["tree"], "data": content["data"], "all settings": content["settings"]}


def _word(mine: str | None, theirs: str | None) -> str:
    if theirs is None:
        return "added"
    return "removed" if mine is None else "changed"
