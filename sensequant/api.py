"""The REST API of the whole desk, at ``/api/v1``: every app's routers under one roof."""

from __future__ import annotations

import models_ml.api
import monitoring.api
import releases.api
import trading.api
from sensequant import settings_api
from trading.api.base import DeskAPI

VERSION = "1.0.0"

api = DeskAPI(VERSION)
for app in (trading.api, models_ml.api, monitoring.api, releases.api):
    for prefix, router in app.ROUTERS.items():
        api.add_router(prefix, router)
api.add_router("settings", settings_api.router)
