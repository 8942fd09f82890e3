"""Optimisations: asked for, run to their end or taken up again, cancelled, and told of."""

from __future__ import annotations

import datetime as dt
import os
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from models_ml.core.periods import split
from models_ml.core.walk_forward import Window
from models_ml.models.optimizations import OptimizationRun, Trial
from models_ml.selectors import optimizations as selected
from models_ml.services import artifacts, asking, judging, searching, trials, walk_files, walk_judging, walking
from sensequant.lib.errors import Failed, NotAllowed, NotFound, SenseQuantError, is_bad_input
from sensequant.lib.fan_out import Watch, fan_out
from sensequant.lib.logs import get_logger
from trading.core.kernel import is_compiled
from trading.core.panel import LaneBars
from trading.services import deeds, markets

Clock = Callable[[], dt.datetime]
ALIVE = dt.timedelta(seconds=90)  # a run that has told nothing for so long has no process any more
BEAT = 2.0  # seconds between two notes of how far a run is

log = get_logger("optimizations")


@dataclass(frozen=True, slots=True)
class How:
    """How a run is carried out: by how many, by which clock, telling whom."""

    workers: int | str
    clock: Clock
    progress: Callable[[int, int], None] = lambda done, total: None


def keep(
    asked: asking.Asked, *, output_dir: str = "", by: str, at: dt.datetime, parent: OptimizationRun | None = None,
    workers: str = "cores",
) -> OptimizationRun:  # fmt: skip
    """Return a queued run of a checked request; ``parent`` is the walk-forward it searches a window of.

    ``workers`` is who tries the configurations: ``cores`` of one machine, or the ``fleet`` of Celery's workers.
    """
    w, order = asked.wanted, asked.order
    run = OptimizationRun.objects.create(
        strategy=order.strategy, symbols=list(w.symbols), interval=w.interval, start=w.start, end=w.end,
        source=w.source, sound_rows=w.sound_rows, params=dict(order.params), capital=round(order.capital, 2),
        spec=asdict(asked.spec), digest=asked.digest(), output_dir=output_dir, created_at=at, created_by=by,
        parent=parent, workers=workers,
    )  # fmt: skip
    if not output_dir:
        run.output_dir = str(artifacts.usual_folder(run))
        run.save(update_fields=["output_dir"])
    return run


def open_run(asked: asking.Asked) -> OptimizationRun | None:
    """Return the newest run of just this request, for it to be taken up again; None when there was none."""
    return OptimizationRun.objects.filter(digest=asked.digest(), parent=None).order_by("-id").first()


def preview(asked: asking.Asked, *, at: dt.datetime) -> dict[str, Any]:
    """Return what a run would do, everything about it checked and nothing kept."""
    lanes = markets.lanes(asked.wanted, at=at)
    parts = split(walking.sessions(lanes), asked.spec.split, asked.spec.purge)
    space = asking.space_of(asked.spec)
    return {
        "valid": True,
        "strategy": asked.order.strategy,
        "symbols": list(asked.wanted.symbols),
        "bars": sum(len(each.bars) for each in lanes),
        "configs": _count(asked),
        "search": asked.spec.search,
        "objective": asked.spec.objective,
        "parameters": {c.name: list(c.values) or [c.low, c.high] for c in space},
        "parts": {name: judging.days_of(span) for name, span in parts.named().items()},
    }


def execute(run_id: int, how: How, *, resume: bool = False) -> OptimizationRun:
    """Run a queued optimisation to its end, or take up one that was broken off; what goes wrong is kept, and raised.

    One whose process died is taken over, as when its message comes again; one that failed or was cancelled is only
    taken up to ``resume``. A run that is done already is returned as it is. NotAllowed when somebody else runs it.
    """
    run = find(run_id)
    if run.status == "done":
        return run
    _claim(run, how.clock(), resume=resume)
    try:
        if _run(run, how):
            _done(run, how.clock())
    except BaseException as error:
        foreseen = isinstance(error, SenseQuantError) or is_bad_input(error)
        told = str(error) if foreseen else f"{type(error).__name__}: {error}"
        OptimizationRun.objects.filter(pk=run.pk, status="running").update(
            status="failed", error=told or "stopped", finished_at=how.clock()
        )
        raise
    run.refresh_from_db()
    log.info("optimisation ended", run=run.pk, status=run.status)
    return run


def _done(run: OptimizationRun, at: dt.datetime) -> None:
    """End a run, and tell the ledger what was looked at and what came of it; a walk-forward tells of its windows."""
    with transaction.atomic():
        mine = OptimizationRun.objects.filter(pk=run.pk, status="running")
        if not mine.update(status="done", progress=1.0, finished_at=at) or run.parent_id is not None:
            return
        run.refresh_from_db()
        best, honesty = run.result.get("best") or {}, run.result.get("honesty") or {}
        deeds.record(
            "optimisation done", f"optimisation {run.pk}", by=run.created_by, at=at, strategy=run.strategy,
            symbols=run.symbols, interval=run.interval, start=run.start, end=run.end, asked_sha256=run.digest,
            bars_sha256=run.market, best=best.get("config_id"), verdict=honesty.get("verdict"),
        )  # fmt: skip


def _claim(run: OptimizationRun, at: dt.datetime, *, resume: bool) -> None:
    mine = f"{socket.gethostname()}:{os.getpid()}"
    may = ("queued", "running", "failed", "cancelled") if resume else ("queued", "running")
    if run.status == "running" and _lives(run, at):
        raise NotAllowed(f"optimisation {run.pk} is being run by {run.owner}", fix="wait for it, or cancel it")
    won = run.status in may and OptimizationRun.objects.filter(
        pk=run.pk, status=run.status, owner=run.owner, seen_at=run.seen_at
    ).update(status="running", owner=mine, seen_at=at, error="", finished_at=None)
    if not won:
        raise NotAllowed(f"optimisation {run.pk} is {run.status}", fix="take it up again with --resume")
    run.refresh_from_db()


def _lives(run: OptimizationRun, at: dt.datetime) -> bool:
    """Say whether the process that runs it is alive: by its number on this host, elsewhere by when it last told."""
    host, _, pid = run.owner.rpartition(":")
    if host == socket.gethostname() and pid.isdecimal():
        with suppress(ProcessLookupError, PermissionError):
            os.kill(int(pid), 0)
            return int(pid) != os.getpid()
        return False
    return run.seen_at is not None and at - run.seen_at < ALIVE


def _run(run: OptimizationRun, how: How) -> bool:
    """Do what is left of the run; return False when it was cancelled."""
    if run.spec.get("walk_forward"):
        return _walk(run, how)
    asked = asked_of(run)
    lanes = markets.lanes(trials.wanted_of(run), at=run.created_at)
    _stand(run, asked, lanes)
    if not _search(run, asked, how):
        return False
    ranked = judging.rank(run)
    if not ranked:
        first = run.trials.exclude(error="").first()
        raise Failed(f"no configuration could be run: {first.error if first else 'there was none'}")
    baseline = run.trials.filter(role="baseline", status="done").first()
    test = judging.touch_test(run, ranked[0], baseline, lanes, at=how.clock())
    result = {
        "honesty": judging.honesty(run, ranked, baseline, test),
        "sensitivity": judging.sensitivity(run, ranked),
    }
    OptimizationRun.objects.filter(pk=run.pk).update(result=result)
    run.refresh_from_db()
    artifacts.export(run, ranked, baseline, at=how.clock())
    return run.status == "running"


def asked_of(run: OptimizationRun) -> asking.Asked:
    """Return what a run was asked to do."""
    spec = asking.Spec(**{**run.spec, "split": tuple(run.spec["split"])})
    return asking.Asked(trials.wanted_of(run), trials.order_of(run), spec)


def _stand(run: OptimizationRun, asked: asking.Asked, lanes: list[LaneBars]) -> None:
    """Fix the days and the bars the run stands on; Failed when the bars are others than when it began."""
    parts = split(walking.sessions(lanes), asked.spec.split, asked.spec.purge)
    _stand_on(run, {name: list(span) for name, span in parts.named().items()}, lanes)


def _stand_on(run: OptimizationRun, words: dict[str, list[int]], lanes: list[LaneBars]) -> None:
    market = trials.fingerprint(lanes)
    if run.market and run.market != market:
        raise Failed("the bars have changed since this optimisation began", fix="start a new one")
    OptimizationRun.objects.filter(pk=run.pk).update(parts=words, market=market)
    run.parts, run.market = words, market


def _walk(run: OptimizationRun, how: How) -> bool:
    """Search every window that is not searched yet, then trade the unseen days; return False when cancelled."""
    lanes = markets.lanes(trials.wanted_of(run), at=run.created_at)
    windows, days = walking.windows(run, lanes), walking.sessions(lanes)
    unseen = [windows[0].test.first, windows[-1].test.last, sum(each.test.sessions for each in windows)]
    _stand_on(run, {"test": unseen}, lanes)
    del lanes  # every window reads its own
    run.total = len(windows) * _count(walking.search_of(run, windows[0]))
    OptimizationRun.objects.filter(pk=run.pk).update(total=run.total)
    searches = []
    for window in windows:
        search = _window(run, window, how, before=(window.number - 1) * run.total // len(windows))
        if search.status != "done":
            return False
        searches.append(search)
    OptimizationRun.objects.filter(pk=run.pk, test_touched_at=None).update(test_touched_at=how.clock())
    result, seen = walk_judging.look(run, windows, searches, days)
    OptimizationRun.objects.filter(pk=run.pk).update(result=result, test=seen)
    run.refresh_from_db()
    walk_files.export(run, at=how.clock())
    return run.status == "running"


def _window(run: OptimizationRun, window: Window, how: How, *, before: int) -> OptimizationRun:
    """Return the search of a window: the one that is there, gone on with where it was broken off, or a new one."""
    asked = walking.search_of(run, window)
    search = run.windows.filter(digest=asked.digest()).first()
    if search is None:
        folder = str(Path(run.output_dir) / walking.name(window))
        search = keep(asked, output_dir=folder, by=run.created_by, at=run.created_at, parent=run)
    rows, noted = OptimizationRun.objects.filter(pk=run.pk), -BEAT

    def progress(done: int, total: int) -> None:
        nonlocal noted
        how.progress(before + done, run.total)
        moment = how.clock().timestamp()
        if moment - noted >= BEAT:
            noted = moment
            share = min(0.99, (before + done) / max(1, run.total))
            rows.filter(status="running").update(progress=share, seen_at=how.clock())

    if not rows.filter(status="running").exists():
        return search
    try:
        return execute(search.pk, How(how.workers, how.clock, progress), resume=True)
    except (SenseQuantError, ValueError) as error:
        if not isinstance(error, SenseQuantError) and not is_bad_input(error):
            raise
        raise Failed(f"window {window.number} of {run.pk}: {error}", fix=getattr(error, "fix", "")) from error


def _count(asked: asking.Asked) -> int:
    """Return how many configurations a search has, as far as that is known before."""
    return asked.spec.max_configs if asked.spec.search == "adaptive" else len(searching.candidates(asked))


def _search(run: OptimizationRun, asked: asking.Asked, how: How) -> bool:
    found = searching.candidates(asked) if asked.spec.search != "adaptive" else []
    total = len(found) or asked.spec.max_configs
    OptimizationRun.objects.filter(pk=run.pk).update(total=total)
    run.total = total
    first = _baseline(run, asked) if asked.spec.run_baseline else []
    if first and how.workers != 1 and not is_compiled(run.strategy):
        if not _work(run, first, how):  # by itself: what it compiles, all others find ready
            return False
        first = []

    def work(ids: list[int]) -> bool:
        together = [*first, *ids]
        first.clear()
        return _work(run, together, how)

    if asked.spec.search == "adaptive":
        return searching.adaptive(run, asked, work)
    return work(searching.keep(run, found, 1))


def _baseline(run: OptimizationRun, asked: asking.Asked) -> list[int]:
    """Return the id of the trial that changes nothing, kept if it was not there yet."""
    digest = trials.identity(asked.order, {}, asked.wanted)
    told = {"digest": digest, "params": {}, "status": "waiting"}
    Trial.objects.get_or_create(run=run, number=0, role="baseline", defaults=told)
    return list(run.trials.filter(role="baseline").values_list("pk", flat=True))


def _work(run: OptimizationRun, ids: list[int], how: How) -> bool:
    """Have the trials of ``ids`` tried; return False when the run was cancelled meanwhile."""
    rows = OptimizationRun.objects.filter(pk=run.pk)
    configs = run.trials.filter(role="config")
    before, own = configs.filter(pk__lt=min(ids)).count(), configs.filter(pk__in=ids).count()
    extra = len(ids) - own  # the baseline, which is done first and is no configuration
    noted = -BEAT

    def progress(done: int, total: int) -> None:
        nonlocal noted
        done = before + max(0, done - extra)
        how.progress(done, max(run.total, before + own))
        moment = how.clock().timestamp()
        if moment - noted >= BEAT:
            noted = moment
            share = min(0.99, done / max(1, run.total))
            rows.filter(status="running").update(progress=share, seen_at=how.clock())

    def settled(open_ids: Any) -> set[int]:
        return set(Trial.objects.filter(pk__in=list(open_ids)).exclude(status="waiting").values_list("pk", flat=True))

    def stopped() -> bool:
        return not rows.filter(status="running").exists()

    return fan_out(trials.WORK, ids, workers=how.workers, watch=Watch(settled, progress, stopped))


def cancel(run_id: int, *, by: str) -> OptimizationRun:
    """Cancel a run that is queued or under way, keeping all that was tried; NotAllowed when it has ended.

    A walk-forward is cancelled as a whole, its windows with it.
    """
    whole = OptimizationRun.objects.filter(windows=run_id).first()
    if whole is not None:
        raise NotAllowed(f"optimisation {run_id} is a window of {whole.pk}", fix=f"cancel optimisation {whole.pk}")
    won = OptimizationRun.objects.filter(pk=run_id, status__in=("queued", "running")).update(status="cancelled")
    run = find(run_id)
    if not won:
        raise NotAllowed(f"optimisation {run_id} is {run.status} and cannot be cancelled", fix="nothing is left to do")
    OptimizationRun.objects.filter(parent=run_id, status__in=("queued", "running")).update(status="cancelled")
    log.info("optimisation cancelled", run=run_id, by=by)
    return run


def find(run_id: int) -> OptimizationRun:
    """Return a run; NotFound when there is none of this number."""
    run = OptimizationRun.objects.filter(pk=run_id).first()
    if run is None:
        raise NotFound(f"there is no optimisation {run_id}", fix="look at the list of optimisations")
    return run


def answer(run: OptimizationRun) -> dict[str, Any]:
    """Return a run as the command and the API give it."""
    ranked = run.trials.filter(role="config", status="done").exclude(rank=None).order_by("rank")
    baseline = run.trials.filter(role="baseline", status="done").first()
    rows = [artifacts.config(trial) for trial in ranked.defer("returns")]
    return {
        "run_id": run.pk,
        "status": run.status,
        "output_dir": run.output_dir,
        "configs_tried": selected.tried_in_all(run),
        "baseline": artifacts.baseline(run, baseline) if baseline else None,
        "best": rows[0] if rows else None,
        "ranked": rows,
        "parts": {name: judging.days_of(span) for name, span in run.parts.items()},
        "test": {key: run.test[key] for key in run.test if key not in walk_files.LONG},
        "honesty": run.result.get("honesty", {"trials": 0, "deflated_sharpe": None, "pbo": None, "verdict": None}),
        "sensitivity": run.result.get("sensitivity", {}),
        **({"walk_forward": walk_files.block(run)} if run.spec.get("walk_forward") else {}),
    }
