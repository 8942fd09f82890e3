"""One form for every table of a page: its columns, its rows, and what stands there when it has none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from trading.views.columns import Column


@dataclass(frozen=True, slots=True)
class Grid:
    """One table; ``name`` is part of its elements' ids, ``note`` stands beside its heading."""

    name: str
    title: str
    columns: Sequence[Column]
    rows: Sequence[Any]
    empty: str
    note: str = ""
