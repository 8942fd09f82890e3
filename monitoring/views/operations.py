"""How every part of the desk is, what must be so before the open, and what to do when a rule fires."""

from __future__ import annotations

import re

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from monitoring.core.rules import BY_KEY, RULES
from monitoring.selectors import alerts
from monitoring.services import parts, preopen, rulebook
from sensequant.lib.clock import now
from trading.views.columns import Column
from trading.views.grids import Grid

C = Column
LINES = (
    C("level", "State", "status"),
    C("part", "Part"),
    C("text", "Found"),
    C("age", "Heard of", "age", "seconds since it last spoke; a dash where it was asked just now"),
    C("fix", "What to do"),
)
HOLE = re.compile(r"\{[^}]*\}")  # where a message names what it is about
RUNBOOKS = (
    C("key", "Rule", "text", link="address"),
    C("severity", "Severity", "word"),
    C("message", "It says"),
    C("runbook", "In short"),
)


@require_safe
@login_required
def health_page(request: HttpRequest) -> HttpResponse:
    """Show every part, the worst first."""
    at = now()
    found = parts.lines(at=at)
    grid = Grid("parts", "Parts", LINES, parts.as_rows(found), "Nothing could be asked.")
    return render(request, "monitoring/health.html", {"grid": grid, "at": at, "worst": parts.worst(found)})


@require_safe
@login_required
def preopen_page(request: HttpRequest) -> HttpResponse:
    """Show the checklist of the morning."""
    at = now()
    found = preopen.items(at=at)
    waiting = sum(not item.done for item in found)
    context = {"items": found, "waiting": waiting, "morning": preopen.morning(at=at), "at": at}
    return render(request, "monitoring/preopen.html", context)


@require_safe
@login_required
def runbooks_page(request: HttpRequest) -> HttpResponse:
    """List what to do about each rule."""
    rows = [
        {
            "key": rule.key, "address": f"/runbooks/{rule.key}", "severity": str(rule.severity),
            "message": HOLE.sub("…", rule.message), "runbook": rule.runbook,
        }
        for rule in RULES
    ]  # fmt: skip
    grid = Grid("runbooks", "Runbooks", RUNBOOKS, rows, "There is no rule.")
    return render(request, "monitoring/runbooks.html", {"grid": grid})


@require_safe
@login_required
def runbook_page(request: HttpRequest, key: str) -> HttpResponse:
    """Show what to do when a rule fires, with what fires of it now."""
    if key not in BY_KEY:
        raise Http404(f"there is no rule {key}")
    rule = next(each for each in rulebook.in_force() if each.rule.key == key)
    context = {
        "rule": rule,
        "body": f"monitoring/runbooks/{key}.html",
        "firing": list(alerts.listed(open_only=True).filter(rule=key)),
        "past": list(alerts.listed().filter(rule=key)[:5]),
    }
    return render(request, "monitoring/runbook.html", context)
