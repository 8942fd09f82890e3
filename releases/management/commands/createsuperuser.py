"""Django's own command, which gives way to two administrators as soon as there are two."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.management.commands import createsuperuser
from django.core.management.base import CommandError

from releases.services import granting


class Command(createsuperuser.Command):
    """Makes the first two administrators."""

    def handle(self, *args: Any, **options: Any) -> str | None:
        """Make an administrator, or say who may."""
        if granting.needs_two():
            raise CommandError(
                "an administrator needs two others by now: make the person in the admin, then "
                "manage.py role_grant --ask NAME --role administrator --reason WHY --by YOU, and let another confirm it"
            )
        return super().handle(*args, **options)
