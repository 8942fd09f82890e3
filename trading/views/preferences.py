"""How a person likes the pages: kept in cookies of their own browser, so that the server draws them right at once."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from trading.views.doors import back

CHOICES = {
    "theme": ("system", "dark", "light"),
    "density": ("dense", "comfortable"),
    "palette": ("standard", "cvd"),
    "shortcuts": ("on", "off"),
}
YEAR = 365 * 86_400


@require_POST
def preferences(request: HttpRequest) -> HttpResponse:
    """Remember the choices sent; what is not among them is left as it was."""
    answer = back(request, "live")
    for name, allowed in CHOICES.items():
        if request.POST.get(name) in allowed:
            answer.set_cookie(name, request.POST[name], max_age=YEAR, samesite="Lax", secure=request.is_secure())
    return answer
