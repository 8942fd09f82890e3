"""The one door through which a release changes its state: a legal move, made once, and kept as an event."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from releases.core.states import NEXT, may_move
from releases.models import Release, ReleaseEvent
from releases.models.guarded import plain
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger

log = get_logger("releases")


def find(release_id: str) -> Release:
    """Return a release by its name; NotFound says where to see those there are."""
    row = Release.objects.filter(release_id=release_id).first()
    if row is None:
        raise NotFound(f"there is no release {release_id!r}", fix="see /releases or manage.py release_candidate --list")
    return row


def held(release: Release) -> Release:
    """Return the row as it is now, locked until the transaction ends: whoever else wants it waits."""
    if not plain(Release).filter(pk=release.pk).update(seq=release.seq):
        raise NotFound(f"there is no release {release.release_id!r}")
    return Release.objects.get(pk=release.pk)


def advance(release: Release, new: str, *, by: str, reason: str, at: dt.datetime) -> ReleaseEvent:
    """Move ``release`` to the state ``new`` and keep the event; ``release.state`` follows.

    NotAllowed for a move that is not legal, or when somebody else moved it meanwhile; BadInput without a reason.
    """
    old = release.state
    if not reason.strip():
        raise BadInput(f"no reason was given to make {release} {new}", fix="say why in a few words")
    if not may_move(old, new):
        allowed = ", ".join(NEXT.get(old, ())) or "nothing any more"
        raise NotAllowed(f"{release} is {old} and cannot become {new}", fix=f"from {old} it may become {allowed}")
    with transaction.atomic():
        if not plain(Release).filter(pk=release.pk, state=old).update(state=new):
            raise NotAllowed(f"{release} is no longer {old}", fix="look at it again")
        event = ReleaseEvent.objects.create(
            release=release, old=old, new=new, by=by[:150], reason=reason.strip()[:500], at=at
        )
    release.state = new
    log.info("release moved", release=release.release_id, old=old, new=new, by=by, reason=reason)
    return event
