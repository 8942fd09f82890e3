"""Samples in, rollups out: fetched from the desk's processes, folded once each, late ones into their own span."""

from __future__ import annotations

import datetime as dt
import gzip
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction

from monitoring.models import Rollup, Sample
from sensequant.lib import paths
from sensequant.lib.stats import Stats, floor, one
from trading.services import measuring

HOT = 288  # rollups kept for each metric once their day is archived
BATCH = 10_000  # samples folded in one go
CHUNK = 500  # numbers in one statement
FOLDER = "data/monitoring"


def pull() -> int:
    """Move what the desk's processes took down into samples; return how many those are."""
    with transaction.atomic():
        rows = measuring.take()
        samples = [Sample(metric=each.metric, at=each.at, **each.stats.columns()) for each in rows]
        Sample.objects.bulk_create(samples, batch_size=1_000)
    return len(rows)


def observe(values: Mapping[str, float], *, at: dt.datetime) -> None:
    """Keep one value of each metric."""
    Sample.objects.bulk_create(
        [Sample(metric=name, at=at, **one(value, at.timestamp()).columns()) for name, value in values.items()]
    )


def roll(*, width: int | None = None, most: int = BATCH) -> int:
    """Fold samples that are not yet part of a rollup into theirs and return how many there were.

    Each sample counts once: it is marked in the transaction that changes the rollup. A late one changes the span it
    belongs to, however old that is.
    """
    span = width or settings.DESK.monitoring_aggregation_interval_seconds
    with transaction.atomic():
        samples = list(Sample.objects.filter(rolled=False).order_by("id")[:most])
        if samples:
            _fold(samples, span)
            for start in range(0, len(samples), CHUNK):
                ids = [each.pk for each in samples[start : start + CHUNK]]
                Sample.objects.filter(pk__in=ids).update(rolled=True)
    return len(samples)


def _fold(samples: Iterable[Sample], span: int) -> None:
    fresh: dict[tuple[str, int], Stats] = defaultdict(Stats)
    for each in samples:
        fresh[each.metric, floor(each.at.timestamp(), span)].add(each.stats)
    starts = [dt.datetime.fromtimestamp(start, dt.UTC) for _, start in fresh]
    known = {
        (row.metric, int(row.at.timestamp())): row
        for row in Rollup.objects.filter(
            width=span, metric__in={name for name, _ in fresh}, at__gte=min(starts), at__lte=max(starts)
        )
    }
    made, changed = [], []
    for (name, start), stats in fresh.items():
        row = known.get((name, start))
        if row is None:
            made.append(Rollup(metric=name, width=span, at=dt.datetime.fromtimestamp(start, dt.UTC), **stats.columns()))
            continue
        for column, value in row.stats.add(stats).columns().items():
            setattr(row, column, value)
        changed.append(row)
    Rollup.objects.bulk_create(made, batch_size=500)
    Rollup.objects.bulk_update(changed, ["low", "high", "total", "count", "last", "counts"], batch_size=200)


def cap(*, at: dt.datetime) -> int:
    """Put all but the newest samples of each metric away into a file and return how many those were.

    Only what is part of a rollup goes. The file ``metrics_<moment>.json`` becomes part of its day's archive.
    """
    most = settings.DESK.monitoring_max_raw_metrics
    gone: list[Sample] = []
    for name in Sample.objects.order_by().values_list("metric", flat=True).distinct():
        rows = Sample.objects.filter(metric=name, rolled=True)
        edge = rows.order_by("-at", "-id").values_list("at", flat=True)[most : most + 1]
        if edge:
            gone += rows.filter(at__lte=edge[0]).order_by("at")[:BATCH]
    if gone:
        _put_away(gone, at)
        for start in range(0, len(gone), CHUNK):
            Sample.objects.filter(pk__in=[each.pk for each in gone[start : start + CHUNK]]).delete()
    return len(gone)


def _put_away(samples: Iterable[Sample], at: dt.datetime) -> None:
    folder = paths.resolve(FOLDER)
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"metrics_{at:%Y%m%d_%H%M%S_%f}.json"
    fresh = file.with_suffix(".new")
    fresh.write_text(json.dumps({"samples": [as_json(each) for each in samples]}), encoding="utf-8")
    fresh.replace(file)


def as_json(row: Sample | Rollup) -> dict[str, Any]:
    """Return a row as archives and exports write it."""
    told = {
        "metric": row.metric, "at": row.at.astimezone(dt.UTC).isoformat(), "min": row.low, "max": row.high,
        "avg": row.avg, "count": row.count, "sum": row.total, "last": row.last, "counts": row.counts,
    }  # fmt: skip
    return {**told, "width": row.width} if isinstance(row, Rollup) else told


def read_json(file: Any) -> dict[str, Any]:
    """Return the content of a file written here, compressed or not."""
    opener = gzip.open if str(file).endswith(".gz") else open
    with opener(file, "rt", encoding="utf-8") as handle:
        found: dict[str, Any] = json.load(handle)
    return found
