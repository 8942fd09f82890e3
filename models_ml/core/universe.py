"""Whether the shares of a dataset are only those that survived, which makes every past look better than it was."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Final

LONG_YEARS: Final = 3.0
"""Over so many years 5 to 8 % of Indian shares disappear; a longer list without one was chosen with hindsight."""

SURVIVORS: Final = "survivor-only: no share of this list was delisted, which flatters every result over such a span"


def survivors_only(first: dt.date, last: dt.date, ended: Mapping[str, dt.date | None]) -> bool:
    """Say whether the span is long and no share of the list ended within it; ``ended`` is its last listed day."""
    years = (last - first).days / 365.25
    return years > LONG_YEARS and not any(day is not None and day < last for day in ended.values())


def banners(first: dt.date, last: dt.date, ended: Mapping[str, dt.date | None]) -> list[str]:
    """Return what every report on such a list must say."""
    return [SURVIVORS] if survivors_only(first, last, ended) else []
