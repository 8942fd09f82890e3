"""What every run shares: the desk's settings under the caller's parameters, the charges, whether compiling pays."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.conf import settings

from sensequant.lib import paths, storage
from sensequant.lib.errors import BadInput, NotFound
from trading.core.bars import DAY, ordinals
from trading.core.errors import Invalid
from trading.core.kernel import is_compiled
from trading.core.panel import LaneBars
from trading.core.rules import Costs, Limits, Setup
from trading.core.setups import make_setup, parameters
from trading.core.simulation import Schedule, schedule
from trading.core.strategies import strategy
from trading.models.strategies import StrategyConfig
from trading.services import feeds
from trading.services.markets import DEMO, STREAM, Wanted

BOTH = "both"  # two strategies on one account
HALVES = ("intraday", "swing")  # in the order in which they take turns within a session
TARIFF = ("plan", "product")
SHARED = frozenset({*Limits._fields, *Costs._fields, *TARIFF})  # what belongs to the account
BARS_WORTH_COMPILING = 1_500_000  # plain takes about 7 µs a bar; compiling a strategy takes about 10 s
MOST_CAPITAL = 1e12


@dataclass(frozen=True, slots=True)
class Ordered:
    """A strategy, the caller's parameters over the desk's settings, and the capital in rupees."""

    strategy: str
    params: Mapping[str, Any] = field(default_factory=dict)
    capital: float = 0.0


def order(name: str, params: Mapping[str, Any], capital: float | None) -> Ordered:
    """Return the order: ``params`` over those of the strategy's active configuration, all of them kept with the run.

    Invalid for an unknown strategy, BadInput for a capital that cannot be.
    """
    rupees = settings.DESK.starting_capital_inr if capital is None else float(capital)
    if not 1_000 <= rupees <= MOST_CAPITAL:
        raise BadInput(f"a capital of {capital} rupees cannot be used", fix=f"give 1000 to {MOST_CAPITAL:.0f}")
    return Ordered(name, {**_active(name), **params}, rupees)


def _active(name: str) -> dict[str, Any]:
    """Return the parameters of a strategy's active configuration; of ``both``, what is each strategy's own to say."""
    if name == BOTH:
        said = {half: _active(half) for half in HALVES}
        return {f"{half}.{key}": x for half in HALVES for key, x in said[half].items() if key not in SHARED}
    strategy(name)
    active = StrategyConfig.objects.filter(strategy=name, status="active").first()
    return dict(active.params) if active else {}


def source_of(kind: str, directory: str) -> str:
    """Return the source that ``kind`` means; NotFound when a folder of files is not there.

    Kinds: csv, breeze, hybrid, stream (live sessions as they were streamed) and demo.

    For ``breeze`` and ``hybrid`` the folder is the cache, and is made when it is first needed.
    """
    if kind in (DEMO, STREAM):
        return kind
    folder = Path(directory).absolute() if directory else paths.resolve(settings.DESK.data_feed_csv_directory)
    if kind in feeds.KINDS:
        return feeds.source(kind, folder)
    if kind != "csv":
        known = ", ".join(("csv", *feeds.KINDS, STREAM))
        raise BadInput(f"data source {kind!r} is not known", fix=f"use {known} or {DEMO}")
    if not folder.is_dir() and storage.shared(folder) is None:
        raise NotFound(f"there is no folder {folder}", fix="name the folder of your bar files with --csv DIR")
    return str(folder)


def desk_values() -> dict[str, float]:
    """Return what the settings say of limits, protection and shorts, as parameters."""
    desk = settings.DESK
    return {
        "stop_loss": desk.default_stop_loss_pct / 100.0,
        "take_profit": desk.default_take_profit_pct / 100.0,
        "max_exposure": desk.max_exposure_inr,
        "daily_loss": desk.daily_loss_cap_inr,
        "daily_loss_pct": desk.max_daily_loss_pct,
        "allow_short": int(desk.allow_short),
        "min_student": desk.student_model_confidence_threshold,
    }


def setup_of(order: Ordered, wanted: Wanted) -> Setup:
    """Return the setup of a run, the first one of several; Invalid names a parameter that cannot be."""
    return setups_of(order, wanted)[0][1]


def setups_of(order: Ordered, wanted: Wanted) -> list[tuple[str, Setup]]:
    """Return the strategies that trade on the run's account, each with its setup; Invalid as ``setup_of``.

    For ``both`` a parameter goes to each strategy that knows it; ``intraday.sma`` or ``swing.sma`` to one of them.
    Limits and costs are the account's, so they cannot be given to one.
    """
    params = {key: value for key, value in order.params.items() if key not in TARIFF}
    if order.strategy != BOTH:
        return [(order.strategy, make_setup(order.strategy, wanted.minutes, desk_values(), params))]
    known = {half: {key for group in parameters(half).values() for key in group} | {"sizing"} for half in HALVES}
    for key in params:
        _addressed(key, known)
    minutes = {"intraday": wanted.minutes, "swing": DAY}
    return [(half, make_setup(half, minutes[half], desk_values(), _own(half, params, known[half]))) for half in HALVES]


def _addressed(key: str, known: Mapping[str, set[str]]) -> None:
    """Raise Invalid unless a parameter of ``both`` reaches a strategy."""
    half, mark, rest = key.partition(".")
    if not mark and any(key in each for each in known.values()):
        return
    if mark and half in known and rest in SHARED:
        raise Invalid(f"{key} cannot be one strategy's: the account has one {rest}, give it as {rest}")
    if not mark or half not in known or rest not in known[half]:
        names = sorted(set.union(*known.values()))
        raise Invalid(f"unknown parameter {key!r} of both: use one of {', '.join(names)}, or intraday.NAME, swing.NAME")


def _own(half: str, params: Mapping[str, Any], known: set[str]) -> dict[str, Any]:
    """Return what of the parameters of ``both`` reaches one of its strategies; what names it wins."""
    mine = {key.partition(".")[2]: value for key, value in params.items() if key.startswith(f"{half}.")}
    return {**{key: value for key, value in params.items() if key in known}, **mine}


def charges_of(order: Ordered, wanted: Wanted, lanes: Sequence[LaneBars]) -> Schedule:
    """Return the dated charges of the plan (parameter ``plan``, else the setting) over the bars' dates."""
    days = [int(day) for each in lanes if len(each.bars) for day in ordinals(each.bars.ts[[0, -1]])]
    if not days:
        raise Invalid("there are no bars to run on: choose other dates or symbols")
    return charges_between(order, dt.date.fromordinal(min(days)), dt.date.fromordinal(max(days)))


def charges_between(order: Ordered, first: dt.date, last: dt.date) -> Schedule:
    """Return the dated charges of the plan from ``first`` to ``last``; the last ones known hold on."""
    plan = str(order.params.get("plan", settings.DESK.charge_plan))
    return schedule(plan, str(order.params.get("product", "cash")), first, last)


def worth_compiling(name: str, bars: int) -> bool:
    """Say whether a run of ``bars`` should use the compiled core: when it is ready, or the run is long."""
    names = HALVES if name == BOTH else (name,)
    return all(is_compiled(each) for each in names) or bars > BARS_WORTH_COMPILING
