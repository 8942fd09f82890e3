"""Coming in, and a person's own page: the password is changed there, the second factor set up and taken away."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import urlencode

import segno
from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth import views as auth
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.signals import user_login_failed
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from releases.services import happenings, passwords
from sensequant.lib import broadcast, identity
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.security import events, factors, sessions
from sensequant.lib.security.models import Authenticator, RecoveryCodes
from sensequant.lib.security.receivers import sockets_of

Anybody = Any  # a person as requests carry them


class LoginForm(AuthenticationForm):
    """Name, password and, of whoever has a second factor, its code; a refusal never says which of them was wrong."""

    code = forms.CharField(required=False, max_length=40)

    def clean(self) -> dict[str, Any]:
        """Look at the code once name and password are right."""
        data = super().clean()
        user: Anybody = self.get_user()
        if user is None or not factors.enrolled(user):
            return data
        try:
            user.otp_device = factors.verified(user, data.get("code", ""))
        except NotAllowed:
            told = {"username": user.get_username()}
            user_login_failed.send(sender=__name__, credentials=told, request=self.request)
            self.user_cache = None
            raise self.get_invalid_login_error() from None
        return data


class Login(auth.LoginView):
    """The login page."""

    template_name = "login.html"
    authentication_form = LoginForm

    def form_invalid(self, form: Any) -> HttpResponse:
        """Keep that somebody was not let in."""
        who = str(form.data.get("username", ""))
        events.note("login refused", at=now(), request=self.request, who=who)
        return super().form_invalid(form)


@require_safe
def admin_login(request: HttpRequest) -> HttpResponse:
    """Send who wants into the admin to the one login page."""
    query = urlencode({"next": request.GET.get("next", reverse("admin:index"))})
    return redirect(f"{reverse('login')}?{query}")


def locked(request: HttpRequest, original: Any = None, credentials: Any = None, *_: Any, **__: Any) -> HttpResponse:
    """Answer who guessed too often; the same name from elsewhere, and whoever is in already, are not held up."""
    who = str((credentials or {}).get("username", ""))
    events.note("login locked", at=now(), request=request, who=who)
    minutes = int(settings.AXES_COOLOFF_TIME.total_seconds() // 60)
    if request.path.startswith("/api/"):
        return JsonResponse({"detail": "too many attempts"}, status=429)
    return render(request, "locked.html", {"minutes": minutes}, status=429)


@require_safe
@login_required
@never_cache
def account_page(request: HttpRequest) -> HttpResponse:
    """Show how the person is known here."""
    return _page(request)


@require_POST
@login_required
@never_cache
def begin_factor(request: HttpRequest) -> HttpResponse:
    """Make a secret for an app, for somebody who says the password again."""
    user: Anybody = request.user

    def work() -> None:
        identity.confirm(user, request.POST.get("password", ""), request.POST.get("code", ""), required=False)
        factors.begin(user)

    _told(request, "", work)
    return redirect("account")


@require_POST
@login_required
@never_cache
def finish_factor(request: HttpRequest) -> HttpResponse:
    """Put the app into use and show the recovery codes, this once; sessions elsewhere end."""
    user: Anybody = request.user
    try:
        codes = factors.finish(user, request.POST.get("code", ""))
    except NotAllowed as error:
        messages.error(request, str(error))
        return redirect("account")
    _turn(request, "second factor set up")
    device = Authenticator.objects.get(user=user)
    request.session["otp_device_id"] = device.persistent_id
    return _page(request, codes=codes)


@require_POST
@login_required
@never_cache
def remove_factor(request: HttpRequest) -> HttpResponse:
    """Take the second factor away from somebody who shows it once more."""
    user: Anybody = request.user

    def work() -> None:
        identity.confirm(user, request.POST.get("password", ""), request.POST.get("code", ""))
        factors.remove(user)
        request.session.pop("otp_device_id", None)
        _turn(request, "second factor removed")

    _told(request, "The second factor is removed.", work)
    return redirect("account")


@require_POST
@login_required
@never_cache
def change_password(request: HttpRequest) -> HttpResponse:
    """Take a new password from somebody who says the old one once more; sessions elsewhere end."""
    user: Anybody = request.user

    def work() -> None:
        new = request.POST.get("new", "")
        if new != request.POST.get("again", ""):
            raise BadInput("the two new passwords differ", fix="type the same one twice")
        passwords.choose(user, request.POST.get("password", ""), new, request.POST.get("code", ""))
        update_session_auth_hash(request, user)
        _turn(request, "password changed")

    _told(request, "The password is changed.", work)
    return redirect("account")


@require_safe
def admin_password(request: HttpRequest) -> HttpResponse:
    """Send who wants to change their password in the admin to the one page for it."""
    return redirect("account")


def _turn(request: HttpRequest, what: str) -> None:
    """Give the session another key, end the person's others, and keep what happened."""
    request.session.cycle_key()
    ended = sessions.end_all(request.user, but=request.session.session_key or "", at=now())
    broadcast.publish(sockets_of(request.user.pk or 0), {})  # the sockets of what ended look at once
    events.note(what, at=now(), request=request, sessions_ended=ended)


def _told(request: HttpRequest, said: str, work: Any) -> None:
    try:
        work()
    except (BadInput, NotAllowed) as error:
        messages.error(request, str(error))
    else:
        if said:
            messages.success(request, said)


def _page(request: HttpRequest, *, codes: list[str] | None = None) -> HttpResponse:
    user: Anybody = request.user
    device = Authenticator.objects.filter(user=user).first()
    begun = device is not None and not device.confirmed
    left = RecoveryCodes.objects.filter(user=user).first()
    context = {
        "enrolled": device is not None and device.confirmed, "codes": codes, "left": len(left.digests) if left else 0,
        "picture": picture(factors.address(device)) if device and begun else "",
        "written": factors.written(device) if device and begun else "",
        "required": settings.DESK.second_factor_required, "handed_out": happenings.password_handed_out(user),
    }  # fmt: skip
    return render(request, "account.html", context)


def picture(address: str) -> SafeString:
    """Return ``address`` as a QR code: SVG of numbers, nothing of a person's own words in it."""
    out = io.BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", scale=5, border=4, xmldecl=False, svgns=True, dark="#000", light="#fff",
        title="Code to be read by an authenticator app", omitsize=False,
    )  # fmt: skip
    return mark_safe(out.getvalue().decode())  # noqa: S308 - segno writes paths of numbers and our own title
