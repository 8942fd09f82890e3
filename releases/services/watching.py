"""The watch over a fresh release: checked every two hours of trading, acted upon by rule, over when it has earned it.

A failure halves nothing by hand and asks nobody: it stops entries (reduce), and when it stays the release before
comes back. What cannot be told holds the watch open and pages.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import transaction

from monitoring.services import facts
from releases.core import watch as rules
from releases.core.roles import RISK
from releases.core.states import ACTIVE, STABLE
from releases.core.watch import Progress, Verdict
from releases.models import Watch, WatchCheck
from releases.models.watch import OPEN
from releases.services import lifecycle, people, readings, resuming, rolling_back, status_files
from sensequant.lib.clock import IST
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.selectors import releases as pointers
from trading.services import calendar, halts
from trading.services import releases as switching

BY: Final = "release watch"
MEASURE: Final = "release_watch"
log = get_logger("release-watch")


def current() -> Watch | None:
    """Return the watch over the release in force; None when nothing is watched."""
    epoch = pointers.standing().epoch
    return Watch.objects.filter(epoch=epoch, state__in=OPEN).select_related("release").first()


def progress(watch: Watch, *, at: dt.datetime) -> Progress:
    """Return how far a watch is and what keeps it open."""
    started, days = watch.started_at, calendar.current()
    first = started.astimezone(IST).date()
    sessions = days.sessions(first, min(at.astimezone(IST).date(), days.known_until))
    closes = [each.close for each in sessions if each.open >= started]
    newest = watch.checks.exclude(word=rules.IDLE).first()
    return rules.progress(started, watch.ends_at, closes, newest.word if newest else None, at=at)


def look(*, at: dt.datetime, force: bool = False) -> WatchCheck | None:
    """Check the watched release when it is time (or ``force``), act, and end the watch once nothing is missing.

    None when nothing is watched or no check is due. What an earlier look decided and did not carry out – it was
    killed – is carried out first.
    """
    resuming.resume_if_any(at=at)
    watch = current()
    if watch is None:
        return None
    newest = watch.checks.first()
    if newest is not None and newest.action == rules.ROLLBACK and _back(watch, newest, at):
        return newest
    if not force and newest is not None and at - newest.at < _every():
        return None
    found = _check(watch, newest, at)
    _act(watch, found, at)
    _maybe_over(watch, at)
    return found


def _every() -> dt.timedelta:
    return dt.timedelta(hours=settings.DESK.alert_frequency_hours) - dt.timedelta(seconds=30)  # a bell may be early


def _check(watch: Watch, newest: WatchCheck | None, at: dt.datetime) -> WatchCheck:
    idle = not traded_between(newest.at if newest else watch.started_at, at)
    before = _failures(watch)
    read = [readings.integrity()] if idle else readings.every(watch, at=at)
    verdicts = [rules.judge(each, before.get(each.name, 0)) for each in read]
    word, action = rules.overall(verdicts)
    word = rules.IDLE if idle and word == rules.SUCCESS else word
    row = WatchCheck.objects.create(
        watch=watch, at=at, word=word, action=action, verdicts=[each.as_json() for each in verdicts],
        told=rules.told(verdicts),
    )  # fmt: skip
    log.info("release checked", release=watch.release.release_id, word=word, action=action, told=row.told)
    return row


def traded_between(start: dt.datetime, end: dt.datetime) -> bool:
    """Say whether the market was open at any moment from ``start`` to ``end``."""
    days = calendar.current()
    first, last = start.astimezone(IST).date(), min(end.astimezone(IST).date(), days.known_until)
    return any(each.open < end and each.close > start for each in days.sessions(min(first, last), last))


def _failures(watch: Watch) -> dict[str, int]:
    """Return how often in a row each measure has failed until now."""
    found: dict[str, int] = {}
    for row in watch.checks.all()[:20]:
        for each in row.verdicts:
            found.setdefault(each["name"], each["failures"])
    return found


def _act(watch: Watch, check: WatchCheck, at: dt.datetime) -> None:
    name = watch.release.release_id
    facts.report(
        MEASURE, float(check.action != rules.NONE), at=at, group=name,
        told=f"{check.told or 'nothing'} ({check.action})"[:300],
    )  # fmt: skip
    if check.action == rules.ROLLBACK:
        _back(watch, check, at)
    elif check.action == rules.REDUCE:
        _reduce(watch, check.told, at)
    elif check.action == rules.HOLD:
        _become(watch, "held", ("watching",))
    elif check.word == rules.SUCCESS:  # whoever let entries go on again has looked at what reduced it
        _become(watch, "watching", ("held",) if halts.engaged(halts.RELEASE) else ("held", "reduced"))


def _reduce(watch: Watch, why: str, at: dt.datetime) -> None:
    """Stop entries; exits go on, and a person lets entries go on again."""
    halts.engage(halts.RELEASE, f"watch of {watch.release.release_id}: {why}"[:300], at=at, by=BY)
    _become(watch, "reduced", ("watching", "held"))


def _back(watch: Watch, check: WatchCheck, at: dt.datetime) -> bool:
    """Go back to the release before; where that cannot be, entries stop and somebody is paged. Say whether it went."""
    try:
        rolling_back.by_rule(check.told, by=BY, at=at)
    except SenseQuantError as error:
        log.exception("no rollback by rule", release=watch.release.release_id, error=str(error))
        _reduce(watch, f"{check.told}; no way back: {error.message}", at)
        told = f"no rollback by rule: {error.message}"[:300]
        facts.report(MEASURE, 1.0, at=at, group=watch.release.release_id, told=told)
        return False
    return True


def _become(watch: Watch, state: str, old: Sequence[str]) -> None:
    Watch.objects.filter(pk=watch.pk, state__in=old).update(state=state)


def _maybe_over(watch: Watch, at: dt.datetime) -> None:
    watch.refresh_from_db()
    if watch.state == "watching" and progress(watch, at=at).over:
        _passed(watch, by=BY, reason="every hour and session watched, the newest check succeeded", at=at)


def _passed(watch: Watch, *, by: str, reason: str, at: dt.datetime) -> None:
    """Return to normal watching: the release is stable."""
    with transaction.atomic():
        won = Watch.objects.filter(pk=watch.pk, state__in=OPEN).update(
            state="passed", finished_at=at, finished_by=by, reason=reason[:300]
        )
        if not won or not switching.calm(epoch=watch.epoch, at=at):
            raise NotAllowed("another release was put in force meanwhile", fix="look at /releases")
        if watch.release.state == ACTIVE:
            lifecycle.advance(watch.release, STABLE, by=by, reason=reason, at=at)
    facts.report(MEASURE, 0.0, at=at, group=watch.release.release_id, told="the watch is over")
    status_files.write(at=at)
    log.info("release is stable", release=watch.release.release_id, by=by, reason=reason)


def conclude(user: Any, reason: str, *, at: dt.datetime, of: str = "") -> Watch:
    """End a watch that is held open by what cannot be told: a Risk Manager's word, who did not deploy the release.

    NotAllowed before its hours and sessions are over, while a check fails, or when ``of`` is not what is watched.
    """
    watch = current()
    if watch is None or of not in ("", watch.release.release_id):
        raise NotAllowed(f"{of or 'nothing'} is {'not ' if of else ''}watched", fix="see manage.py release_status")
    if not reason.strip():
        raise BadInput("no reason was given", fix="say why the watch may end")
    name, row = user.get_username(), pointers.pointer()
    if not people.holds(user, RISK) or row is None or row.deployed_by == name:
        raise NotAllowed(f"{name} may not end this watch", fix="a Risk Manager does who did not deploy the release")
    missing = keeps_open(watch, at=at)
    if missing or watch.state == "reduced":
        raise NotAllowed(f"the watch is not over: {', '.join(missing) or 'entries were stopped by it'}", fix="wait")
    _passed(watch, by=name, reason=reason.strip(), at=at)
    watch.refresh_from_db()
    return watch


def keeps_open(watch: Watch, *, at: dt.datetime) -> list[str]:
    """Return what no person can waive: hours, sessions, and a newest check that says something else than nothing."""
    return [each for each in progress(watch, at=at).missing if not each.endswith("inconclusive")]


def may_conclude(user: Any, watch: Watch, *, at: dt.datetime) -> bool:
    """Say whether this person may end this watch now."""
    row = pointers.pointer()
    able = people.holds(user, RISK) and row is not None and row.deployed_by != user.get_username()
    return able and watch.state in ("watching", "held") and not keeps_open(watch, at=at)


def rows(watch: Watch) -> list[dict[str, Any]]:
    """Return each measure's newest verdict, for the page."""
    newest: dict[str, dict[str, Any]] = {}
    for check in watch.checks.all()[:20]:
        for each in check.verdicts:
            newest.setdefault(each["name"], {**each, "what": rules.MEASURES[each["name"]].what, "at": check.at})
    return list(newest.values())


__all__ = ["Verdict", "conclude", "current", "look", "may_conclude", "progress", "rows"]
