"""Which bars the desk read last, by their digests."""

from __future__ import annotations

from trading.models import BarSeries


def digests() -> list[tuple[str, str, str, str]]:
    """Return source, symbol, interval and SHA-256 of every series of bars as last read, sorted."""
    found = BarSeries.objects.values_list("source", "symbol", "interval", "digest")
    return sorted((source, symbol, interval, digest) for source, symbol, interval, digest in found)
