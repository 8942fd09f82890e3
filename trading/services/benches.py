"""How fast the desk is: four workloads through its own strategies, beside a rival where one is installed.

The workloads are crossover on synthetic bars: W1 one symbol of minute bars, W2 ten, W3 fifty of daily bars, W4 two
hundred configurations of W1. Each is run first with one flat cost and no limits, so that its trades can be compared
one to one with any other engine's, then as the desk runs it: Indian charges, sizing, limits, slippage, volume caps.
"""

from __future__ import annotations

import datetime as dt
import os
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from sensequant.lib.errors import BadInput, NotFound
from trading.core.bars import Bars
from trading.core.bench_market import market
from trading.core.calendar import SessionColumns
from trading.core.panel import LaneBars, LaneSpec, Panel, panel
from trading.core.rules import Setup
from trading.core.setups import make_setup
from trading.core.simulation import NO_CHARGES, Schedule, schedule, simulate
from trading.core.state import TRADED, WIDTH
from trading.core.sweeps import Single, alone, by_windows, sweep

ROUNDS = 15
CAPITAL = 1e8
NOTIONAL = 100_000.0
CUTS = [
    (fast, slow, float(cap)) for fast in (10, 15, 20, 25, 30) for slow in (40, 47, 54, 61, 68, 75, 82, 89)
    for cap in (60, 65, 70, 75, 80)
]  # fmt: skip
PLAIN = {
    "flat": 0.0003, "slippage": 0.0, "participation": 0.0, "sizing": "quantity", "by_confidence": 0,
    "arm_on_fill_bar": 0,
}  # fmt: skip
DESK = {
    "sizing": "notional", "notional": NOTIONAL, "max_exposure": 5e7, "max_symbol_exposure": 2e5, "max_positions": 100,
    "max_trades_day": 1000, "daily_loss": 1e6, "daily_loss_pct": 5.0, "slippage": 2.0, "participation": 0.1,
}  # fmt: skip
MINUTE = {"fast": 20, "slow": 50, "rsi_cap": 70.0, "stop_loss": 0.02, "take_profit": 0.04}
DAILY = {
    "fast": 10, "slow": 30, "rsi_cap": 70.0, "stop_loss": 0.05, "take_profit": 0.10, "max_hold": 10, "intraday": 0,
}  # fmt: skip
WORKLOADS = ("W1", "W2", "W3", "W4")


@dataclass(frozen=True, slots=True)
class Work:
    """One workload: its panel, and its setups with one flat cost and as the desk runs."""

    panel: Panel
    plain: tuple[Setup, ...]
    desk: tuple[Setup, ...]
    charges: Schedule


def workloads(names: Sequence[str], directory: str = "") -> dict[str, Work]:
    """Return the named workloads over the built-in market, or over the files of ``directory``; BadInput for others."""
    for name in names:
        if name not in WORKLOADS:
            raise BadInput(f"there is no workload {name!r}", fix=f"use {', '.join(WORKLOADS)}")
    fine, coarse = read(Path(directory)) if directory else market()
    made = {
        "W1": lambda: _work(dict(list(fine.items())[:1]), 1, [MINUTE]),
        "W2": lambda: _work(fine, 1, [MINUTE]),
        "W3": lambda: _work(coarse, 1440, [DAILY]),
        "W4": lambda: _work(
            dict(list(fine.items())[:1]), 1, [{**MINUTE, "fast": f, "slow": s, "rsi_cap": c} for f, s, c in CUTS]
        ),
    }
    return {name: made[name]() for name in names}


def _work(bars: dict[str, Bars], minutes: int, settings: Sequence[dict[str, Any]]) -> Work:
    lanes = [
        LaneBars(LaneSpec(name, tick=0.0, fixed=int(NOTIONAL // each.close[0])), each, _places(each, minutes))
        for name, each in bars.items()
    ]
    days = [int(each.places.session[edge]) for each in lanes for edge in (0, -1)]
    charges = schedule("prime-2999", "margin", dt.date.fromordinal(min(days)), dt.date.fromordinal(max(days)))
    kind = 1 if minutes < 1440 else 5  # daily workloads go by crossover too, without its rule of minute bars
    plain = tuple(make_setup("crossover", kind, {}, {**PLAIN, **each})._replace(minutes=minutes) for each in settings)
    desk = tuple(make_setup("crossover", kind, {}, {**DESK, **each})._replace(minutes=minutes) for each in settings)
    return Work(panel(lanes), plain, desk, charges)


def _places(bars: Bars, minutes: int) -> SessionColumns:
    """Return places in sessions of 09:15 to 15:30 on every day that has bars, holidays of the real NSE or not."""
    local = bars.ts + 19_800
    day = local // 86_400
    minute = np.zeros(len(bars), np.int32) if minutes >= 1440 else ((local % 86_400) // 60 - 555).astype(np.int32)
    left = np.zeros(len(bars), np.int32) if minutes >= 1440 else (375 - minutes - minute).astype(np.int32)
    return SessionColumns((day + 719_163).astype(np.int32), minute, left, np.ones(len(bars), bool))


def read(directory: Path) -> tuple[dict[str, Bars], dict[str, Bars]]:
    """Return the minute and the daily bars of CSV files min_*.csv and day_all.csv; NotFound names a missing file."""
    import pandas as pd

    files = sorted(directory.glob("min_*.csv"))
    daily = directory / "day_all.csv"
    if not files or not daily.is_file():
        raise NotFound(f"{directory} lacks min_*.csv or day_all.csv", fix="leave --data out to use the built-in bars")
    fine = {path.stem.removeprefix("min_"): _frame(pd.read_csv(path)) for path in files}
    coarse = {str(name): _frame(frame) for name, frame in pd.read_csv(daily).groupby("symbol")}
    return fine, coarse


def _frame(frame: Any) -> Bars:
    ts = frame["datetime"].to_numpy().astype("datetime64[s]").astype(np.int64) - 19_800
    names = ("open", "high", "low", "close", "volume")
    return Bars(ts, *(np.ascontiguousarray(frame[name].to_numpy(np.float64)) for name in names))


def run(work: Work, setups: Sequence[Setup], charges: Schedule, workers: int) -> list[Single]:
    """Run a workload once: each symbol on an account of its own, or one symbol under many setups."""
    if len(setups) == 1:
        return alone("crossover", setups[0], work.panel, capital=CAPITAL, charges=charges)
    groups = by_windows("crossover", setups)

    def one(group: list[int]) -> list[Single]:
        return sweep("crossover", [setups[k] for k in group], work.panel, 0, capital=CAPITAL, charges=charges)

    found: dict[int, Single] = {}
    with ThreadPoolExecutor(workers) as pool:
        for group, results in zip(groups, pool.map(one, groups), strict=True):
            found.update(zip(group, results, strict=True))
    return [found[k] for k in range(len(setups))]


def timed(*jobs: Callable[[], Any]) -> tuple[list[float], list[Any]]:
    """Return each job's median seconds over ROUNDS rounds after one warm-up, and its last result.

    The jobs take turns, so that a machine that slows down slows them all.
    """
    results = [job() for job in jobs]
    seconds: list[list[float]] = [[] for _ in jobs]
    for _ in range(ROUNDS):
        for k, job in enumerate(jobs):
            begun = time.perf_counter()
            results[k] = job()
            seconds[k].append(time.perf_counter() - begun)
    return [statistics.median(each) for each in seconds], results


def measure(name: str, work: Work) -> tuple[dict[str, Any], list[tuple[Any, ...]]]:
    """Return a workload's figures, and its trades (symbol or configuration, entry bar, exit bar, prices, net P&L)."""
    cores = (os.cpu_count() or 1) if len(work.plain) > 1 else 1
    jobs: list[Callable[[], Any]] = [
        lambda: run(work, work.plain, NO_CHARGES, cores),
        lambda: run(work, work.desk, work.charges, cores),
    ]
    with one_core(cores == 1):
        for job in jobs:
            job()
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
        rival = rivals_job(work)
        seconds, results = timed(*jobs, *([rival] if rival else []))
    plain, desk = results[:2]
    found = {
        "seconds": seconds[0],
        "seconds_desk": seconds[1],
        "bars": len(work.panel) * len(work.plain),
        "trades": sum(each.measures.trades for each in plain),
        "net_pnl": round(sum(each.measures.total_pnl for each in plain), 3),
        "trades_desk": sum(each.measures.trades for each in desk),
        "net_pnl_desk": round(sum(each.measures.total_pnl for each in desk), 2),
        "measures": len(plain[0].measures),
        "cores": cores,
        "rss_mb": round(memory, 1),
    }
    if rival:
        times = {"raptorbt_seconds": seconds[2], "times_raptorbt": round(seconds[2] / seconds[0], 2)}
        found.update(times, times_raptorbt_desk=round(seconds[2] / seconds[1], 2))
    if len(work.panel.specs) > 1:
        with one_core(True):
            found["seconds_portfolio"] = timed(lambda: portfolio(work))[0][0]
    return found, _trades(work, plain)


def portfolio(work: Work) -> int:
    """Run all symbols on one account in the order of time, as the desk does."""
    out = simulate("crossover", work.desk[0], work.panel, capital=CAPITAL, charges=work.charges)
    return out.measures.trades


def _trades(work: Work, results: Sequence[Single]) -> list[tuple[Any, ...]]:
    names = [spec.symbol for spec in work.panel.specs]
    if len(results) != len(names):  # one symbol under many setups
        names = [f"{k:03d}" for k in range(len(results))]
    rows = []
    for name, single in zip(names, results, strict=True):
        events = single.events.reshape(-1, WIDTH)
        rows += [
            (name, int(row[8]), int(row[2]), float(row[6]), float(row[7]), float(row[11]))
            for row in events[events[:, 0] == TRADED]
        ]
    return rows


class one_core:  # noqa: N801 - reads as the statement it is
    """Keep this process on one processor while a single-core figure is taken."""

    def __init__(self, wanted: bool) -> None:
        """Do so only when ``wanted``."""
        self.wanted = wanted and hasattr(os, "sched_setaffinity")

    def __enter__(self) -> None:
        """Remember where we may run and stay on one of those."""
        if self.wanted:
            self.allowed = os.sched_getaffinity(0)
            with suppress(OSError):
                os.sched_setaffinity(0, {max(self.allowed)})

    def __exit__(self, *_: object) -> None:
        """Run anywhere again."""
        if self.wanted:
            with suppress(OSError):
                os.sched_setaffinity(0, self.allowed)


def rivals_job(work: Work) -> Callable[[], Any] | None:
    """Return the same job for raptorbt, signals and metrics included; None where it is not installed."""
    try:
        import raptorbt
    except ImportError:
        return None
    if len(work.plain) > 1:
        return lambda: _rival_sweep(raptorbt, work)
    return lambda: [_rival(raptorbt, work, j) for j in range(len(work.panel.specs))]


def _rival_config(raptorbt: Any, setup: Setup) -> Any:
    config = raptorbt.BacktestConfig(
        initial_capital=CAPITAL, fees=setup.costs.flat, slippage=0.0, fill_timing="next_bar_open"
    )
    config.set_fixed_stop(setup.rules.stop_loss)
    config.set_fixed_target(setup.rules.take_profit)
    return config


def _rival_signals(work: Work, j: int, setup: Setup, fast: Any, slow: Any, rsi: Any) -> tuple[Any, Any]:
    a, b = int(work.panel.starts[j]), int(work.panel.stops[j])
    left = work.panel.left[a:b]
    up, down = np.zeros(b - a, bool), np.zeros(b - a, bool)
    up[1:] = (fast[1:] > slow[1:]) & (fast[:-1] <= slow[:-1])
    down[1:] = (fast[1:] < slow[1:]) & (fast[:-1] >= slow[:-1])
    entries = up & (rsi < setup.params.rsi_cap)
    if setup.rules.intraday:
        return entries & (left >= setup.rules.entry_cutoff), down | (left == 1)
    return entries, down


def _rival(raptorbt: Any, work: Work, j: int) -> Any:
    setup, p = work.plain[0], work.panel
    a, b = int(p.starts[j]), int(p.stops[j])
    close = p.close[a:b]
    fast, slow = raptorbt.sma(close, setup.params.fast), raptorbt.sma(close, setup.params.slow)
    signals = _rival_signals(work, j, setup, fast, slow, raptorbt.rsi(close, 14))
    share = np.full(b - a, NOTIONAL / CAPITAL)
    return raptorbt.run_single_backtest(
        p.ts[a:b] * 1_000_000_000, p.open[a:b], p.high[a:b], p.low[a:b], close, p.volume[a:b], *signals, 1, 1.0,
        p.specs[j].symbol, _rival_config(raptorbt, setup), share,
    )  # fmt: skip


def _rival_sweep(raptorbt: Any, work: Work) -> Any:
    p = work.panel
    n = {w for setup in work.plain for w in (setup.params.fast, setup.params.slow)}
    averages = {w: raptorbt.sma(p.close, w) for w in n}
    rsi = raptorbt.rsi(p.close, 14)
    share = np.full(len(p), NOTIONAL / CAPITAL)
    items = []
    for k, setup in enumerate(work.plain):
        signals = _rival_signals(work, 0, setup, averages[setup.params.fast], averages[setup.params.slow], rsi)
        items.append(raptorbt.BatchSingleItem(str(k), *signals, position_sizes=share))
    config = _rival_config(raptorbt, work.plain[0])
    return raptorbt.batch_single_backtest(p.ts * 1_000_000_000, p.open, p.high, p.low, p.close, p.volume, items, config)
