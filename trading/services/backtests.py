"""Backtests: asked for, run through the core, kept with everything needed to run them again."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
from django.db import transaction

from sensequant.lib.errors import NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger
from trading.core import returns
from trading.core.calendar import IST
from trading.core.excursions import excursions, summary
from trading.core.metrics import Measures
from trading.core.panel import LaneBars
from trading.core.rolls import rest
from trading.core.signals import DIRECTIONS
from trading.core.simulation import Outcome, Run, Schedule, simulate_desks
from trading.core.state import DAY_END, EXIT_REASONS, TRADED, Happening
from trading.core.stress import LEVELS, again
from trading.models.backtests import BacktestRun, BacktestTrade
from trading.services import bookmarks, desks, diagnosing, feeds, leases, markets, runs, students, studies, telemetry
from trading.services.bookmarks import Bookmark
from trading.services.desks import Half
from trading.services.recording import moment, money
from trading.services.telemetry import Capture, Predictor

FEW_TRADES = 30
LONG = 20_000  # bars from which a run tells how far it is, and may be cancelled and resumed on its way
PATIENCE = 600.0  # seconds after which a process of another machine that is not heard of counts as dead
log = get_logger("backtests")


def request(  # noqa: PLR0913 - the doors give them one by one
    *, symbols: Sequence[str], strategy: str, interval: str, start: dt.date, end: dt.date, source: str = "",
    directory: str = "", params: dict[str, Any] | None = None, capital: Decimal | float | None = None, by: str,
    at: dt.datetime, stress: bool = False,
) -> BacktestRun:  # fmt: skip
    """Return a queued run, everything about it checked.

    ``source`` is csv, breeze, hybrid, stream or demo; empty: csv when a ``directory`` is named, else the demo market.
    """
    place = runs.source_of(source or ("csv" if directory else markets.DEMO), directory)
    wanted = markets.want(place, symbols, interval, start, end, today=at.astimezone(IST).date())
    order = runs.order(strategy, params or {}, None if capital is None else float(capital))
    return keep(wanted, order, by=by, at=at, stress=stress)


def keep(wanted: markets.Wanted, order: runs.Ordered, *, by: str, at: dt.datetime, stress: bool = False) -> BacktestRun:
    """Return a queued run of checked requests; Invalid names a parameter that cannot be.

    With ``stress`` it is also run anew at dearer charges and slippage.
    """
    runs.setup_of(order, wanted)
    kind, folder = feeds.split(wanted.source)
    own = wanted.source in (markets.DEMO, markets.STREAM)
    return BacktestRun.objects.create(
        symbols=list(wanted.symbols), strategy=order.strategy, interval=wanted.interval, start=wanted.start,
        end=wanted.end, source=wanted.source if own else kind or "csv", directory="" if own else folder,
        params=dict(order.params), stress=stress,
        sound_rows=wanted.sound_rows, capital=round(order.capital, 2), created_at=at, created_by=by,
    )  # fmt: skip


def execute(
    run_id: int, *, at: dt.datetime, progress: Callable[[float], None] | None = None, traced: Capture | None = None
) -> BacktestRun:  # fmt: skip
    """Run a queued backtest and keep its result; what goes wrong is kept on the run, and raised.

    One whose process died is taken over, as when its message comes again; otherwise a second time changes nothing.
    Its predictions are traced as ``traced`` says, or as the settings do; traces that are lost are a warning. One that
    is interrupted is cancelled, and can be resumed.
    """
    lease = leases.take(f"backtest:{run_id}", leases.myself(), ttl=PATIENCE)
    won = BacktestRun.objects.filter(pk=run_id, status__in=("queued", "running")).update(status="running")
    try:
        run = _find(run_id)
        if not won:
            raise NotAllowed(f"backtest {run_id} is {run.status}, not queued", fix="ask for a new one")
        _run(run, at=at, progress=progress, traced=traced or telemetry.by_default(run.pk, at=at), lease=lease)
    except KeyboardInterrupt:
        BacktestRun.objects.filter(pk=run_id, status="running").update(status="cancelled")
        raise
    except BaseException as error:
        foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
        told = str(error) if foreseen else f"{type(error).__name__}: {error}"
        if won:
            BacktestRun.objects.filter(pk=run_id, status="running").update(status="failed", error=told, finished_at=at)
        raise
    finally:
        leases.release(lease)
    run.refresh_from_db()
    return run


def _run(
    run: BacktestRun, *, at: dt.datetime, progress: Callable[[float], None] | None, traced: Capture | None,
    lease: leases.Held,
) -> None:  # fmt: skip
    wanted = markets.Wanted(_source(run), tuple(run.symbols), run.interval, run.start, run.end, run.sound_rows)
    order = runs.Ordered(run.strategy, run.params, float(run.capital))
    seats = students.wanted(at)
    halves = desks.told(desks.load(order, wanted, at=at), seats)
    lanes = desks.every_lane(halves)
    charges, watch = runs.charges_of(order, wanted, lanes), _watch(run, progress, lease)
    outcome = _simulated(run, order, halves, charges, watch)
    if not BacktestRun.objects.filter(pk=run.pk, status="running").exists():
        return  # cancelled on its way; what it came to until then is not its result
    notes = _traced(run, outcome, halves, seats, traced) if traced else []
    found = studies.study(outcome, halves[0].lanes, order.capital, markets.index(wanted, at=at))
    found["anew"] = _anew(order, halves, charges, _watch(run, None, lease)) if run.stress else []
    _finish(run, outcome, halves, seats, notes, found, at=at)


def _simulated(
    run: BacktestRun, order: runs.Ordered, halves: Sequence[Half], charges: Schedule, watch: Callable[[float], bool]
) -> Outcome:
    """Run it through the core; a long one goes on from where it was left."""
    played = [half.desk for half in halves]
    bars = sum(len(desk.panel) for desk in played)
    compiled = runs.worth_compiling(order.strategy, bars)
    if bars <= LONG:
        return simulate_desks(played, capital=order.capital, charges=charges, compiled=compiled)
    mark = Bookmark(run.pk, Run(played, charges, compiled), order.capital)
    return simulate_desks(
        played, capital=order.capital, charges=charges, compiled=compiled, watch=watch, keep=mark.keep,
        begun=mark.find(),
    )  # fmt: skip


def _anew(
    order: runs.Ordered, halves: Sequence[Half], charges: Schedule, watch: Callable[[float], bool]
) -> list[dict[str, Any]]:
    """Return what the run comes to at dearer charges and slippage, each level a run of its own."""
    played = [half.desk for half in halves]
    bars = sum(len(desk.panel) for desk in played) * len(LEVELS)
    compiled = runs.worth_compiling(order.strategy, bars)
    found: list[dict[str, Any]] = studies.plain(
        again(played, charges, order.capital, compiled=compiled, watch=lambda _: watch(1.0))
    )
    return found


def _traced(
    run: BacktestRun, outcome: Outcome, halves: Sequence[Half], seats: Sequence[students.Seat], wanted: Capture
) -> list[str]:
    """Write the traces of a run and keep what they came to; return what the trader should know."""
    version = _version(desks.every_lane(halves), seats)
    who = [Predictor(half.name, half.setup, [each.spec.symbol for each in half.lanes]) for half in halves]
    written = telemetry.record(outcome, who, wanted, run=str(run.pk), student=version)
    found, notes = telemetry.measured(written)
    BacktestRun.objects.filter(pk=run.pk).update(telemetry=found)
    return notes


def _source(run: BacktestRun) -> str:
    """Return where a run's bars come from, as it was asked for."""
    if run.source in (markets.DEMO, markets.STREAM):
        return run.source
    return feeds.source(run.source, run.directory) if run.source in feeds.KINDS else run.directory


def _watch(run: BacktestRun, progress: Callable[[float], None] | None, lease: leases.Held) -> Callable[[float], bool]:
    """Return what a long run calls now and then: it keeps the progress and says whether the run was cancelled."""
    rows = BacktestRun.objects.filter(pk=run.pk)

    def watch(done: float) -> bool:
        if leases.due(lease, ttl=PATIENCE):
            leases.renew(lease, ttl=PATIENCE)
        if progress:
            progress(done)
        return rows.filter(status="running").update(progress=done) == 0

    return watch


def _finish(
    run: BacktestRun, outcome: Outcome, halves: Sequence[Half], seats: Sequence[students.Seat], notes: list[str],
    study: dict[str, Any], *, at: dt.datetime,
) -> None:  # fmt: skip
    found, lanes, names = outcome.happenings(TRADED, DAY_END), desks.every_lane(halves), desks.names(halves)
    trades = [each for each in found if each.kind == TRADED]
    equity = _equity(found)
    metrics = {**as_json(outcome.measures), **extended([value for _, value in equity], float(run.capital))}
    mae, mfe = excursions(outcome.events, lanes)
    study["excursions"] = summary(mae, mfe, np.array([each.values["net"] for each in trades]))
    study["strategies"] = studies.by_strategy(trades, names)
    with transaction.atomic():
        won = BacktestRun.objects.filter(pk=run.pk, status="running").update(
            status="done", progress=1.0, bars=outcome.bars, metrics=metrics, study=study, finished_at=at,
            equity=equity, warnings=[*_warnings(outcome, lanes), *_of_student(run, lanes, seats), *notes],
            model_version=_version(lanes, seats),
        )  # fmt: skip
        if won:
            rows = [
                _trade(run, k, each, lanes[each.lane].spec.symbol, names[each.lane])
                for k, each in enumerate(trades, start=1)
            ]
            for row, against, favourable in zip(rows, mae.tolist(), mfe.tolist(), strict=True):
                row.mae, row.mfe = round(against, 6), round(favourable, 6)
            BacktestTrade.objects.bulk_create(rows, batch_size=2000)
    if won:
        bookmarks.forget(run.pk)
    log.info("backtest done", run=run.pk, bars=outcome.bars, trades=len(trades))


def _trade(run: BacktestRun, number: int, each: Happening, symbol: str, strategy: str) -> BacktestTrade:
    v = each.values
    return BacktestTrade(
        run=run, number=number, symbol=symbol, strategy=strategy, side=DIRECTIONS[int(v["side"])],
        quantity=int(v["quantity"]),
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
    unknown = dict.fromkeys(each.spec.symbol for each in lanes if _unknown(each))
    if unknown:
        found.append(f"unknown volume in {', '.join(unknown)}: fills there are not capped by volume")
    return found + [note for each in lanes for note in each.notes]


def _unknown(lane: LaneBars) -> bool:
    """Say whether the volume of a bar is not known."""
    found = bool(np.isnan(lane.bars.volume).any())
    rest(lane.bars)
    return found


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


def is_dead(run: BacktestRun) -> bool:
    """Say whether a run is called running though no process drives it any more."""
    return run.status == "running" and not leases.held(f"backtest:{run.pk}")


def resume(run_id: int, *, by: str) -> BacktestRun:
    """Queue a run again that was cancelled, or whose process died; it goes on where it was left.

    NotAllowed while it is queued or under way, or when it has ended otherwise.
    """
    run = _find(run_id)
    if run.status == "running":
        leases.release(leases.take(f"backtest:{run_id}", leases.myself()))  # NotAllowed names the process that runs it
    won = BacktestRun.objects.filter(pk=run_id, status__in=("cancelled", "running"))
    if not won.filter(status=run.status).update(status="queued", error=""):
        raise NotAllowed(
            f"backtest {run_id} is {run.status} and cannot be resumed", fix="ask for a new one with the same settings"
        )
    log.info("backtest resumed", run=run_id, by=by)
    run.refresh_from_db()
    return run


def _find(run_id: int) -> BacktestRun:
    run = BacktestRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no backtest {run_id}", fix="look at the list of backtests")
    return run


def answer(run: BacktestRun) -> dict[str, Any]:
    """Return a finished run as the command and the API give it."""
    trades = run.trades.order_by("number").values(
        "symbol", "strategy", "side", "quantity", "entry_time", "entry_price", "exit_time", "exit_price", "exit_reason",
        "charges", "net_pnl", "mae", "mfe",
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
