"""The simulated broker of a drill: a process of its own, steered over its control endpoint."""

from __future__ import annotations

import csv
import datetime as dt
import http.client
import json
import math
import socket
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Final

from sensequant.lib.clock import IST
from sensequant.lib.errors import Unavailable
from trading.core.calendar import NSE
from trading.services.drills.children import Child
from trading.services.drills.plans import PRICE, SHARES, THIN

PATIENCE: Final = 20.0
VOLUME, THIN_VOLUME = 400_000, 1_800  # shares a minute; of the thin market an order gets one or two a tick
TICKS_A_SECOND: Final = 6.0
BEGINS: Final = "10:00"


def days(at: dt.datetime) -> tuple[dt.date, dt.date]:
    """Return the two newest sessions that are wholly over at ``at``."""
    last = NSE.previous_session(at.astimezone(IST).date())
    return NSE.previous_session(last), last


def bars(folder: Path, dates: tuple[dt.date, dt.date]) -> None:
    """Write a calm market's minutes of both days."""
    folder.mkdir(parents=True, exist_ok=True)
    for lane, symbol in enumerate(SHARES):
        with (folder / f"{symbol}_1m.csv").open("w", newline="", encoding="utf-8") as file:
            out = csv.writer(file)
            out.writerow(("timestamp", "open", "high", "low", "close", "volume"))
            volume = THIN_VOLUME if lane == THIN else VOLUME
            moments = [
                window.start + dt.timedelta(minutes=minute)
                for session in NSE.sessions(*dates) for window in session.windows
                for minute in range(int((window.end - window.start).total_seconds()) // 60)
            ]  # fmt: skip
            for number, at in enumerate(moments):
                level = PRICE + round(0.3 * math.sin(number / 9 + lane) / 0.05) * 0.05
                prices = (f"{level + move:.2f}" for move in (0.0, 0.1, -0.1, 0.05))
                out.writerow((at.strftime("%Y-%m-%d %H:%M:%S"), *prices, volume))


class Broker:
    """One simulator on a port of its own."""

    def __init__(self, folder: Path, market: Path, date: dt.date, *, keeps: bool) -> None:
        """Start it, its market as at ten o'clock of ``date``; ``keeps`` its orders over a restart."""
        self.folder, self.market, self.date, self.keeps = folder, market, date, keeps
        self.port = _free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.seen: list[dict[str, Any]] = []  # requests of earlier lives
        self.child = self._start()

    def _start(self) -> Child:
        options = {
            "port": self.port, "csv": str(self.market), "date": self.date, "days": 2, "at": BEGINS, "speed": 1.0,
            "ticks_per_second": TICKS_A_SECOND, "calls_per_minute": 10**6, "calls_per_day": 10**6,
            "state": str(self.folder / "state") if self.keeps else "", "symbols": [], "cash": 900_000.0,
        }  # fmt: skip
        child = Child("simulator", lambda _: _serve(options), self.folder / "simulator.out")
        until = time.monotonic() + PATIENCE
        while child.alive and time.monotonic() < until:
            try:
                self.ask("GET", "/healthz")
            except (OSError, http.client.HTTPException, Unavailable):
                time.sleep(0.02)
            else:
                return child
        child.close()
        raise Unavailable(f"the simulator does not serve: {(self.folder / 'simulator.out').read_text()[-2000:]}")

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """Send a request to the control endpoint and return its JSON; Unavailable with its words when refused."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.origin + path, data, method=method)  # noqa: S310 - our own process
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:  # noqa: S310
                return json.loads(answer.read())
        except urllib.error.HTTPError as error:
            raise Unavailable(f"{method} {path}: {error.code} {error.read().decode()}") from None

    def fault(self, name: str, **params: Any) -> None:
        """Switch a fault on."""
        self.ask("POST", "/control/faults", {"name": name, **params})

    def clear(self) -> None:
        """Switch every fault off."""
        self.ask("DELETE", "/control/faults")

    def now(self) -> dt.datetime:
        """Return the market's moment."""
        return dt.datetime.fromisoformat(self.ask("GET", "/healthz")["clock"]["at"])

    def truth(self) -> dict[str, Any]:
        """Return every order and trade as they are, whatever the book shows."""
        return dict(self.ask("GET", "/control/orders"))

    def requests(self) -> list[dict[str, Any]]:
        """Return every order request the broker has got, oldest first."""
        return [*self.seen, *(each for each in self.ask("GET", "/control/log")["requests"] if each["order"])]

    def restart(self, rest: float = 0.3) -> None:
        """Die as in a power cut, and come back with the orders."""
        self.seen = self.requests()
        self.child.close()
        time.sleep(rest)
        self.child = self._start()

    def close(self) -> None:
        """End it."""
        self.child.close()


def _serve(options: dict[str, Any]) -> int:
    from django.core.management import call_command

    call_command("breeze_simulator", **options)
    return 0


def _free_port() -> int:
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])
