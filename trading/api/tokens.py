"""Keys for scripts: list, make (a person only, never another key), revoke."""

from __future__ import annotations

from typing import Annotated, Any, Literal, cast

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from sensequant.lib import identity
from sensequant.lib.clock import now
from trading.api.auth import Session
from trading.api.fields import Moment
from trading.api.paging import Page, Paging, paged
from trading.core.rights import Right
from trading.models import ApiToken
from trading.selectors import tokens as found
from trading.services import tokens

router = Router(tags=["tokens"])
PERSON = [Session(Right.READ)]
"""Only a person makes a key: one key does not lead to the next."""
Prefix = Annotated[
    str, Path(pattern=r"^sq_[A-Za-z0-9_\-]{8}$", description="How the key begins.", example="sq_Ab3xY9Zk")
]
Words = Annotated[str, Field(max_length=80, pattern=r"^[^\x00]*$")]


class TokenOut(Schema):
    """One key; the key itself is not stored."""

    prefix: str = Field(description="How it begins.", examples=["sq_Ab3xY9Zk"])
    user: str = Field(description="Whose it is.", examples=["asha"])
    name: str = Field(description="What it is for.", examples=["notebook"])
    scope: str = Field(
        description="What it may do: read, kill (look and stop), trade or admin, never more than its owner.",
        examples=["read"],
    )
    state: str = Field(description="active, expired or revoked.", examples=["active"])
    networks: list[str] = Field(description="Where it may be used from; empty: anywhere.", examples=[["10.0.0.0/8"]])
    created_at: Moment = Field(description="When it was made.")
    expires_at: Moment = Field(description="Until when it is in force.")
    last_used_at: Moment | None = Field(description="When it was used last, to the minute; null: never.")
    revoked_at: Moment | None = Field(description="When it was ended; null: it was not.")


class MadeOut(TokenOut):
    """A key that was just made."""

    token: str = Field(
        description="The key. Keep it now: it is never shown again, and empty in a repeated answer.",
        examples=["sq_Ab3xY9Zk…"],
    )


class TokenIn(Schema):
    """A key to make."""

    model_config = ConfigDict(extra="forbid")

    name: Words = Field(default="", description="What it is for.", examples=["notebook"])
    scope: Literal["read", "kill", "trade", "admin"] = Field(
        default="read", description="What it may do.", examples=["read"]
    )
    days: int = Field(
        strict=True, default=30, ge=1, le=tokens.LONGEST_DAYS, description="How long it lives.", examples=[30]
    )
    networks: list[Annotated[str, Field(max_length=50)]] = Field(
        default=[], max_length=20, description="Addresses or networks it may be used from.", examples=[["10.0.0.0/8"]]
    )
    password: Words = Field(description="Your password again.", examples=["correct horse battery staple"])
    code: Words = Field(default="", description="Code of your second factor, if one is set up.", examples=["123456"])


@router.get("", response=Page[TokenOut], summary="List keys")
def listing(request: HttpRequest, paging: Query[Paging]) -> dict[str, Any]:
    """Return the caller's keys, the newest first; staff see everybody's."""
    shown = paged(request, found.visible_to(request.user), paging, ["id"])
    return {**shown, "items": [_described(row) for row in shown["items"]]}


@router.post("", response={201: MadeOut}, auth=PERSON, summary="Make a key")
def issue(request: HttpRequest, body: TokenIn, response: HttpResponse) -> Status[dict[str, Any]]:
    """Make a key for oneself and return it, this once: repeated with its `Idempotency-Key`, `token` is empty."""
    who = request.user.get_username()
    identity.confirm(request.user, body.password, body.code)
    row, key = tokens.issue(
        username=who, scope=body.scope, days=body.days, name=body.name, networks=body.networks, by=who, at=now()
    )
    response["Location"] = f"/api/v1/tokens/{row.prefix}"
    cast(Any, request).shown_once = ("token",)
    return Status(201, {**_described(row), "token": key})


@router.get("/{prefix}", response=TokenOut, summary="One key")
def detail(request: HttpRequest, prefix: Prefix) -> dict[str, Any]:
    """Return one key."""
    return _described(found.visible(request.user, prefix))


@router.post("/{prefix}/revoke", response=TokenOut, auth=PERSON, summary="Revoke a key")
def revoke(request: HttpRequest, prefix: Prefix) -> dict[str, Any]:
    """End a key at once and for good; doing it again changes nothing."""
    row = found.visible(request.user, prefix)
    return _described(tokens.revoke(row.prefix, by=request.user.get_username(), at=now()))


def _described(row: ApiToken) -> dict[str, Any]:
    names = ("prefix", "name", "scope", "networks", "created_at", "expires_at", "last_used_at", "revoked_at")
    told = {name: getattr(row, name) for name in names}
    return {**told, "user": row.user.get_username(), "state": tokens.state(row, now())}
