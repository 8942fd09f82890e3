"""Releases over REST."""

from __future__ import annotations

from typing import Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Query, Schema, Status
from pydantic import ConfigDict, Field

from releases.api.deploying import NO_NUL, PERSON, ReleaseId, Text, router
from releases.models import Release
from releases.selectors import releases as found
from releases.services import candidates, lifecycle, signing, writing
from releases.services.collecting import Wanted
from releases.services.signing import Proof, Word
from sensequant.lib.clock import now
from trading.api.auth import TRADE
from trading.api.fields import Id, Moment
from trading.api.paging import Page, Paging, paged
from trading.selectors.rest import one

AUDIT = r"^[A-Za-z0-9][A-Za-z0-9_\-]{0,31}$"
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


class ListedRow(ReleaseRow):
    """One release, of a list."""

    @staticmethod
    def resolve_author(row: Release) -> str:
        """Return the author's name."""
        return row.author.get_username()

    @staticmethod
    def resolve_audit_id(row: Release) -> str | None:
        """Return the audit's name."""
        return row.audit.audit_id if row.audit else None


class SignOffOut(Schema):
    """One signature."""

    role: str = Field(description="In which role.", examples=["Risk Manager"])
    name: str = Field(description="Whose.", examples=["risa"])
    decision: str = Field(description="approve or reject.", examples=["approve"])
    note: str = Field(description="What they looked at.")
    at: Moment = Field(description="When.")
    counts: bool = Field(description="False: void, for something changed since, or it is older than 72 hours.")


class ReleaseOut(ReleaseRow):
    """One release, whole."""

    content: dict[str, Any] = Field(description="What it consists of, as in its manifest.")
    seen: str = Field(description="Digest of content, audit and flags: send it back when signing; empty: no audit.")
    missing: list[str] = Field(description="What it lacks to be deployed; empty: nothing.")
    sign_offs: list[SignOffOut] = Field(description="Every signature, void ones too.")


class CandidateIn(Schema):
    """What is to be released."""

    model_config = ConfigDict(extra="forbid")

    summary: Text = Field(description="What changes.", examples=["wider stops on banks"])
    kind: Literal["major", "minor", "hotfix"] = Field("minor", description="major, minor or hotfix.")
    student: str = Field("", max_length=300, pattern=NO_NUL, description="Version or folder, none; empty: in place.")
    dirty: str = Field("", max_length=300, pattern=NO_NUL, description="Why, though files differ from the commit.")
    configs: list[Id] = Field([], max_length=20, description="Strategy versions that replace the active ones.")


class JudgeIn(Schema):
    """By which audit."""

    model_config = ConfigDict(extra="forbid")

    audit_id: str = Field(pattern=AUDIT, description="Its name.", examples=["audit_20261126_101500"])


class SignIn(Schema):
    """One person's word, and what shows that it is them."""

    model_config = ConfigDict(extra="forbid")

    role: Literal["Engineering Lead", "Risk Manager", "Business Owner"] = Field(description="Role.")
    decision: Literal["approve", "reject"] = Field(description="approve or reject.", examples=["approve"])
    note: Text = Field(description="What you looked at.", examples=["measures and flags"])
    seen: str = Field(pattern="^[0-9a-f]{64}$", description="`seen` as it was read.", examples=["9f31c2" + "0" * 58])
    password: str = Field(min_length=1, max_length=500, pattern=NO_NUL, description="Your password.")
    code: str = Field("", max_length=20, pattern=NO_NUL, description="Code of your second factor, if you have one.")


@router.get("", response=Page[ListedRow], summary="List releases")
def listing(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return releases, the newest first."""
    return paged(request, found.releases(), paging, ["seq"])


@router.post("", response={201: ListedRow}, auth=TRADE, summary="Make a candidate")
def make(request: HttpRequest, body: CandidateIn, response: HttpResponse) -> Status[Release]:
    """Fix and copy what is to be released; its author cannot sign it."""
    wanted = Wanted(body.kind, body.summary, body.student, tuple(body.configs), body.dirty)
    row = candidates.make(wanted, request.user, at=now())
    response["Location"] = f"{request.path}/{row.release_id}"
    return Status(201, row)


@router.get("/{release_id}", response=ReleaseOut, summary="One release")
def detail(request: HttpRequest, release_id: ReleaseId) -> dict[str, Any]:
    """Return a release with its content, its signatures, and what it lacks."""
    return _described(release_id)


@router.post("/{release_id}/judge", response=ReleaseOut, auth=TRADE, summary="Put a release under an audit")
def judge(request: HttpRequest, release_id: ReleaseId, body: JudgeIn) -> dict[str, Any]:
    """Judge it by an audit that is done; signatures given before are void then."""
    candidates.judge(release_id, body.audit_id, by=request.user.get_username(), at=now())
    return _described(release_id)


@router.post("/{release_id}/sign", response={201: ReleaseOut}, auth=PERSON, summary="Sign a release")
def sign(request: HttpRequest, release_id: ReleaseId, body: SignIn) -> Status[dict[str, Any]]:
    """Approve or reject, in a role the person holds, with their password; bound to what was read."""
    word, proof = Word(body.role, body.decision, body.note, body.seen), Proof(body.password, body.code)
    signing.sign(release_id, request.user, word, proof, at=now())
    return Status(201, _described(release_id))


@router.post("/{release_id}/manifest", response=ReleaseOut, auth=TRADE, summary="Write the manifest")
def write(request: HttpRequest, release_id: ReleaseId) -> dict[str, Any]:
    """Write and sign the manifest of an approved release; its backups are restored and compared first."""
    writing.write(lifecycle.find(release_id), by=request.user.get_username(), at=now())
    return _described(release_id)


def _described(release_id: str) -> dict[str, Any]:
    at = now()
    row = one(found.releases(), "release", "/api/v1/releases", release_id=release_id)
    good = {each.pk for each in signing.valid(row, at=at)}
    signatures = [
        {
            **{name: getattr(each, name) for name in ("role", "name", "decision", "note", "at")},
            "counts": each.pk in good,
        }
        for each in row.sign_offs.all()
    ]
    return {
        **{name: getattr(row, name) for name in ReleaseRow.model_fields if name not in ("author", "audit_id")},
        "author": row.author.get_username(), "audit_id": row.audit.audit_id if row.audit else None,
        "content": row.content, "seen": signing.read_digest(row), "missing": signing.missing(row, at=at),
        "sign_offs": signatures,
    }  # fmt: skip


__all__ = ["router"]
