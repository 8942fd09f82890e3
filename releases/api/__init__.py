"""The release app's part of the REST API: one router per noun."""

from __future__ import annotations

from ninja import Router

from releases.api import audits, ledger, releases

ROUTERS: dict[str, Router] = {"releases": releases.router, "audits": audits.router, "ledger": ledger.router}
