"""One scenario, played: broker and engine are started, what the plan says happens to them, and in the end both sides
are compared.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from django.db import connections

from sensequant.lib.errors import Unavailable
from trading.adapters.simulator.listing import Trait, listed
from trading.services import halts
from trading.services.drills import checks, driver, ledger, stores, venue
from trading.services.drills.children import Child
from trading.services.drills.plans import MAX_EXPOSURE, PRICE, SHARES, Plan, Step

READY_IN: Final = 20.0
REST_IN: Final = 25.0
TURN: Final = 0.004
OVERLAP: Final = 0.6  # seconds a frozen engine stays frozen after another is ready
SIGNALS: Final = (-int(signal.SIGKILL),)


@dataclass(slots=True)
class Outcome:
    """What came of a scenario; ``recovery`` is seconds from the last restart, or the end of the faults, to rest."""

    name: str
    seed: int
    breaches: list[str] = field(default_factory=list)
    kinds: dict[str, int] = field(default_factory=dict)
    kills: int = 0
    freezes: int = 0
    cuts: int = 0
    starts: int = 0
    failures: int = 0  # engine processes that gave up by themselves: a database or a lease gone
    signals: int = 0  # entries decided
    dropped: int = 0  # of them never at the broker
    orders: int = 0
    fills: int = 0
    recovery: float = 0.0
    restart: float = 0.0  # the longest from the start of a process to its lease and state
    seconds: float = 0.0
    kept: str = ""  # the folder of one that failed

    def as_json(self) -> str:
        """Return it as one line."""
        return json.dumps(asdict(self))


class Stage:
    """Plays one plan in a folder of its own."""

    def __init__(self, plan: Plan, store: stores.Store, folder: Path, market: Path, date: dt.date) -> None:
        """Start the broker, and make a database."""
        self.plan, self.store, self.folder = plan, store, folder
        folder.mkdir(parents=True)
        self.outcome = Outcome(plan.name, plan.seed)
        self.database = store.make(folder.name)
        stores.use(self.database)
        self.broker = venue.Broker(folder, market, date, keeps=plan.state)
        held = self.broker.ask("GET", "/healthz")["credentials"]
        self.keys = (held["api_key"], held["api_secret"])
        self.shares = listed([Trait(symbol) for symbol in SHARES])
        self.engines: list[Child] = []
        self.base = 0.0
        self.redis: subprocess.Popen[bytes] | None = None
        self.redis_port = 0
        self.clear_file = folder / "clear"
        self.crashes = list(plan.crashes)
        self.steps = sorted(plan.steps, key=lambda step: step.at)
        self.rested = 0.0
        self.born: dict[int, float] = {}
        self.thawing = 0.0

    def play(self) -> Outcome:
        """Play it, and return what came of it."""
        begun = time.monotonic()
        try:
            self._early()
            self.start()
            if self.plan.rival:
                self.start()
            self._live()
            self._settle()
            self._compare()
        finally:
            self.close()
        self.outcome.seconds = round(time.monotonic() - begun, 2)
        return self.outcome

    def close(self) -> None:
        """End every process, and remove the database."""
        for each in self.engines:
            each.close()
        self.broker.close()
        if self.redis is not None:
            self.redis.kill()
            self.redis.wait()
        connections.close_all()
        if not self.outcome.breaches or self.store.postgres:
            self.store.drop(self.database)
        if self.outcome.breaches:
            self.outcome.kept = str(self.folder)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)

    def _early(self) -> None:
        """Do what the plan wants before the first engine begins."""
        if self.plan.redis == "own":
            self._open_redis()

    def start(self, *, waits: float = 0.0) -> Child:
        """Start an engine process; the first ones die where the plan says."""
        brief = driver.Brief(
            self.broker.origin, *self.keys, tuple(each.code for each in self.shares),
            tuple(each.token for each in self.shares), self.plan.decisions, self.clear_file, self.folder / "home",
            self.base, self.crashes.pop(0) if self.crashes and not self.clear_file.exists() else "", self.plan.number,
            self.plan.skew, self.plan.skew_from, self._redis_url(), waits, self.plan.calls,
        )  # fmt: skip
        (self.folder / "home").mkdir(exist_ok=True)
        number = len(self.engines) + 1
        child = Child(f"engine {number}", lambda pipe: driver.drive(brief, pipe), self.folder / f"engine{number}.out")
        self.engines.append(child)
        self.outcome.starts += 1
        self.rested = 0.0
        return child

    def _redis_url(self) -> str:
        return f"redis://127.0.0.1:{self.redis_port or 1}/0" if self.plan.redis else ""

    # Time going by

    def _live(self) -> None:
        until = time.monotonic() + READY_IN
        while self.base == 0.0:
            self._tend()
            if time.monotonic() > until:
                self._breach("no engine was ever ready")
                return
        while time.monotonic() < self.base + self.plan.lasts:
            while self.steps and time.monotonic() >= self.base + self.steps[0].at:
                self._do(self.steps.pop(0))
            self._tend()

    def _settle(self) -> None:
        """Let every fault be over, and wait until an engine has come to rest."""
        self.broker.clear()
        self._do(Step(0.0, "log_in"))
        self.clear_file.touch()
        since, until = time.monotonic(), time.monotonic() + REST_IN
        while not self.rested and time.monotonic() < until:
            self._tend()
        begun = max([since, *(each.begun for each in self.engines if each.alive)])
        if not self.rested:
            self.engine.send(signal.SIGUSR1)
            self._breach(f"no engine came to rest within {REST_IN:.0f} s")
        else:
            self.outcome.recovery = round(self.rested - begun, 2)
        for each in self.engines:
            each.end()

    def _note(self, line: str) -> None:
        with (self.folder / "story.txt").open("a", encoding="utf-8") as file:
            file.write(f"{time.monotonic() - (self.base or time.monotonic()):7.3f} {line}\n")

    def _do(self, step: Step) -> None:
        self._note(f"{step.verb} {dict(step.params)}")
        with contextlib.suppress(OSError, Unavailable):  # a broker that is down just now
            getattr(self, f"do_{step.verb}")(**step.params)

    def _tend(self) -> None:
        """Listen to the engines, and start one where none is left."""
        for each in self.engines:
            for line in each.said():
                self._heard(each, line)
        self._thaw()
        for each in self.engines:
            if not each.alive and not each.counted:
                each.counted = True
                self._ended(each)
        if not any(each.alive for each in self.engines):
            self.start()
        time.sleep(TURN)

    def _heard(self, each: Child, line: str) -> None:
        self._note(f"{each.name}: {line}")
        word, _, rest = line.partition(" ")
        if word == "took":
            self.outcome.restart = max(self.outcome.restart, round(time.monotonic() - each.begun, 2))
            self.born[each.pid] = time.monotonic()
        elif word == "ready" and not self.base:
            self.base = float(rest)
        elif word == "rest":
            self.rested = time.monotonic()
        elif word.startswith("["):
            self.rested = 0.0

    def _ended(self, each: Child) -> None:
        self._note(f"{each.name} ended: {each.ended}")
        if each.ended in SIGNALS:
            self.outcome.kills += 1
        elif each.ended:
            self.outcome.failures += 1

    def _thaw(self) -> None:
        """Start another engine beside a frozen one, and let that one go on once the other has taken over."""
        frozen = [each for each in self.engines if each.alive and each.frozen]
        if not frozen:
            self.thawing = 0.0
            return
        newest = self.engines[-1]
        if newest in frozen:
            self.outcome.freezes += 1
            self.start(waits=60.0)
            self.thawing = time.monotonic() + driver.TTL * 2
        elif newest.pid in self.born and self.thawing > self.born[newest.pid] + OVERLAP:
            self.thawing = self.born[newest.pid] + OVERLAP
        if time.monotonic() >= self.thawing:
            for each in frozen:
                each.send(signal.SIGCONT)

    # What a plan may let happen

    @property
    def engine(self) -> Child:
        """Return the newest engine process."""
        return self.engines[-1]

    def do_fault(self, *, name: str, **params: Any) -> None:
        """Switch a fault of the broker on."""
        self.broker.fault(name, **params)

    def do_kill(self) -> None:
        """Kill the engine."""
        self.engine.send(signal.SIGKILL)

    def do_freeze(self) -> None:
        """Freeze the engine; the next look sees it and starts another."""
        self.engine.send(signal.SIGSTOP)

    def do_rival(self) -> None:
        """Start another engine beside the one that runs."""
        self.start()

    def do_nudge(self, *, lane: int, price: float) -> None:
        """Let a share trade once at a price."""
        self.broker.ask("POST", "/control/market", {"symbol": SHARES[lane], "price": price})

    def do_plant(self, *, lane: int, side: str, quantity: int, price: float) -> None:
        """Place an order by hand."""
        told = {"symbol": SHARES[lane], "side": side, "quantity": quantity, "price": price}
        self.broker.ask("POST", "/control/order", told)

    def do_log_in(self) -> None:
        """Let a person log in at the broker, so that the newest session is good."""
        self.broker.ask("POST", "/control/session", {"replace": True})

    def do_kill_switch(self) -> None:
        """Engage the kill switch, as its button does."""
        halts.engage(halts.KILL, "the drill says so", at=self.broker.now(), by="drill")
        connections.close_all()

    def do_night(self) -> None:
        """Let the night go by: the next moment is ten o'clock of the next session."""
        self.engine.send(signal.SIGKILL)
        self.broker.ask("POST", "/control/clock", {"at": venue.BEGINS})
        self.do_log_in()

    def do_lock(self, *, seconds: float = 1.5) -> None:
        """Keep everybody from writing into the database for a while."""
        self.store.lock(self.database, seconds)

    def do_cut(self) -> None:
        """Cut every connection to the database."""
        self.outcome.cuts += self.store.cut(self.database)

    def do_venue_restart(self) -> None:
        """Let the broker's system die and come back."""
        self.broker.restart()

    def do_flush_redis(self) -> None:
        """Let Redis forget everything."""
        with socket.create_connection(("127.0.0.1", self.redis_port), timeout=2) as door:
            door.sendall(b"FLUSHALL\r\n")
            door.recv(64)

    def do_kill_redis(self) -> None:
        """Kill our Redis."""
        if self.redis is not None:
            self.redis.kill()

    def _open_redis(self) -> None:
        self.redis_port = venue._free_port()
        self.redis = subprocess.Popen(
            ["redis-server", "--port", str(self.redis_port), "--save", "", "--appendonly", "no"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.folder,
        )  # fmt: skip

    # The end

    def _breach(self, what: str, kind: str = checks.OTHER) -> None:
        self.outcome.breaches.append(f"{kind}: {what}")
        self.outcome.kinds[kind] = self.outcome.kinds.get(kind, 0) + 1

    def _compare(self) -> None:
        found = ledger.read(self.broker.truth(), self.broker.requests(), limit=MAX_EXPOSURE)
        for breach in checks.broken(found):
            self._breach(breach.what, breach.kind)
        entries = [row for row in found.orders if row.purpose == "entry"]
        self.outcome.signals = len(entries)
        self.outcome.dropped = sum(not row.broker_order_id for row in entries)
        self.outcome.orders, self.outcome.fills = len(found.orders), len(found.fills)
        connections.close_all()


__all__ = ["PRICE", "Outcome", "Stage"]
