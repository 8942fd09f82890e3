"""The form that asks for an optimisation: what to run on, what may vary, and how to search."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

from django import forms

from models_ml.core.objectives import OBJECTIVES
from models_ml.core.walk_forward import plan
from models_ml.services.asking import MOST, MOST_EVER, SEARCHES
from sensequant.lib.fan_out import fleet
from trading.core import demo
from trading.core.errors import Invalid
from trading.views.backtest_form import BacktestForm, beginning

MONTHS_BACK = {"intraday": 6, "swing": 60}
EXAMPLE = '{"sma": [10, 20, 30], "adx_min": {"low": 10, "high": 30, "step": 5}}'


class OptimizationForm(BacktestForm):
    """What to search on, the parameters that may vary (empty: the strategy's own bounds), and the search itself."""

    stress = None  # type: ignore[assignment]  # of one backtest only
    objective = forms.ChoiceField(choices=[(name, name.replace("_", " ")) for name in OBJECTIVES])
    search = forms.ChoiceField(choices=[(name, name) for name in SEARCHES])
    max_configs = forms.IntegerField(min_value=1, max_value=MOST_EVER, label="At most, configurations")
    min_trades = forms.IntegerField(min_value=0, max_value=1_000_000, label="At least, trades")
    walk_forward = forms.CharField(
        required=False,
        max_length=40,
        widget=forms.TextInput(attrs={"placeholder": "60:20", "spellcheck": "false"}),
        label="Walk-forward, TRAIN:TEST in sessions",
        help_text="search so many sessions, trade the next ones unseen, move on; empty: one search over all days",
    )
    workers = forms.ChoiceField(
        required=False,
        choices=[("cores", "the cores of one machine"), ("fleet", "every Celery worker")],
        label="Who tries them",
        help_text="the ranking is the same, whoever does",
    )
    grid = forms.CharField(
        required=False,
        max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false", "placeholder": EXAMPLE}),
        label="Parameters that may vary, as JSON",
        help_text="lists of values, or ranges; empty: the strategy’s own bounds",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Offer the fleet where there is one."""
        super().__init__(*args, **kwargs)
        if not fleet():
            del self.fields["workers"]

    def clean_walk_forward(self) -> str:
        """Return the plan; refuse what is none."""
        text: str = self.cleaned_data["walk_forward"].strip()
        if text:
            try:
                plan(text)
            except Invalid as error:
                raise forms.ValidationError(str(error)) from None
        return text

    def clean_grid(self) -> dict[str, Any]:
        """Return the parameters that may vary; refuse what is no JSON object."""
        text = self.cleaned_data["grid"].strip()
        if not text:
            return {}
        try:
            found = json.loads(text)
        except ValueError as error:
            raise forms.ValidationError(f"this is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise forms.ValidationError(f"write an object such as {EXAMPLE}")
        return found


def fresh(today: dt.date, strategy: str = "intraday") -> dict[str, Any]:
    """Return what a fresh form says: the demo market over a span that gives every part enough days."""
    first = beginning(today, strategy)
    kind = "swing" if strategy == "swing" else "intraday"
    return {
        **first,
        "symbols": ", ".join(list(demo.INSTRUMENTS)[:4]),
        "start": today - dt.timedelta(days=30 * MONTHS_BACK[kind]),
        "objective": "composite",
        "search": "random",
        "max_configs": min(100, MOST),
        "min_trades": 20,
    }
