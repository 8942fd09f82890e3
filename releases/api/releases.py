"""Releases over REST."""

from __future__ import annotations

from typing import Annotated, Any

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema
from pydantic import Field

from releases.models import Release
from releases.selectors import releases as found
from trading.api.fields import Moment
from trading.api.paging import Page, Paging, paged
from trading.selectors.rest import one

router = Router(tags=["releases"])
NAME = r"^release_[0-9]{8}_[0-9]{6}$"
ReleaseId = Annotated[str, Path(pattern=NAME, description="Its name.", example="release_20261126_103000")]
SHA = "SHA-256; empty: there is none yet."


class ReleaseRow(Schema):
    """One release."""

    release_id: str = Field(description="Its name.", examples=["release_20261126_103000"])
    seq: int = Field(description="Its number; grows with every release.", examples=[7])
    kind: str = Field(description="major, minor or hotfix.", examples=["minor"])
    state: str = Field(description="Where it stands.", examples=["signing"])
    author: str = Field(description="Who made it; may not sign it.", examples=["tara"])
    summary: str = Field(description="What changes.", examples=["wider stops on banks"])
    audit_id: str | None = Field(description="The audit it is judged by.", examples=["audit_20261126_101500"])
    content_sha256: str = Field(description="SHA-256 of what it consists of.")
    manifest_sha256: str = Field(description=SHA)
    envelope_sha256: str = Field(description=SHA)
    created_at: Moment = Field(description="When it was made.")

    @staticmethod
    def resolve_author(row: Release) -> str:
        """Return the author's name."""
        return row.author.get_username()

    @staticmethod
    def resolve_audit_id(row: Release) -> str | None:
        """Return the audit's name."""
        return row.audit.audit_id if row.audit else None


@router.get("", response=Page[ReleaseRow], summary="List releases")
def listing(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return releases, the newest first."""
    return paged(request, found.releases(), paging, ["seq"])


@router.get("/{release_id}", response=ReleaseRow, summary="One release")
def detail(request: HttpRequest, release_id: ReleaseId) -> Release:
    """Return a release."""
    return one(found.releases(), "release", "/api/v1/releases", release_id=release_id)
