"""The admin pages of releases: rows can be looked up, changes go through the services."""

from __future__ import annotations

from releases.admin import audits, ledger, operations, people, releases

__all__ = ["audits", "ledger", "operations", "people", "releases"]
