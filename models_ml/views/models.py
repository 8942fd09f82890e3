"""The models page: who scores and how well, who would, who signed for them, what evenings proposed."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from models_ml.models import Evening, Promotion
from models_ml.selectors import models as found
from models_ml.services import checklists, promotions, signing
from models_ml.views import listed
from sensequant.lib.clock import now
from sensequant.lib.errors import NotFound
from trading.core.rights import Right
from trading.selectors import roles, students
from trading.services import strategies
from trading.services import students as places
from trading.views.doors import back, confirm, for_admins, for_stoppers, for_traders, may_stop, may_trade, told
from trading.views.grids import Grid

SHOWN = 10


@require_safe
@login_required
def models_page(request: HttpRequest) -> HttpResponse:
    """Show all of it."""
    at = now()
    seen = {each["version"]: each for each in found.watched()}
    standing = found.standing()
    rows, evenings = list(found.promotions()[:SHOWN]), list(found.evenings()[:SHOWN])
    context: dict[str, Any] = {
        **standing,
        "seen_champion": seen.get(standing["champion"].version) if standing["champion"] else None,
        "challengers": [{"row": row, "seen": seen.get(row.version)} for row in standing["challengers"]],
        "waiting": [_waiting(request, row, at) for row in rows if row.state == "review"],
        "proposals": [row.proposal for row in evenings if row.proposal and row.proposal.status == "draft"],
        "grids": _grids([row for row in rows if row.state != "review"], evenings),
        "may_trade": may_trade(request),
        "may_stop": may_stop(request),
        "may_decide": roles.may(request.user, Right.ADMIN),
    }
    return render(request, "models_ml/models.html", context)


def _grids(judged: list[Promotion], evenings: list[Evening]) -> tuple[Grid, ...]:
    newest = f"the newest {SHOWN}"
    return (
        Grid("evenings", "Evenings", listed.EVENINGS, [*map(listed.evening, evenings)],
             "No evening has been reviewed yet. It happens at 16:00 IST on session days; manage.py eod_learning does "
             "it at once.", newest),
        Grid("judged", "Judged so far", listed.JUDGED, [*map(listed.judged, judged)],
             "Nothing was judged yet. Train students on the page Training, then judge one: "
             "manage.py promote_student_models --candidate DIR.", newest),
        Grid("places", "Who was in place", listed.PLACES, list(students.history()[:SHOWN]),
             "Nobody yet. A candidate that was judged better and signed by three people takes the place.", newest),
    )  # fmt: skip


@require_safe
@login_required
def promotion_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one candidate with its checklist."""
    try:
        row = promotions.find(pk)
    except NotFound as error:
        raise Http404(error.message) from None
    return render(request, "models_ml/promotion.html", {"each": _waiting(request, row, now())})


def _waiting(request: HttpRequest, row: Promotion, at: Any) -> dict[str, Any]:
    good = {each.pk for each in signing.valid(row, at=at)}
    name = request.user.get_username()
    signed = list(row.sign_offs.all())
    mine = [role for role in checklists.ROLES if signing.holds_role(request.user, role)]
    free = [role for role in mine if role not in {each.role for each in signed}]
    may = row.state == "review" and name != row.author and name not in {each.username for each in signed}
    return {
        "row": row, "checklist": row.checklist, "evidence": signing.evidence_of(row),
        "criteria": _criteria(row.checklist), "missing": signing.missing(row, at=at),
        "signatures": [{"row": each, "counts": each.pk in good} for each in signed],
        "open_roles": [role for role in checklists.ROLES if role not in {each.role for each in signed}],
        "my_roles": free if may else [], "is_author": name == row.author,
    }  # fmt: skip


def _criteria(checklist: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {
            "name": checklists.NAMES[key], "candidate": checklist["candidate_metrics"].get(metric),
            "baseline": checklist["baseline_metrics"].get(metric), "uplift": checklist["deltas"][f"{key}_uplift"],
            "needed": checklist["validation_thresholds"][f"min_{key}_uplift"],
            "met": checklist["validation_results"][f"{key}_pass"],
        }
        for key, metric in checklists.METRICS.items()
    ]  # fmt: skip


@require_POST
@login_required
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep one person's word on a promotion."""
    form = request.POST

    def work() -> Any:
        row = promotions.find(pk)
        if form.get("decision") == "approve":
            confirm(request)
        return signing.sign(
            row.pk, form.get("role", ""), request.user, decision=form.get("decision", ""),
            note=form.get("note", ""), seen=form.get("evidence", ""), at=now(),
        )  # fmt: skip

    told(request, "Your word is kept.", work)
    return back(request, "models")


@require_POST
@for_admins
def promote(request: HttpRequest, pk: int) -> HttpResponse:
    """Switch to a candidate that was signed."""
    who = request.user.get_username()

    def work() -> Any:
        confirm(request)
        return promotions.promote(pk, by=who, at=now())

    told(request, "The candidate scores from now on.", work)
    return back(request, "models")


@require_POST
@for_traders
def rollback(request: HttpRequest) -> HttpResponse:
    """Return to the champion before."""
    why, who = request.POST.get("reason", ""), request.user.get_username()
    told(request, "The champion before scores again.", lambda: promotions.rollback(why, by=who, at=now()))
    return back(request, "models")


@require_POST
@for_stoppers
def disable(request: HttpRequest) -> HttpResponse:
    """Trade without a student."""
    why, who = request.POST.get("reason", "") or "switched off by hand", request.user.get_username()
    told(request, "The desk trades without a student.", lambda: places.disable(why, by=who, at=now()))
    return back(request, "models")


@require_POST
@for_admins
def enable(request: HttpRequest) -> HttpResponse:
    """Let the student score again."""
    why, who = request.POST.get("reason", ""), request.user.get_username()
    told(request, "The student scores again.", lambda: places.enable(why, by=who, at=now()))
    return back(request, "models")


@require_POST
@for_admins
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a challenger out of its place."""
    who = request.user.get_username()
    told(request, "Dismissed.", lambda: places.dismiss_challenger(pk, by=who, reason="by hand", at=now()))
    return back(request, "models")


@require_POST
@for_admins
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let the version an evening proposed trade."""
    who = request.user.get_username()

    def work() -> Any:
        confirm(request)
        return strategies.activate(pk, by=who, at=now())

    told(request, "The proposed version is active: new runs trade it.", work)
    return back(request, "models")
