"""The ledger over REST: what was done, entry by entry, and whether every entry is as it was written."""

from __future__ import annotations

import json
from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from releases.models import LedgerCheck, LedgerEntry
from releases.selectors import ledger as found
from releases.selectors.ledger import Asked
from releases.services import ledger_checks
from sensequant.lib.clock import now
from trading.api.auth import TRADE
from trading.api.fields import Id, Moment
from trading.api.paging import DaysFilter, Page, Paging, paged
from trading.selectors.rest import one

router = Router(tags=["ledger"])
Seq = Annotated[Id, Path(description="Number of the entry.", example=412)]
Word = Annotated[str, Field(default="", max_length=120, pattern=r"^[^\x00]*$", description="How it begins.")]


class EntryRow(Schema):
    """One thing that was done."""

    seq: int = Field(description="Counts the entries from 1.", examples=[412])
    at: Moment = Field(description="When it was done.")
    recorded_at: Moment = Field(description="When the ledger took it in.")
    actor: str = Field(description="Who did it; empty where nobody is known.", examples=["asha"])
    ip: str = Field(description="From where, as far as the door knew.", examples=["10.0.0.7"])
    session: str = Field(description="SHA-256 of the session's key.")
    request_id: str = Field(description="Number of the request.")
    action: str = Field(description="What was done.", examples=["kill engaged"])
    object: str = Field(description="To what.", examples=["halt 3"])
    reason: str = Field(description="Why.", examples=["prices look wrong"])
    kind: str = Field(description="Kind of the row that says the same.", examples=["halt"])
    source: int = Field(description="Number of that row.", examples=[3])
    before_sha: str = Field(description="SHA-256 of the content before about this object; empty: there was none.")
    after_sha: str = Field(description="SHA-256 of the content.")
    previous: str = Field(description="Digest of the entry before; empty for the first.")
    digest: str = Field(description="SHA-256 of this entry and the one before.")


class EntryDetail(EntryRow):
    """One entry with everything its source said."""

    content: dict[str, Any] = Field(description="What the source said.")

    @staticmethod
    def resolve_content(row: LedgerEntry) -> dict[str, Any]:
        """Return the content as an object."""
        told: dict[str, Any] = json.loads(row.content)
        return told


class EntriesFilter(DaysFilter):
    """What the list can be narrowed to."""

    actor: Word
    action: Word
    object: Word


class LedgerBreak(Schema):
    """One thing that is wrong."""

    seq: int = Field(description="The entry; 0: it is about none.", examples=[412])
    what: str = Field(
        description="edited, deleted, inserted, reordered, truncated, rewritten, source, archive, head or guard.",
        examples=["edited"],
    )
    why: str = Field(description="In words.")
    trail: str = Field(description="ledger, or the trail `of alerts`.", examples=["ledger"])


def _count(row: LedgerCheck, name: str) -> int | None:
    found: int | None = row.result.get(name)
    return found


class LedgerCheckOut(Schema):
    """One reading of the whole ledger."""

    id: int = Field(description="Number of the reading.", examples=[7])
    by: str = Field(description="Who asked for it.", examples=["asha"])
    asked_at: Moment = Field(description="When.")
    done_at: Moment | None = Field(description="When it was done; null while it waits.")
    seconds: float | None = Field(description="How long it took.", examples=[1.5])
    sound: bool | None = Field(description="Whether every entry is as it was written; null while it waits.")
    entries: int | None = Field(description="Entries read.", examples=[412])
    broken: int | None = Field(description="Things that are wrong.", examples=[0])
    breaks: list[LedgerBreak] = Field(description="The first two hundred of them.")

    @staticmethod
    def resolve_entries(row: LedgerCheck) -> int | None:
        """Return how many entries were read."""
        return _count(row, "entries")

    @staticmethod
    def resolve_broken(row: LedgerCheck) -> int | None:
        """Return how many things are wrong."""
        return _count(row, "broken")

    @staticmethod
    def resolve_breaks(row: LedgerCheck) -> list[dict[str, Any]]:
        """Return what is wrong."""
        return list(row.result.get("breaks", ()))


@router.get("", response=Page[EntryRow], summary="List what was done")
def listing(request: HttpRequest, filters: Query[EntriesFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return entries, the newest first."""
    asked = Asked(filters.actor, filters.action, filters.object, filters.start, filters.end)
    return paged(request, found.entries(asked), paging, ["seq"])


@router.get("/checks", response=Page[LedgerCheckOut], summary="List readings of the whole ledger")
def checks(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return readings, the newest first; the desk's own newest among them."""
    return paged(request, found.checks(), paging, ["id"])


@router.post("/verify", response=LedgerCheckOut, auth=TRADE, summary="Read the whole ledger")
def verify(request: HttpRequest) -> LedgerCheck:
    """Read every entry now; a long ledger is read by the process that keeps it, see `/checks`."""
    return ledger_checks.ask(by=request.user.get_username(), at=now())


@router.get("/{seq}", response=EntryDetail, summary="One entry")
def detail(request: HttpRequest, seq: Seq) -> LedgerEntry:
    """Return an entry."""
    return one(LedgerEntry.objects.all(), "entry", "/api/v1/ledger", seq=seq)
