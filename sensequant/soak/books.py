"""What the desk wrote down, read past it with plain SQL: a judge must not share the code of whom he judges."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, TypeVar

import psycopg

from sensequant.soak.judging import Row, Told
from sensequant.soak.market import News
from sensequant.soak.plan import Probe

T = TypeVar("T")
PATIENCE: Final = 60.0
CODE: Final = "soak-probe"
# What two runs of the same bars must have in common: everything but the numbers of rows and runs.
KINDS: Final = {
    "signals": "SELECT at, symbol, strategy, direction, confidence, price, sentiment, reason, objections::text, "
    "features::text FROM trading_signal WHERE run_id = %s ORDER BY at, symbol, id",
    "orders": "SELECT number, symbol, strategy, side, purpose, reason, quantity, filled, price, status, created_at "
    "FROM trading_order WHERE run_id = %s ORDER BY number",
    "order events": "SELECT o.number, e.old, e.new, e.at FROM trading_orderevent e JOIN trading_order o "
    "ON o.id = e.order_id WHERE o.run_id = %s ORDER BY o.number, e.id",
    "fills": "SELECT o.number, f.number, f.at, f.quantity, f.price, f.charges FROM trading_fill f JOIN trading_order o "
    "ON o.id = f.order_id WHERE o.run_id = %s ORDER BY o.number, f.number",
    "trades": "SELECT symbol, strategy, side, quantity, entry_time, entry_price, exit_time, exit_price, exit_reason, "
    "gross_pnl, charges, net_pnl, orders::text FROM trading_trade WHERE run_id = %s ORDER BY exit_time, symbol, id",
    "positions": "SELECT symbol, strategy, side, quantity, entry_price, stop, target FROM trading_position "
    "WHERE run_id = %s ORDER BY symbol, strategy",
}
EQUITY: Final = "SELECT equity, cash, exposure FROM trading_equitypoint WHERE run_id = %s ORDER BY at DESC LIMIT 1"


class Books:
    """Reads and, for what is planted, writes; a server that is away is asked again."""

    def __init__(self, url: str) -> None:
        """Read what lies at ``url``."""
        self.url = url
        self._door: psycopg.Connection[Any] | None = None

    def ask(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query; psycopg.Error when the server is away."""
        try:
            if self._door is None or self._door.closed:
                self._door = psycopg.connect(self.url, autocommit=True, connect_timeout=3)
            found = self._door.execute(text, values)
            return found.fetchall() if found.description else []
        except psycopg.Error:
            self.close()
            raise

    def surely(self, text: str, values: Sequence[Any] = ()) -> list[Row]:
        """Return the rows of a query, asked again while the server is away."""
        return patiently(lambda: self.ask(text, values))

    def close(self) -> None:
        """Hang up."""
        if self._door is not None:
            self._door.close()
        self._door = None

    # planted

    def plant_news(self, rows: Iterable[News]) -> int:
        """Write what the desk is to have believed of each company, from when on; return how many that were."""
        told = [(symbol, dt.datetime.fromtimestamp(at, dt.UTC), score) for symbol, at, score in rows]
        query = (
            "INSERT INTO trading_sentimentscore (symbol, at, value, confidence, source, parts, reason) "
            "VALUES (%s, %s, %s, 0.9, 'soak', '[]', '')"
        )
        with psycopg.connect(self.url) as door, door.cursor() as cursor:
            cursor.executemany(query, told)
        return len(told)

    def begin(self, probe: Probe) -> None:
        """Let a condition hold."""
        self.surely(
            "INSERT INTO trading_condition (code, subject, level, message, fix, since, seen_at) "
            "VALUES (%s, %s, %s, 'the soak says so', '', now(), now()) ON CONFLICT DO NOTHING",
            (CODE, probe.subject, probe.level),
        )

    def end(self, probe: Probe) -> None:
        """Let it be over."""
        self.surely(
            "UPDATE trading_condition SET until = now() WHERE code = %s AND subject = %s AND until IS NULL",
            (CODE, probe.subject),
        )

    # read

    def run_of(self, name: str) -> int:
        """Return the number of the newest run of a name; 0 when there is none."""
        rows = self.ask("SELECT id FROM trading_enginerun WHERE name = %s ORDER BY id DESC LIMIT 1", (name,))
        return int(rows[0][0]) if rows else 0

    def runs_of(self, name: str) -> int:
        """Return how many runs of a name there are: one that was continued is one."""
        return int(self.surely("SELECT count(*) FROM trading_enginerun WHERE name = %s", (name,))[0][0])

    def progress(self, run: int) -> tuple[dt.datetime | None, int]:
        """Return the bar a run has come to, and how many bars that are."""
        cursor, bars = self.ask("SELECT cursor, bars FROM trading_enginerun WHERE id = %s", (run,))[0]
        return cursor, int(bars)

    def opened(self, run: int) -> dict[str, int]:
        """Return how many bars each lane had seen when the newest session began."""
        return {str(symbol): int(n) for symbol, n in self.ask(
            "SELECT symbol, bars FROM trading_lanestate WHERE run_id = %s", (run,)
        )}  # fmt: skip

    def lanes(self, run: int) -> dict[str, int]:
        """Return how many bars each lane has seen in all, as its own numbers say."""
        lanes = self.surely("SELECT numbers->'K' FROM trading_enginerun WHERE id = %s", (run,))[0][0]
        names = self.surely("SELECT symbol FROM trading_lanestate WHERE run_id = %s ORDER BY number", (run,))
        return {str(name): int(ints[0]) for (name,), ints in zip(names, lanes, strict=True)}

    def kind(self, kind: str, run: int) -> list[Row]:
        """Return the rows of a kind."""
        return self.surely(KINDS[kind], (run,))

    def held(self) -> list[str]:
        """Return the subjects of the conditions that were planted."""
        return [str(subject) for (subject,) in self.surely(
            "SELECT subject FROM trading_condition WHERE code = %s", (CODE,)
        )]  # fmt: skip

    def fired(self) -> list[str]:
        """Return the subjects of planted conditions of which an alert has fired and was told."""
        found = self.surely(
            'SELECT "group" FROM monitoring_episode WHERE fired_at IS NOT NULL AND told > 0 AND "group" LIKE %s',
            (f"{CODE} %",),
        )
        return [str(group).partition(" ")[2] for (group,) in found]

    def others(self) -> list[Row]:
        """Return what else has fired: rule, group, how often."""
        return self.surely(
            'SELECT rule, "group", count(*) FROM monitoring_episode WHERE fired_at IS NOT NULL '
            'AND "group" NOT LIKE %s GROUP BY 1, 2 ORDER BY 3 DESC', (f"{CODE} %",)
        )  # fmt: skip

    def told(self, heard: dict[str, int]) -> list[Told]:
        """Return the messages of the webhook with how often each was heard."""
        rows = self.surely("SELECT key, state FROM monitoring_notification WHERE channel = 'webhook'")
        return [Told(str(key), str(state), heard.get(str(key), 0)) for key, state in rows]

    def waiting(self) -> int:
        """Return how many messages are still to be sent."""
        return int(self.surely("SELECT count(*) FROM monitoring_notification WHERE state = 'waiting'")[0][0])


def patiently(ask: Callable[[], T]) -> T:
    """Return what ``ask`` returns, asked again while the database is away."""
    until = time.monotonic() + PATIENCE
    while True:
        try:
            return ask()
        except psycopg.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.3)
