"""A release put in force, watched and left again, from its page."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.views.decorators.http import require_POST

from releases.core.roles import ENGINEERING, RISK
from releases.core.states import APPROVED, STAGED
from releases.core.steps import WORDS
from releases.models import Operation, Release, Watch
from releases.models.watch import OPEN
from releases.selectors import operations as found
from releases.services import deploying, people, rolling_back, watching
from releases.services.deploying import Override, Who
from sensequant.lib.clock import now
from trading.core.rights import OPERATORS
from trading.selectors import releases as pointers
from trading.views.doors import confirm, told

CHECKS = 12


def shown(row: Release, user: Any, *, at: dt.datetime) -> dict[str, Any]:
    """Return what the page tells of deploying this release, watching it and leaving it."""
    own = found.emergencies().filter(away_from=row)
    return {
        **_deploy(row, user, at), **_watch(row, user, at), **_rollback(row, user), "emergencies": reviewed(own, user),
        "operations": [_journal(each) for each in found.of(row)[:CHECKS]],
    }  # fmt: skip


def _journal(row: Operation) -> dict[str, Any]:
    """Return one deployment or rollback with its steps, and what the audit after a rollback found."""
    steps = list(row.steps.all())
    audited: dict[str, Any] = next((each.told for each in steps if each.step == "audit"), {})
    return {
        "row": row, "steps": [{"at": each.at, "step": each.step, "words": WORDS[each.step]} for each in steps],
        "audit": audited.get("audit"), "clean": audited.get("clean"), "accounted": audited.get("accounted", []),
    }  # fmt: skip


def reviewed(rows: Iterable[Operation], user: Any) -> list[tuple[Operation, bool]]:
    """Return each rollback that one person made, and whether this person may review it."""
    return [(each, rolling_back.may_review(each, user)) for each in rows]


def _deploy(row: Release, user: Any, at: dt.datetime) -> dict[str, Any]:
    if row.state not in (APPROVED, STAGED) or not row.envelope_sha256:
        return {"deploy": None}
    checks = deploying.checks(row, user, at=at)
    against = [each for each in checks if not each.good]
    return {
        "deploy": checks, "may_deploy": all(each.may_override for each in against), "needs_override": bool(against)
    }  # fmt: skip


def _watch(row: Release, user: Any, at: dt.datetime) -> dict[str, Any]:
    watch = found.watch_of(row)
    if watch is None:
        return {"watch": None}
    how = watching.progress(watch, at=at) if watch.state in OPEN else None
    may = how is not None and watching.may_conclude(user, watch, at=at)
    checks = watch.checks.all()[:CHECKS]
    return {"watch": watch, "progress": how, "measures": watching.rows(watch), "checks": checks, "may_conclude": may}


def _rollback(row: Release, user: Any) -> dict[str, Any]:
    if pointers.standing().release_id != row.release_id:
        return {"in_force": False}
    may = any(people.holds(user, group) for group in (RISK, ENGINEERING, OPERATORS))
    return {"in_force": True, "before": rolling_back.before(row), "may_roll_back": may}


@require_POST
@login_required
def deploy(request: HttpRequest, release_id: str) -> HttpResponse:
    """Put a release in force; what was done already is refused, and done once."""
    get_object_or_404(Release, release_id=release_id)
    told(request, "It is in force, and watched from now on.", lambda: deployed(request, release_id))
    return redirect("release", release_id)


def deployed(request: HttpRequest, release_id: str) -> Any:
    """Deploy as the form says; the service's refusals are raised."""
    form = request.POST
    who, override = Who(request.user, form.get("password", ""), form.get("code", "")), None
    if form.get("override_by", "").strip():
        other = people.named(form["override_by"].strip())
        person = Who(other, form.get("override_password", ""), form.get("override_code", ""))
        override = Override(person, form.get("override_reason", ""))
    return deploying.deploy(release_id, form.get("typed", ""), who, at=now(), override=override)


@require_POST
@login_required
def roll_back(request: HttpRequest, release_id: str) -> HttpResponse:
    """Go back to the release before this one."""
    get_object_or_404(Release, release_id=release_id)
    form = request.POST
    who = Who(request.user, form.get("password", ""), form.get("code", ""))
    done = told(
        request, "It is left: the release before is in force again.",
        lambda: rolling_back.back(form.get("typed", ""), form.get("reason", ""), who, at=now()),
    )  # fmt: skip
    return redirect("release", done.release.release_id if done else release_id)


@require_POST
@login_required
def conclude(request: HttpRequest, release_id: str) -> HttpResponse:
    """End a watch that is held open by what cannot be told."""
    get_object_or_404(Release, release_id=release_id)
    reason = request.POST.get("reason", "")

    def work() -> Watch:
        confirm(request)
        return watching.conclude(request.user, reason, at=now(), of=release_id)

    told(request, "The watch is over: the release is stable.", work)
    return redirect("release", release_id)


@require_POST
@login_required
def review(request: HttpRequest, number: int) -> HttpResponse:
    """Keep the review of a rollback that one person made alone."""
    row = get_object_or_404(Operation.objects.select_related("away_from"), pk=number)
    words = request.POST.get("words", "")

    def work() -> Operation:
        confirm(request)
        return rolling_back.review(number, request.user, words, at=now())

    told(request, "Your review is kept.", work)
    return redirect("release", row.away_from.release_id) if row.away_from else redirect("releases")
