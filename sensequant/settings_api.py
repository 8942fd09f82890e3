"""Every setting over REST, as the page ``/settings`` shows them: secrets masked, for staff."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from sensequant import config
from sensequant.lib.env import Row, rows
from trading.api.auth import ADMIN

router = Router(tags=["settings"])


class SettingOut(Schema):
    """One setting."""

    name: str = Field(description="Its name in the environment.", examples=["MODE"])
    section: str = Field(description="Where it belongs.", examples=["engine"])
    value: str = Field(description="What is in force; a secret says only whether it is set.", examples=["dry-run"])
    changed: bool = Field(description="Whether it differs from the default.", examples=[False])
    secret: bool = Field(description="Whether its value is hidden.", examples=[False])


@router.get("", response=list[SettingOut], auth=ADMIN, summary="List settings")
def listing(request: HttpRequest) -> list[SettingOut]:
    """Return every setting in force."""
    return [_shown(each) for each in rows(config.Desk)]


def _shown(each: Row) -> SettingOut:
    value = getattr(settings.DESK, each.attribute)
    text = ("set, hidden" if value else "not set") if each.secret else each.show(value)
    return SettingOut(
        name=each.name, section=each.section, value=text, changed=value != each.default, secret=each.secret
    )
