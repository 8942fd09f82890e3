"""Releases, their events, signatures and keys: looked up here; signed and moved on /releases, by the services."""

from __future__ import annotations

from typing import Any, cast

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from releases.core.roles import ROLES
from releases.models import Release, ReleaseEvent, ReleaseSignOff, SigningKey
from releases.services.signing import Proof, Word, read_digest, sign
from sensequant.lib.clock import now
from trading.admin.base import Record, pretty
from trading.views.doors import told


def signed(request: HttpRequest, release_id: str) -> Any:
    """Sign as the form says; the service's refusals are raised."""
    form = request.POST
    word = Word(form.get("role", ""), form.get("decision", ""), form.get("note", ""), form.get("seen", ""))
    return sign(release_id, request.user, word, Proof(form.get("password", ""), form.get("code", "")), at=now())


@admin.register(Release)
class ReleaseAdmin(Record):
    """One release."""

    list_display = ("release_id", "seq", "kind", "state", "author", "audit", "created_at")
    list_filter = ("state", "kind")
    list_select_related = ("author", "audit")
    search_fields = ("release_id", "summary", "author__username")
    date_hierarchy = "created_at"
    exclude = ("content",)
    readonly_fields = ("consists_of", "signing")

    def get_urls(self) -> list[URLPattern]:
        """Return the addresses, the form that signs among them."""
        sign = path("<int:pk>/sign/", self.admin_site.admin_view(self.sign), name="releases_release_sign")
        return [sign, *super().get_urls()]

    def view_on_site(self, obj: Model) -> str:
        """Return where a release is read, signed and deployed."""
        return reverse("release", args=[cast(Release, obj).release_id])

    @admin.display(description="sign")
    def signing(self, row: Release) -> SafeString:
        """Return the way to the form."""
        return format_html('<a href="{}">Sign this release</a>', reverse("admin:releases_release_sign", args=[row.pk]))

    def sign(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Show the form that signs, or keep the word it brings; the service refuses here what it refuses everywhere."""
        row = get_object_or_404(Release.objects.select_related("audit"), pk=pk)
        if request.method == "POST":
            told(request, "Your word is kept.", lambda: signed(request, row.release_id))
            return redirect("admin:releases_release_change", pk)
        context = {
            **self.admin_site.each_context(request), "title": f"Sign {row}", "row": row, "roles": ROLES,
            "seen": read_digest(row),
        }  # fmt: skip
        return render(request, "admin/releases/sign.html", context)

    @admin.display(description="content")
    def consists_of(self, row: Release) -> SafeString:
        """Return the content."""
        return pretty(row.content)


@admin.register(ReleaseEvent)
class ReleaseEventAdmin(Record):
    """Every move of every release."""

    list_display = ("release", "old", "new", "by", "reason", "at")
    list_filter = ("new",)
    list_select_related = ("release",)
    search_fields = ("release__release_id", "by", "reason")
    date_hierarchy = "at"


@admin.register(ReleaseSignOff)
class ReleaseSignOffAdmin(Record):
    """Every signature."""

    list_display = ("release", "role", "name", "decision", "note", "at", "revoked_at")
    list_filter = ("role", "decision")
    list_select_related = ("release",)
    search_fields = ("release__release_id", "name", "note")
    date_hierarchy = "at"


@admin.register(SigningKey)
class SigningKeyAdmin(Record):
    """The keys people sign with; the private half is sealed and not shown."""

    list_display = ("user", "public", "created_at", "revoked_at", "revoked_reason")
    list_select_related = ("user",)
    search_fields = ("user__username", "public")
    date_hierarchy = "created_at"
    exclude = ("sealed", "cost")
