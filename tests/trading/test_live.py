"""The live picture: what the pages are told, from the engine as it stands and the rows it wrote."""

import datetime as dt
import json

import pytest

from tests.trading.desks import NOON, WEEK, begun, engine, lanes, moments
from trading.core.ageing import BOOKS, LIMITS, PRICES
from trading.core.calendar import NSE
from trading.core.state import OPEN, SIDE
from trading.models import Snapshot
from trading.services.live import Picture, iso
from trading.services.recording import Recorder

pytestmark = pytest.mark.django_db
KEYS = {
    "run", "name", "mode", "label", "state", "speed", "held", "entries_paused", "strategy", "market_time", "session",
    "states", "pnl", "positions", "equity", "watch", "latency", "conditions", "orders", "signals", "trades",
    "as_of",
}  # fmt: skip


class Desk:
    """An engine that is recorded and shown, moment by moment."""

    def __init__(self, **params):
        self.run = begun()
        self.run.state = "running"
        over = lanes()
        self.engine = engine(over, **params)
        self.tape, self.played = moments(over)
        self.recorder = Recorder(self.run, self.engine)
        self.recorder.open_session(0)
        self.picture, self.at, self.day = Picture(self.run, self.engine, self.tape), 0, None

    def go(self, until):
        """Go on until ``until()`` holds, and return the body."""
        while not until():
            day, ts, rows = self.played[self.at]
            if day != self.day:
                self.day = day
                session = NSE.session(dt.date(1970, 1, 1) + dt.timedelta(days=day))
                self.picture.open_session(session, day)
            step = self.engine.step(ts, rows)
            self.recorder.record(step)
            self.picture.moved(ts + 300, happened=bool(step.happenings))
            self.at += 1
        return self.body()

    def body(self):
        body = self.picture.body(at=NOON)
        assert json.loads(json.dumps(body, allow_nan=False)) == body
        return body

    def holds(self):
        return any(K[SIDE] for K in self.engine.K)


@pytest.fixture
def desk():
    return Desk()


def word(body, key):
    (found,) = [state for state in body["states"] if state["key"] == key]
    return found["level"], found["text"]


def test_before_anything_happened_the_picture_is_whole_and_empty(desk):
    body = desk.body()
    assert set(body) == KEYS
    assert (body["positions"], body["orders"], body["signals"], body["trades"], body["watch"]) == ([], [], [], [], [])
    assert (body["session"], body["market_time"], body["latency"]["p99_us"]) == (None, None, None)
    assert body["pnl"] == {
        "day": "0.00", "realised": "0.00", "unrealised": "0.00", "charges": "0.00", "equity": "1000000.00",
        "cash": "1000000.00", "exposure": "0.00", "exposure_limit": "500000.00", "day_loss_limit": None, "open": 0,
        "trades": 0, "win_rate": None,
    }  # fmt: skip


def test_a_position_is_shown_with_its_gain_stop_and_target(desk):
    body = desk.go(desk.holds)
    (shown, *_), pnl = body["positions"], body["pnl"]
    assert (pnl["open"], len(body["positions"])) == (desk.engine.N[OPEN], desk.engine.N[OPEN])
    sign = 1 if shown["side"] == "LONG" else -1
    move = sign * shown["quantity"] * (float(shown["last"]) - float(shown["entry_price"]))
    assert float(shown["pnl"]) < move
    assert sign * (float(shown["entry_price"]) - float(shown["stop"])) > 0
    assert sign * (float(shown["target"]) - float(shown["entry_price"])) > 0
    assert float(pnl["unrealised"]) == pytest.approx(sum(float(p["pnl"]) for p in body["positions"]), abs=0.01)
    assert float(pnl["day"]) == pytest.approx(float(pnl["unrealised"]) + float(pnl["realised"]), abs=0.02)
    assert shown["opened_at"].endswith("+05:30")


def test_orders_signals_and_trades_come_newest_first_and_twenty_at_most(desk):
    body = desk.go(lambda: desk.run.trades.count() >= 8)
    numbers = [order["number"] for order in body["orders"]]
    assert numbers == sorted(numbers, reverse=True)[:20]
    assert [t["exit_time"] for t in body["trades"]] == sorted((t["exit_time"] for t in body["trades"]), reverse=True)
    assert all(signal["reason"] and isinstance(signal["objections"], list) for signal in body["signals"])
    assert len(body["signals"]) == min(20, desk.run.signals.count())


def test_the_days_trades_begin_at_nought_with_every_session(desk):
    first = desk.go(lambda: desk.run.trades.exists())
    assert first["pnl"]["trades"] >= 1
    assert first["pnl"]["win_rate"] is not None
    day = desk.day
    desk.go(lambda: desk.day != day)
    today = desk.run.trades.filter(exit_time__gte=desk.picture.session.open).count()
    assert (desk.body()["pnl"]["trades"], today) == (0, 0)


def test_the_curve_is_the_sessions_own_and_survives_a_restart(desk):
    body = desk.go(lambda: desk.at == 50)
    assert [at for at, _ in body["equity"]] == [ts + 300 for _, ts, _ in desk.played[:50]]
    again = Picture(desk.run, desk.engine, desk.tape)
    again.open_session(desk.picture.session, desk.day)
    assert list(again.curve) == [[at, round(value, 2)] for at, value in body["equity"]]
    day = desk.day
    assert len(desk.go(lambda: desk.day != day)["equity"]) == 1


def test_the_watch_list_tells_the_change_since_yesterday_and_the_features(desk):
    first = desk.go(lambda: desk.at == 30)
    assert [row["symbol"] for row in first["watch"]] == ["DEMOBANK", "DEMOINFRA", "DEMOLABS"]
    assert {row["change_pct"] for row in first["watch"]} == {None}
    day = desk.day
    body = desk.go(lambda: desk.day != day)
    for lane, row in enumerate(body["watch"]):
        before = desk.tape.bars_of(lane, day)[-1].close
        assert row["change_pct"] == round((float(row["last"]) / before - 1) * 100, 3)
        assert row["features"]["close"] == float(row["last"])
    assert body["latency"]["bars"] == desk.engine.bars


def test_the_strip_says_running_held_stopped_and_how_near_the_loss_limit_is():
    desk = Desk(daily_loss=1_000)
    body = desk.go(lambda: desk.at == 3)
    assert word(body, "ENGINE") == ("ok", "running")
    assert word(body, "FEED") == ("ok", "replay as fast as it goes")
    assert word(body, "BROKER") == ("ok", "paper")
    assert word(body, "RISK") == ("ok", "0% of day loss")
    assert body["pnl"]["day_loss_limit"] == "1000.00"
    desk.run.held, desk.run.speed = True, 60.0
    assert word(desk.body(), "ENGINE") == ("warn", "held")
    assert word(desk.body(), "FEED") == ("warn", "replay 60×")
    desk.engine.halted[1] = "it raised"
    assert word(desk.body(), "ENGINE") == ("bad", "stopped: DEMOINFRA")


def test_the_strip_says_when_the_breaker_is_open():
    desk = Desk(daily_loss=100)
    desk.go(lambda: desk.engine.N[4] == 1)
    assert word(desk.body(), "RISK") == ("bad", "breaker open")


def test_the_session_is_open_inside_its_hours_and_closed_after(desk):
    assert desk.go(lambda: desk.at == 1)["session"] == {
        "date": WEEK[0].isoformat(), "open": f"{WEEK[0]}T09:15:00+05:30", "close": f"{WEEK[0]}T15:30:00+05:30",
        "phase": "continuous",
    }  # fmt: skip
    assert desk.go(lambda: desk.at == 75)["session"]["phase"] == "closed"


def test_each_publication_has_the_next_version_and_replaces_the_row(desk):
    desk.picture.publish(at=NOON)
    desk.picture.publish(at=NOON)
    (row,) = Snapshot.objects.all()
    assert (row.topic, row.version, row.epoch, row.body["run"]) == ("live", 2, desk.picture.epoch, desk.run.pk)


def test_no_moment_is_written_as_none():
    assert iso(None) is None
    assert iso(dt.datetime(2026, 11, 20, 4, 0, tzinfo=dt.UTC)) == "2026-11-20T09:30:00+05:30"


def test_each_part_says_when_it_was_true_and_prices_are_late_only_while_a_bar_is_due(desk):
    desk.run.speed = 60.0
    body = desk.go(desk.holds)
    assert body["as_of"]["books"] == {"at": iso(NOON), "late_after": LIMITS[BOOKS]}
    assert body["as_of"]["prices"] == {"at": iso(NOON), "late_after": LIMITS[PRICES] + 5.0}
    later = desk.picture.body(at=NOON + dt.timedelta(seconds=9))["as_of"]
    assert later["books"]["at"] == iso(NOON + dt.timedelta(seconds=9))
    assert later["prices"]["at"] == iso(NOON), "no bar came since"
    desk.run.held = True
    assert desk.body()["as_of"]["prices"]["late_after"] is None
    desk.run.state = "finished"
    assert desk.body()["as_of"]["books"]["late_after"] is None
