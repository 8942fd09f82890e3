"""Health, readiness and the settings page."""

from __future__ import annotations

import time
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from django.views.defaults import page_not_found

from sensequant import config
from sensequant.api_guide import sections
from sensequant.lib.env import Row, rows
from trading.api import problems

API = "/api/v1/"


@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as this process serves."""
    return JsonResponse({"status": "ok", "mode": settings.DESK.mode})


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an address nothing stands at: a program under the API reads a problem, a person a page."""
    if request.path.startswith(API):
        return problems.of_missing(request, Http404())
    return page_not_found(request, exception)


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and has every migration, 503 with the reason otherwise."""
    parts = dict(found_at(int(time.monotonic())))
    ready = all(state == "ok" for state in parts.values())
    return JsonResponse({"status": "ok" if ready else "not ready", **parts}, status=200 if ready else 503)


@lru_cache(maxsize=1)
def found_at(second: int) -> tuple[tuple[str, str], ...]:
    """Return how database and migrations are; looked at once a second, however many ask: nobody limits a probe."""
    database = _database()
    if database != "ok":
        return (("database", database),)
    return (("database", database), ("migrations", _migrations()))


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "does not answer"
    return "ok"


def _migrations() -> str:
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return f"{len(missing)} not applied: run manage.py migrate" if missing else "ok"


@require_safe
@login_required
def settings_page(request: HttpRequest) -> HttpResponse:
    """Show staff every setting with its value, secrets masked."""
    if not request.user.is_staff:
        raise PermissionDenied
    sections: dict[str, list[dict[str, Any]]] = {}
    for each in rows(config.Desk):
        sections.setdefault(each.section, []).append(_shown(each))
    return render(request, "settings.html", {"sections": sections, "home": settings.SENSEQUANT_HOME})


def _shown(each: Row) -> dict[str, Any]:
    value = getattr(settings.DESK, each.attribute)
    text = each.show(value)
    if each.secret:
        text = "set, hidden" if value else "not set"
    return {"row": each, "value": text, "changed": value != each.default}


@require_safe
@login_required
def api_guide(request: HttpRequest) -> HttpResponse:
    """Show the guide to the REST API: every operation with its curl line."""
    return render(request, "api_guide.html", {"sections": sections()})
