"""The forms that start a batch of teachers, a batch of students and a validation."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django import forms

from models_ml.services.batch_plans import LONGEST_WINDOW, WINDOW_DAYS
from models_ml.services.learning import MODEL_TYPES
from trading.core import demo
from trading.core.bars import INTERVALS
from trading.views.backtest_form import DAY_PICKER, MarketForm

KINDS = [(name, name) for name in MODEL_TYPES]
USUAL_DAYS = 180


class BarsForm(MarketForm):
    """Which bars, and how long a window is."""

    interval = forms.ChoiceField(choices=[(name, name) for name in INTERVALS])
    start = forms.DateField(widget=DAY_PICKER, label="From", required=False, help_text="empty: the first bar")
    end = forms.DateField(widget=DAY_PICKER, label="To", required=False, help_text="included; empty: the last bar")
    window_days = forms.IntegerField(min_value=3, max_value=LONGEST_WINDOW, label="Days of a window")

    def bars(self) -> dict[str, Any]:
        """Return what ``batch_plans.ask_teachers`` takes."""
        names = ("symbols", "source", "directory", "interval", "start", "end", "window_days")
        return {name: self.cleaned_data[name] for name in names}


class TeacherForm(BarsForm):
    """A batch of teachers."""

    incremental = forms.BooleanField(required=False, label="Only windows with days not trained on yet")

    def clean(self) -> dict[str, Any]:
        """Let an update find its days by itself."""
        found = super().clean()
        if found.get("incremental"):
            found["start"] = found["end"] = None
        return found


class ValidationForm(BarsForm):
    """A validation; a dry run unless somebody says otherwise."""

    start = forms.DateField(widget=DAY_PICKER, label="From")
    end = forms.DateField(widget=DAY_PICKER, label="To", help_text="this day included")
    model_type = forms.ChoiceField(choices=KINDS, label="Kind of student")
    really = forms.BooleanField(required=False, label="Really train; a dry run only plans")
    skip_optimizer = forms.BooleanField(required=False, label="Skip the optimizer")
    skip_reports = forms.BooleanField(required=False, label="Skip the reports")


class StudentForm(forms.Form):
    """A batch of students of one batch of teachers; the settings say what a student must reach."""

    model_type = forms.ChoiceField(choices=KINDS, label="Kind of student")


def beginning(today: dt.date) -> dict[str, Any]:
    """Return what a fresh form says: the demo market, two windows."""
    return {
        "symbols": ", ".join(list(demo.INSTRUMENTS)[:4]), "interval": "5minute", "source": "demo",
        "window_days": WINDOW_DAYS, "start": today - dt.timedelta(days=USUAL_DAYS), "end": today - dt.timedelta(days=1),
        "model_type": MODEL_TYPES[0],
    }  # fmt: skip
