"""The document's status files: ``data/monitoring/releases/active_release.yaml`` and one of each release that was.

They follow from the rows and are written again whenever those change; nothing reads them but people and scripts.
"""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any, Final

import yaml
from django.conf import settings

from releases.models import Release, Watch
from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import Failed
from sensequant.lib.logs import get_logger
from trading.selectors import releases as pointers
from trading.services.release_gate import SEEN

FOLDER: Final = "data/monitoring/releases"
ACTIVE: Final = "active_release.yaml"
log = get_logger("releases")


def told() -> dict[str, Any] | None:
    """Return what the status file says of the release in force; None while nothing is deployed."""
    row = pointers.pointer()
    if row is None:
        return None
    release = Release.objects.get(release_id=row.release_id)
    watch = Watch.objects.filter(epoch=row.epoch).first()
    return {
        "release_id": row.release_id,
        "release_seq": row.seq,
        "state": release.state,
        "deployment_timestamp": _stamp(row.deployed_at),
        "deployer": row.deployed_by,
        "manifest_path": release.manifest_path,
        "manifest_sha256": f"sha256:{release.manifest_sha256}",
        "heightened_monitoring_active": row.mode == "heightened",
        "heightened_monitoring_end": _stamp(row.heightened_until or (watch.ends_at if watch else None)),
        "heightened_hours": settings.DESK.heightened_hours,
        "watch": watch.state if watch else None,
        "rolled_back": bool(row.rollback),
        "epoch": row.epoch,
    }


def write(*, at: dt.datetime) -> Path:
    """Write both files and the highest number ever deployed; Failed when the folder cannot be written."""
    found = told()
    folder = paths.resolve(FOLDER)
    row = pointers.pointer()
    if found is None or row is None:
        return folder / ACTIVE
    text = yaml.safe_dump({**found, "written_at": _stamp(at)}, sort_keys=False, allow_unicode=True)
    seen = paths.resolve(SEEN)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        seen.parent.mkdir(parents=True, exist_ok=True)
        for path, words in (
            (folder / ACTIVE, text), (folder / f"{found['release_id']}.yaml", text), (seen, f"{row.highest_seq}\n"),
        ):  # fmt: skip
            fresh = path.with_name(f".{path.name}.new")
            fresh.write_text(words, "utf-8")
            fresh.replace(path)
    except OSError as error:
        raise Failed(f"{folder} cannot be written: {error.strerror}", fix="mend its rights, then resume") from None
    return folder / ACTIVE


def _stamp(at: dt.datetime | None) -> str | None:
    return at.astimezone(IST).isoformat(timespec="seconds") if at else None
