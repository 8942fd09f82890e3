"""The strip of state words, for pages that keep it fresh without a socket."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe


@require_safe
@login_required
def state(request: HttpRequest) -> HttpResponse:
    """Show the state words alone."""
    return render(request, "_strip.html")
