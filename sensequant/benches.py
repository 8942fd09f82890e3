"""What pages, the REST API and spreading work over processes cost, on the database the desk runs on."""

from __future__ import annotations

import gzip
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import numpy as np
from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.test import Client

from sensequant import fleet_bench
from sensequant.lib.errors import Failed

ROUNDS = 25
ADDRESSES: Final = {
    "live": "/", "orders": "/orders/", "alerts": "/alerts", "telemetry": "/telemetry", "api_orders": "/api/v1/orders",
    "api_health": "/api/v1/health",
}  # fmt: skip
ALLOWED: Final = {"telemetry": 300.0, "orders": 50.0, "api_orders": 50.0}  # milliseconds at the 95th percentile
SCRIPTS_KB: Final = 200.0  # of every page's scripts together, compressed
LIBRARY: Final = re.compile(r"vendor/[\w.-]+\.js")
OPTIMIZE = (
    "optimize --data-source demo --symbols DEMOBANK DEMOOIL --strategy intraday --interval 5minute "
    "--start-date 2026-06-01 --end-date 2026-10-30 --search random --max-configs 60 --json"
)
TRIALS: Final = (
    100  # of the fleet: enough to tell a change, though what is begun and ended for it weighs more than in 400
)
KEPT = Path(__file__).resolve().parent.parent / "config" / "bench.json"
Figures = dict[str, Any]


def pages() -> Figures:
    """Return the 95th percentile of server time of the busiest pages, milliseconds; the user it needs is taken back."""
    told: Figures = {}
    with transaction.atomic():
        user = get_user_model().objects.create_superuser("bench", password=None)
        client = Client()
        client.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
        for name, address in ADDRESSES.items():
            told[f"{name}_ms"] = round(_p95(client, address), 3)
        transaction.set_rollback(True)
    slow = [name for name, most in ALLOWED.items() if told[f"{name}_ms"] >= most]
    told["scripts_kb"] = round(scripts() / 1e3, 1)
    slow += ["scripts"] if told["scripts_kb"] >= SCRIPTS_KB else []
    return {"seconds": told["live_ms"] / 1e3, **told, "allowed_ms": dict(ALLOWED), "slow": slow}


def scripts() -> int:
    """Return the bytes of every script the pages load, compressed: ours, and the libraries the templates name."""
    base = Path(settings.BASE_DIR)
    named = {name for page in (base / "templates").rglob("*.html") for name in LIBRARY.findall(page.read_text("utf-8"))}
    found = [*(base / "static/js").rglob("*.js"), *(base / "static" / name for name in named)]
    missing = [each.name for each in found if not each.exists()]
    if missing:
        raise Failed(f"{', '.join(missing)} is not there", fix="run npm run vendor")
    return sum(len(gzip.compress(each.read_bytes())) for each in found)


def _p95(client: Client, address: str) -> float:
    took = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        answer = client.get(address, headers={"host": "localhost"}, secure=settings.DESK.behind_https)
        took.append((time.perf_counter() - begun) * 1e3)
        if answer.status_code != 200:
            raise Failed(f"{address} answers {answer.status_code}", fix="is the database migrated?")
    return float(np.percentile(took, 95))


def fan_out() -> Figures:
    """Return how long one process and two take for the same sixty configurations, in a folder of their own."""
    one, two = _optimize(1), _optimize(2)
    return {
        "seconds": two, "one_ms": round(one * 1e3), "two_ms": round(two * 1e3), "efficiency": round(one / two / 2.0, 3),
        "allowed_ms": {}, "slow": [],
    }  # fmt: skip


def _optimize(workers: int) -> float:
    with tempfile.TemporaryDirectory() as home:
        words = [sys.executable, "manage.py", *OPTIMIZE.split(), "--workers", str(workers)]
        own = {"SENSEQUANT_HOME": home, "ENV_FILE": os.devnull, "PATH": os.environ.get("PATH", "")}
        own |= {name: os.environ[name] for name in ("OPENBLAS_CORETYPE",) if name in os.environ}
        begun = time.perf_counter()
        done = subprocess.run(words, cwd=settings.BASE_DIR, env=own, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Failed(f"optimize failed: {(done.stderr.strip().splitlines() or ['no word why'])[-1]}")
        return time.perf_counter() - begun


def fleet() -> Figures:
    """Return how long one Celery worker and two take for the same configurations; Failed when their results differ."""
    told = fleet_bench.summary(fleet_bench.measure(fleet_bench.Job(TRIALS)))
    if not told["identical"]:
        raise Failed(
            "two Celery workers found something else than one", fix="manage.py bench_fleet shows their digests"
        )
    one, two = (play["seconds"] for play in told["plays"])
    return {
        "seconds": two, "one_ms": round(one * 1e3), "two_ms": round(two * 1e3),
        "efficiency": round(told["speedup"] / 2.0, 3), "configurations_a_second": round(TRIALS / two, 1),
        "allowed_ms": {}, "slow": [],
    }  # fmt: skip


PAGE = SimpleNamespace(NAME="PAGE", measure=pages)
FAN = SimpleNamespace(NAME="FAN", measure=fan_out)
FLEET = SimpleNamespace(NAME="FLEET", measure=fleet)


def machine() -> str:
    """Return what figures can be compared on: processor, how many, and Python."""
    model = platform.processor() or platform.machine()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        model = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{model}, {os.cpu_count()} processors, Python {platform.python_version()}"


def compared(figures: dict[str, Figures], read: Callable[[], str] | None = None) -> dict[str, dict[str, float]]:
    """Return each time as a ratio to the one kept of this machine (above 1 is slower); empty where none is kept."""
    try:
        kept: dict[str, dict[str, Figures]] = json.loads((read or KEPT.read_text)())
    except (OSError, ValueError):
        return {}
    before = kept.get(machine(), {})
    found = {}
    for name, told in figures.items():
        old = before.get(name, {})
        ratios = {key: round(value / old[key], 2) for key, value in _times(told).items() if old.get(key)}
        if ratios:
            found[name] = ratios
    return found


def keep(figures: dict[str, Figures], path: Path | None = None) -> None:
    """Write the times of this machine beside those of others."""
    path = path or KEPT
    kept = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    kept[machine()] = {**kept.get(machine(), {}), **{name: _times(told) for name, told in figures.items()}}
    path.write_text(json.dumps(kept, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def _times(told: Figures) -> dict[str, float]:
    return {
        key: value for key, value in told.items()
        if (key.startswith("seconds") or key.endswith("_ms")) and isinstance(value, int | float)
    }  # fmt: skip
