"""A day's numbers as one compressed file, the rows then removed, old files deleted, and a file read back."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction

from monitoring.models import Rollup, Sample
from monitoring.services.rollups import CHUNK, FOLDER, HOT, as_json, read_json
from sensequant.lib import paths
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotFound

NAME = re.compile(r"metrics_(\d{4}-\d{2}-\d{2})\.json\.gz")
DAY = dt.timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Archived:
    """What one run of the archiver did."""

    written: tuple[str, ...]
    deleted: tuple[str, ...]
    rollups_removed: int
    samples_removed: int


def folder() -> Path:
    """Return where archives lie."""
    return paths.resolve(f"{FOLDER}/archive")


def archive(*, at: dt.datetime) -> Archived:
    """Write each finished day (IST) that has rows of its own into its file; remove what the screens no longer need."""
    today = at.astimezone(IST).date()
    folder().mkdir(parents=True, exist_ok=True)
    written, samples = [], 0
    for day in _days(before=today):
        begin, end = _span(day)
        rows = list(Sample.objects.filter(at__gte=begin, at__lt=end, rolled=True).order_by("at", "id"))
        rollups = list(Rollup.objects.filter(at__gte=begin, at__lt=end).order_by("at", "metric"))
        loose = _loose(day)
        _write(day, rows, rollups, loose)
        written.append(day.isoformat())
        with transaction.atomic():
            samples += Sample.objects.filter(at__gte=begin, at__lt=end, rolled=True).delete()[0]
        for file in loose:
            file.unlink()
    return Archived(tuple(written), tuple(_expire(today)), _cool(today), samples)


def restore(day: dt.date) -> int:
    """Put the rollups of an archived day back where they are missing and return how many those were.

    NotFound when there is no such file, BadInput when it cannot be read.
    """
    file = folder() / f"metrics_{day}.json.gz"
    if not file.exists():
        kept = ", ".join(sorted(each.name[8:18] for each in folder().glob("metrics_*.json.gz"))) or "none"
        raise NotFound(f"there is no archive of {day}", fix=f"archived days: {kept}")
    try:
        told = read_json(file)["rollups"]
        rows = [_row(each) for each in told]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{file.name} cannot be read: {error}", fix="take it from a backup") from None
    before = Rollup.objects.count()
    Rollup.objects.bulk_create(rows, batch_size=500, ignore_conflicts=True)
    return Rollup.objects.count() - before


def _row(told: dict[str, Any]) -> Rollup:
    return Rollup(
        metric=told["metric"], at=dt.datetime.fromisoformat(told["at"]), width=told["width"], low=told["min"],
        high=told["max"], total=told["sum"], count=told["count"], last=told["last"], counts=told["counts"],
    )  # fmt: skip


def _days(*, before: dt.date) -> list[dt.date]:
    """Return the days before ``before`` that have samples or loose files, or rollups and no archive yet."""
    begin = dt.datetime.combine(before, dt.time(), IST)
    stamps = list(Sample.objects.filter(at__lt=begin, rolled=True).order_by().values_list("at", flat=True).distinct())
    days = {each.astimezone(IST).date() for each in stamps}
    days |= {found for file in paths.resolve(FOLDER).glob("metrics_*.json") if (found := _day_of(file)) < before}
    for stamp in Rollup.objects.filter(at__lt=begin).order_by().values_list("at", flat=True).distinct():
        day = stamp.astimezone(IST).date()
        if day not in days and not (folder() / f"metrics_{day}.json.gz").exists():
            days.add(day)
    return sorted(days)


def _day_of(file: Path) -> dt.date:
    """Return the IST day a loose file was written on."""
    stamp = dt.datetime.strptime(file.stem[8:23], "%Y%m%d_%H%M%S").replace(tzinfo=dt.UTC)
    return stamp.astimezone(IST).date()


def _loose(day: dt.date) -> list[Path]:
    return sorted(file for file in paths.resolve(FOLDER).glob("metrics_*.json") if _day_of(file) == day)


def _span(day: dt.date) -> tuple[dt.datetime, dt.datetime]:
    begin = dt.datetime.combine(day, dt.time(), IST)
    return begin, begin + DAY


def _write(day: dt.date, samples: list[Sample], rollups: list[Rollup], loose: list[Path]) -> None:
    """Write a day's file; what an earlier run wrote for the day stays in it."""
    file = folder() / f"metrics_{day}.json.gz"
    old = read_json(file) if file.exists() else {"samples": [], "rollups": []}
    raw = (
        old["samples"] + [each for path in loose for each in read_json(path)["samples"]] + [as_json(x) for x in samples]
    )
    rolled = {(x["metric"], x["at"], x["width"]): x for x in old["rollups"]}
    rolled.update({(x["metric"], x["at"], x["width"]): x for x in map(as_json, rollups)})
    told = {"date": day.isoformat(), "rollups": [*rolled.values()], "samples": raw}
    fresh = file.with_suffix(".new")
    with fresh.open("wb") as handle, gzip.GzipFile("", "wb", fileobj=handle, mtime=0) as packed:
        packed.write(json.dumps(told).encode())
    if read_json_gz(fresh)["date"] != day.isoformat():  # read back before anything is removed
        raise BadInput(f"{fresh} was not written whole", fix="look at the disk")
    fresh.replace(file)


def read_json_gz(file: Path) -> dict[str, Any]:
    """Return the content of a compressed file whatever it is called."""
    with gzip.open(file, "rt", encoding="utf-8") as handle:
        found: dict[str, Any] = json.load(handle)
    return found


def _expire(today: dt.date) -> list[str]:
    """Delete archives older than the retention and return their names."""
    edge = today - dt.timedelta(days=settings.DESK.monitoring_max_archive_days)
    gone = []
    for file in sorted(folder().glob("metrics_*.json.gz")):
        found = NAME.fullmatch(file.name)
        if found and dt.date.fromisoformat(found[1]) < edge:
            file.unlink()
            gone.append(file.name)
    return gone


def _cool(today: dt.date) -> int:
    """Remove all but the newest rollups of each metric, where their day's file exists."""
    gone: list[int] = []
    for metric, width in Rollup.objects.order_by().values_list("metric", "width").distinct():
        rows = Rollup.objects.filter(metric=metric, width=width).order_by("-at")
        for pk, at in rows.values_list("pk", "at")[HOT:]:
            day = at.astimezone(IST).date()
            if day < today and (folder() / f"metrics_{day}.json.gz").exists():
                gone.append(pk)
    for start in range(0, len(gone), CHUNK):
        Rollup.objects.filter(pk__in=gone[start : start + CHUNK]).delete()
    return len(gone)
