"""The learning app's part of the REST API: one router per noun."""

from __future__ import annotations

from ninja import Router

ROUTERS: dict[str, Router] = {}
