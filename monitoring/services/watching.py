"""One look at the desk: every measure is read, every rule moved by it, and whoever must know gets a message.

An episode's move, its audit entry and the messages it causes are one transaction: there is no moment at which an alert
has fired and nobody will be told.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.db import transaction

from monitoring.core import episodes as life
from monitoring.core import notices
from monitoring.core.episodes import FIRING, PENDING, RESOLVED, Reading
from monitoring.core.levels import Severity
from monitoring.models import Episode, Look, Silence
from monitoring.services import acting, auditing, facts, outbox, rollups, rulebook, silences
from monitoring.services.rulebook import InForce
from sensequant.lib import outage
from sensequant.lib.errors import SenseQuantError
from sensequant.lib.logs import get_logger
from trading.services import leases, predictions, vitals

BY = "monitoring"
EVERY = 5.0  # seconds between looks
CHAIN_EVERY = dt.timedelta(minutes=5)
log = get_logger("monitoring")


@dataclass(slots=True)
class Seen:
    """What one look brought."""

    fired: list[Episode] = field(default_factory=list)
    resolved: list[Episode] = field(default_factory=list)
    told: int = 0
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0


@dataclass(slots=True)
class Now:
    """What one look goes by."""

    view: facts.View
    seen: Seen
    opened: dict[str, dict[str, Episode]]  # rule → group → its open episode
    quiet: list[Silence]
    trading: bool
    causes: dict[str, str] = field(default_factory=dict)  # rule → the alert that explains it

    @property
    def at(self) -> dt.datetime:
        """Return the moment."""
        return self.view.at


def look(*, at: dt.datetime, only: Iterable[str] = ()) -> Seen:
    """Look once at everything, or at the rules ``only``."""
    begun = time.monotonic()
    view, seen, wanted = facts.View(at, begun), Seen(), set(only)
    _keep_numbers(view, seen)
    silences.tidy(at=at)
    now = Now(view, seen, _opened(), silences.in_force(at=at), vitals.in_session(at=at))
    for each in sorted(rulebook.in_force(), key=lambda one: not one.rule.inhibits):  # causes first
        if not wanted or each.rule.key in wanted:
            _one(each, now)
    seen.seconds = time.monotonic() - begun
    _sign(at, seen)
    return seen


def _keep_numbers(view: facts.View, seen: Seen) -> None:
    """Fetch and keep the numbers; whatever is wrong with them, the rules are looked at."""
    try:
        rollups.pull()
        rollups.observe(facts.gauges(view), at=view.at)
    except Exception as error:  # the alerts must not depend on the metrics
        if outage.is_away(error):
            raise
        log.exception("metrics could not be kept")
        seen.errors.append(f"metrics: {error}")


def _opened() -> dict[str, dict[str, Episode]]:
    found: dict[str, dict[str, Episode]] = {}
    for row in Episode.objects.exclude(status=RESOLVED).select_related("silenced_by"):
        found.setdefault(row.rule, {})[row.group] = row
    return found


def _one(each: InForce, now: Now) -> None:
    rule = each.rule
    asleep = not each.enabled or (rule.when == "session" and not now.trading)
    groups = {} if asleep else _read(each, now)
    for group in {*groups, *now.opened.get(rule.key, {})}:
        try:
            row = _move(each, group, groups.get(group), now)
        except (SenseQuantError, ValueError, KeyError) as error:
            log.exception("a rule could not be judged", rule=rule.key, group=group)
            now.seen.errors.append(f"{rule.key}: {error}")
            continue
        if row is not None and row.status == FIRING and rule.inhibits:
            now.causes.update(dict.fromkeys(rule.inhibits, row.name))


def _read(each: InForce, now: Now) -> dict[str, Reading]:
    try:
        return facts.MEASURES[each.rule.measure](now.view)
    except Exception as error:  # whatever a measure meets is this rule's error, not the look's end
        if outage.is_away(error):
            raise
        told = f"{type(error).__name__}: {error}"[:300]
        log.warning("a measure could not be read", measure=each.rule.measure, error=told)
        now.seen.errors.append(f"{each.rule.measure}: {told}")
        return {"": Reading(None, error=told)}


def _move(each: InForce, group: str, reading: Reading | None, now: Now) -> Episode | None:
    """Move one episode by one look and say what must be said, in one transaction."""
    rule, at = each.rule, now.at
    known = now.opened.get(rule.key, {}).get(group)
    moved = life.step(
        rule, each.limits, _state(known), reading, at=at.timestamp(), firings=_firings(rule.key, group, at)
    )
    if moved is None:
        return None
    with transaction.atomic():
        row = _locked(known) or Episode(rule=rule.key, group=group, since=at, status="")
        before = row.status, row.severity
        _write(each, row, moved, reading, at)
        silences.expire(rule, row, at=at)
        _surround(each, row, now)
        row.save()
        _record(each, row, before, now)
        now.seen.told += _tell(each, row, at)
    return row


def _locked(row: Episode | None) -> Episode | None:
    """Return the episode as it is now: an operator may have acknowledged it since it was read."""
    return None if row is None else Episode.objects.select_for_update().get(pk=row.pk)


def _state(row: Episode | None) -> life.Episode | None:
    if row is None:
        return None
    return life.Episode(
        row.status, Severity(row.severity), row.since.timestamp(), row.held_at.timestamp(), _seconds(row.fired_at),
        _seconds(row.resolved_at), row.value, row.no_data, row.error, row.flapping,
    )  # fmt: skip


def _seconds(moment: dt.datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()


def _firings(rule: str, group: str, at: dt.datetime) -> int:
    span = dt.timedelta(seconds=life.FLAP_SPAN)
    return Episode.objects.filter(rule=rule, group=group, fired_at__gt=at - span, status=RESOLVED).count()


def _write(each: InForce, row: Episode, now: life.Episode, reading: Reading | None, at: dt.datetime) -> None:
    row.held_at = at if now.held_at == at.timestamp() else row.held_at
    row.fired_at = at if now.status == FIRING and row.status != FIRING else row.fired_at
    row.resolved_at = at if now.status == RESOLVED else None
    row.status, row.severity, row.value = now.status, now.severity, now.value
    row.no_data, row.error, row.flapping = now.no_data, now.error, now.flapping
    row.threshold = each.limits.threshold
    if now.status != RESOLVED and reading is not None:
        row.context = dict(reading.context)
        row.message = _message(each, row)[:500]


def _message(each: InForce, row: Episode) -> str:
    """Return the rule's sentence; what is missing in it is shown as such rather than lost with the alert."""
    if row.error:
        return f"{each.rule.measure} cannot be read: {row.error}"
    if row.no_data:
        return f"{each.rule.measure} of {row.group or 'the desk'} gives no data"
    try:
        return each.rule.message.format(
            value=row.value, threshold=each.limits.threshold, group=row.group or "the desk", **row.context
        )
    except (KeyError, ValueError, TypeError, IndexError):
        return f"{row.name} is at {row.value} (threshold {each.limits.threshold}): {row.context}"


def _surround(each: InForce, row: Episode, now: Now) -> None:
    """Note what keeps the episode quiet now, and what no longer does."""
    cause = "" if each.rule.never_suppress else now.causes.get(each.rule.key, "")
    if row.inhibited_by and not cause:
        row.inhibition_ended = True
    row.inhibited_by = cause
    silence = silences.over(now.quiet, row)
    if row.silenced_by is not None and silence is None:
        row.silence_ended = silences.how_it_ended(row.silenced_by, at=now.at)
    if silence is not None:
        Silence.objects.filter(pk=silence.pk).update(matched_at=now.at)
    row.silenced_by = silence


def _record(each: InForce, row: Episode, before: tuple[str, str], now: Now) -> None:
    (status, severity), at, seen = before, now.at, now.seen
    if row.status != status:
        auditing.append(row.status, by=BY, at=at, episode=row, value=row.value, message=row.message)
        if row.status == FIRING:
            seen.fired.append(row)
            log.warning("alert fired", rule=row.rule, group=row.group, severity=row.severity, told=row.message)
            acting.act(each.rule, row, at=at)
        elif row.status == RESOLVED and status == FIRING:
            seen.resolved.append(row)
            log.info("alert resolved", rule=row.rule, group=row.group)
    elif row.status == FIRING and row.severity != severity:
        auditing.append("severity", by=BY, at=at, episode=row, old=severity, new=row.severity)
        silences.severity_rose(row, Severity(severity), at=at)
    elif row.status == PENDING and not status:
        auditing.append(PENDING, by=BY, at=at, episode=row)


def _tell(each: InForce, row: Episode, at: dt.datetime) -> int:
    earlier = (
        Episode.objects.filter(rule=row.rule, group=row.group, told_at__isnull=False).exclude(pk=row.pk)
        .order_by("-told_at").values_list("told_at", flat=True).first()
    )  # fmt: skip
    reason = notices.due(
        each.rule,
        notices.Standing(
            row.status, Severity(row.severity), _seconds(row.told_at),
            Severity(row.told_severity) if row.told_severity else None, _seconds(earlier),
            acked=row.acked_at is not None, ack_ended=row.ack_ended, silenced=row.silenced_by is not None,
            silence_ended=row.silence_ended, inhibited=bool(row.inhibited_by), inhibition_ended=row.inhibition_ended,
        ),
        at=at.timestamp(),
    )  # fmt: skip
    if not reason:
        if row.status == FIRING:
            Episode.objects.filter(pk=row.pk).update(kept_quiet=row.kept_quiet + 1)
        return 0
    return outbox.put(each.rule, row, reason, at=at)


def _trails() -> dict[str, list[str]]:
    """Return what is wrong with each trail nobody may change: that of alerts, and that of predictions."""
    found = {"of alerts": [f"entry {each.number}: {each.why}" for each in auditing.breaks()][:20]}
    try:
        found["of predictions"] = [", ".join(map(str, each.values())) for each in predictions.check()["breaks"]][:20]
    except SenseQuantError as error:
        found["of predictions"] = [f"it cannot be read: {error}"]
    return found


def _sign(at: dt.datetime, seen: Seen) -> None:
    """Leave a sign that somebody looked, and read the trails whole now and then."""
    row, _ = Look.objects.get_or_create(name="monitor", defaults={"at": at})
    row.at, row.seconds, row.errors, row.holder = at, seen.seconds, seen.errors[:20], leases.myself()
    if row.chain_at is None or at - row.chain_at >= CHAIN_EVERY:
        row.chain_at = at
        row.chain = _trails()
    row.save()
