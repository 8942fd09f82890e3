"""Deployments, rollbacks and the watch over REST."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from releases.models import WatchCheck
from releases.selectors import operations as found
from releases.selectors import releases as listed
from releases.services import deploying, people, rolling_back, status, watching
from releases.services.deploying import Override, Who
from sensequant.lib.clock import now
from trading.api.auth import Session
from trading.api.fields import Id, Moment
from trading.api.paging import Page, Paging, paged
from trading.core.rights import Right
from trading.selectors.rest import one

router = Router(tags=["releases"])
PERSON = [Session(Right.READ)]
"""What a person does with their password: a token cannot. Which role they hold, the service asks."""
NO_NUL = r"^[^\x00]*$"
NAME = r"^release_[0-9]{8}_[0-9]{6}$"
ReleaseId = Annotated[str, Path(pattern=NAME, description="Its name.", example="release_20261126_103000")]
Number = Annotated[Id, Path(description="Number of the operation.", example=12)]
Text = Annotated[str, Field(min_length=1, max_length=300, pattern=NO_NUL)]
Password = Annotated[str, Field(min_length=1, max_length=500, pattern=NO_NUL)]
Code = Annotated[str, Field(max_length=20, pattern=NO_NUL)]


class StepOut(Schema):
    """One step that was taken."""

    step: str = Field(description="Which.", examples=["switch"])
    at: Moment = Field(description="When.")
    told: dict[str, Any] = Field(description="What it found.", examples=[{"epoch": 8}])


class OperationOut(Schema):
    """One deployment or rollback."""

    id: int = Field(description="Its number.", examples=[12])
    kind: str = Field(description="deploy or rollback.", examples=["deploy"])
    release_id: str = Field(description="What is in force by it.", examples=["release_20261126_103000"])
    away_from: str | None = Field(description="What was in force before.", examples=["release_20261105_180000"])
    state: str = Field(description="running, done or failed.", examples=["done"])
    by: str = Field(description="Who.", examples=["esha"])
    reason: str = Field(description="Why, of a rollback.", examples=[""])
    override: dict[str, Any] = Field(description="By whom what was overridden, and why.", examples=[{}])
    steps: list[StepOut] = Field(description="Every step that was taken.")
    review_by: Moment | None = Field(description="Until when somebody else reviews it.")
    reviewed_by: str = Field(description="Who reviewed it; empty: nobody.", examples=[""])
    reviewed_at: Moment | None = Field(description="When.")
    review: str = Field(description="What they found.", examples=[""])
    watched_until: Moment | None = Field(description="The watch's earliest end.")


class StatusOut(Schema):
    """How releases stand."""

    active: dict[str, Any] | None = Field(
        description="The release in force; null: none.", examples=[{"release_id": "release_20261126_103000"}]
    )
    differences: list[str] = Field(description="What here is not what was released; empty: nothing.", examples=[[]])
    watch: dict[str, Any] | None = Field(
        description="The watch; null: nothing is watched.", examples=[{"state": "watching", "hours_left": 31.5}]
    )
    under_way: dict[str, Any] | None = Field(description="The operation under way.", examples=[None])
    left: list[str] = Field(description="Its steps that are left.", examples=[[]])
    held: list[str] = Field(description="Why entries are stopped.", examples=[[]])
    reviews: list[int] = Field(description="Emergency rollbacks that wait for a review.", examples=[[]])


class WatchCheckOut(Schema):
    """One check of a watch."""

    id: int = Field(description="Its number.", examples=[40])
    at: Moment = Field(description="When.")
    word: str = Field(description="success, failure, inconclusive or idle.", examples=["success"])
    action: Literal["none", "hold", "reduce", "rollback"] = Field(description="What followed.", examples=["none"])
    told: str = Field(description="What did not succeed.", examples=[""])
    verdicts: list[dict[str, Any]] = Field(
        description="A verdict a measure.", examples=[[{"name": "integrity", "word": "success", "failures": 0}]]
    )


class OverrideIn(Schema):
    """A Risk Manager's word that it cannot wait for a flat desk or the close."""

    model_config = ConfigDict(extra="forbid")

    by: str = Field(min_length=1, max_length=150, pattern=NO_NUL, description="Their user name.", examples=["rafi"])
    password: Password = Field(description="Their password.")
    code: Code = Field("", description="Code of their second factor, if they have one.")
    reason: Text = Field(description="Why it cannot wait.", examples=["the session must not wait"])


class DeployIn(Schema):
    """Who confirms it, and what is overridden."""

    model_config = ConfigDict(extra="forbid")

    typed: Text = Field(description="The release's name, once more.", examples=["release_20261126_103000"])
    password: Password = Field(description="Your password.")
    code: Code = Field("", description="Code of your second factor, if you have one.")
    override: OverrideIn | None = Field(None, description="Only while something is held or a session is open.")


class RollbackIn(Schema):
    """Who confirms it, and why."""

    model_config = ConfigDict(extra="forbid")

    reason: Text = Field(description="Why; it is kept and told.", examples=["the hit ratio fell since Monday"])
    password: Password = Field(description="Your password.")
    code: Code = Field("", description="Code of your second factor, if you have one.")
    to: str = Field("", pattern=rf"{NAME}|^$", description="Where to; empty: the release before.")


class WordsIn(Schema):
    """A person's words, and what shows that it is them."""

    model_config = ConfigDict(extra="forbid")

    words: Text = Field(description="Why, or what was found.", examples=["read the log of the day; it was right"])
    password: Password = Field(description="Your password.")
    code: Code = Field("", description="Code of your second factor, if you have one.")


@router.get("/status", response=StatusOut, summary="How releases stand")
def standing(request: HttpRequest) -> dict[str, Any]:
    """Return the release in force, what differs from it here, its watch, and what is under way."""
    return status.told(at=now())


@router.get("/{release_id}/checks", response=Page[WatchCheckOut], summary="Checks of a release's watches")
def checks(request: HttpRequest, release_id: ReleaseId, paging: Query[Paging]) -> dict[str, Any]:
    """Return every check that was made of a release, the newest first."""
    row = one(listed.releases(), "release", "/api/v1/releases", release_id=release_id)
    return paged(request, WatchCheck.objects.filter(watch__release=row), paging, ["id"])


@router.post("/{release_id}/deploy", response={201: OperationOut}, auth=PERSON, summary="Deploy a release")
def deploy(request: HttpRequest, release_id: ReleaseId, body: DeployIn) -> Status[dict[str, Any]]:
    """Put a signed release in force and watch it; an Engineering Lead does, with their password."""
    who, override = Who(request.user, body.password, body.code), None
    if body.override is not None:
        other = Who(people.named(body.override.by), body.override.password, body.override.code)
        override = Override(other, body.override.reason)
    return Status(201, found.told(deploying.deploy(release_id, body.typed, who, at=now(), override=override)))


@router.post("/{release_id}/rollback", response={201: OperationOut}, auth=PERSON, summary="Leave a release")
def roll_back(request: HttpRequest, release_id: ReleaseId, body: RollbackIn) -> Status[dict[str, Any]]:
    """Go back from the release in force, which the address names, to the one before, or to another that was."""
    who = Who(request.user, body.password, body.code)
    return Status(201, found.told(rolling_back.back(release_id, body.reason, who, at=now(), to=body.to)))


@router.post("/{release_id}/conclude", response=StatusOut, auth=PERSON, summary="End a watch that cannot tell")
def conclude(request: HttpRequest, release_id: ReleaseId, body: WordsIn) -> dict[str, Any]:
    """End the watch of the release in force, held open by what cannot be told; a Risk Manager who did not deploy it."""
    Who(request.user, body.password, body.code).confirm()
    watching.conclude(request.user, body.words, at=now(), of=release_id)
    return status.told(at=now())


@router.post("/operations/{number}/review", response=OperationOut, auth=PERSON, summary="Review an emergency rollback")
def review(request: HttpRequest, number: Number, body: WordsIn) -> dict[str, Any]:
    """Keep another person's review of a rollback that one person made alone; within 24 hours."""
    Who(request.user, body.password, body.code).confirm()
    return found.told(rolling_back.review(number, request.user, body.words, at=now()))
