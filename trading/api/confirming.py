"""What starts or raises something asks again who the caller is; what stops never does."""

from __future__ import annotations

from django.http import HttpRequest
from ninja import Schema
from pydantic import ConfigDict, Field

from sensequant.lib import identity


class Confirmed(Schema):
    """Who the caller is, once more."""

    model_config = ConfigDict(extra="forbid")

    password: str = Field(default="", max_length=200, description="Password of the caller.", examples=["…"])
    code: str = Field(
        default="", max_length=40, description="Code of the caller's second factor, where one is set up.", examples=[""]
    )


def confirm(request: HttpRequest, body: Confirmed) -> None:
    """Raise NotAllowed unless the caller is who the session or the token says."""
    identity.confirm(request.user, body.password, body.code)
