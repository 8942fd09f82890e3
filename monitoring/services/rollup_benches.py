"""What monitoring costs: samples folded into rollups; what is written is taken back."""

from __future__ import annotations

import datetime as dt
import time
from typing import Any, Final

from django.db import transaction

from monitoring.models import Sample
from monitoring.services import rollups
from sensequant.lib.stats import one, total

NAME: Final = "ROLL"
SAMPLES = 5_000
METRICS = 20
ALLOWED: Final = {"sample": 1.0}  # milliseconds
AT = dt.datetime(2001, 1, 1, tzinfo=dt.UTC)


def measure() -> dict[str, Any]:
    """Return the milliseconds of a sample from row to rollup."""
    with transaction.atomic():
        Sample.objects.filter(rolled=False).update(rolled=True)  # only ours are folded; undone at the end
        Sample.objects.bulk_create(_samples(), batch_size=500)
        begun, count = time.perf_counter(), 0
        while done := rollups.roll():
            count += done
        took = (time.perf_counter() - begun) / max(1, count) * 1e3
        transaction.set_rollback(True)
    slow = [name for name, most in ALLOWED.items() if took >= most]
    return {"seconds": took / 1e3, "sample_ms": round(took, 5), "allowed_ms": dict(ALLOWED), "slow": slow}


def _samples() -> list[Sample]:
    numbers = total(one(value, AT.timestamp()) for value in (1.0, 2.0, 5.0)).columns()
    return [
        Sample(metric=f"bench_{number % METRICS}", at=AT + dt.timedelta(seconds=10 * (number // METRICS)), **numbers)
        for number in range(SAMPLES)
    ]
