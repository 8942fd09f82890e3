"""Serve a simulated ICICI Breeze on this machine."""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from sensequant.lib import clock
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.bars import interval
from trading.management.asking import day
from trading.services import recordings

CALLBACK = "http://127.0.0.1:8000/broker/breeze/callback"


class Command(DeskCommand):
    """One simulator, until it is stopped."""

    help = "Serve a simulated ICICI Breeze (login, master, history, quotes, orders, streams) from recorded bars."
    examples = (
        "  manage.py breeze_simulator --port 9100\n"
        "  manage.py breeze_simulator --port 9100 --csv data/historical --symbols RELIANCE TCS --date 2024-01-02 \\\n"
        "    --interval 5minute --speed 60 --scenario faults.json --state var/simulator\n"
        '  curl -d \'{"name": "html_502_after_accept", "times": 1}\' http://127.0.0.1:9100/control/faults'
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the port, the market, its pace, and what may go wrong."""
        parser.add_argument("--port", type=int, default=9100, help="0 = any free one (default: %(default)s)")
        parser.add_argument("--csv", metavar="DIR", default="", help="bar files (default: the demo market)")
        parser.add_argument("--symbols", nargs="+", default=[], metavar="SYMBOL", help="default: all there are")
        parser.add_argument("--interval", default="", help="of the recorded bars (default: the finest there is)")
        parser.add_argument("--sound-rows", action="store_true", help="use the sound rows of files that have errors")
        parser.add_argument("--date", type=day, default=None, metavar="YYYY-MM-DD", help="first day (default: of all)")
        parser.add_argument("--days", type=int, default=1, help="days played one after the other (default: 1)")
        parser.add_argument("--at", default="09:00", metavar="HH:MM", help="when the first day begins, IST")
        parser.add_argument("--speed", type=float, default=1.0, help="market seconds a second (default: 1)")
        parser.add_argument("--ticks-per-bar", type=int, default=0, help="4 or more (default: by the speed)")
        parser.add_argument("--ticks-per-second", type=float, default=0.0, help="of each share, in wall time")
        parser.add_argument("--fill-share", type=float, default=0.25, help="of each tick's volume, for us")
        parser.add_argument("--cash", type=float, default=5_000_000.0, metavar="RUPEES", help="in the account")
        parser.add_argument("--master-rows", type=int, default=0, help="fill the security master up to so many rows")
        parser.add_argument("--calls-per-minute", type=int, default=100)
        parser.add_argument("--calls-per-day", type=int, default=5_000)
        parser.add_argument("--orders-per-second", type=int, default=10)
        parser.add_argument("--scenario", metavar="FILE", default="", help="JSON: faults at moments")
        parser.add_argument("--state", metavar="DIR", default="", help="keep orders here and go on after a crash")
        parser.add_argument("--seed", type=int, default=7, help="of the paths inside the bars")
        parser.add_argument("--redirect-url", default=CALLBACK, help="where the login page sends the browser")

    def run(self, **options: Any) -> None:
        """Serve until a signal comes."""
        from trading.adapters.simulator import scenario, server

        _check(options)
        steps = scenario.read(Path(options["scenario"])) if options["scenario"] else []
        venue = self._venue(options)
        listening = server.door(options["port"])

        def announce() -> None:
            self._announce(venue, listening.getsockname()[1], as_json=options["json"])

        script = (lambda venue: scenario.play(venue, steps, self._complain)) if steps else None
        server.run(venue, listening, announce=announce, script=script)

    def _venue(self, options: dict[str, Any]) -> Any:
        from trading.adapters.simulator import opening
        from trading.adapters.simulator.floor import Tempo
        from trading.adapters.simulator.listing import Trait
        from trading.core.exchange.book import Liquidity

        recorded = recordings.load(_asked(options), at=clock.now())
        setup = opening.Setup(
            traits=[Trait(spec.symbol, spec.tick, spec.lot, spec.segment) for spec in recorded.specs],
            bars=recorded.bars, minutes=recorded.minutes, dates=recorded.dates, calendar=recordings.calendar_in_force(),
            credentials=_credentials(), wall=lambda: clock.now().timestamp(), monotonic=time.monotonic,
            redirect_url=options["redirect_url"], speed=options["speed"], at=_time(options["at"]),
            seed=options["seed"], tempo=Tempo(options["ticks_per_bar"], options["ticks_per_second"]),
            limits=opening.Limits(
                options["calls_per_minute"], options["calls_per_day"], options["orders_per_second"]
            ),
            liquidity=Liquidity(options["fill_share"]), cash=options["cash"], master_rows=options["master_rows"],
            state=Path(options["state"]) if options["state"] else None, older=recorded.older,
        )  # fmt: skip
        return opening.open_venue(setup)

    def _announce(self, venue: Any, port: int, *, as_json: bool) -> None:
        """Print one line with the address, the credentials and the control endpoint."""
        origin, held = f"http://127.0.0.1:{port}", venue.entrance.credentials
        data = {
            "url": origin, "control": f"{origin}/control/faults", "session_date": venue.floor.date,
            "symbols": list(venue.floor.shares), "api_key": held.api_key, "api_secret": held.api_secret,
            "api_session": venue.entrance.api_session,
        }  # fmt: skip
        text = (
            f"simulated Breeze at {origin}: api_key {held.api_key}, api_secret {held.api_secret}, "
            f"api_session {venue.entrance.api_session}, {len(venue.floor.shares)} symbols of {venue.floor.date}; "
            f"control at {origin}/control/faults (BREEZE_BASE_URL={origin})"
        )
        self._print(data, text, as_json=as_json)
        self.stdout.flush()

    def _complain(self, line: str) -> None:
        self.stderr.write(f"warning: {line}")


def _asked(options: dict[str, Any]) -> recordings.Asked:
    names = [name for word in options["symbols"] for name in word.split(",")]
    unit = interval(options["interval"]) if options["interval"] else ""
    return recordings.Asked(options["csv"], tuple(names), unit, options["date"], options["days"], options["sound_rows"])


def _credentials() -> Any:
    from trading.adapters.simulator.entrance import Credentials

    desk = settings.DESK
    return Credentials(
        desk.breeze_api_key or "simulator-key", desk.breeze_api_secret or "simulator-secret",
        api_session=desk.breeze_session_token or "12345678",
    )  # fmt: skip


BOUNDS = {
    "port": (0, 65_535), "days": (1, 400), "speed": (0.0, 100_000.0), "ticks_per_second": (0.0, 1_000.0),
    "fill_share": (0.0, 1.0), "cash": (0.0, 1e12), "master_rows": (0, 100_000), "seed": (0, 2**31 - 1),
    "calls_per_minute": (1, 10**9), "calls_per_day": (1, 10**9), "orders_per_second": (1, 10**6),
}  # fmt: skip


def _check(options: dict[str, Any]) -> None:
    """Raise BadInput for a number out of its bounds."""
    for name, (low, high) in BOUNDS.items():
        if not low <= options[name] <= high:
            raise BadInput(f"--{name.replace('_', '-')} {options[name]} is not between {low} and {high}")
    if options["ticks_per_bar"] and not 4 <= options["ticks_per_bar"] <= 10_000:
        raise BadInput(f"--ticks-per-bar {options['ticks_per_bar']} is not between 4 and 10000")
    _time(options["at"])


def _time(text: str) -> dt.time:
    try:
        return dt.time.fromisoformat(text)
    except ValueError:
        raise BadInput(f"--at {text!r} is not a time of day", fix="write HH:MM") from None
