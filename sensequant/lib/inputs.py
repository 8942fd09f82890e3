"""Inputs as HTML, made by a plain function: a strategy's hundreds of parameters are too many for a template's loop."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Protocol

from django.utils.safestring import SafeString


class InputLike(Protocol):
    """What drawing needs to know of a parameter; see ``trading.views.backtest_form``."""

    name: Any
    field_name: Any
    low: Any
    high: Any
    unit: Any
    meaning: Any
    usual: Any
    value: Any
    choices: Sequence[tuple[Any, Any]]


def drawn(inputs: Iterable[InputLike]) -> SafeString:
    """Return each input with its label, bounds and meaning."""
    return SafeString(f'<div class="inputs">{"".join([_one(each) for each in inputs])}</div>')


def _one(each: InputLike) -> str:
    name, usual = escape(str(each.field_name)), escape(f"usual: {each.usual}")
    own = f'name="{name}" id="{name}" aria-describedby="{name}-help"'
    if each.choices:
        bounds, asked = each.unit, f'<select {own}><option value="">{usual}</option>{_options(each)}</select>'
    else:
        bounds = f"{each.low} … {each.high} {each.unit}"
        told = f'value="{escape(str(each.value))}" placeholder="{usual}" autocomplete="off"'
        asked = f'<input type="text" inputmode="decimal" {own} {told}>'
    label = f'<label for="{name}">{escape(str(each.name))} <span>{escape(str(bounds))}</span></label>'
    return f'<div>{label}{asked}<small id="{name}-help">{escape(str(each.meaning))}</small></div>'


def _options(each: InputLike) -> str:
    return "".join([
        f'<option value="{escape(str(value))}"{" selected" if value == each.value else ""}>{escape(str(word))}</option>'
        for value, word in each.choices
    ])  # fmt: skip
