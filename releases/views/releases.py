"""The releases page: every candidate, what state it is in and since when."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from releases.selectors import releases as found

SHOWN = 50


@require_safe
@login_required
def releases_page(request: HttpRequest) -> HttpResponse:
    """Show the newest releases."""
    return render(request, "releases/releases.html", {"rows": found.releases()[:SHOWN]})
