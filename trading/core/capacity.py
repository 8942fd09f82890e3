"""What a desk of a given size asks of a machine, and which part gives way first: arithmetic, and a simulated session.

``demand`` multiplies measured costs (``Costs``) by a load (``Load``). ``simulate`` lets bars close: every shard
waits for a processor, decides its symbols under the account's lock one shard after another, and commits; workers
compute beside them. ``bends`` makes the load grow until a budget breaks, and names that budget.
"""

from __future__ import annotations

import heapq
import random
from dataclasses import dataclass, replace
from typing import NamedTuple

from trading.core.rolls import MANY

SESSION_MINUTES = 375
SESSIONS_YEAR = 250
CALLS_A_DAY = 5_000  # what ICICI allows
GIB = 1 << 30


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost on one machine; ``manage.py capacity_plan --measure`` measures them there."""

    step_us: float = 60.0  # one bar of one symbol through the decision core
    commit_ms: float = 2.0  # one transaction
    order_ms: float = 4.0  # one order from intent to fill: its rows written
    order_bytes: float = 4_000.0  # those rows and their indexes
    bar_bytes: float = 120.0  # one recorded minute bar and its index
    metric_bytes: float = 110.0  # one ten-second measure
    engine_mb: float = 115.0  # an engine before its first symbol
    symbol_mb: float = 0.55  # what a symbol adds
    trial_s: float = 0.05  # what a worker is in the middle of when a bar closes
    task_ms: float = 3.0  # what Celery and its row add to a configuration
    worker_mb: float = 190.0
    ingest_us: float = 4.0  # one bar of a file read, judged and kept, the first time
    column_bytes: float = 48.0  # one bar in the columnar store
    panel_ns: float = 65.0  # one bar through a configuration while all bars stand in memory
    panel_bytes: float = 125.0  # what it takes there
    roll_ns: float = 950.0  # one bar that passes in stretches: 93 million in 89 s
    roll_bytes: float = 21.6  # what a backtest then keeps of it: 2.2 GB of 93 million
    search_bytes: float = 11.2  # what each process of an optimisation keeps of it: three took 3.7 GB


@dataclass(frozen=True, slots=True)
class Load:
    """A desk: its symbols and bars, its shards, workers and processors, and how long rows are kept."""

    symbols: int
    minutes: int = 1
    shards: int = 1
    workers: int = 2
    cores: int = 2
    retention_days: int = 365
    orders_day: float = 2.0  # entries and exits a symbol and session
    trials: int = 0  # configurations tried in an evening, each over every symbol
    years: float = 1.0  # of bars that are backtested and searched


class Demand(NamedTuple):
    """What a load comes to."""

    bars_day: int
    orders_day: int
    cpu_share: float  # of one processor while the market is open
    memory_mb: float
    database_gib: float
    evening_hours: float
    subscriptions: int
    history_calls: int  # to fill one lost stretch for every symbol
    history_bars: int
    history_gib: float  # of columns
    ingest_s: float
    backtest_s: float
    backtest_mb: float
    search_mb: float  # all processes of an optimisation; 0 when nothing is tried


def demand(load: Load, costs: Costs) -> Demand:
    """Return what a load asks for, by multiplication alone."""
    bars = load.symbols * (SESSION_MINUTES // load.minutes)
    orders = round(load.symbols * load.orders_day)
    open_seconds = SESSION_MINUTES * 60.0
    busy = bars * costs.step_us / 1e6 + orders * costs.order_ms / 1e3
    busy += load.shards * (SESSION_MINUTES / load.minutes) * costs.commit_ms / 1e3
    days = load.retention_days * SESSIONS_YEAR / 365.0
    metrics = (load.shards + load.workers + 4) * 12.0 * SESSION_MINUTES * 6.0
    size = days * (bars * costs.bar_bytes + orders * costs.order_bytes) + min(days, 7.0) * metrics * costs.metric_bytes
    memory = load.shards * costs.engine_mb + load.symbols * costs.symbol_mb + load.workers * costs.worker_mb
    lanes = max(1, min(load.workers, load.cores))
    history = history_bars(load)
    bar_s = (costs.roll_ns if history > MANY else costs.panel_ns) / 1e9
    evening = load.trials * (history * bar_s + costs.task_ms / 1e3) / lanes / 3_600.0
    search = (lanes + 1) * _processed_mb(history, costs.search_bytes, costs) if load.trials else 0.0
    return Demand(
        bars, orders, busy / open_seconds, memory, size / GIB, evening, load.symbols, load.symbols, history,
        history * costs.column_bytes / GIB, history * costs.ingest_us / 1e6, history * bar_s,
        _processed_mb(history, costs.roll_bytes, costs), search,
    )  # fmt: skip


def history_bars(load: Load) -> int:
    """Return how many bars the symbols' years have."""
    return round(load.symbols * load.years * SESSIONS_YEAR) * (SESSION_MINUTES // load.minutes)


def _processed_mb(bars: int, rolled: float, costs: Costs) -> float:
    """Return the megabytes of a process that drives so many bars, of which it keeps ``rolled`` bytes each at least."""
    return costs.worker_mb + max(min(bars, MANY) * costs.panel_bytes, bars * rolled) / 1e6


class Session(NamedTuple):
    """What a simulated stretch of a session looked like; times in milliseconds."""

    p50_ms: float  # from the bar's close to the last intent of a shard
    p99_ms: float
    lock_share: float  # of the time the account's lock was held
    cpu_share: float  # of all processors, for trading; workers take what is left
    late: int  # moments that were not over when the next bar closed
    tasks: int  # tasks the workers finished meanwhile


def simulate(load: Load, costs: Costs, *, bars: int = 60, seed: int = 7) -> Session:
    """Play ``bars`` bar closes in order of time and return how long decisions took.

    Processors are shared fairly among what wants to run; the lock and the database's log are taken in turn.
    """
    dice = random.Random(seed)  # noqa: S311 - a simulation, repeatable
    each = load.symbols / load.shards
    period = load.minutes * 60_000.0
    cores = [0.0] * load.cores  # when each processor is free again, ms
    heapq.heapify(cores)
    lock = log = held = busy = 0.0
    waits: list[float] = []
    late = tasks = 0
    for bar in range(bars):
        close = bar * period
        tasks += _workers(load, costs, cores, dice, close, period)
        for _ in range(load.shards):
            orders = int(each * load.orders_day * load.minutes / SESSION_MINUTES + 2.0 * dice.random())
            work = each * costs.step_us / 1e3 * dice.uniform(0.8, 1.4) + orders * costs.order_ms
            begin = max(close, lock, heapq.heappop(cores))
            decided = begin + work
            log = max(decided, log) + costs.commit_ms * dice.uniform(0.7, 2.0)
            heapq.heappush(cores, decided)
            lock = log  # the turn ends with the commit
            held += log - begin
            busy += work
            waits.append(log - close)
            late += log > close + period
    waits.sort()
    span = bars * period
    share = busy / (span * load.cores)
    return Session(waits[len(waits) // 2], waits[int(len(waits) * 0.99)], held / span, share, late, tasks)


def _task_ms(costs: Costs) -> float:
    return costs.trial_s * 1e3 + costs.task_ms


def _workers(load: Load, costs: Costs, cores: list[float], dice: random.Random, close: float, period: float) -> int:
    """Let the workers fill what the shards will leave of the period; return how many tasks they finish."""
    if load.trials <= 0 or load.workers <= 0:
        return 0
    room = max(0.0, load.cores * period * 0.9 - load.symbols * costs.step_us / 1e3)
    done = int(room / _task_ms(costs) * min(1.0, load.workers / load.cores))
    # when the bar closes each processor is somewhere in the middle of a task of theirs
    busy = min(load.workers, load.cores)
    free = [max(close, heapq.heappop(cores)) for _ in range(len(cores))]
    for number, at in enumerate(free):
        heapq.heappush(cores, at + (dice.random() * _task_ms(costs) if number < busy else 0.0))
    return done


@dataclass(frozen=True, slots=True)
class Budget:
    """What must hold for a desk to be trusted; None is no limit."""

    decision_ms: float = 1_000.0  # p99 from a bar's close to its intents
    cpu_share: float = 0.7
    memory_mb: float = 24_000.0
    database_gib: float = 200.0
    evening_hours: float = 12.0
    history_calls: int = CALLS_A_DAY


def broken(load: Load, costs: Costs, budget: Budget) -> list[str]:
    """Return a sentence for each budget the load breaks, worst first."""
    asked, seen = demand(load, costs), simulate(load, costs)
    found = [
        (seen.p99_ms / budget.decision_ms, f"decisions take {seen.p99_ms:,.0f} ms at the 99th percentile"),
        (seen.cpu_share / budget.cpu_share, f"trading keeps {seen.cpu_share:.0%} of the processors busy"),
        (asked.memory_mb / budget.memory_mb, f"engines and workers need {asked.memory_mb:,.0f} MB"),
        (asked.database_gib / budget.database_gib, f"the database grows to {asked.database_gib:,.0f} GiB"),
        (asked.search_mb / budget.memory_mb, f"searching {load.years:g} years needs {asked.search_mb:,.0f} MB"),
        (asked.evening_hours / budget.evening_hours, f"the evening's trials take {asked.evening_hours:.1f} h"),
        (asked.history_calls / budget.history_calls, f"one gap needs {asked.history_calls:,} calls to the broker"),
    ]  # fmt: skip
    return [words for ratio, words in sorted(found, reverse=True) if ratio > 1.0]


def bends(load: Load, costs: Costs, budget: Budget, *, most: int = 1_000) -> tuple[int, list[str]]:
    """Return how many symbols break a budget first, in steps of a tenth, and what breaks; 0 when nothing does."""
    factor = 1.0
    while factor <= most:
        grown = replace(load, symbols=max(load.shards, round(load.symbols * factor)))
        if words := broken(grown, costs, budget):
            return grown.symbols, words
        factor *= 1.1
    return 0, []
