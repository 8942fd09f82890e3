"""What the broker's books and ours disagree about: kept while it is so, closed when it is gone, accepted by a person.

A row is about two numbers. An acceptance holds for those two and no others: whoever changes a number voids it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping

from django.db import transaction

from sensequant.lib.errors import NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.models.control import Difference
from trading.models.engine import EngineRun
from trading.services.reasons import reason as checked

Found = Mapping[str, tuple[int, int, str]]
"""What a reading found: symbol → (shares by our fills, shares by the broker's books, detail)."""
DETAIL = 400
UNACCEPTED: dict[str, object] = {"accepted_by": "", "accepted_at": None, "reason": ""}
log = get_logger("differences")


def keep(run: EngineRun, found: Found, *, at: dt.datetime) -> None:
    """Keep what a clean reading of the broker's books found for ``run``, one open row a symbol; close what is gone."""
    with transaction.atomic():
        known = {row.symbol: row for row in Difference.objects.filter(run=run, gone_at=None)}
        for symbol, (ours, theirs, detail) in found.items():
            if symbol in known:
                _again(known[symbol], ours, theirs, detail[:DETAIL], at)
            else:
                Difference.objects.create(
                    run=run, symbol=symbol, ours=ours, theirs=theirs, detail=detail[:DETAIL], found_at=at, seen_at=at
                )
                log.warning("books differ", run=run.pk, symbol=symbol, ours=ours, theirs=theirs)
        gone = [row.pk for symbol, row in known.items() if symbol not in found]
        if gone:
            Difference.objects.filter(pk__in=gone).update(gone_at=at)
            log.info("books agree again", run=run.pk, symbols=sorted(known.keys() - found.keys()))


def _again(row: Difference, ours: int, theirs: int, detail: str, at: dt.datetime) -> None:
    changes: dict[str, object] = {"seen_at": at, "detail": detail}
    if (row.ours, row.theirs) != (ours, theirs):
        # Whatever was accepted meanwhile was other numbers, so it is void even where this process has not seen it.
        changes |= {"ours": ours, "theirs": theirs, **UNACCEPTED}
        told = {"was": f"{row.ours}, {row.theirs}", "ours": ours, "theirs": theirs}
        log.warning("a difference changed", symbol=row.symbol, voided=row.accepted_by, reason=row.reason, **told)
    Difference.objects.filter(pk=row.pk).update(**changes)


def accept(
    pk: int, reason: str, *, at: dt.datetime, by: str, seen: tuple[int, int] | None = None
) -> Difference:  # fmt: skip
    """Let entries go on although the books differ, for a reason and in a person's name.

    ``seen`` are the two numbers the person looked at. NotFound when there is no such difference, NotAllowed when it is
    gone, was accepted before, or shows other numbers by now; BadInput without a reason.
    """
    words = checked(reason)
    row = Difference.objects.filter(pk=pk).first()
    if row is None:
        raise NotFound(f"there is no difference {pk}", fix="look at the list of differences")
    if seen is not None and seen != (row.ours, row.theirs):
        raise NotAllowed(f"meanwhile it is {row}", fix="look at it again")
    if row.gone_at is not None:
        raise NotAllowed(f"the difference in {row.symbol} is gone", fix="nothing to accept")
    if row.accepted_at is not None:
        raise NotAllowed(f"{row.accepted_by} has accepted the difference in {row.symbol}", fix="nothing left to do")
    same = Difference.objects.filter(pk=pk, gone_at=None, accepted_at=None, ours=row.ours, theirs=row.theirs)
    if not same.update(accepted_by=by, accepted_at=at, reason=words):
        raise NotAllowed(f"the difference in {row.symbol} has just changed", fix="look at it again")
    row.refresh_from_db()
    log.warning("a difference was accepted", symbol=row.symbol, ours=row.ours, theirs=row.theirs, by=by, reason=words)
    return row


def blocking(run: EngineRun) -> set[str]:
    """Return the symbols in which entries of ``run`` wait: an open difference that nobody has accepted."""
    rows = Difference.objects.filter(run=run, gone_at=None, accepted_at=None)
    return set(rows.values_list("symbol", flat=True))
