"""People and their roles in the admin: a role is asked for by one administrator and confirmed by another."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth import get_user_model
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import UserChangeForm
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from releases.models import RoleGrant
from releases.models.grants import FLAGS
from releases.services import granting, passwords
from sensequant.lib.clock import now
from sensequant.lib.errors import NotAllowed, SenseQuantError
from sensequant.lib.security import events
from trading.admin.base import Form, Record, confirmed, each


class RolesForm(UserChangeForm):  # type: ignore[type-arg]  # a class of no parameter at run time
    """A person's page: takes roles away, and sends who would give one to the role grants."""

    def clean(self) -> dict[str, Any] | None:
        """Refuse roles the person does not have yet."""
        data: dict[str, Any] = super().clean() or {}
        if granting.needs_two():
            held = set(self.instance.groups.all())
            new = [group.name for group in data.get("groups", ()) if group not in held]
            before = get_user_model().objects.get(pk=self.instance.pk)
            new += [role for role, flag in FLAGS.items() if data.get(flag) and not getattr(before, flag)]
            if new:
                told = f"{', '.join(new)}: a role needs a second administrator; ask for it under role grants"
                raise ValidationError(told)
        return data


class PersonAdmin(UserAdmin):  # type: ignore[type-arg]
    """People."""

    form = RolesForm

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """Show and take the form that sets somebody's password; one's own is changed on the page of the account."""
        user = self.get_object(request, id)
        if user is not None and user.pk == request.user.pk:
            return redirect("account")
        if user is not None and self.has_change_permission(request, user):
            try:
                passwords.may_hand_out(user, by=request.user)
            except NotAllowed as error:
                events.note("password of another refused", at=now(), request=request, of=user.get_username())
                messages.error(request, str(error))
                return redirect("admin:auth_user_change", user.pk)
        return super().user_change_password(request, id, form_url)


class AskForm(Form):
    """Ask for a role."""

    role = forms.ChoiceField()

    class Meta:
        model = RoleGrant
        fields = ("user", "role", "reason")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the roles there are."""
        super().__init__(*args, **kwargs)
        self.fields["role"].choices = [(each, each) for each in granting.roles()]  # type: ignore[attr-defined]

    def clean(self) -> dict[str, Any]:
        """Ask; what is refused is said above the form."""
        data: dict[str, Any] = super().clean() or {}
        if not self.errors:
            try:
                self.asked = granting.ask(data["user"], data["role"], data["reason"], by=self.asker, at=now())
            except SenseQuantError as error:
                raise ValidationError(str(error)) from None
        return data

    asker: Any = None

    def _post_clean(self) -> None:
        """Leave the row to the service."""
        if hasattr(self, "asked"):
            self.instance = self.asked


@admin.register(RoleGrant)
class RoleGrantAdmin(Record):
    """Roles asked for and given."""

    list_display = ("user", "role", "reason", "asked_by", "asked_at", "confirmed_by", "confirmed_at", "ended_at")
    list_filter = ("role",)
    list_select_related = ("user", "asked_by", "confirmed_by")
    search_fields = ("user__username", "role", "reason")
    date_hierarchy = "asked_at"
    actions = ("confirm", "refuse")

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Say whether the caller may ask: administrators do."""
        return bool(request.user.is_active and request.user.is_superuser)

    def has_administer_permission(self, request: HttpRequest) -> bool:
        """Say whether the caller may confirm."""
        return self.has_add_permission(request)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        """Return the form that asks, in the caller's name."""
        if obj is not None:
            return super().get_form(request, obj, change, **kwargs)
        return type("AskForm", (AskForm,), {"asker": request.user})

    def save_form(self, request: HttpRequest, form: Any, change: bool) -> Any:
        """Return what the service made."""
        return form.asked

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        """Write nothing: the service did."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Write nothing more."""

    @admin.action(description="Confirm", permissions=["administer"])
    def confirm(self, request: HttpRequest, rows: QuerySet[RoleGrant]) -> HttpResponse | None:
        """Give the roles another administrator asked for, once the password was given again."""
        page = confirmed(request, rows, "Confirm roles")
        if page is None:
            each(request, rows, "granted", lambda row: granting.confirm(row.pk, by=request.user, at=now()))
        return page

    @admin.action(description="Refuse", permissions=["administer"])
    def refuse(self, request: HttpRequest, rows: QuerySet[RoleGrant]) -> None:
        """End requests."""
        each(request, rows, "refused", lambda row: granting.refuse(row.pk, by=request.user, at=now()))


admin.site.unregister(User)
admin.site.register(User, PersonAdmin)
