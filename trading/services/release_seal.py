"""What the last comparison of the release in force found, kept for every page: one row read, a few files looked at.

Comparing reads every file, so it is done at a switch and every ten minutes; a page asks only whether what was compared
is still what lies there (number of the switch, sizes, times). What is not known to be whole is never called verified.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from sensequant.lib import paths, release_keys
from trading.models.releases import ReleasePointer
from trading.selectors.releases import pointer
from trading.services import release_gate

OLD: Final = dt.timedelta(minutes=30)  # an answer older than this is none: what compares must have stopped
VERIFIED, DIFFERS, UNKNOWN = "verified", "differs", "not verified"
LEVELS: Final = {VERIFIED: "ok", DIFFERS: "bad", UNKNOWN: "warn"}


@dataclass(frozen=True, slots=True)
class Seal:
    """The release in force and how sure we are of it; ``age`` is None when it was never compared."""

    release_id: str
    seq: int
    word: str
    against: tuple[str, ...]
    age: dt.timedelta | None
    deployed_at: dt.datetime
    deployed_by: str
    heightened: bool
    left: dt.timedelta = field(default_factory=dt.timedelta)

    @property
    def level(self) -> str:
        """Return how well it is: ok, warn or bad."""
        return LEVELS[self.word]

    @property
    def mark(self) -> str:
        """Return ✓, ✗ or ?, as the strip shows it."""
        return {VERIFIED: "✓", DIFFERS: "✗", UNKNOWN: "?"}[self.word]

    @property
    def ago(self) -> str:
        """Return how long ago it was compared; empty when it never was."""
        return "" if self.age is None else f"{max(0, round(self.age.total_seconds() / 60.0))} min ago"

    @property
    def told(self) -> str:
        """Return in words what was found and how long ago."""
        if self.word == VERIFIED:
            return f"signature and every file verified {self.ago}"
        if self.word == DIFFERS:
            return f"differs from what was signed, found {self.ago}: {'; '.join(self.against)}"
        return f"not verified since something changed, or for too long; last {self.ago}" if self.ago else self.word

    @property
    def watch(self) -> str:
        """Return how long it is watched still; empty when it is not."""
        if not self.heightened:
            return ""
        hours = self.left.total_seconds() / 3_600.0
        return f"WATCH {hours:.0f} h left" if hours > 0 else "WATCH until two sessions are over"


def seal(*, at: dt.datetime) -> Seal | None:
    """Return what is known of the release in force; None while nothing is deployed."""
    row = pointer()
    if row is None:
        return None
    age = None if row.verified_at is None else at - row.verified_at
    until = row.heightened_until or at
    return Seal(
        row.release_id, row.seq, _word(row, age), tuple(row.verified_against or ()), age, row.deployed_at,
        row.deployed_by, row.mode == "heightened", max(dt.timedelta(0), until - at),
    )  # fmt: skip


def _word(row: ReleasePointer, age: dt.timedelta | None) -> str:
    if age is None or row.verified_stamp != stamp(row):
        return UNKNOWN
    if row.verified_against:
        return DIFFERS
    return VERIFIED if age <= OLD else UNKNOWN


def stamp(row: ReleasePointer) -> str:
    """Return what changes when the release in force or one of its files does: no file is read for it."""
    first = f"{row.epoch} {row.release_id} {row.seq} {row.manifest_sha256} {row.highest_seq}"
    told = [first, _key(), *_places(str(paths.resolve(row.folder)))]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _places(folder: str) -> Iterator[str]:
    """Yield every file below with what would change if it did; links are not followed."""
    try:
        with os.scandir(folder) as found:
            for each in sorted(found, key=lambda one: one.name):
                yield f"{each.path} {_told(each.stat(follow_symlinks=False))}"
                if each.is_dir(follow_symlinks=False):
                    yield from _places(each.path)
    except OSError as error:
        yield f"{folder} {error.errno}"


def _told(found: os.stat_result) -> str:
    return f"{found.st_mode} {found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _key() -> str:
    try:
        return _told(release_keys.public_path().stat())
    except OSError as error:
        return str(error.errno)


def refresh(*, at: dt.datetime) -> Seal | None:
    """Compare everything anew and keep what was found; None while nothing is deployed."""
    row = pointer()
    if row is None:
        return None
    before = stamp(row)
    against = release_gate.verified(row)
    ReleasePointer.objects.filter(pk=row.pk, epoch=row.epoch).update(
        verified_at=at, verified_stamp=before, verified_against=against
    )  # fmt: skip
    return seal(at=at)
