"""What the database refuses of the ledger and of the rows it reads: they are only ever added."""
# ruff: noqa: S608 - names of our own tables

from __future__ import annotations

from typing import Final

from models_ml.selectors import history as of_models
from monitoring.selectors import history as of_monitoring
from releases.models.guards import TRUNCATE, Guard, changed, kept
from releases.models.ledger import Happening, LedgerArchive, LedgerEntry, LedgerHead
from releases.models.operation import OperationStep
from releases.models.watch import WatchCheck
from sensequant.lib.history import Kept
from sensequant.lib.security.models import SecurityEvent
from trading.selectors import history as of_trading

SOURCES: Final = (*of_trading.KEPT, *of_models.KEPT, *of_monitoring.KEPT, Kept(SecurityEvent))
OWN: Final = (Happening, LedgerHead, LedgerArchive, OperationStep, WatchCheck)


def guards(vendor: str) -> list[Guard]:
    """Return the guards of the ledger and of its sources."""
    found = [guard for each in SOURCES for guard in _of_source(vendor, each)]
    for model in OWN:
        found += kept(model, f"rows of {model._meta.db_table} are only ever added")
    told = "entries of the ledger are only ever added"
    archived = f"NOT EXISTS (SELECT 1 FROM {LedgerArchive._meta.db_table} a WHERE a.through >= OLD.seq)"
    return [
        *found,
        Guard(LedgerEntry, "fixed", "UPDATE", "", told),
        Guard(LedgerEntry, "kept", "DELETE", archived, told),
        Guard(LedgerEntry, "whole", TRUNCATE, "", told),
    ]


def _of_source(vendor: str, source: Kept) -> list[Guard]:
    told = f"rows of {source.model._meta.db_table} are only ever added"
    return [
        each if each.verb != "UPDATE" or not source.fixed else each._replace(when=changed(vendor, *source.fixed))
        for each in kept(source.model, told)
    ]
