"""The first steps: a tour of the demo day, and what every number means."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from trading.core.tour import TOUR
from trading.views import metrics


@require_safe
@login_required
def tour_page(request: HttpRequest) -> HttpResponse:
    """Show the whole tour."""
    return render(request, "trading/tour.html", {"stops": TOUR})


@require_safe
@login_required
def glossary_page(request: HttpRequest) -> HttpResponse:
    """Show what every number means."""
    return render(request, "trading/glossary.html", {"groups": metrics.glossary()})
