"""Every scenario of the drill by name: the fault matrix as functions of a seed."""

from __future__ import annotations

import signal
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any, Final

import numpy as np

from sensequant.lib import crash
from sensequant.lib.errors import NotFound
from trading.services.drills.plans import LASTS, PRICE, THIN, Decision, Plan, Step

Dice = np.random.Generator
Maker = Callable[[str, int, Dice], Plan]
SENDING: Final = ("intent-committed", "claimed", "before-send", "after-send", "answered", "acknowledged")
BOOKING: Final = ("fill-written", "fill-committed")
TAKEN_OVER: Final = 5.0  # seconds after which another engine has the lease of a frozen one
LOW, HIGH = round(PRICE * 0.97, 2), round(PRICE * 1.05, 2)  # beyond every stop, beyond every target


def _at(dice: Dice, low: float, high: float) -> float:
    return round(float(dice.uniform(low, high)), 3)


def trading(dice: Dice) -> tuple[Decision, ...]:
    """Return a few seconds of trading: entries, one of them in a thin market, an exit on the engine's own account."""
    lots = [int(each) for each in dice.integers(3, 30, 6)]
    return (
        Decision(0.0, "enter", 0, lots[0]),
        Decision(_at(dice, 0.0, 0.1), "enter", 1, lots[1]),
        Decision(_at(dice, 0.1, 0.4), "enter", THIN, lots[2]),
        Decision(_at(dice, 0.3, 0.8), "enter", 2, lots[3]),
        Decision(_at(dice, 0.9, 1.2), "leave", 0),
        Decision(_at(dice, 1.2, 1.5), "enter", 3, lots[4]),
        Decision(_at(dice, 1.6, 1.9), "enter", 0, lots[5]),
        Decision(_at(dice, 1.9, 2.2), "leave", 2),
    )


def later(decisions: tuple[Decision, ...], seconds: float) -> tuple[Decision, ...]:
    """Return the same decisions so much later."""
    return tuple(replace(each, at=each.at + seconds) for each in decisions)


def stop_hit(dice: Dice, lane: int = 1) -> Step:
    """Return the market's trading through a lane's stop, or its target."""
    return Step(_at(dice, 1.0, 1.5), "nudge", {"lane": lane, "price": LOW if dice.random() < 0.7 else HIGH})


def fault(at: float, name: str, **params: Any) -> Step:
    """Return a fault's beginning."""
    return Step(at, "fault", {"name": name, **params})


def crash_at(point: str, exit: bool, name: str, seed: int, dice: Dice) -> Plan:
    """Die at a crash point, of an entry or (a later turn) of an exit; the next process may die there too."""
    first = int(dice.integers(1, 4)) if not exit else 1
    twice = (f"{point}:{int(dice.integers(1, 3))}",) if dice.random() < 0.3 else ()
    if exit:  # nothing is sent but exits of what was entered before: the first process lives until then
        decisions = tuple(Decision(0.05 * lane, "enter", lane, 8) for lane in range(3))
        leaves = tuple(Decision(_at(dice, 1.1, 1.5), "leave", lane) for lane in range(2))
        count = {"fill-written": 4, "fill-committed": 4}.get(point, 4)
        return Plan(name, seed, decisions + leaves, (stop_hit(dice, 2),), (f"{point}:{count}", *twice))
    return Plan(name, seed, trading(dice), (stop_hit(dice),), (f"{point}:{first}", *twice))


def killed(times: int, name: str, seed: int, dice: Dice) -> Plan:
    """Kill the process at random moments, recovery included."""
    moments = sorted(_at(dice, 0.05, 2.4) for _ in range(times))
    return Plan(name, seed, trading(dice), (stop_hit(dice), *(Step(at, "kill") for at in moments)))


def hunted(name: str, seed: int, dice: Dice) -> Plan:
    """Kill the process at twenty random moments of a longer stretch of trading."""
    stretches = [later(trading(dice), 2.4 * part) for part in range(4)]
    decisions = tuple(each for stretch in stretches for each in stretch)
    kills = sorted(_at(dice, 0.05, 9.8) for _ in range(20))
    hits = [replace(stop_hit(dice, lane), at=2.4 * lane + 1.3) for lane in range(3)]
    return Plan(name, seed, decisions, (*hits, *(Step(at, "kill") for at in kills)), lasts=10.0)


def struck(fault_name: str, verb: str, name: str, seed: int, dice: Dice, **params: Any) -> Plan:
    """Let a fault strike one verb some times, of entries or of exits; sometimes the process is killed as well."""
    late = 0.9 if dice.random() < 0.5 else 0.0
    begins = -0.05 if late == 0.0 else late
    steps = [fault(begins, fault_name, verb=verb, times=int(dice.integers(1, 4)), **params), stop_hit(dice)]
    if dice.random() < 0.3:
        steps.append(Step(_at(dice, 0.2, 2.0), "kill"))
    return Plan(name, seed, trading(dice), tuple(steps))


def book(fault_name: str, name: str, seed: int, dice: Dice, **params: Any) -> Plan:
    """Let the book lie or fail while orders are unknown, some of which were taken and some of which were not."""
    lost = ("timeout_after_accept", "html_502_after_accept", "reset_after_accept", "timeout_before_accept")
    first, second = (str(each) for each in dice.choice(lost, 2))
    at = _at(dice, 0.0, 0.6)
    steps = [fault(-0.05, first, times=1), fault(0.3, second, times=1), fault(at, fault_name, **params), stop_hit(dice)]
    if dice.random() < 0.4:
        steps.append(Step(_at(dice, 0.4, 2.0), "kill"))
    return Plan(name, seed, trading(dice), tuple(steps), lasts=LASTS + 1.0)


def with_fault(fault_name: str, name: str, seed: int, dice: Dice, **params: Any) -> Plan:
    """Trade while one fault lasts."""
    steps = [fault(_at(dice, -0.05, 0.3), fault_name, **params), stop_hit(dice)]
    if dice.random() < 0.3:
        steps.append(Step(_at(dice, 0.5, 2.0), "kill"))
    return Plan(name, seed, trading(dice), tuple(steps))


def frozen_at(point: str, name: str, seed: int, dice: Dice) -> Plan:
    """Freeze the process at a crash point until another has taken over, then let it go on."""
    count = int(dice.integers(1, 4))
    decisions = trading(dice) + later(trading(dice)[2:], TAKEN_OVER)
    return Plan(
        name, seed, decisions, (stop_hit(dice),), (f"{point}:{count}",), signal.SIGSTOP, lasts=TAKEN_OVER + LASTS
    )  # fmt: skip


def frozen(name: str, seed: int, dice: Dice) -> Plan:
    """Freeze the process at any moment until another has taken over."""
    decisions = trading(dice) + later(trading(dice)[2:], TAKEN_OVER)
    steps = (stop_hit(dice), Step(_at(dice, 0.05, 2.0), "freeze"))
    return Plan(name, seed, decisions, steps, lasts=TAKEN_OVER + LASTS)


def two_engines(name: str, seed: int, dice: Dice) -> Plan:
    """Start two engines at once, and a third one later."""
    return Plan(name, seed, trading(dice), (stop_hit(dice), Step(_at(dice, 0.3, 1.5), "rival")), rival=True)


def session(how: str, name: str, seed: int, dice: Dice) -> Plan:
    """Lose the session in the middle of trading; a person logs in again."""
    at = _at(dice, 0.0, 1.3)
    again = Step(at + _at(dice, 0.2, 0.8), "log_in")
    return Plan(name, seed, trading(dice), (stop_hit(dice), fault(at, how), again))


def exits_only(fault_name: str, name: str, seed: int, dice: Dice, **params: Any) -> Plan:
    """Hold three positions, then let a fault meet their exits."""
    entries = tuple(Decision(0.05 * lane, "enter", lane, 12) for lane in (0, 1, 2))
    leaves = (Decision(1.3, "leave", 0), Decision(1.35, "leave", 1))
    return Plan(name, seed, entries + leaves, (fault(1.0, fault_name, **params), stop_hit(dice, 2), stop_hit(dice, 1)))


def squared_off(fault_name: str, name: str, seed: int, dice: Dice, **params: Any) -> Plan:
    """Let the bars square everything off while one entry is filled in part, and its cancel meets a fault."""
    entries = tuple(Decision(0.05 * lane, "enter", lane, 12) for lane in (0, 1, THIN))
    closing = tuple(Decision(0.9 + 0.01 * lane, "close", lane) for lane in (0, 1, THIN))
    steps = [fault(0.8, fault_name, **params)] if fault_name else []
    if dice.random() < 0.5:
        steps.append(Step(_at(dice, 0.9, 1.8), "kill"))
    return Plan(name, seed, entries + closing, tuple(steps))


def external(name: str, seed: int, dice: Dice) -> Plan:
    """Let somebody place orders by hand in the broker's own app."""
    moments = sorted(_at(dice, 0.0, 2.0) for _ in range(3))
    planted = tuple(
        Step(at, "plant", {"lane": number, "side": "Buy", "quantity": 7 + number, "price": PRICE - 5})
        for number, at in enumerate(moments)
    )
    lost = fault(-0.05, "html_502_after_accept", times=2)
    return Plan(name, seed, trading(dice), (stop_hit(dice), lost, *planted))


def kill_switch(name: str, seed: int, dice: Dice) -> Plan:
    """Engage the kill switch while a burst of entries is on its way out."""
    burst = tuple(Decision(0.02 * lane, "enter", lane, 5) for lane in range(5))
    more = (Decision(1.2, "enter", 4, 5), Decision(1.4, "leave", 0))
    return Plan(name, seed, burst + more, (Step(_at(dice, 0.1, 0.7), "kill_switch"), stop_hit(dice)))


def slow_broker(name: str, seed: int, dice: Dice) -> Plan:
    """Let readings hang while several orders work and a stop is hit."""
    entries = tuple(Decision(0.02 * lane, "enter", lane, 9) for lane in range(5))
    return Plan(
        name, seed, entries,
        (fault(0.9, "slow", verb="order_detail", seconds=4.0), fault(0.9, "slow", verb="quotes", seconds=4.0),
         stop_hit(dice, 1), Step(1.4, "nudge", {"lane": 2, "price": LOW})),
    )  # fmt: skip


def calls_scarce(name: str, seed: int, dice: Dice) -> Plan:
    """Lose an answer and the process while the budget of calls leaves little but what is kept for exits."""
    steps = (fault(-0.05, "html_502_after_accept", times=1), stop_hit(dice), Step(_at(dice, 0.5, 2.0), "kill"))
    return Plan(name, seed, trading(dice), steps, calls=220)


def midnight(name: str, seed: int, dice: Dice) -> Plan:
    """Die with an order on the wire, and come back on the next day."""
    point = str(dice.choice(("after-send", "answered", "before-send")))
    return Plan(name, seed, trading(dice), (Step(1.8, "night"),), (f"{point}:{int(dice.integers(1, 4))}",), lasts=4.0)


def skewed(seconds: float, name: str, seed: int, dice: Dice) -> Plan:
    """Let the desk's clock be wrong while answers are lost."""
    lost = fault(-0.05, "html_502_after_accept", times=2)
    return Plan(name, seed, trading(dice), (lost, stop_hit(dice)), skew=seconds)


def stepped(seconds: float, name: str, seed: int, dice: Dice) -> Plan:
    """Let the desk's clock jump in the middle of trading, while answers are lost."""
    lost = fault(-0.05, "timeout_after_accept", times=2)
    again = fault(0.7, "html_502_after_accept", times=2)
    steps = (lost, again, stop_hit(dice))
    return Plan(name, seed, trading(dice), steps, skew=seconds, skew_from=_at(dice, 0.1, 1.2))


def redis(step: str, name: str, seed: int, dice: Dice) -> Plan:
    """Trade while Redis goes away, or forgets everything."""
    kill = Step(_at(dice, 0.8, 2.0), "kill")
    steps = (Step(_at(dice, 0.2, 0.8), step), stop_hit(dice), kill)
    return Plan(name, seed, trading(dice), steps, redis="own", needs="redis")


def no_redis(name: str, seed: int, dice: Dice) -> Plan:
    """Trade with REDIS_URL naming a port nobody listens on."""
    return Plan(name, seed, trading(dice), (stop_hit(dice), Step(1.0, "kill")), redis="closed")


def database(step: str, needs: str, name: str, seed: int, dice: Dice) -> Plan:
    """Let the database fail: while a request is on its way, or at any moment."""
    steps = [stop_hit(dice), Step(_at(dice, 0.1, 1.8), step)]
    if step == "cut":
        steps += [fault(-0.05, "slow", verb="place", seconds=0.5), Step(_at(dice, 0.05, 0.4), "cut")]
    return Plan(name, seed, trading(dice), tuple(steps), needs=needs)


def venue_restart(name: str, seed: int, dice: Dice) -> Plan:
    """Let the broker's own system die and come back with its orders."""
    steps = (stop_hit(dice), Step(_at(dice, 0.1, 1.2), "venue_restart"))
    return Plan(name, seed, trading(dice), steps, state=True, lasts=LASTS + 1.0)


def _matrix() -> dict[str, Maker]:
    found: dict[str, Maker] = {}
    for point in crash.OF_ORDERS:
        for word, leaving in (("entry", False), ("exit", True)):
            found[f"crash-{point}-{word}"] = partial(crash_at, point, leaving)
    for point in (*SENDING, *BOOKING):
        found[f"frozen-{point}"] = partial(frozen_at, point)
    for each in ("timeout_before_accept", "timeout_after_accept", "reset_after_accept", "html_502_after_accept"):
        found[each.replace("_", "-")] = partial(struck, each, "place")
    for each in ("html_502", "html_429", "garbage_json", "limit_minute", "limit_day", "aspnet_error"):
        found[f"place-{each.replace('_', '-')}"] = partial(struck, each, "place")
    for verb in ("cancel", "modify", "order_detail", "trade_detail"):
        found[f"{verb.replace('_', '-')}-garbage"] = partial(struck, "garbage_json", verb)
    found["cancel-timeout-after"] = partial(struck, "timeout_after_accept", "cancel")
    found["quotes-502"] = partial(struck, "html_502", "quotes")
    found["invalid-checksum"] = partial(struck, "invalid_checksum", "place")
    found["connect-refused"] = partial(with_fault, "connect_refused", seconds=1.0)
    return found | _books() | _rest()


def _books() -> dict[str, Maker]:
    found: dict[str, Maker] = {}
    for each in ("book_error", "book_empty", "book_truncated", "book_stale"):
        found[each.replace("_", "-")] = partial(book, each)
    found["book-delayed"] = partial(book, "book_delayed", seconds=2.0)
    found["book-flickers"] = partial(book, "book_empty", times=3)
    for word in ("duplicate", "shuffled", "delayed", "lost"):
        found[f"notices-{word}"] = partial(with_fault, f"notifications_{word}")
    for each in ("status_regress", "cancel_no_effect", "modify_no_effect", "fill_after_cancel", "stream_disconnect"):
        found[each.replace("_", "-")] = partial(with_fault, each)
    found["reject-without-reason"] = partial(with_fault, "reject_without_reason", times=3)
    found["exits-rejected"] = partial(exits_only, "reject_without_reason", times=3)
    found["exits-lost"] = partial(exits_only, "timeout_before_accept", times=2)
    found["exits-taken-unheard"] = partial(exits_only, "timeout_after_accept", times=2)
    found["exits-busy"] = partial(exits_only, "html_429", verb="place", times=3)
    return found


def _rest() -> dict[str, Maker]:
    return {
        "killed-once": partial(killed, 1), "killed-thrice": partial(killed, 3), "killed-often": partial(killed, 6),
        "killed-twenty-times": hunted,
        "frozen-anywhere": frozen, "two-engines": two_engines,
        "session-expired": partial(session, "session_expired"),
        "session-replaced": partial(session, "session_replaced"),
        "squared-off": partial(squared_off, ""),
        "squared-off-deaf": partial(squared_off, "cancel_no_effect", times=2),
        "squared-off-crossed": partial(squared_off, "fill_after_cancel"),
        "external-orders": external, "kill-switch": kill_switch, "slow-broker": slow_broker,
        "calls-scarce": calls_scarce, "midnight": midnight,
        "clock-fast": partial(skewed, 200.0), "clock-slow": partial(skewed, -200.0),
        "clock-jumps-on": partial(stepped, 3_600.0), "clock-jumps-back": partial(stepped, -3_600.0),
        "halt": partial(exits_only, "halt"), "circuit": partial(exits_only, "circuit", side="lower"),
        "redis-absent": no_redis, "redis-flushed": partial(redis, "flush_redis"),
        "redis-dies": partial(redis, "kill_redis"), "database-locked": partial(database, "lock", "sqlite"),
        "database-cut": partial(database, "cut", "postgres"), "broker-restart": venue_restart,
    }  # fmt: skip


SCENARIOS: Final[dict[str, Maker]] = _matrix()


def plan(name: str, seed: int) -> Plan:
    """Return scenario ``name`` as ``seed`` has it; NotFound for an unknown one."""
    if name not in SCENARIOS:
        raise NotFound(f"there is no scenario {name!r}", fix="manage.py fault_drill --list")
    return SCENARIOS[name](name, seed, np.random.default_rng(seed))


def names(*, postgres: bool, redis: bool) -> list[str]:
    """Return the scenarios that can be played on the services there are, in an order that mixes their kinds."""
    there = {"": True, "postgres": postgres, "sqlite": not postgres, "redis": redis}
    found = [name for name in SCENARIOS if there[plan(name, 0).needs]]
    order = np.random.default_rng(4).permutation(len(found))
    return [found[place] for place in order]
