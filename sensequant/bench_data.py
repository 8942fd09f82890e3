"""A desk of years for ``bench_lists``: a scratch database with a million orders, all of them in the ledger, too.

Everything is made inside the database, by its own numbers, so that the same size gives the same rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, Final

from django.db import ProgrammingError, connection

from sensequant.lib.errors import BadInput
from trading.services import prediction_benches

RUNS: Final = 20
SYMBOLS: Final = 50
METRICS: Final = 40
SPAN: Final = 300
"""Seconds of a rollup."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much the scratch desk holds; 6 of 10 metric rows are samples, the others rollups."""

    orders: int = 1_000_000
    metrics: int = 10_000_000
    traces: int = 10_000


@contextmanager
def scratch(name: str) -> Iterator[None]:
    """Make a database ``name`` beside the configured one, with every table, work in it, and drop it at the end."""
    if connection.vendor != "postgresql":
        raise BadInput(
            "the lists are measured on PostgreSQL", fix="set DATABASE_URL to a server that may make databases"
        )
    usual = str(connection.settings_dict["NAME"])
    connection.settings_dict["TEST"] = {**connection.settings_dict["TEST"], "NAME": name}
    connection.creation.create_test_db(verbosity=0, autoclobber=False, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(usual, verbosity=0)


def fill(size: Size) -> Iterator[str]:
    """Fill the tables, one statement after another, naming what was filled."""
    given = {
        "runs": RUNS, "symbols": SYMBOLS, "metrics": METRICS, "span": SPAN, "orders": size.orders,
        "samples": size.metrics * 6 // 10, "rollups": size.metrics * 4 // 10,
    }  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute("SET synchronous_commit = off")
        for name, statement in STATEMENTS.items():
            cursor.execute(statement, given)
            yield name
    prediction_benches.fill(size.traces)
    yield "traces"
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        with suppress(ProgrammingError):  # it takes the role pg_checkpoint
            cursor.execute("CHECKPOINT")  # ten million rows are on disk before anything is timed


def rows() -> dict[str, int]:
    """Return how many rows the large tables hold, as the planner knows it."""
    query = "SELECT relname, reltuples::bigint FROM pg_class WHERE relkind = 'r' AND reltuples >= 10000 ORDER BY 2 DESC"
    with connection.cursor() as cursor:
        cursor.execute(query)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return {str(name): int(count) for name, count in found}


STATEMENTS: Final = {
    "symbols": """
        INSERT INTO trading_instrument (symbol, name, series, segment, tick, lot, isin, isec_code, token, is_demo)
        SELECT 'SYM' || lpad(n::text, 3, '0'), 'Company ' || n, 'EQ', 'equity', 0.05, 1, '', '', '', false
        FROM generate_series(1, %(symbols)s) n
    """,
    "runs": """
        INSERT INTO trading_enginerun (name, mode, label, source, interval, strategy, plan, capital, state, speed,
            entries_paused, held, stop_requested, current, numbers, started_at, latency, bars, error)
        SELECT 'run-' || n, 'dry-run', '', 'csv', '5minute', 'intraday',
            '{"wanted": {"symbols": ["SYM001"]}}', 1000000, 'finished', 0,
            false, false, false, true, '{}', now() - (%(runs)s - n) * interval '50 days', '{}', 0, ''
        FROM generate_series(1, %(runs)s) n
    """,
    "orders": """
        INSERT INTO trading_order (run_id, key, number, symbol, strategy, side, purpose, reason, quantity, filled,
            price, status, created_at, absences)
        SELECT 1 + (n - 1) * %(runs)s / %(orders)s, 'k' || n, n, 'SYM' || lpad((1 + n %% %(symbols)s)::text, 3, '0'),
            CASE WHEN n %% 20 = 0 THEN 'swing' ELSE 'intraday' END, CASE WHEN n %% 2 = 0 THEN 'SELL' ELSE 'BUY' END,
            CASE WHEN n %% 2 = 0 THEN 'exit' ELSE 'entry' END, 'signal', 10,
            CASE WHEN n %% 1000 = 0 THEN 0 ELSE 10 END, 100,
            CASE WHEN n %% 1000 = 0 THEN 'rejected' ELSE 'filled' END,
            now() - (%(orders)s - n) * interval '86 seconds', 0
        FROM generate_series(1, %(orders)s) n
    """,
    "order events": """
        INSERT INTO trading_orderevent (order_id, old, new, at, note, handled_at)
        SELECT id, '', 'working', created_at, '', created_at FROM trading_order
    """,
    "fills": """
        INSERT INTO trading_fill (order_id, number, at, quantity, price, charges)
        SELECT id, 1, created_at, 10, 100, 3.21 FROM trading_order WHERE filled > 0
    """,
    "signals": """
        INSERT INTO trading_signal (run_id, at, symbol, strategy, direction, confidence, price, reason, objections,
            features, model_version)
        SELECT run_id, created_at, symbol, strategy, CASE WHEN number %% 3 = 0 THEN 'SHORT' ELSE 'LONG' END, 0.7, 100,
            'retook its average', CASE WHEN number %% 4 = 0 THEN '[]' ELSE '["risk limit"]' END::jsonb,
            '{"rsi": 55.0}', '' FROM trading_order
    """,
    "trades": """
        INSERT INTO trading_trade (run_id, symbol, strategy, side, quantity, entry_time, entry_price, exit_time,
            exit_price, exit_reason, gross_pnl, charges, net_pnl, orders)
        SELECT run_id, symbol, strategy, 'LONG', 10, created_at - interval '1 hour', 100, created_at, 101, 'target',
            10, 6.4, CASE WHEN number %% 3 = 0 THEN 3.6 ELSE -3.6 END, '[]' FROM trading_order WHERE number %% 2 = 0
    """,
    "equity": """
        INSERT INTO trading_equitypoint (run_id, at, equity, cash, exposure)
        SELECT run_id, created_at, 1000000, 900000, 100000 FROM trading_order
    """,
    "backtests": """
        INSERT INTO trading_backtestrun (symbols, strategy, interval, start, "end", source, directory, sound_rows,
            params, capital, status, progress, bars, metrics, equity, warnings, error, created_at, finished_at,
            created_by, model_version, telemetry, study, stress)
        SELECT '["SYM001", "SYM002", "SYM003"]', 'intraday', '5minute', '2025-01-01', '2025-12-31', 'csv', '', false,
            '{}', 1000000, 'done', 1, 100000,
            '{"total_pnl": 12345.6, "total_return": 0.012, "sharpe_ratio": 1.2, "max_drawdown": 0.08, "trades": 400}',
            (SELECT jsonb_agg(jsonb_build_array(d, 1000000 + d)) FROM generate_series(1, 250) d), '[]', '',
            now() - n * interval '1 hour', now(), 'bench', '', '{}', '{}', false
        FROM generate_series(1, %(orders)s / 500) n
    """,
    "audits": """
        INSERT INTO releases_audit (audit_id, folder, state, metrics, metrics_sha256, flags, flags_sha256,
            deployment_ready, bundle_sha256, created_at, finished_at, by, asked, cause, error, progress, step)
        SELECT 'audit_' || n, '', 'done', '{}', '', '["one"]', '', false, '', now() - n * interval '1 day', now(),
            'bench', '{}', 'asked', '', 1, ''
        FROM generate_series(1, %(orders)s / 1000) n
    """,
    "positions": """
        INSERT INTO trading_position (run_id, symbol, strategy, side, quantity, entry_price, charges, opened_at)
        SELECT r, 'SYM' || lpad(s::text, 3, '0'), 'intraday', 'LONG', 10, 100, 3.21, now()
        FROM generate_series(1, %(runs)s) r, generate_series(1, %(symbols)s) s
    """,
    "ledger": """
        INSERT INTO releases_ledgerentry (seq, at, recorded_at, actor, ip, session, request_id, action, object, reason,
            kind, source, content, before_sha, after_sha, previous, digest)
        SELECT n, moment, moment, CASE WHEN n %% 1000 = 0 THEN 'rafi' ELSE 'engine' END, '', '', '',
            CASE WHEN n %% 1000 = 0 THEN 'deploy switch' ELSE 'order filled' END, 'order ' || n, '', 'order event', n,
            '{}', '', encode(sha256('{}'), 'hex'), encode(sha256((n - 1)::text::bytea), 'hex'),
            encode(sha256(n::text::bytea), 'hex')
        FROM generate_series(1, %(orders)s) n,
            LATERAL (SELECT now() - (%(orders)s - n) * interval '86 seconds') m(moment)
    """,
    "samples": """
        INSERT INTO monitoring_sample (metric, at, low, high, total, count, last, counts, rolled)
        SELECT 'metric_' || lpad(m::text, 2, '0'), now() - n * interval '10 seconds', 1, 3, 20, 10, 2,
            '{"12": 10}', true
        FROM generate_series(1, %(metrics)s) m, generate_series(1, %(samples)s / %(metrics)s) n
    """,
    "rollups": """
        INSERT INTO monitoring_rollup (metric, at, low, high, total, count, last, counts, width)
        SELECT 'metric_' || lpad(m::text, 2, '0'), date_bin('5 minutes', now(), '2020-01-01') - n * %(span)s
            * interval '1 second', 1, 3, 600, 300, 2, '{"12": 200, "15": 60, "20": 40}', %(span)s
        FROM generate_series(1, %(metrics)s) m, generate_series(1, %(rollups)s / %(metrics)s) n
    """,
}
