"""Backtests: asked for, run through the core, kept with everything needed to run them again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

from django.db import transaction

from sensequant.lib.errors import NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.core import returns
from trading.core.calendar import IST
from trading.core.metrics import Measures
from trading.core.panel import LaneBars, panel
from trading.core.rules import Setup
from trading.core.signals import DIRECTIONS
from trading.core.simulation import Outcome, simulate
from trading.core.state import DAY_END, EXIT_REASONS, TRADED, Happening
from trading.models.backtests import BacktestRun, BacktestTrade
from trading.services import diagnosing, feeds, markets, runs, scoring, students, studies, telemetry
from trading.services.recording import moment, money
from trading.services.telemetry import Capture

FEW_TRADES = 30
log = get_logger("backtests")


def request(  # noqa: PLR0913 - the doors give them one by one
    *, symbols: Sequence[str], strategy: str, interval: str, start: dt.date, end: dt.date, source: str = "",
    directory: str = "", params: dict[str, Any] | None = None, capital: Decimal | float | None = None, by: str,
    at: dt.datetime,
) -> BacktestRun:  # fmt: skip
    """Return a queued run, everything about it checked.

    ``source`` is csv, breeze, hybrid, stream or demo; empty: csv when a ``directory`` is named, else the demo market.
    """
    place = runs.source_of(source or ("csv" if directory else markets.DEMO), directory)
    wanted = markets.want(place, symbols, interval, start, end, today=at.astimezone(IST).date())
    order = runs.order(strategy, params or {}, None if capital is None else float(capital))
    return keep(wanted, order, by=by, at=at)


def keep(wanted: markets.Wanted, order: runs.Ordered, *, by: str, at: dt.datetime) -> BacktestRun:
    """Return a queued run of checked requests; Invalid names a parameter that cannot be."""
    runs.setup_of(order, wanted)
    kind, folder = feeds.split(wanted.source)
    own = wanted.source in (markets.DEMO, markets.STREAM)
    return BacktestRun.objects.create(
        symbols=list(wanted.symbols), strategy=order.strategy, interval=wanted.interval, start=wanted.start,
        end=wanted.end, source=wanted.source if own else kind or "csv", directory="" if own else folder,
        params=dict(order.params),
        sound_rows=wanted.sound_rows, capital=round(order.capital, 2), created_at=at, created_by=by,
    )  # fmt: skip


def execute(
    run_id: int, *, at: dt.datetime, progress: Callable[[float], None] | None = None, traced: Capture | None = None
) -> BacktestRun:  # fmt: skip
    """Run a queued backtest and keep its result; what goes wrong is kept on the run, and raised.

    Its predictions are traced as ``traced`` says, or as the settings do; traces that are lost are a warning.
    """
    won = BacktestRun.objects.filter(pk=run_id, status="queued").update(status="running")
    run = _find(run_id)
    if not won:
        raise NotAllowed(f"backtest {run_id} is {run.status}, not queued", fix="ask for a new one")
    try:
        _run(run, at=at, progress=progress, traced=traced or telemetry.by_default(run.pk, at=at))
    except BaseException as error:
        foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
        told = str(error) if foreseen else f"{type(error).__name__}: {error}"
        BacktestRun.objects.filter(pk=run_id, status="running").update(status="failed", error=told, finished_at=at)
        raise
    run.refresh_from_db()
    return run


def _run(
    run: BacktestRun, *, at: dt.datetime, progress: Callable[[float], None] | None, traced: Capture | None
) -> None:  # fmt: skip
    wanted = markets.Wanted(_source(run), tuple(run.symbols), run.interval, run.start, run.end, run.sound_rows)
    order = runs.Ordered(run.strategy, run.params, float(run.capital))
    lanes = markets.lanes(wanted, at=at)
    setup, charges = runs.setup_of(order, wanted), runs.charges_of(order, wanted, lanes)
    seats = students.wanted(at)
    lanes = scoring.told(order.strategy, setup, lanes, seats)
    bars = panel(lanes)
    compiled = runs.worth_compiling(order.strategy, len(bars))
    outcome = simulate(
        order.strategy, setup, bars, capital=order.capital, charges=charges, compiled=compiled,
        watch=_watch(run, progress) if len(bars) > 20_000 else None,
    )  # fmt: skip
    notes = _traced(run, outcome, lanes, seats, setup, traced) if traced else []
    _finish(run, outcome, lanes, seats, notes, index=markets.index(wanted, at=at), at=at)


def _traced(
    run: BacktestRun, outcome: Outcome, lanes: Sequence[LaneBars], seats: Sequence[students.Seat], setup: Setup,
    wanted: Capture,
) -> list[str]:  # fmt: skip
    """Write the traces of a run and keep what they came to; return what the trader should know."""
    symbols = [each.spec.symbol for each in lanes]
    written = telemetry.record(
        outcome, symbols, run.strategy, setup, wanted, run=str(run.pk),
        student=_version(lanes, seats),
    )  # fmt: skip
    found, notes = telemetry.measured(written)
    BacktestRun.objects.filter(pk=run.pk).update(telemetry=found)
    return notes


def _source(run: BacktestRun) -> str:
    """Return where a run's bars come from, as it was asked for."""
    if run.source in (markets.DEMO, markets.STREAM):
        return run.source
    return feeds.source(run.source, run.directory) if run.source in feeds.KINDS else run.directory


def _watch(run: BacktestRun, progress: Callable[[float], None] | None) -> Callable[[float], bool]:
    """Return what a long run calls now and then: it keeps the progress and says whether the run was cancelled."""
    rows = BacktestRun.objects.filter(pk=run.pk)
    most = 0.0

    def watch(done: float) -> bool:
        nonlocal most
        most = max(most, done)  # a run with more happenings than it had room for begins again
        if progress:
            progress(most)
        return rows.filter(status="running").update(progress=most) == 0

    return watch


def _finish(
    run: BacktestRun, outcome: Outcome, lanes: Sequence[LaneBars], seats: Sequence[students.Seat], notes: list[str], *,
    index: LaneBars | None, at: dt.datetime,
) -> None:  # fmt: skip
    found = outcome.happenings()
    trades = [each for each in found if each.kind == TRADED]
    symbols = [each.spec.symbol for each in lanes]
    equity = _equity(found)
    metrics = {**as_json(outcome.measures), **extended([value for _, value in equity], float(run.capital))}
    study = studies.study(outcome, lanes, float(run.capital), index)
    with transaction.atomic():
        won = BacktestRun.objects.filter(pk=run.pk, status="running").update(
            status="done", progress=1.0, bars=outcome.bars, metrics=metrics, study=study, finished_at=at,
            equity=equity, warnings=[*_warnings(outcome, lanes), *_of_student(run, lanes, seats), *notes],
            model_version=_version(lanes, seats),
        )  # fmt: skip
        if won:
            rows = (_trade(run, k, each, symbols) for k, each in enumerate(trades, start=1))
            BacktestTrade.objects.bulk_create(rows, batch_size=2000)
    log.info("backtest done", run=run.pk, bars=outcome.bars, trades=len(trades))


def _trade(run: BacktestRun, number: int, each: Happening, symbols: Sequence[str]) -> BacktestTrade:
    v = each.values
    return BacktestTrade(
        run=run, number=number, symbol=symbols[each.lane], side=DIRECTIONS[int(v["side"])], quantity=int(v["quantity"]),
        entry_time=moment(v["entry_ts"]), entry_price=money(v["entry_price"]), exit_time=moment(each.ts),
        exit_price=money(v["exit_price"]), exit_reason=EXIT_REASONS[int(v["why"])], gross_pnl=money(v["gross"]),
        charges=money(v["charges"]), net_pnl=money(v["net"]),
    )  # fmt: skip


def as_json(measures: Measures) -> dict[str, float | int | None]:
    """Return measures as JSON can keep them (what has no meaning is null), with the return in per cent too."""
    found = {key: _finite(value) for key, value in measures._asdict().items()}
    found["total_return_pct"] = _finite(measures.total_return * 100.0)
    return found


def extended(equity: Sequence[float], capital: float) -> dict[str, float | int | None]:
    """Return the measures of an equity curve's daily returns that ``Measures`` has not, as JSON can keep them."""
    told = returns.described(returns.from_equity(equity, capital))
    return {key: _finite(value) for key, value in told.items()}


def _finite(value: float) -> float | int | None:
    return value if math.isfinite(value) else None


def _equity(found: Iterable[Happening]) -> list[list[Any]]:
    days = (each.values for each in found if each.kind == DAY_END)
    return [[dt.date.fromordinal(int(v["session"])).isoformat(), round(v["equity"], 2)] for v in days]


def _warnings(outcome: Outcome, lanes: Sequence[LaneBars]) -> list[str]:
    found = []
    if outcome.measures.trades < FEW_TRADES:
        word = "trade" if outcome.measures.trades == 1 else "trades"
        found.append(f"only {outcome.measures.trades} {word}: too few to tell skill from luck")
    found += diagnosing.told(outcome, lanes)
    unknown = [each.spec.symbol for each in lanes if bool((each.bars.volume != each.bars.volume).any())]
    if unknown:
        found.append(f"unknown volume in {', '.join(unknown)}: fills there are not capped by volume")
    return found + [note for each in lanes for note in each.notes]


def _version(lanes: Sequence[LaneBars], seats: Sequence[students.Seat]) -> str:
    """Return the version of the student whose word counted; empty without one."""
    heads = [seat.scorer.version for seat in seats if seat.role == students.CHAMPION]
    return heads[0] if heads and any(lane.student.size for lane in lanes) else ""


def _of_student(run: BacktestRun, lanes: Sequence[LaneBars], seats: Sequence[students.Seat]) -> list[str]:
    """Return what to keep in mind of a student's words on bars it may have learned from."""
    version = _version(lanes, seats)
    until = next((seat.trained_until for seat in seats if version and seat.scorer.version == version), "")
    if not until or run.start.isoformat() > until:
        return []
    return [f"{version} learned from bars up to {until}: what it says of days before is no forecast"]


def cancel(run_id: int, *, by: str) -> BacktestRun:
    """Cancel a run that is queued or under way; NotAllowed when it has ended."""
    won = BacktestRun.objects.filter(pk=run_id, status__in=("queued", "running")).update(status="cancelled")
    run = _find(run_id)
    if not won:
        raise NotAllowed(f"backtest {run_id} is {run.status} and cannot be cancelled", fix="nothing is left to do")
    log.info("backtest cancelled", run=run_id, by=by)
    return run


def _find(run_id: int) -> BacktestRun:
    run = BacktestRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no backtest {run_id}", fix="look at the list of backtests")
    return run


def answer(run: BacktestRun) -> dict[str, Any]:
    """Return a finished run as the command and the API give it."""
    trades = run.trades.order_by("number").values(
        "symbol", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason", "charges",
        "net_pnl",
    )  # fmt: skip
    return {
        "run_id": run.pk, "bars": run.bars, "strategy": run.strategy, "interval": run.interval,
        "metrics": run.metrics, "study": run.study, "model_version": run.model_version, "warnings": run.warnings,
        "telemetry": run.telemetry or None,
        "trades": [_plain(dict(row)) for row in trades],
    }  # fmt: skip


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {
        key: float(value) if isinstance(value, Decimal)
        else value.astimezone(IST).isoformat() if isinstance(value, dt.datetime) else value
        for key, value in row.items()
    }  # fmt: skip
