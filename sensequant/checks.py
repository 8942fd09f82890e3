"""The settings as Django system checks: ``manage.py check`` names every variable that cannot be used."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from sensequant import config
from sensequant.lib.env import Problem

WHAT = {1: "not understood", 2: "out of bounds", 3: "contradicts another setting", 4: "cannot be written"}


def settings_are_usable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    """Report each value that was refused: E001 not understood, E002 out of bounds, E003 contradiction, E004 folder."""
    return [_error(problem) for problem in settings.DESK_PROBLEMS]


def _error(problem: Problem) -> checks.CheckMessage:
    hint = f"{problem.name}: {WHAT[problem.number]}"
    return checks.Error(problem.line, hint=hint, id=f"sensequant.E{problem.number:03}")


def deployment_is_reachable(app_configs: Sequence[AppConfig] | None, **_: Any) -> list[checks.CheckMessage]:
    """Warn, under ``--deploy``, about a desk that others reach without HTTPS."""
    if config.is_local(settings.DESK) or settings.DESK.behind_https:
        return []
    line = "BEHIND_HTTPS=false while the desk answers to other machines: passwords would cross in the clear"
    return [checks.Warning(line, id="sensequant.W001")]


def register() -> None:
    """Register the checks with Django."""
    checks.register(settings_are_usable)
    checks.register(deployment_is_reachable, deploy=True)
