"""Orders, positions, signals and the journal: dense tables that filter, sort, page and export."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.functional import cached_property
from django.views.decorators.http import require_safe

from sensequant.lib.addresses import address
from trading.core.orders import Status
from trading.core.strategies import STRATEGIES
from trading.models import EngineRun
from trading.selectors import live, orders, positions
from trading.selectors.orders import Asked
from trading.views import columns
from trading.views.columns import Column
from trading.views.exports import as_csv

PAGE = 100
CHUNK = 1_000
BEGIN = "No engine has run yet. make run serves a demo desk; manage.py engine --help shows how to run one of your own."
MOST = 10_000  # rows one pages through; counting further would take longer than reading
Rows = Callable[[Iterable[Any]], Iterable[dict[str, Any]]]


class Bounded(Paginator):  # type: ignore[type-arg]  # no generic at run time
    """Pages over the first rows of a query; ``beyond`` says that there are more, which a narrower filter shows."""

    @cached_property
    def count(self) -> int:
        """Return how many rows are paged through."""
        return min(self._counted, MOST)

    @property
    def beyond(self) -> bool:
        """Say whether there are rows after the last page."""
        return self._counted > MOST

    @cached_property
    def _counted(self) -> int:
        rows: Any = self.object_list
        return int(rows.order_by()[: MOST + 1].count())


@dataclass(frozen=True, slots=True)
class Table:
    """One page: what it asks for and how a row becomes cells; ``statuses`` are the choices of its status filter."""

    name: str
    title: str
    columns: Sequence[Column]
    find: Callable[[Asked], QuerySet[Any]]
    rows: Rows
    empty: str
    sides: tuple[str, ...]
    statuses: tuple[str, ...] = ()
    order: tuple[str, ...] = ("-id",)


def plain(names: Sequence[Column]) -> Rows:
    """Return what turns model rows into dictionaries of these columns, ``id`` included."""

    def rows(found: Iterable[Any]) -> Iterator[dict[str, Any]]:
        for each in found:
            yield {"id": each.pk, **{column.key: getattr(each, column.key) for column in names}}

    return rows


def _orders(found: Iterable[Any]) -> Iterator[dict[str, Any]]:
    own = [column for column in columns.ORDERS if column.key not in ("average", "charges")]
    for order, row in zip(found, plain(own)(found), strict=True):
        paid = {"average": orders.average(order), "charges": orders.charges(order)}
        yield {**row, **paid, "address": address("order", order.pk)}


TABLES = {
    table.name: table
    for table in (
        Table(
            "orders", "Orders", columns.ORDERS, orders.orders, _orders,
            "No order matches. An order appears here the moment the engine decides on it.",
            ("BUY", "SELL"), tuple(Status), ("-created_at", "-id"),
        ),
        Table(
            "positions", "Positions", columns.POSITIONS, positions.positions, positions.priced,
            "Nothing is held. A position appears here with its first fill and leaves with its last.",
            ("LONG", "SHORT"), (), ("symbol", "strategy"),
        ),
        Table(
            "signals", "Signals", columns.SIGNALS, orders.signals, plain(columns.SIGNALS),
            "No signal matches. Every opinion of a strategy is kept here, also those that were not acted on, and why.",
            ("LONG", "SHORT", "FLAT"), ("acted", "declined"), ("-at", "-id"),
        ),
        Table(
            "journal", "Journal", columns.JOURNAL, positions.trades, plain(columns.JOURNAL),
            "No closed trade matches. A trade is written here when its position is flat again.",
            ("LONG", "SHORT"), ("won", "lost"), ("-exit_time", "-id"),
        ),
    )
}  # fmt: skip


@require_safe
@login_required
def table_page(request: HttpRequest, name: str) -> HttpResponse:
    """Show one table as asked for by the query string, or send it as CSV (``?export=csv``)."""
    table = TABLES[name]
    asked, wrong = read(request)
    found = table.find(asked).order_by(*ordering(request, table.columns, table.order))
    if request.GET.get("export") == "csv":
        return as_csv(name, table.columns, in_chunks(found, table.rows))
    page, known = paged(request, found), runs(asked)
    context = {
        "table": table,
        "page": page,
        "rows": list(table.rows(list(page.object_list))),
        "asked": asked,
        "wrong": wrong,
        "runs": known,
        "empty": table.empty if known else f"{BEGIN} {table.empty.partition('. ')[2]}",
        "strategies": list(STRATEGIES),
        "totals": positions.totals(found) if name == "journal" and page.paginator.count < MOST else None,
    }
    return render(request, "trading/table.html", context)


def read(request: HttpRequest) -> tuple[Asked, list[str]]:
    """Return what the query string asks for and what of it was not understood; without ``run`` the current one."""
    get, wrong = request.GET, []
    run, day = get.get("run", ""), get.get("day", "")
    date = None
    try:
        date = dt.date.fromisoformat(day) if day else None
    except ValueError:
        wrong.append(f"{day!r} is not a date: write it as 2026-11-23")
    if run and run != "all" and not run.isdigit():
        wrong.append(f"{run!r} is not the number of a run")
    current = live.current_run() if not run else None
    number = current.pk if current else int(run) if run.isdigit() else None
    words = {key: get.get(key, "").strip() for key in ("symbol", "strategy", "side", "status")}
    return Asked(number, day=date, **words), wrong


def ordering(request: HttpRequest, known: Sequence[Column], usual: tuple[str, ...]) -> tuple[str, ...]:
    """Return the ordering asked for (``?sort=-net_pnl``) when it is one of the columns', else the usual one."""
    wanted = request.GET.get("sort", "")
    allowed = {column.sort for column in known if column.sort}
    return (wanted, "-id") if wanted.removeprefix("-") in allowed else usual


def paged(request: HttpRequest, found: QuerySet[Any]) -> Page[Any]:
    """Return the page of ``found`` asked for; a number beyond the end gives the last one."""
    return Bounded(found, PAGE).get_page(request.GET.get("page"))


def in_chunks(found: QuerySet[Any], rows: Rows) -> Iterator[dict[str, Any]]:
    """Yield every row of ``found``, read in chunks so that memory does not grow with the table."""
    chunk: list[Any] = []
    for each in found.iterator(chunk_size=CHUNK):
        chunk.append(each)
        if len(chunk) == CHUNK:
            yield from rows(chunk)
            chunk = []
    yield from rows(chunk)


def runs(asked: Asked) -> list[EngineRun]:
    """Return the runs to choose from, the chosen one among them."""
    found = list(orders.runs())
    if asked.run is not None and asked.run not in {run.pk for run in found}:
        found += list(EngineRun.objects.filter(pk=asked.run))
    return found


@require_safe
@login_required
def order_page(request: HttpRequest, pk: int) -> HttpResponse:
    """Show one order: its life step by step, its fills, and the signal behind it."""
    order = orders.order(pk)
    if order is None:
        raise Http404(f"there is no order {pk}")
    context = {
        "order": order,
        "steps": order.events.all(),
        "fills": order.fills.all(),
        "average": orders.average(order),
        "charges": orders.charges(order),
        "signal": orders.signal_of(order),
        "step_columns": columns.STEPS,
        "fill_columns": columns.FILLS,
    }
    return render(request, "trading/order.html", context)
