"""Numbers a process of the desk took down, ten seconds a row, until monitoring has fetched them."""

from __future__ import annotations

from typing import ClassVar

from sensequant.lib.numbers import Numbers


class Measure(Numbers):
    """One metric over ten seconds in one process."""

    class Meta:
        ordering: ClassVar[list[str]] = ["id"]

    def __str__(self) -> str:
        """Return the metric and its moment."""
        return f"{self.metric} {self.at:%Y-%m-%d %H:%M:%S} UTC"
