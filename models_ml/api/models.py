"""Students in place, candidates and their checklists, signatures, and what the evenings found."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from models_ml.models import Evening, Promotion, SignOff
from models_ml.selectors import models as found
from models_ml.services import promotions, signing
from sensequant.lib.clock import now
from trading.api.auth import ADMIN, KILL, TRADE, Session
from trading.api.confirming import Confirmed, confirm
from trading.api.fields import Id, Moment
from trading.api.paging import Page, Paging, paged
from trading.core.rights import Right
from trading.selectors import students as placed
from trading.selectors.rest import one
from trading.services import students

router = Router(tags=["models"])
PERSON = [Session(Right.READ)]
"""A signature is a person's: a token cannot give one. Which role a person holds, the service asks."""
Reason = Annotated[str, Field(min_length=1, max_length=300, pattern=r"^[^\x00]*$", description="Why, in a few words.")]
Number = Annotated[Id, Path(description="Number of the promotion.", example=3)]

PlaceNumber = Annotated[Id, Path(description="Number of the challenger's place.", example=4)]


class PlaceOut(Schema):
    """A student in its place, or one that was."""

    id: int = Field(description="Number of the row.", examples=[4])
    role: str = Field(description="champion: its word counts; challenger: it scores in shadow.", examples=["champion"])
    version: str = Field(description="Names the student by its content.", examples=["student-1f3a9c0b7d2e"])
    digest: str = Field(description="SHA-256 of its manifest.")
    evidence: str = Field(description="Digest of what was signed; empty for a challenger.")
    since: Moment = Field(description="From when on.")
    until: Moment | None = Field(description="Until when; null: now.")
    by: str = Field(description="Who put it there.", examples=["hari"])
    reason: str = Field(description="Why.")
    disabled_at: Moment | None = Field(description="When it was switched off; null: it is not.")
    disabled_reason: str = Field(description="Why it was switched off.")


class ModelsOut(Schema):
    """Who scores."""

    enabled: bool = Field(description="STUDENT_MODEL_ENABLED.", examples=[True])
    threshold: float = Field(description="Chance below which an entry is objected to.", examples=[0.6])
    champion: PlaceOut | None = Field(description="Whose word counts; null: the desk trades without a student.")
    challengers: list[PlaceOut] = Field(description="Who scores in shadow.")


class SignOffOut(Schema):
    """One signature."""

    role: str = Field(description="In which role.", examples=["ML Lead"])
    username: str = Field(description="Who.", examples=["mala"])
    decision: str = Field(description="approve or reject.", examples=["approve"])
    note: str = Field(description="What was looked at.")
    at: Moment = Field(description="When.")
    counts: bool = Field(description="Whether it counts now: same content, role still held, not older than 72 hours.")


class PromotionRow(Schema):
    """One candidate."""

    id: int = Field(description="Number of the promotion.", examples=[3])
    version: str = Field(description="The candidate.", examples=["student-1f3a9c0b7d2e"])
    baseline_version: str = Field(description="What it was compared with; empty: the strategy without a student.")
    recommendation: str = Field(description="PROMOTE or REJECT.", examples=["REJECT"])
    state: str = Field(description="review, rejected, refused or promoted.", examples=["rejected"])
    author: str = Field(description="Who trained it or asked; may not sign.", examples=["tara"])
    created_at: Moment = Field(description="When it was judged.")
    promoted_at: Moment | None = Field(description="When it took its place.")


class PromotionOut(PromotionRow):
    """One candidate with all there is to read before signing."""

    checklist: dict[str, Any] = Field(description="promotion_checklist.json.")
    evidence: str = Field(description="Digest a signature is bound to.")
    sign_offs: list[SignOffOut] = Field(description="Signatures so far.")
    missing: list[str] = Field(description="What keeps it from being promoted.")


class EveningOut(Schema):
    """One evening."""

    date: dt.date = Field(description="The session.", examples=["2026-11-20"])
    strategy: str = Field(description="Strategy.", examples=["intraday"])
    outcome: str = Field(description="proposed, unchanged, rolled-back, running or failed.", examples=["unchanged"])
    why: str = Field(description="Why.")
    changes: list[dict[str, Any]] = Field(description="What each rule found, with its evidence.")
    params_changed: dict[str, Any] = Field(description="What would change.")
    validation: dict[str, Any] = Field(description="The held-out week, before and changed.")
    proposal: int | None = Field(validation_alias="proposal_id", description="Strategy version that waits.")
    retraining: dict[str, Any] = Field(description="Whether one was due and what came of it.")
    students: list[dict[str, Any]] = Field(description="What was found of each student.")


class PromotionSignIn(Confirmed):
    """One person's word; approving needs the password again."""

    role: Literal["ML Lead", "Quant Lead", "Head of Trading"] = Field(description="Role.", examples=["ML Lead"])
    decision: Literal["approve", "reject"] = Field(description="approve or reject.", examples=["approve"])
    note: Reason
    evidence: str = Field(
        min_length=64, max_length=64, pattern="^[0-9a-f]+$", description="`evidence` as it was read.",
        examples=["9f31c2" + "0" * 58],
    )  # fmt: skip


class ReasonIn(Schema):
    """Why."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


@router.get("", response=ModelsOut, summary="Who scores")
def standing(request: HttpRequest) -> dict[str, Any]:
    """Return the students in place."""
    return found.standing()


@router.get("/promotions", response=Page[PromotionRow], summary="List promotions")
def listing(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return candidates, the newest first."""
    return paged(request, Promotion.objects.all(), paging, ["id"])


@router.get("/promotions/{number}", response=PromotionOut, summary="One promotion")
def detail(request: HttpRequest, number: Number) -> dict[str, Any]:
    """Return a candidate with its checklist, signatures, and what is missing."""
    return _described(one(Promotion.objects.all(), "promotion", "/api/v1/models/promotions", pk=number))


@router.post("/promotions/{number}/sign", response={201: SignOffOut}, auth=PERSON, summary="Sign a promotion")
def sign(request: HttpRequest, number: Number, body: PromotionSignIn) -> Status[dict[str, Any]]:
    """Approve or reject, in a role the person holds; bound to what was read."""
    promotions.find(number)
    if body.decision == "approve":
        confirm(request, body)
    row = signing.sign(
        number, body.role, request.user, decision=body.decision, note=body.note, seen=body.evidence, at=now()
    )
    return Status(201, _signed(row, counts=row.decision == "approve"))


@router.post("/promotions/{number}/promote", response=PromotionOut, auth=ADMIN, summary="Promote a signed candidate")
def promote(request: HttpRequest, number: Number, body: Confirmed) -> dict[str, Any]:
    """Archive what is in place and switch to the candidate."""
    confirm(request, body)
    return _described(promotions.promote(number, by=request.user.get_username(), at=now()))


@router.post("/rollback", response=ModelsOut, auth=TRADE, summary="Return to the champion before")
def rollback(request: HttpRequest, body: ReasonIn) -> dict[str, Any]:
    """Put the former champion back, verified."""
    promotions.rollback(body.reason, by=request.user.get_username(), at=now())
    return found.standing()


@router.post("/disable", response=ModelsOut, auth=KILL, summary="Trade without a student")
def disable(request: HttpRequest, body: ReasonIn) -> dict[str, Any]:
    """Switch the champion off."""
    students.disable(body.reason, by=request.user.get_username(), at=now())
    return found.standing()


@router.post("/enable", response=ModelsOut, auth=ADMIN, summary="Let the student score again")
def enable(request: HttpRequest, body: ReasonIn) -> dict[str, Any]:
    """Switch the champion on again."""
    students.enable(body.reason, by=request.user.get_username(), at=now())
    return found.standing()


@router.get("/places", response=Page[PlaceOut], summary="List places that were taken")
def places(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return every student that was ever put in place, the newest first."""
    return paged(request, placed.history(), paging, ["id"])


@router.get("/watched", response=list[dict[str, Any]], summary="What the last evening found of each student")
def watched(request: HttpRequest) -> list[dict[str, Any]]:
    """Return how each student's decisions have done, as the last finished evening found it."""
    return found.watched()


@router.post("/challengers/{number}/dismiss", response=ModelsOut, auth=ADMIN, summary="Dismiss a challenger")
def dismiss(request: HttpRequest, number: PlaceNumber, body: ReasonIn) -> dict[str, Any]:
    """Take a challenger out of its place; it scores no more."""
    students.dismiss_challenger(number, by=request.user.get_username(), reason=body.reason, at=now())
    return found.standing()


@router.get("/evenings", response=Page[EveningOut], summary="List evenings")
def evenings(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return what the evenings found, the newest first."""
    return paged(request, Evening.objects.all(), paging, ["date", "id"])


def _described(row: Promotion) -> dict[str, Any]:
    at = now()
    good = {each.pk for each in signing.valid(row, at=at)}
    return {
        **{name: getattr(row, name) for name in PromotionRow.model_fields},
        "checklist": row.checklist, "evidence": signing.evidence_of(row), "missing": signing.missing(row, at=at),
        "sign_offs": [_signed(each, counts=each.pk in good) for each in row.sign_offs.all()],
    }  # fmt: skip


def _signed(row: SignOff, *, counts: bool) -> dict[str, Any]:
    return {**{name: getattr(row, name) for name in ("role", "username", "decision", "note", "at")}, "counts": counts}
