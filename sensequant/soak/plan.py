"""What happens to whom and when: the same seed, the same falls. Numbers only, so that it can be read before it runs."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Final

from sensequant.lib.errors import BadInput

SESSION: Final = 375  # minutes
REDIS, POSTGRES, ENGINE, WEB = "redis", "postgres", "engine", "web"
# Who falls how often: the two servers and the engine a share of their own, the desk's other processes the rest.
SHARES: Final = {
    POSTGRES: 3, REDIS: 4, ENGINE: 3, WEB: 3, "worker": 3, "training": 1, "beat": 2, "watchdog": 1, "monitor": 2,
    "sender": 2, "ledger": 2, "paper": 1, "engine-worker": 1,
}  # fmt: skip
APART: Final = (9.0, 20.0)  # seconds between two falls: long enough for whoever fell to be at work again
QUIET_START: Final = 20.0
QUIET_END: Final = 20.0
PROBE_EVERY: Final = 40.0
PROBE_LASTS: Final = 50.0


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for: ``hours`` of trading on ``symbols`` shares at ``speed`` market seconds a second."""

    hours: float = 24.0
    speed: float = 60.0
    symbols: int = 50
    seed: int = 1

    def __post_init__(self) -> None:
        if not 0.25 <= self.hours <= 400:
            raise BadInput(f"--hours {self.hours:g} is not between 0.25 and 400", fix="give e.g. 24")
        if not 1 <= self.speed <= 600:
            raise BadInput(f"--speed {self.speed:g} is not between 1 and 600", fix="give e.g. 60")
        if not 1 <= self.symbols <= 500:
            raise BadInput(f"--symbols {self.symbols} is not between 1 and 500", fix="give e.g. 50")

    @property
    def minutes(self) -> int:
        """Return how many minutes of trading are played."""
        return round(self.hours * 60)

    @property
    def seconds(self) -> float:
        """Return how long it takes when nothing holds it up."""
        return self.minutes * 60 / self.speed

    @property
    def sessions(self) -> int:
        """Return over how many sessions the minutes go; the last one may end early."""
        return -(-self.minutes // SESSION)


@dataclass(frozen=True, slots=True)
class Fall:
    """``what`` is killed ``at`` seconds of undisturbed play; a server stays away ``away``, ``flush``ed or not."""

    at: float
    what: str
    away: float = 0.0
    flush: bool = False
    child: bool = False  # one of its children instead of itself


@dataclass(frozen=True, slots=True)
class Probe:
    """A condition that begins ``at`` seconds and holds for ``lasts``: somebody must be told of it."""

    at: float
    lasts: float
    subject: str
    level: str


def falls(wish: Wish) -> list[Fall]:
    """Return everything that will fall, in the order of time."""
    die = random.Random(wish.seed)  # noqa: S311 - a seeded schedule, no secret
    names, weights = list(SHARES), list(SHARES.values())
    found, at = [], QUIET_START
    while at < wish.seconds - QUIET_END:
        [what] = die.choices(names, weights)
        away = die.uniform(0.5, 6.0) if what in (REDIS, POSTGRES) else 0.0
        found.append(Fall(at, what, away, what == REDIS and die.random() < 0.5, what != ENGINE and die.random() < 0.3))
        at += die.uniform(*APART) + away
    return found


def probes(wish: Wish) -> list[Probe]:
    """Return the conditions that will hold, each of something else."""
    count = max(1, int((wish.seconds - PROBE_LASTS) // PROBE_EVERY))
    return [
        Probe(5.0 + k * PROBE_EVERY, PROBE_LASTS, f"PROBE{k:03}", "bad" if k % 4 == 3 else "warn") for k in range(count)
    ]
