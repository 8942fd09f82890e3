"""The audits: the list with the form that starts one, the page of one, and its files."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from releases.core import audit_metrics
from releases.core.audit_states import DONE, OPEN, STEPS
from releases.core.audit_text import NAMES, TITLES
from releases.core.roles import MOST_DAYS, WAIVERS
from releases.models import Audit
from releases.selectors import audits as asked
from releases.services import after_rollback, audit_approvals, audits, people, waivers, waiving
from releases.services.signing import Proof
from releases.services.waiving import Wish
from releases.tasks import run_audit
from sensequant.lib.addresses import address
from sensequant.lib.clock import now
from sensequant.lib.downloads import attachment
from sensequant.lib.errors import BadInput, SenseQuantError
from trading.views.columns import Column
from trading.views.doors import for_traders, may_trade, told

PAGE = 50
COLUMNS = (
    Column("audit_id", "Audit", link="address", heading=True), Column("state", "Status", "status"),
    Column("ready", "Ready"), Column("risks", "Open risks", "qty"), Column("cause", "Why"), Column("by", "By"),
    Column("created_at", "Asked", "stamp"), Column("finished_at", "Ended", "stamp"),
)  # fmt: skip


@require_safe
@login_required
def audits_page(request: HttpRequest) -> HttpResponse:
    """List audits, with the form that starts one."""
    page = Paginator(asked.audits().defer("metrics"), PAGE).get_page(request.GET.get("page"))
    context = {
        "page": page, "columns": COLUMNS, "rows": [_row(audit) for audit in page.object_list],
        "may_trade": may_trade(request), "active": asked.open_ones().exists(),
    }  # fmt: skip
    return render(request, "releases/audits.html", context)


def _row(audit: Audit) -> dict[str, Any]:
    done = audit.state == DONE
    return {
        "audit_id": audit.audit_id, "address": address("audit", audit.audit_id), "state": audit.state,
        "ready": ("yes" if audit.deployment_ready else "no") if done else "", "risks": len(audit.flags) if done else "",
        "cause": audit.cause, "by": audit.by, "created_at": audit.created_at, "finished_at": audit.finished_at,
    }  # fmt: skip


@require_POST
@for_traders
def start_audit(request: HttpRequest) -> HttpResponse:
    """Queue an audit and go to its page."""
    by, sent = request.user.get_username(), request.POST
    wanted = audits.Asked("skip_validation" in sent, "skip_plots" in sent)
    audit = told(request, "The audit is queued.", lambda: audits.keep(wanted, by=by, at=now()))
    if audit is None:
        return redirect("audits")
    run_audit.delay_on_commit(audit_id=audit.audit_id)
    return redirect("audit", audit.audit_id)


@require_POST
@for_traders
def cancel_audit(request: HttpRequest, audit_id: str) -> HttpResponse:
    """Cancel an audit and go back to its page."""
    _audit(audit_id)
    by = request.user.get_username()
    told(request, "Cancelled.", lambda: audits.cancel(audit_id, by=by, at=now()))
    return redirect("audit", audit_id)


@require_safe
@login_required
def audit_page(request: HttpRequest, audit_id: str) -> HttpResponse:
    """Show one audit: how far it is, then its measures, risks, approvals and files."""
    audit = _audit(audit_id)
    done = audit.state == DONE
    context = {
        "audit": audit, "active": audit.state in OPEN, "percent": round(100 * audit.progress), "steps": STEPS,
        "may_trade": may_trade(request), "trouble": _trouble(audit) if done else "",
        "approvals": audit_approvals.signed(audit) if done else (), "files": audits.names(audit),
        "releases": [release.release_id for release in audit.releases.all()],
    }  # fmt: skip
    if done:
        context |= _waivers(audit, request.user, at=now())
        context |= {"compared": _compared(audit.metrics), "sections": _sections(audit.metrics)}
    return render(request, "releases/audit.html", context)


@require_safe
@login_required
def audit_file(request: HttpRequest, audit_id: str, name: str) -> HttpResponse:
    """Answer a file of the bundle, compared with its seal, to be saved."""
    audit = _audit(audit_id)
    try:
        return attachment(audits.file(audit, name), f"{audit.audit_id}_{name}")
    except SenseQuantError as error:
        raise Http404(str(error)) from None


def _waivers(audit: Audit, user: Any, *, at: dt.datetime) -> dict[str, Any]:
    """Return each flag with its waivers and the roles this person may waive it in, and whether anything is open."""
    gone, rows = waivers.waived(audit, at=at), waivers.standing(audit)
    counting = {each.pk for each in waivers.valid(audit, at=at)}
    held = [role for role in WAIVERS if people.holds(user, role)]
    whys = after_rollback.whys(audit)
    flags = []
    for place, flag in enumerate(audit.flags):
        mine = [each for each in rows if each.position == place]
        given = {each.role for each in mine if each.pk in counting}
        told = {"flag": flag, "number": place + 1, "waived": place in gone, "halves": mine, "counting": counting,
                "why": whys[place] if whys else ""}  # fmt: skip
        roles = [role for role in held if role not in given and user.pk not in {each.user_id for each in mine}]
        flags.append({**told, "roles": roles if waivers.may_be(flag) and user.get_username() != audit.by else []})
    return {
        "flags": flags, "open": len(audit.flags) - len(gone), "ready": waivers.ready(audit, at=at),
        "may_take_back": bool(held), "most_days": MOST_DAYS, "new": sum(not why for why in whys) if whys else None,
    }  # fmt: skip


@require_POST
@login_required
def waive(request: HttpRequest, audit_id: str) -> HttpResponse:
    """Keep one person's half of a waiver."""
    _audit(audit_id)
    told(request, "Your half of the waiver is kept.", lambda: waived(request, audit_id))
    return redirect("audit", audit_id)


def waived(request: HttpRequest, audit_id: str) -> Any:
    """Waive as the form says; the service's refusals are raised."""
    form = request.POST
    number, days = (form.get(name, "") for name in ("number", "days"))
    if not all(each.isdecimal() and len(each) < 4 for each in (number, days)):
        raise BadInput(f"flag {number!r} for {days!r} days cannot be", fix="give numbers")
    wish = Wish(int(number), form.get("role", ""), form.get("reason", ""), int(days))
    proof = Proof(form.get("password", ""), form.get("code", ""))
    return waiving.waive(audit_id, request.user, wish, proof, at=now())


@require_POST
@login_required
def take_back(request: HttpRequest, audit_id: str, number: int) -> HttpResponse:
    """End half a waiver."""
    _audit(audit_id)
    reason = request.POST.get("reason", "")
    told(request, "The waiver is over.", lambda: waiving.take_back(audit_id, number, request.user, reason, at=now()))
    return redirect("audit", audit_id)


def _audit(audit_id: str) -> Audit:
    try:
        return audits.find(audit_id)
    except SenseQuantError as error:
        raise Http404(str(error)) from None


def _trouble(audit: Audit) -> str:
    """Return what is not as it was sealed; empty when the bundle is whole, or was deleted when its time had come."""
    if audit.deleted_at is not None:
        return ""
    try:
        audits.verify(audit)
    except SenseQuantError as error:
        return str(error)
    return ""


def _compared(told: dict[str, Any]) -> list[dict[str, Any]]:
    gains = dict(zip(audit_metrics.FOUR, (told["deltas"][name] for name in audit_metrics.DELTAS), strict=True))
    return [
        {"name": words, "baseline": told["baseline"][key], "optimized": told["optimized"][key], "delta": gains.get(key)}
        for words, key in NAMES
    ]


def _sections(told: dict[str, Any]) -> list[tuple[str, list[tuple[str, Any]]]]:
    return [
        (title, [(key.replace("_", " "), audit_metrics.section(told, name)[key]) for key in keys])
        for name, title in TITLES.items()
        for keys in (audit_metrics.SECTIONS[name][1],)
    ]
