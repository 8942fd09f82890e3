"""How the stream bears a busy market: python -m tests.trading.breeze.stream_bench --seconds 600 --symbols 50

Runs a simulator of its own, follows it through the real SDK, and says how many bars were lost and how long a quote took
from its arrival to its place in a bar.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

OPENED = 90  # seconds of the market before its open at which the simulator begins


def measure(seconds, count, per_second):
    """Return what came of following ``count`` shares for so many seconds."""
    from tests.simulators import bar_folder, simulator

    symbols = [f"SHARE{number:02d}" for number in range(count)]
    with tempfile.TemporaryDirectory() as folder:
        bar_folder(folder, {symbol: 200.0 + 37.0 * k for k, symbol in enumerate(symbols)})
        told = ("--date", "2026-11-23", "--at", "09:15", "--ticks-per-second", per_second)
        with simulator(*told, "--calls-per-minute", "9999", csv=folder) as venue:
            return _followed(venue, symbols, seconds)


def _followed(venue, symbols, seconds):
    from tests.trading.breeze.followed import Followed
    from trading.adapters.breeze.probe import clock_of

    # Read once: a real market's clock is this machine's, and asking the simulator for its own takes its while.
    followed = Followed(venue, symbols, clock=clock_of(venue.url).now)
    followed.tape.latency = exact = Exact()
    begun, delays, cpu = time.monotonic(), [], time.process_time()
    try:
        for ts, rows in followed.moments:
            followed.found[ts] = {lane: tuple(bar[:5]) for lane, bar in rows}
            delays.append(followed.clock().timestamp() - ts - 60.0)
            if time.monotonic() - begun >= seconds:
                break
        found = _result(followed, time.process_time() - cpu, time.monotonic() - begun)
        return {**found, "tick_to_bar_ms": exact.told(), "bar_after_its_end_s": spread(delays)}
    finally:
        followed.close()


class Exact:
    """Every time, in milliseconds."""

    def __init__(self):
        self.times = []

    def add(self, nanoseconds):
        self.times.append(nanoseconds / 1e6)

    def told(self):
        return {"count": len(self.times), **spread(self.times)}


def spread(times):
    """Return quantiles."""
    row = sorted(times)
    shares = {"min": 0.0, "p50": 0.5, "p99": 0.99, "p999": 0.999, "max": 1.0}
    return {name: round(row[min(int(share * len(row)), len(row) - 1)], 3) for name, share in shares.items()}


def _result(followed, cpu, lasted):
    from trading.models.fetching import StreamBar

    lost = wrong = 0
    for lane in range(len(followed.symbols)):
        recorded = followed.recorded(lane)
        given = {ts: rows[lane] for ts, rows in followed.found.items() if lane in rows}
        lost += len(recorded.keys() - given.keys())
        wrong += sum(given[ts] != recorded[ts] for ts in given)
    live, rows = followed.tape.live, StreamBar.objects.all()
    origins = {name: rows.filter(origin=name).count() for name in ("ticks", "partial", "history")}
    status = Path("/proc/self/status").read_text()
    return {
        "seconds": round(lasted, 1), "bars": rows.count(), "lost": lost, "wrong": wrong, "origins": origins,
        "late": sum(rows.values_list("late", flat=True)), "cpu_share": round(cpu / lasted, 3),
        "rss_mb": int(status.split("VmRSS:")[1].split()[0]) // 1024,
        "peak_mb": int(status.split("VmHWM:")[1].split()[0]) // 1024,
        "verdicts": {str(name): number for name, number in live.verdicts.items()},
        "outages": len(followed.stream.outages), "overflowed": followed.stream.overflowed,
    }  # fmt: skip


def main():
    """Measure and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--symbols", type=int, default=50)
    parser.add_argument("--per-second", type=float, default=10.0)
    asked = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    json.dump(measure(asked.seconds, asked.symbols, asked.per_second), sys.stdout, indent=1)


if __name__ == "__main__":
    main()
