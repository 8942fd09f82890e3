"""The REST API of the whole desk, at ``/api/v1``: every app's routers under one roof."""

from __future__ import annotations

from trading.api import ROUTERS
from trading.api.base import DeskAPI

VERSION = "1.0.0"

api = DeskAPI(VERSION)
for prefix, router in ROUTERS.items():
    api.add_router(prefix, router)
