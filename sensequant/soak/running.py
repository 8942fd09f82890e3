"""One soak, from the empty folder to the verdict."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import os
import secrets
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psycopg

from sensequant.lib.clock import IST, now
from sensequant.lib.errors import Failed
from sensequant.lib.logs import get_logger
from sensequant.soak import judging, market, servers
from sensequant.soak.books import KINDS, Books
from sensequant.soak.outside import PASSWORD, USER, Client, World
from sensequant.soak.plan import ENGINE, POSTGRES, REDIS, Fall, Probe, Wish, falls, probes
from sensequant.soak.processes import Kept, lines_of

ROOT: Final = Path(__file__).resolve().parents[2]
LOOK: Final = 0.25
SAMPLE: Final = 2.0  # seconds between two looks at the engine's memory and its run
SETTLE: Final = 45.0  # seconds after the last bar for whoever still has something to say
LATE: Final = 4.0  # times as long as it should take: then something hangs
UNDISTURBED: Final = "undisturbed"
# A strategy that trades many times an hour, and no limit that would keep it from it: there must be something to lose.
BUSY: Final = (
    "sma=10", "ema=20", "adx_min=0", "volume_min=0", "rsi_low=30", "rsi_high=90", "loss_streak=0", "daily_loss=0",
    "daily_loss_pct=0", "max_trades_day=0", "max_positions=0", "max_exposure=1000000",
)  # fmt: skip
DEMO: Final = ("DEMOBANK", "DEMOOIL", "DEMOTECH", "DEMOAUTO", "DEMOFIN", "DEMOSTEEL")
log = get_logger("soak")


class Soak:
    """Plays a wish in ``folder``."""

    def __init__(self, wish: Wish, folder: Path, *, say: Callable[[str], None]) -> None:
        """Make servers, market and world; ``say`` is told what happens."""
        self.wish, self.folder, self._say = wish, folder, say
        self.home, self.logs = folder / "home", folder / "logs"
        for each in (self.home, self.logs):
            each.mkdir(parents=True)
        folder.chmod(0o755)  # the account PostgreSQL runs as must get to its folder
        self.postgres, self.redis, self.world = servers.Postgres(folder), servers.Redis(folder), World()
        self.books, self.port = Books(self.postgres.url), servers.free_port()
        self.env = self._env()
        self.days = market.sessions(wish, before=now().astimezone(IST).date())
        self.source = market.write(wish, folder / "bars", self.days)
        self.kept: dict[str, Kept] = {}
        self.client: Client | None = None
        self.samples: list[judging.Sample] = []
        self.opened: list[dict[str, int]] = []
        self.fallen: Counter[str] = Counter()
        self.stops: dict[str, float] = {}
        self.back: dict[str, tuple[float, Callable[[], None]]] = {}
        self.open: list[tuple[float, Probe]] = []
        self.began = self.took = 0.0
        self.passed = 0.0  # seconds the trading so far would have taken undisturbed: falls go by it, to the last hour

    def _env(self) -> dict[str, str]:
        """Return the environment of the desk: this shell's, none of its own settings, and what a soak wants."""
        given = {
            "DATABASE_URL": self.postgres.url, "REDIS_URL": self.redis.url, "SENSEQUANT_HOME": str(self.home),
            "SECRET_KEY": secrets.token_urlsafe(48), "ENV_FILE": os.devnull, "PORT": str(self.port),
            "WEB_WORKERS": "1", "WORKERS": "1", "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SYMBOLS": ",".join(DEMO), "SENTIMENT_ENABLE_NEWSAPI": "true", "SENTIMENT_NEWSAPI_API_KEY": "soak-key",
            "SENTIMENT_NEWSAPI_ENDPOINT": self.world.url, "SENTIMENT_PROVIDER_FALLBACK_ORDER": "newsapi",
            "MONITORING_ENABLE_WEBHOOK_ALERTS": "true", "MONITORING_WEBHOOK_URL": f"{self.world.url}/alerts",
            "MONITORING_ALLOW_PRIVATE_ADDRESSES": "true", "MONITORING_HEARTBEAT_LAPSE_SECONDS": "30",
            "LIVE_TELEMETRY_ENABLED": "true", "TELEMETRY_ENABLED": "true",
        }  # fmt: skip
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        kept = ("HOME", "LANG", "LC_ALL", "TMPDIR", "USER", "LD_LIBRARY_PATH")
        return {**{name: os.environ[name] for name in kept if name in os.environ}, "PATH": path, **given}

    def whole(self) -> judging.Verdict:
        """Play it from beginning to end and judge it."""
        self.prepare()
        self.play()
        self.settle()
        self.end()
        return self.judge()

    # beginning

    def prepare(self) -> None:
        """Make the tables, the user, the news, and start everything."""
        self._manage("prepare")
        self._manage("createsuperuser", "--noinput", "--username", USER, "--email", "soak@example.com",
                     DJANGO_SUPERUSER_PASSWORD=PASSWORD)  # fmt: skip
        made = json.loads(self._manage("api_token", "create", "--user", USER, "--scope", "read", "--json"))
        self.books.plant_news(market.news(self.wish, self.days))
        lines = lines_of((ROOT / "Procfile").read_text())
        lines["engine-worker"] = lines.pop(
            ENGINE
        )  # stands by: its engine wants the broker, and 60 times is no market's
        lines[ENGINE] = self._engine(
            ENGINE, self.wish.speed, "--enable-telemetry", "--telemetry-dir", str(self.folder / "traces")
        )
        lines["paper"] = self._line("engine", "--mode", "dry-run", "--name", "paper", "--data-source", "demo",
                                    "--interval", "1minute", "--strategy", "intraday", "--symbols", *DEMO)  # fmt: skip
        for name, line in lines.items():
            self.kept[name] = Kept(
                name, line, env=self.env, cwd=ROOT, log=self.logs / f"{name}.log", once=name == ENGINE
            )
        for name, each in self.kept.items():
            if name != ENGINE:
                each.tend(now=time.monotonic())
        self.client = Client(self.port, str(made["token"]))

    def _engine(self, name: str, speed: float, *more: str) -> str:
        return self._line(
            "engine", "--mode", "replay", "--name", name, "--speed", f"{speed:g}", *more, *self._what()
        )  # fmt: skip

    def _what(self) -> tuple[str, ...]:
        """Return the words that say what is traded, for engine, parity and backtest alike."""
        return (
            "--csv", str(self.folder / "bars"), "--interval", "1minute", "--strategy", "intraday", "--start-date",
            str(self.days[0].date), "--end-date", str(self.days[-1].date), "--params", *BUSY, "--symbols", *self.source,
        )  # fmt: skip

    @staticmethod
    def _line(*words: str) -> str:
        return " ".join(("python", "manage.py", *words))

    def _manage(self, *words: str, **more: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *words], cwd=ROOT, env={**self.env, **more}, capture_output=True, text=True,
            check=False, timeout=3_600,
        )  # fmt: skip
        if done.returncode:
            raise Failed(f"manage.py {words[0]} failed: {done.stderr.strip()[-400:]}")
        return done.stdout

    # going by

    def play(self) -> None:
        """Let the market go by, and everybody fall in turn."""
        coming, planted = falls(self.wish), probes(self.wish)
        self.began = time.monotonic()
        self._until(lambda: self.client is not None and self.client.connects > 0, 90.0, "no page came up")
        self.began = time.monotonic()
        sampled, engine = 0.0, self.kept[ENGINE]
        while not engine.finished:
            tick = time.monotonic()
            for each in self.kept.values():
                each.tend(now=tick)
            self._servers(tick)
            while coming and self.passed >= coming[0].at:
                self._fall(coming.pop(0), tick)
            self._planted(planted, tick)
            if tick - sampled >= SAMPLE:
                sampled = tick
                self._sample(engine)
            if tick - self.began > max(300.0, LATE * self.wish.seconds):
                raise Failed("the engine does not come to an end", fix=f"read {self.logs}")
            time.sleep(LOOK)
        self.took = time.monotonic() - self.began
        self._say(f"the last bar is decided after {self.took:.0f} s")

    def settle(self) -> None:
        """Let every server be there, what was planted end, and the last messages go."""
        until = time.monotonic() + SETTLE + max((each.lasts for _, each in self.open), default=0.0)
        while time.monotonic() < until:
            tick = time.monotonic()
            for each in self.kept.values():
                each.tend(now=tick)
            self._servers(tick)
            self._planted([], tick)
            if not self.open and not self.back and tick > until - SETTLE / 2 and not self.books.waiting():
                break
            time.sleep(LOOK)

    def _until(self, holds: Callable[[], bool], seconds: float, told: str) -> None:
        while not holds():
            if time.monotonic() - self.began > seconds:
                raise Failed(told, fix=f"read {self.logs}")
            for name, each in self.kept.items():
                if name != ENGINE:
                    each.tend(now=time.monotonic())
            time.sleep(LOOK)

    def _fall(self, fall: Fall, now: float) -> None:
        if fall.what == REDIS and fall.flush and REDIS not in self.back:
            self.redis.flush()
            self.fallen["redis flushed"] += 1
        elif fall.what in (REDIS, POSTGRES):
            if fall.what in self.back:
                return
            server: servers.Redis | servers.Postgres = self.redis if fall.what == REDIS else self.postgres
            server.stop()
            self.back[fall.what] = (now + fall.away, server.start)
            self.fallen[fall.what] += 1
        elif self.kept[fall.what].kill(child=fall.child):
            self.fallen[f"{fall.what} child" if fall.child else fall.what] += 1
        self._say(f"{now - self.began:7.1f} s  {fall.what}{' flushed' if fall.flush else ''} falls {fall.away or ''}")

    def _servers(self, now: float) -> None:
        for name, (due, start) in list(self.back.items()):
            if now >= due:
                del self.back[name]
                start()

    def _planted(self, coming: list[Probe], now: float) -> None:
        if POSTGRES in self.back:
            return
        while coming and now - self.began >= coming[0].at:
            probe = coming.pop(0)
            self.books.begin(probe)
            self.open.append((now + probe.lasts, probe))
        for each in [one for one in self.open if now >= one[0]]:
            self.open.remove(each)
            self.books.end(each[1])

    def _sample(self, engine: Kept) -> None:
        with contextlib.suppress(psycopg.Error):
            run = self.books.run_of(ENGINE)
            if not run:
                return
            seen = self.books.opened(run)
            if seen and (not self.opened or self.opened[-1] != seen):
                self.opened.append(seen)
            cursor, _ = self.books.progress(run)
            if cursor is not None:
                self.passed = self._market(cursor) / self.wish.speed
            if cursor is not None and (mb := engine.rss()) is not None and time.monotonic() - engine.born[-1] > 3.0:
                self.samples.append(judging.Sample(self._market(cursor), engine.starts, mb))

    def _market(self, cursor: dt.datetime) -> float:
        """Return how many seconds of trading lie before a moment."""
        return sum(max(0.0, min((cursor - day.open).total_seconds() + 60.0, judging.HOUR * 6.25)) for day in self.days)

    # the end

    def end(self) -> None:
        """Ask everybody to end, and see that they do."""
        if self.client is not None:
            self.client.close()
        for name, each in self.kept.items():
            self.stops[name] = round(each.end(), 1)

    def judge(self) -> judging.Verdict:
        """Compare with a run nobody disturbed, and read every log."""
        self._manage("ledger", "pull")
        undisturbed = self._line_of(self._engine(UNDISTURBED, 0.0))
        self._manage(*undisturbed)
        verdict = judging.Verdict()
        run, other = self.books.run_of(ENGINE), self.books.run_of(UNDISTURBED)
        for kind in KINDS:
            judging.judge_rows(verdict, kind, self.books.kind(kind, run), self.books.kind(kind, other))
        judging.judge_trade(verdict, self.wish.hours * self.wish.symbols)
        judging.judge_bars(verdict, self.source, self._decided(run))
        verdict.need(self.books.runs_of(ENGINE) == 1, "the engine began its run anew instead of going on with it")
        heard = Counter(key for key, _ in self.world.heard)
        told = self.books.told(dict(heard))
        strays = len(set(heard) - {each.key for each in told})
        judging.judge_alerts(verdict, self.books.held(), self.books.fired(), told, strays)
        judging.judge_memory(verdict, self.samples, self.wish.hours)
        judging.judge_logs(verdict, self._traces())
        self._commands(verdict)
        self._the_rest(verdict)
        return verdict

    @staticmethod
    def _line_of(line: str) -> list[str]:
        return line.split()[2:]

    def _decided(self, run: int) -> dict[str, dict[str, int]]:
        """Return the bars decided by symbol and day, from the counts at each session's start and at the end."""
        counts = [*self.opened, self.books.lanes(run)]
        names = [str(day.date) for day in self.days]
        found: dict[str, dict[str, int]] = {symbol: {} for symbol in self.source}
        if len(self.opened) != len(self.days):
            return found
        for symbol in self.source:
            for k, name in enumerate(names):
                found[symbol][name] = counts[k + 1].get(symbol, 0) - counts[k].get(symbol, 0)
        return found

    def _traces(self) -> list[judging.Trace]:
        found = []
        for name in self.kept:
            text = (self.logs / f"{name}.log").read_text(encoding="utf-8", errors="replace")
            found += judging.traces(name, text)
        return found

    def _commands(self, verdict: judging.Verdict) -> None:
        """Let the desk's own proofs speak: engine against backtester, the ledger's and the predictions' chains."""
        for name, words in {
            "parity": ("parity", *self._what(), "--json"), "ledger": ("verify_ledger", "--json"),
            "predictions": ("check_predictions", "--json"),
        }.items():  # fmt: skip
            try:
                verdict.figures[name] = json.loads(self._manage(*words))
            except (Failed, ValueError) as error:
                verdict.need(False, f"{name}: {error}")

    def _the_rest(self, verdict: judging.Verdict) -> None:
        page = self.client
        verdict.figures |= {
            "market_hours": self.wish.hours, "wall_seconds": round(self.took, 1),
            "pace": round(self.wish.minutes * 60 / self.took, 1), "pace_wanted": self.wish.speed,
            "falls": dict(self.fallen), "starts": {name: each.starts for name, each in self.kept.items()},
            "ended_by_themselves": {name: each.failures for name, each in self.kept.items() if each.failures},
            "stopped_in_seconds": self.stops, "other_alerts": [list(row) for row in self.books.others()],
            "news_asked": self.world.asked,
        }  # fmt: skip
        gone = verdict.figures["ended_by_themselves"]
        verdict.need(not gone, f"processes ended by themselves: {gone}")
        verdict.need(self.world.asked > 0, "nobody asked for news")
        if page is not None:
            verdict.figures["page"] = {"messages": page.messages, "connects": page.connects}
            verdict.figures["script"] = dict(page.answers)
            verdict.need(not page.bad, f"answers a server must not give: {dict(page.bad)}")
            verdict.need(not page.backwards, f"the page went back in time {page.backwards} times")

    def close(self) -> None:
        """End what still runs."""
        for each in self.kept.values():
            each.end()
        self.books.close()
        self.world.close()
        self.redis.close()
        self.postgres.close()
