"""What is known of the chains from one look to the next: only what was appended is read, and a stretch of the rest.

A chain written anew has another head, which is seen at once; one that was edited further back is seen when its stretch
has its turn. Whatever does not hold has everything read again, so that it is named as ``predictions.check`` names it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from django.db.models import OuterRef, QuerySet, Subquery

from trading.core.chain import BEGINNING, Start, Walk
from trading.models.engine import EngineRun
from trading.models.telemetry import PredictionRecord
from trading.selectors.accuracy import database
from trading.services import predictions

FRESH: Final = 60.0  # seconds a page may show chains that do not hold as they were
STRETCH: Final = 500  # records, of those read before, that every look reads again
CHAINS: Final = 5  # a stretch may lie in so many
Anchors = Mapping[int, Mapping[int, str]]
Heads = dict[int, Start]
_KNOWN: dict[str, Known] = {}
"""Database to what is known of its chains."""


def checked(*, at: dt.datetime) -> dict[str, Any]:
    """Return what ``predictions.check`` says of every chain, never older than the newest record."""
    place = database()
    known = _KNOWN.get(place)
    known = _KNOWN[place] = (known.followed(at) if known else None) or _whole(at)
    return known.told


def _whole(at: dt.datetime) -> Known:
    anchors, told = predictions.anchors(), predictions.check()
    heads = {each["run"]: Start(each["number"], each["digest"]) for each in told["heads"]}
    return Known(at, anchors, heads, told)


@dataclass(frozen=True, slots=True)
class Known:
    """Chains as they were read until ``at``; the next stretch begins in ``run`` after ``since``."""

    at: dt.datetime
    anchors: Anchors
    heads: Heads
    told: dict[str, Any]
    run: int = 0
    since: Start = BEGINNING

    def followed(self, at: dt.datetime) -> Known | None:
        """Return what is known now; None where everything must be read again."""
        if not self.told["sound"] and not 0 <= (at - self.at).total_seconds() < FRESH:
            return None
        anchors, heads = predictions.anchors(), _advanced(self.heads)
        if heads is None or not _agree(self.anchors, anchors, heads):
            return None
        where = self._reread() if self.told["sound"] else (0, BEGINNING)
        if where is None:
            return None
        told = {
            **self.told, "chains": len(heads), "records": sum(each.number for each in heads.values()),
            "heads": [{"run": run, "number": head.number, "digest": head.digest} for run, head in heads.items()],
        }  # fmt: skip
        return replace(self, anchors=anchors, heads=heads, told=told, run=where[0], since=where[1])

    def _reread(self) -> tuple[int, Start] | None:
        """Read the next stretch again and return where the one after it begins; None where it does not hold."""
        runs, left = [each for each in self.heads if each >= self.run][:CHAINS], STRETCH
        for run in runs:
            walk = Walk(start=self.since if run == self.run else BEGINNING)
            last = self.heads[run].number
            for link in predictions.links(_of(run).filter(number__gt=walk.number, number__lte=last), left):
                walk.step(link)
            left -= walk.count
            if walk.found or walk.torn or (left and walk.number != last):
                return None
            if walk.number < last:
                return run, Start(walk.number, walk.head)
        return (runs[-1] + 1 if runs else 0), BEGINNING


def _advanced(heads: Heads) -> Heads | None:
    """Return the heads of all chains, read on from where they stood; None where one is not what it was."""
    found: Heads = {}
    for run, number, digest in _newest():
        old = heads.get(run, BEGINNING)
        found[run] = Start(number, digest)
        if number < old.number or (number == old.number and digest != old.digest):
            return None
        if number > old.number and not _follows(run, old):
            return None
    return found if heads.keys() <= found.keys() else None


def _newest() -> list[tuple[int, int, str]]:
    """Return where each chain ends: run, number and digest, by one look into the index for each run there is."""
    last = PredictionRecord.objects.filter(run=OuterRef("pk")).order_by("-number")
    rows = EngineRun.objects.annotate(
        number=Subquery(last.values("number")[:1]), digest=Subquery(last.values("digest")[:1])
    )
    return list(rows.filter(number__isnull=False).order_by("pk").values_list("pk", "number", "digest"))


def _follows(run: int, old: Start) -> bool:
    """Say whether what comes after ``old`` follows it, each record as it was written."""
    walk = Walk(start=old)
    for link in predictions.links(_of(run).filter(number__gt=old.number)):
        walk.step(link)
    kept = _of(run).filter(number=old.number).values_list("digest", flat=True).first() or ""
    return not (walk.found or walk.torn) and kept == old.digest


def _agree(before: Anchors, now: Anchors, heads: Heads) -> bool:
    """Say whether the anchors written since agree with the records."""
    for run, told in now.items():
        new = {number: digest for number, digest in told.items() if before.get(run, {}).get(number) != digest}
        if new and dict(_of(run).filter(number__in=new).values_list("number", "digest")) != new:
            return False
    return True


def _of(run: int) -> QuerySet[PredictionRecord]:
    return PredictionRecord.objects.filter(run_id=run).order_by("number")
