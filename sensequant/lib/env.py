"""Settings as a table: typed rows read strictly from the environment, printed as ``.env.example`` and as Markdown."""

from __future__ import annotations

import dataclasses
import ipaddress
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints
from zoneinfo import available_timezones

import environ

T = TypeVar("T")
PREFIX = "SENSEQUANT_"
TRUE, FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: its variable, type, default, what it accepts and what it is for."""

    name: str
    kind: Any
    default: Any
    note: str
    low: float | None
    high: float | None
    choices: tuple[str, ...]
    form: str
    secret: bool
    section: str

    @property
    def attribute(self) -> str:
        """Return the attribute that holds the value."""
        return self.name.lower()

    @property
    def accepted(self) -> str:
        """Say in words which values are accepted."""
        if self.choices:
            return " | ".join(self.choices)
        words = FORMS[self.form][0] if self.form else KINDS[_base(self.kind)][0]
        if _base(self.kind) is Mapping:
            words += " of numbers" if get_args(self.kind)[1] is float else " of texts"
        return words + _range_words(self.low, self.high)

    def show(self, value: Any) -> str:
        """Return ``value`` as it would be written in ``.env``."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, Mapping):
            return json.dumps(dict(value))
        return json.dumps(list(value)) if isinstance(value, tuple) else str(value)


@dataclass(frozen=True, slots=True)
class Problem:
    """One value that cannot be used: the line to print and the number of its system check."""

    name: str
    line: str
    number: int = 1

    def __str__(self) -> str:
        return self.line


def row(  # noqa: PLR0913 - a row has that many columns
    default: T,
    note: str,
    *,
    low: float | None = None,
    high: float | None = None,
    choices: tuple[str, ...] = (),
    form: str = "",
    secret: bool = False,
    section: str = "",
) -> T:
    """Declare a setting; ``low`` and ``high`` are inclusive, ``section`` opens a group that lasts until the next."""
    told = {"note": note, "low": low, "high": high, "choices": choices, "form": form, "secret": secret}
    metadata = {**told, "section": section, "default": default}
    answer: Any = field(default_factory=lambda: default, metadata=metadata)
    return answer  # type: ignore[no-any-return]


def rows(table: type) -> list[Row]:
    """Return the rows of ``table`` in the order they are written."""
    hints, section, found = get_type_hints(table), "", []
    for each in dataclasses.fields(table):
        section = each.metadata["section"] or section
        told = {**each.metadata, "section": section}
        found.append(Row(name=each.name.upper(), kind=hints[each.name], **told))
    return found


class _DotEnv(environ.Env):  # type: ignore[misc]
    """A reader that keeps what the file says to itself instead of changing this process's environment."""

    ENVIRON: dict[str, str]


def read_file(path: str) -> dict[str, str]:
    """Return the variables of a ``.env`` file, or none when there is no such file."""

    class Reader(_DotEnv):
        ENVIRON: dict[str, str] = {}  # noqa: RUF012 - the base class reads it from the class

    Reader.read_env(path, parse_comments=True)
    return Reader.ENVIRON


def load(table: Callable[..., T], variables: Mapping[str, str]) -> tuple[T, list[Problem]]:
    """Return the settings that ``variables`` ask for; what cannot be used keeps its default and is a problem."""
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for each in rows(table):  # type: ignore[arg-type]
        plain, prefixed = variables.get(each.name), variables.get(PREFIX + each.name)
        text = plain or prefixed
        if plain and prefixed and plain != prefixed:
            line = f"{each.name} and {PREFIX}{each.name} disagree: set one of them"
            problems.append(Problem(each.name, line, 3))
        elif text:
            try:
                values[each.attribute] = parse(each, text.strip())
            except ValueError as error:
                problems.append(_problem(each, text, error))
    return table(**values), problems


def _problem(each: Row, text: str, error: ValueError) -> Problem:
    shown = "(hidden)" if each.secret else repr(text)
    number = 2 if isinstance(error, _OutOfBoundsError) else 1
    return Problem(each.name, f"{each.name}={shown}: {error}; accepted: {each.accepted}", number)


class _OutOfBoundsError(ValueError):
    """The value was understood, but lies outside what is accepted."""


def parse(each: Row, text: str) -> Any:
    """Return ``text`` as the row's type, or raise ValueError saying what is wrong with it."""
    value = KINDS[_base(each.kind)][1](text, each.kind)
    if each.choices and any(one not in each.choices for one in _each(value)):
        raise _OutOfBoundsError("not one of the choices")
    if each.form and not all(FORMS[each.form][1](one) for one in _each(value)):
        raise _OutOfBoundsError("not of the accepted form")
    for number in value.values() if isinstance(value, Mapping) else (value,):
        if isinstance(number, int | float) and not isinstance(number, bool):
            _within(number, each)
    return value


def _each(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _within(number: float, each: Row) -> None:
    above = each.low is None or number >= each.low
    below = each.high is None or number <= each.high
    if not (above and below):  # also refuses NaN
        raise _OutOfBoundsError("out of range")


def _base(kind: Any) -> Any:
    return get_origin(kind) or kind


def _bool(text: str, _: Any) -> bool:
    if text.lower() in TRUE | FALSE:
        return text.lower() in TRUE
    raise ValueError("neither true nor false")


def _int(text: str, _: Any) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError("not a whole number") from None


def _float(text: str, _: Any) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("not a number") from None
    if not math.isfinite(value):
        raise ValueError("not a finite number")
    return value


def _list(text: str, _: Any) -> tuple[str, ...]:
    if not text.startswith("["):
        return tuple(part.strip() for part in text.split(",") if part.strip())
    value = _json(text)
    if not (isinstance(value, list) and all(isinstance(one, str) for one in value)):
        raise ValueError("not a list of texts")
    return tuple(value)


def _mapping(text: str, kind: Any) -> Mapping[str, Any]:
    value, wanted = _json(text), get_args(kind)[1]
    numbers = wanted is float
    if not isinstance(value, dict):
        raise ValueError("not a JSON object")
    for one in value.values():
        if isinstance(one, bool) or not isinstance(one, (int, float) if numbers else str):
            raise ValueError(f"its values are not {'numbers' if numbers else 'texts'}")
    return MappingProxyType({name: wanted(one) for name, one in value.items()})


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError("not JSON") from None


KINDS: dict[Any, tuple[str, Callable[[str, Any], Any]]] = {
    bool: ("true or false", _bool),
    int: ("whole number", _int),
    float: ("number", _float),
    str: ("text", lambda text, _: text),
    tuple: ("list: a,b or a JSON list", _list),
    Mapping: ("JSON object", _mapping),
}

CRON = ((0, 59), (0, 23), (1, 31), (1, 12), (0, 7))


def _is_cron(text: str) -> bool:
    parts = text.split()
    return len(parts) == len(CRON) and all(_cron_part(part, *limits) for part, limits in zip(parts, CRON, strict=True))


def _cron_part(part: str, low: int, high: int) -> bool:
    for one in part.split(","):
        found = re.fullmatch(r"(?:\*|(\d+)(?:-(\d+))?)(?:/([1-9]\d*))?", one)
        if not found or any(not low <= int(number) <= high for number in found.groups()[:2] if number):
            return False
    return True


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda text: compiled.fullmatch(text) is not None


FORMS: dict[str, tuple[str, Callable[[str], bool]]] = {
    "time": ("a time HH:MM", _matches(r"([01]\d|2[0-3]):[0-5]\d")),
    "cron": ("a cron line of five fields: minute hour day month weekday", _is_cron),
    "timezone": ("a time zone such as Asia/Kolkata or UTC", lambda text: text in available_timezones()),
    "url": ("a URL http(s)://…", _matches(r"https?://[^\s/@]+(/\S*)?")),
    "database": ("sqlite:///PATH or postgres://USER:PASSWORD@HOST/NAME", _matches(r"(sqlite|postgres(ql)?)://\S+")),
    "redis": ("redis://HOST:PORT/0 or rediss://…", _matches(r"rediss?://\S+")),
    "origin": ("origins such as https://desk.example", _matches(r"https?://[^\s/]+")),
    "symbol": ("NSE symbols such as RELIANCE, M&M, BAJAJ-AUTO", _matches(r"[A-Z0-9][A-Z0-9&_-]{0,19}")),
    "address": ("an IP address", _is_address),
    "email": ("an e-mail address", _matches(r"[^@\s]+@[^@\s]+")),
    "name": ("a name of small letters, digits, - and _", _matches(r"[a-z0-9][a-z0-9_-]*")),
}


def _range_words(low: float | None, high: float | None) -> str:
    least = f" from {low:,.10g}" if low is not None else ""
    most = f" to {high:,.10g}" if high is not None else ""
    return least + most


def _sections(table: type) -> Iterator[tuple[str, list[Row]]]:
    group: list[Row] = []
    for each in rows(table):
        if group and group[0].section != each.section:
            yield group[0].section, group
            group = []
        group.append(each)
    if group:
        yield group[0].section, group


def as_env_file(table: type) -> str:
    """Return the text of ``.env.example``: every variable, its default and one line of comment."""
    lines = ["# Every setting with its default; empty means the default. Written by: python -m sensequant.config"]
    for section, group in _sections(table):
        lines += ["", f"# --- {section} ---"]
        for each in group:
            shown = each.show(each.default)
            quoted = f"'{shown}'" if re.search(r"[\s\"*]", shown) else shown
            lines += [f"# {each.note} ({each.accepted})", f"{each.name}={quoted}"]
    return "\n".join(lines) + "\n"


def as_markdown(table: type) -> str:
    """Return the text of ``docs/configuration.md``: one Markdown table per section."""
    parts = ["# Every setting", "", "Written by `python -m sensequant.config --markdown`; do not edit.", ""]
    for section, group in _sections(table):
        parts += [f"## {section}", "", "| Variable | Default | Accepted | What it is for |", "|---|---|---|---|"]
        for each in group:
            shown = each.show(each.default)
            cells = (f"`{each.name}`", f"`{shown}`" if shown else "", each.accepted, each.note)
            parts.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        parts.append("")
    return "\n".join(parts)
