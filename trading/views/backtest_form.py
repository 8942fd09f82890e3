"""The form that asks for a backtest: what to run on, and every parameter with its bounds, unit and meaning."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, ClassVar

from django import forms
from django.conf import settings

from trading.core import charge_data, demo
from trading.core.bars import DAY, INTERVALS
from trading.core.rules import SIZING_MODES
from trading.core.setups import flat, make_setup, parameters
from trading.core.strategies import STRATEGIES
from trading.models import BacktestRun
from trading.services import runs

TITLES = {
    "params": "The strategy’s own",
    "rules": "Holding and protection",
    "sentiment": "News",
    "sizing": "Size of a position",
    "limits": "Limits",
    "venue": "Fills",
    "costs": "Costs",
    "tariff": "Charges",
}
SOURCES = (
    ("demo", "the demo market"),
    ("csv", "files of bars"),
    ("hybrid", "files, and Breeze for what they lack"),
    ("breeze", "Breeze"),
    ("stream", "what live sessions streamed"),
)
DAY_PICKER = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
MONTHS_BACK = {"intraday": 2, "swing": 36}
NAMES = (*STRATEGIES, runs.BOTH)


class MarketForm(forms.Form):
    """Which bars: symbols, days and where they come from."""

    symbols = forms.CharField(max_length=2_000, help_text="separated by commas or spaces")
    start = forms.DateField(widget=DAY_PICKER, label="From")
    end = forms.DateField(widget=DAY_PICKER, label="To", help_text="this day included")
    source = forms.ChoiceField(choices=SOURCES, required=False, label="Bars from")
    directory = forms.CharField(
        required=False,
        max_length=700,
        label="Folder of bar files",
        help_text="files, or what was fetched; empty: DATA_FEED_CSV_DIRECTORY",
    )
    error_css_class: ClassVar[str] = "wrong"

    def clean_symbols(self) -> list[str]:
        """Return the symbols, each once, in capitals."""
        words = self.cleaned_data["symbols"].replace(",", " ").upper().split()
        return list(dict.fromkeys(words))

    def clean(self) -> dict[str, Any]:
        """Refuse dates in the wrong order; a folder that is named is meant, whatever the market."""
        found = super().clean() or {}
        if found.get("source") == "demo" and found.get("directory"):
            found["source"] = "csv"
        start, end = found.get("start"), found.get("end")
        if start and end and start > end:
            self.add_error("end", f"{end} lies before {start}: swap the two dates")
        return found


class BacktestForm(MarketForm):
    """What to run on. Parameters are read beside it, see ``given``."""

    strategy = forms.ChoiceField(choices=[(name, name) for name in NAMES], widget=forms.RadioSelect)
    interval = forms.ChoiceField(choices=[(name, name) for name in INTERVALS])
    capital = forms.DecimalField(min_value=1_000, max_digits=16, decimal_places=2, label="Capital, ₹")
    stress = forms.BooleanField(required=False, label="Run anew at dearer charges and slippage")


@dataclass(frozen=True, slots=True)
class Input:
    """One parameter as the form shows it; ``usual`` is the value an empty field means."""

    name: str
    field_name: str
    low: str
    high: str
    unit: str
    meaning: str
    usual: str
    whole: bool
    value: str
    choices: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    """One strategy with its groups of parameters."""

    name: str
    about: str
    kind: str
    groups: list[tuple[str, str, list[Input]]]


def choices(data: Mapping[str, Any]) -> list[Choice]:
    """Return every strategy with its inputs, those in ``data`` (a sent form) filled in."""
    return [*(_choice(name, data) for name in STRATEGIES), _both(data)]


def _both(data: Mapping[str, Any]) -> Choice:
    """Return the choice of both strategies on one account: their own parameters, then what the account has once."""
    groups: list[tuple[str, str, list[Input]]] = []
    for half in runs.HALVES:
        minutes = DAY if STRATEGIES[half].KIND == "swing" else INTERVALS["5minute"]
        usual = flat(make_setup(half, minutes, runs.desk_values()))
        for group, known in parameters(half).items():
            own = {key: field for key, field in known.items() if key not in runs.SHARED}
            title = f"{half}: {TITLES[group].lower()}"
            groups.append(
                (group, title, [_input(f"both.{half}", field, usual[key], data) for key, field in own.items()])
            )
    usual, shared = flat(make_setup("intraday", INTERVALS["5minute"], runs.desk_values())), parameters("intraday")
    groups += [
        (group, TITLES[group], [_input("both", x, usual[key], data) for key, x in shared[group].items()])
        for group in ("limits", "costs")
    ]
    groups.append(("tariff", TITLES["tariff"], _tariff("both", data)))
    about = "Intraday and swing together on one cash account, under one set of limits."
    return Choice("both", about, "intraday", [group for group in groups if group[2]])


def _choice(name: str, data: Mapping[str, Any]) -> Choice:
    module = STRATEGIES[name]
    minutes = DAY if module.KIND == "swing" else INTERVALS["5minute"]
    usual = flat(make_setup(name, minutes, runs.desk_values()))
    groups = [
        (group, TITLES[group], [_input(name, field, usual[key], data) for key, field in known.items()])
        for group, known in parameters(name).items()
    ]
    groups.append(("tariff", TITLES["tariff"], _tariff(name, data)))
    about = (module.__doc__ or "").strip().splitlines()[0]
    return Choice(name, about, module.KIND, [group for group in groups if group[2]])


def _input(strategy: str, field: Any, usual: float, data: Mapping[str, Any]) -> Input:
    bound, field_name = field.bound, f"p.{strategy}.{field.name}"
    picks: tuple[tuple[str, str], ...] = ()
    if field.name == "mode":
        picks = tuple((str(number), word) for word, number in SIZING_MODES.items())
    elif bound.unit == "flag":
        picks = (("1", "yes"), ("0", "no"))
    shown = dict(picks).get(f"{usual:g}", f"{usual:.10g}")
    value = str(data.get(field_name, ""))
    numbers = (f"{bound.low:.10g}", f"{bound.high:.10g}")
    return Input(field.name, field_name, *numbers, bound.unit, bound.meaning, shown, field.kind is int, value, picks)


def _tariff(strategy: str, data: Mapping[str, Any]) -> list[Input]:
    """Return the two words that choose the dated charges: brokerage plan and product."""
    plans = tuple((name, f"{name}: {plan.title}") for name, plan in charge_data.PLANS.items())
    products = tuple((name, f"{name}: {about}") for name, about in charge_data.PRODUCTS.items())
    told = (
        ("plan", "brokerage plan the charges are computed with", settings.DESK.charge_plan, plans),
        ("product", "how an intraday position is carried", "cash", products),
    )
    found = []
    for name, meaning, usual, picks in told:
        key = f"p.{strategy}.{name}"
        found.append(Input(name, key, "", "", "", meaning, usual, False, str(data.get(key, "")), picks))
    return found


def given(data: Mapping[str, str], strategy: str) -> dict[str, str | float]:
    """Return the parameters a sent form states for ``strategy``; empty fields keep their usual values."""
    prefix = f"p.{strategy}."
    return {key.removeprefix(prefix): value for key, value in data.items() if key.startswith(prefix) and value.strip()}


def beginning(today: dt.date, strategy: str = "intraday") -> dict[str, Any]:
    """Return what a fresh form says: the demo market, a span that suits the strategy, the desk's capital."""
    kind = STRATEGIES[strategy].KIND if strategy in STRATEGIES else "intraday"
    return {
        "symbols": ", ".join(list(demo.INSTRUMENTS)[:4]),
        "strategy": strategy,
        "interval": "1day" if kind == "swing" else "5minute",
        "source": "demo",
        "start": today - dt.timedelta(days=30 * MONTHS_BACK[kind]),
        "end": today - dt.timedelta(days=1),
        "capital": Decimal(str(settings.DESK.starting_capital_inr)).quantize(Decimal(1)),
    }


def again(run: BacktestRun) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the fields and parameters of an earlier run, to run it once more or a little differently."""
    names = ("strategy", "interval", "start", "end", "source", "directory", "capital", "stress")
    fields = {name: getattr(run, name) for name in names}
    params = {f"p.{run.strategy}.{key}": str(value) for key, value in run.params.items()}
    return {**fields, "symbols": ", ".join(run.symbols)}, params
