"""Back to a release that was in force: entries stop, all is compared and mended, one switch, tried, audited, told.

Stopping takes one person: an operator may in an emergency, and somebody else reviews it within a day. The watch may by
rule. Entries go on by themselves only when what came back is whole and trades as it did when it was deployed.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from monitoring.services import facts
from releases.core import after_rollback as judged
from releases.core import steps
from releases.core.audit_states import ROLLBACK as AFTER_IT
from releases.core.roles import ENGINEERING, RISK
from releases.core.states import ACTIVE, ROLLED_BACK, STABLE, SUPERSEDED
from releases.models import Operation, Release, Watch
from releases.models.watch import OPEN
from releases.services import after_rollback, audits, lifecycle, operations, people, smoke, staging, status_files
from releases.services.deploying import Who, in_force
from sensequant.lib import manifests, paths
from sensequant.lib.errors import BadInput, NotAllowed, NotFound, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.core.rights import OPERATORS
from trading.selectors import releases as pointers
from trading.services import halts, release_gate, release_seal
from trading.services import releases as switching

REVIEW: Final = dt.timedelta(hours=24)
MEASURE: Final = "release_watch"
RECORDS: Final = "release/rollbacks"
PROCEDURE: Final = "the rollback"  # engages and releases its own hold
log = get_logger("releases")


def before(release: Release) -> Release | None:
    """Return the release that was in force when ``release`` was deployed; None for the first."""
    row = Operation.objects.filter(kind=steps.DEPLOY, release=release, steps__step=steps.SWITCH).first()
    return row.away_from if row is not None else None


def target(to: str) -> tuple[Release, Release]:
    """Return what is in force and what would come back (``to``, or the one before); NotAllowed, NotFound otherwise."""
    current = in_force()
    if current is None:
        raise NotAllowed("nothing is deployed", fix="there is nothing to go back from")
    found = lifecycle.find(to) if to else before(current)
    if found is None:
        raise NotFound(f"{current} is the first release: none was in force before", fix="stop entries instead (/risk)")
    if found.state != SUPERSEDED:
        raise NotAllowed(f"{found} is {found.state}", fix="one goes back to a release that was in force before")
    return current, found


def back(typed: str, reason: str, who: Who, *, at: dt.datetime, to: str = "") -> Operation:
    """Go back and return the operation; ``typed`` is the name of the release in force, given by hand.

    A Risk Manager or an Engineering Lead may; an operator may alone, which somebody else must review within a day.
    """
    current, found = target(to)
    if typed.strip() != current.release_id:
        raise BadInput(f"{typed!r} is not the release in force", fix=f"type {current.release_id}")
    who.confirm()
    ordinary = people.holds(who.user, RISK) or people.holds(who.user, ENGINEERING)
    if not ordinary and not people.holds(who.user, OPERATORS):
        raise NotAllowed(f"{who.name} may not roll back", fix=f"{RISK}, {ENGINEERING} or, alone, an operator does")
    return _begin(current, found, reason, who.name, at, review=not ordinary)


def by_rule(reason: str, *, by: str, at: dt.datetime) -> Operation:
    """Go back because the watch says so."""
    current, found = target("")
    return _begin(current, found, reason, by, at, review=False)


def _begin(current: Release, found: Release, reason: str, by: str, at: dt.datetime, *, review: bool) -> Operation:
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why with --reason")
    operation = operations.begin(
        steps.ROLLBACK,
        {
            "release": found, "away_from": current, "by": by, "reason": reason.strip()[:300], "started_at": at,
            "review_by": at + REVIEW if review else None,
        },
    )  # fmt: skip
    return operations.carry_on(operation, STEPS, at=at)


def _pause(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    why = f"rollback to {operation.release.release_id}: {operation.reason}"[:300]
    row = halts.engage(halts.RELEASE, why, at=at, by=PROCEDURE)
    return {"halt": row.pk}


def _verify(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    return staging.whole(operation.release)


def _restore(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    return staging.mend(operation.release, staging.content(operation.release))


def _switch(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    found, gone = operation.release, operation.away_from
    assert gone is not None  # noqa: S101 - a rollback goes away from something
    if in_force() != gone:
        raise NotAllowed(f"{gone} is no longer in force", fix="look at /releases")
    epoch = pointers.standing().epoch
    record = manifests.signed_text({
        "from": gone.release_id, "to": found.release_id, "seq": found.seq, "epoch": epoch + 1,
        "reason": operation.reason, "by": operation.by, "at": at.isoformat(),
    })  # fmt: skip
    to = staging.target(found, staging.content(found))
    row = switching.switch(to, epoch=epoch, by=operation.by, at=at, heightened_until=None, rollback=record)
    lifecycle.advance(gone, ROLLED_BACK, by=operation.by, reason=operation.reason, at=at)
    lifecycle.advance(found, STABLE, by=operation.by, reason=f"back from {gone}: {operation.reason}", at=at)
    Watch.objects.filter(state__in=OPEN).update(
        state="ended", finished_at=at, finished_by=operation.by, reason=operation.reason
    )
    return {"epoch": row.epoch, "record": record}


def _smoke(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    """Try what came back; what is wrong is told, and keeps entries stopped, but ends nothing: it is in force."""
    row, found = pointers.pointer(), operation.release
    assert row is not None  # noqa: S101 - the switch was made
    switching.forget_refusals(at=at)
    wrong = list(release_gate.verified(row))
    try:
        to = staging.target(found, staging.content(found))
        now = smoke.run(to.strategies, to.student, at=at)
        wrong += smoke.differences(_smoked(found), now)
    except SenseQuantError as error:
        now, wrong = {}, [*wrong, error.message]
    return {"wrong": wrong, "smoke": now}


def _smoked(release: Release) -> Mapping[str, Any]:
    row = Operation.objects.filter(kind=steps.DEPLOY, release=release, steps__step=steps.SWITCH).first()
    return operations.told(row, "stage").get("smoke", {}) if row is not None else {}


def _audit(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    """Audit anew: clean when nothing is open but what is accounted for; one that cannot be made is never clean."""
    try:
        found = audits.run(
            by=operation.by, at=at, skip_validation=True, cause=AFTER_IT, trigger=f"rollback {operation.pk}"
        )
    except SenseQuantError as error:
        log.exception("no audit after the rollback", error=str(error))
        return {"audit": None, "clean": False, "told": error.message}
    gone = operation.away_from
    assert gone is not None  # noqa: S101 - a rollback goes away from something
    accounted = after_rollback.accounted(found, operation.release, gone, at=at)
    new = judged.new(accounted)
    return {"audit": found.audit_id, "clean": not new, "flags": len(found.flags), "new": new, "accounted": accounted}


def _record(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    """Keep the signed record beside the releases, write the status files, let entries go on, and tell people."""
    found, gone = operation.release, operation.away_from
    wrong = operations.told(operation, "smoke").get("wrong", [])
    path = paths.resolve(RECORDS) / f"rollback_{operation.pk}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    paths.write_private(path, operations.told(operation, steps.SWITCH)["record"])
    status_files.write(at=at)
    release_seal.refresh(at=at)
    told = f"rolled back to {found.release_id}: {operation.reason}"
    if wrong:
        told += f"; entries stay stopped: {'; '.join(wrong)}"
    elif halts.engaged(halts.RELEASE):
        halts.release(
            halts.RELEASE, "what came back is whole and trades as it did", at=at, by=f"rollback #{operation.pk}"
        )
    told += f"; {_audited(operations.told(operation, 'audit'))}"
    facts.report(MEASURE, 0.0, at=at, group=found.release_id, told="in force again")
    group = gone.release_id if gone else ""
    facts.report(MEASURE, 1.0, at=at, group=group, until=at + REVIEW, told=told[:300])
    return {"record": str(path), "released": not wrong, "told": told}


def _audited(told: Mapping[str, Any]) -> str:
    """Return in words what the audit found."""
    if told.get("audit") is None:
        return f"no audit could be made: {told.get('told', '')}"
    new = told.get("new", [])
    return f"{told['audit']} is clean" if told["clean"] else f"{told['audit']} found {len(new)} new: {'; '.join(new)}"


STEPS: Final[Mapping[str, operations.Step]] = MappingProxyType({
    "pause": _pause, "verify": _verify, "restore": _restore, steps.SWITCH: _switch, "smoke": _smoke, "audit": _audit,
    "record": _record,
})  # fmt: skip


def review(number: int, user: Any, words: str, *, at: dt.datetime) -> Operation:
    """Keep another person's review of a rollback that one person made."""
    row = operations.find(number)
    name = user.get_username()
    if row.review_by is None or row.reviewed_at is not None:
        raise NotAllowed(f"{row} waits for no review", fix="see /releases")
    if name == row.by or not (people.holds(user, RISK) or people.holds(user, ENGINEERING)):
        raise NotAllowed(f"{name} cannot review {row}", fix=f"{RISK} or {ENGINEERING}, and not who rolled back")
    if not words.strip():
        raise BadInput("no words were given", fix="say what you found")
    Operation.objects.filter(pk=row.pk, reviewed_at=None).update(
        reviewed_by=name, reviewed_at=at, review=words.strip()[:300]
    )
    facts.report(MEASURE, 0.0, at=at, group=f"review of #{row.pk}", told="reviewed")
    row.refresh_from_db()
    return row


def may_review(row: Operation, user: Any) -> bool:
    """Say whether this person may review this rollback now."""
    able = people.holds(user, RISK) or people.holds(user, ENGINEERING)
    return able and row.review_by is not None and row.reviewed_at is None and row.by != user.get_username()


def remind(*, at: dt.datetime) -> int:
    """Page for every emergency that nobody has reviewed in time; return how many there are."""
    late = Operation.objects.filter(review_by__lt=at, reviewed_at=None)
    for row in late:
        told = f"the rollback of {row.by} has waited for its review since {row.review_by:%Y-%m-%d %H:%M} UTC"
        facts.report(MEASURE, 1.0, at=at, group=f"review of #{row.pk}", told=told)
    return len(late)


__all__ = ["ACTIVE", "back", "before", "by_rule", "may_review", "remind", "review", "target"]
