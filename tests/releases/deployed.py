"""Releases that three people signed, ready to be deployed: over the demo market, with parameters that differ."""

import datetime as dt

from releases.core.roles import ROLES
from releases.models import Release
from releases.services import candidates, deploying, rolling_back, signing, writing
from releases.services.collecting import Wanted
from releases.services.deploying import Who
from releases.services.signing import Proof, Word
from sensequant.lib.clock import IST
from tests.releases.world import PASSWORD, audit, people
from trading.services import strategies

EVENING = dt.datetime(2026, 11, 20, 19, 0, tzinfo=IST)  # a Friday, after the session


def cast():
    """Return who signs, deploys (the Engineering Lead) and made it."""
    return people()


def later(hours=0.0, minutes=0.0):
    return EVENING + dt.timedelta(hours=hours, minutes=minutes)


def signed(who, *, at=EVENING, adx=25, name="audit_20261120_180000", student=""):
    """Return a release of intraday with ``adx_min``, signed by all three, its manifest written."""
    row = strategies.propose("intraday", {"adx_min": adx}, by="tara", at=at)
    made = candidates.make(
        Wanted(summary=f"adx {adx}", configs=[row.pk], student=student, dirty="a story"), who["author"], at=at
    )
    audit(at, name)
    found = candidates.judge(made.release_id, name, by="tara", at=at)
    for role in ROLES:
        seen = signing.read_digest(found)
        word = Word(role, "approve", "read it", seen)
        signing.sign(found.release_id, who[role], word, Proof(PASSWORD), at=at)
    return writing.write(found, by="tara", at=at)


def proof(user):
    return Who(user, PASSWORD)


def deployed(who, *, at=EVENING, **more):
    """Return a release that was put in force."""
    found = signed(who, at=at, **more)
    deploying.deploy(found.release_id, found.release_id, proof(who["Engineering Lead"]), at=at)
    return Release.objects.get(pk=found.pk)


def two(who):
    """Return an old release and the one in force, two hours later."""
    old = deployed(who)
    return old, deployed(who, at=later(2), adx=30, name="audit_20261120_200000")


def back(who, new, *, role="Risk Manager", at=None, reason="it does not hold what it promised"):
    return rolling_back.back(new.release_id, reason, proof(who[role]), at=at or later(3))
