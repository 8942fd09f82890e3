"""The ledger: the list with its search and download, one entry, and the reading of the whole."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from releases.models import LedgerCheck, LedgerEntry
from releases.selectors import ledger as found
from releases.selectors.ledger import Asked
from releases.services import ledger_checks, ledger_waiting
from sensequant.lib.addresses import address
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.views.columns import Column
from trading.views.doors import back, for_traders, may_trade, told
from trading.views.exports import as_csv
from trading.views.tables import paged

ALSO = 50
COLUMNS = (
    Column("seq", "Number", "qty", link="address"), Column("at", "When", "stamp"), Column("actor", "Who"),
    Column("action", "What"), Column("object", "Of what"), Column("reason", "Why"),
)  # fmt: skip
EXPORTED = tuple(
    Column(name, name)
    for name in (
        "seq", "at", "recorded_at", "actor", "ip", "session", "request_id", "action", "object", "reason", "kind",
        "source", "content", "before_sha", "after_sha", "previous", "digest",
    )
)  # fmt: skip


@require_safe
@login_required
def ledger_page(request: HttpRequest) -> HttpResponse:
    """Show what was done, narrowed as asked for by the query string, or send it as CSV (``?export=csv``)."""
    asked, wrong = _asked(request)
    try:
        rows = found.entries(asked)
    except BadInput as error:
        rows, wrong = found.entries(Asked()), [str(error)]
    if request.GET.get("export") == "csv" and not wrong:
        names = [column.key for column in EXPORTED]
        return as_csv("ledger", EXPORTED, (dict(zip(names, row, strict=True))
                                           for row in rows.values_list(*names).iterator()))  # fmt: skip
    page = paged(request, rows)
    context = {
        "page": page, "rows": _rows(page.object_list), "asked": asked, "wrong": wrong, "columns": COLUMNS,
        "may_trade": may_trade(request),
        "check": found.checks().first(), "head": found.heads().first(), "archives": found.archives(),
        "waiting": ledger_waiting.waiting_now(),
    }  # fmt: skip
    return render(request, "releases/ledger.html", context)


@require_safe
@login_required
def entry_page(request: HttpRequest, seq: int) -> HttpResponse:
    """Show one entry: everything it says, and what else was done to its object."""
    row = found.entry(seq)
    if row is None:
        raise Http404(f"there is no entry {seq}, or it lies in an archive")
    content = json.dumps(json.loads(row.content), indent=1, ensure_ascii=False)
    context = {"entry": row, "content": content, "also": _rows(found.about(row)[:ALSO]), "columns": COLUMNS}
    return render(request, "releases/ledger_entry.html", context)


def _rows(entries: Iterable[LedgerEntry]) -> list[dict[str, Any]]:
    names = [column.key for column in COLUMNS]
    return [
        {**{name: getattr(row, name) for name in names}, "address": address("ledger_entry", row.seq)} for row in entries
    ]


@require_POST
@for_traders
def verify_ledger(request: HttpRequest) -> HttpResponse:
    """Read the whole ledger and tell what came of it."""
    by = request.user.get_username()
    row: LedgerCheck | None = told(request, "", lambda: ledger_checks.ask(by=by, at=now()))
    if row is not None:
        told(request, _said(row), lambda: None)
    return back(request, "ledger")


def _said(row: LedgerCheck) -> str:
    if row.sound is None:
        return "The ledger is long: the process that keeps it reads it now; look again in a minute."
    return "Read: sound." if row.sound else f"Read: {row.result['broken']} things are wrong, see below."


def _asked(request: HttpRequest) -> tuple[Asked, list[str]]:
    """Return what the query string asks for and what of it was not understood."""
    words = {
        name: request.GET.get(name, "").strip()[:120].replace("\x00", "") for name in ("actor", "action", "object")
    }
    day = request.GET.get("day", "")
    try:
        date = dt.date.fromisoformat(day) if day else None
    except ValueError:
        return Asked(), [f"{day[:20]!r} is not a date: write it as 2026-11-23"]
    return Asked(words["actor"], words["action"], words["object"], date, date), []
