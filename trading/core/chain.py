"""A chain of records: each carries the digest of the one before, so that none can be changed or left out unseen."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from typing import Any, NamedTuple


class Link(NamedTuple):
    """One record as it is digested; ``at`` is ISO 8601 in UTC."""

    chain: str
    number: int
    kind: str
    at: str
    symbol: str
    strategy: str
    order: int
    payload: str
    previous: str


class Break(NamedTuple):
    """Where a chain does not hold, and why."""

    chain: str
    number: int
    why: str


def digest(link: Link) -> str:
    """Return the SHA-256 of everything a link says, its predecessor's digest included."""
    return hashlib.sha256(json.dumps(link, ensure_ascii=False).encode()).hexdigest()


def canonical(payload: dict[str, Any]) -> str:
    """Return a payload as the one text that is digested; what is not finite must be None already."""
    return json.dumps(payload, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def check(links: Iterable[tuple[Link, str]], anchors: dict[int, str]) -> list[Break]:
    """Return where one chain breaks: links (with the digest each carries) in their order, from number 1.

    ``anchors`` are digests by number that were kept elsewhere; a chain rewritten as a whole differs from them.
    """
    found: list[Break] = []
    before, expected, chain = "", 1, ""
    for link, carried in links:
        chain = link.chain
        if link.number != expected:
            found.append(Break(chain, expected, f"record {expected} is missing"))
        elif link.previous != before:
            found.append(Break(chain, link.number, "it does not follow the record before it"))
        if digest(link) != carried:
            found.append(Break(chain, link.number, "it was changed after it was written"))
        if anchors.get(link.number, carried) != carried:
            found.append(Break(chain, link.number, "it is not the record that was anchored"))
        before, expected = carried, link.number + 1
    last = max(anchors, default=0)
    if last >= expected:
        found.append(Break(chain, expected, f"records up to {last} were anchored and are gone"))
    return found
