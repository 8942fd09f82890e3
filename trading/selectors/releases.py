"""Which release is deployed, as everybody below the releases themselves may ask."""

from __future__ import annotations

from typing import NamedTuple

from trading.models import ReleasePointer


class Standing(NamedTuple):
    """What a look at the pointer says; ``epoch`` 0 is nothing deployed."""

    epoch: int
    release_id: str
    heightened: bool


NOTHING = Standing(0, "", heightened=False)


def pointer() -> ReleasePointer | None:
    """Return the release in force; None while nothing has been deployed."""
    return ReleasePointer.objects.first()


def standing() -> Standing:
    """Return what an engine compares a few times a second."""
    found = ReleasePointer.objects.values_list("epoch", "release_id", "mode").first()
    return NOTHING if found is None else Standing(found[0], found[1], found[2] == "heightened")
