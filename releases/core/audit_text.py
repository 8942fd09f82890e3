"""summary.md of a release audit for people: the numbers, the risk register, what to do, and where approvals stand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from releases.core.audit_flags import CRITICAL, HIGH
from releases.core.audit_metrics import DELTAS, FOUR, PARTS, SECTIONS, section
from releases.core.roles import MEANING, ROLES, WAIVERS

APPROVALS: Final = "approvals.md"
NAMES: Final = (
    ("Sharpe ratio", "sharpe_ratio"), ("Total return, %", "total_return_pct"), ("Win rate, %", "win_rate_pct"),
    ("Hit ratio, %", "hit_ratio_pct"), ("Precision LONG", "precision_long"), ("Max drawdown, %", "max_drawdown_pct"),
)  # fmt: skip
TITLES: Final[Mapping[str, str]] = MappingProxyType({
    "student_model": "Student model", "monitoring.intraday_30day": "Intraday, rolling 30 days",
    "monitoring.swing_90day": "Swing, rolling 90 days",
    "validation_results.optimizer_validation": "Validation of the optimiser",
    "validation_results.student_validation": "Validation of the student",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Approval:
    """One sign-off as the approval section shows it."""

    role: str
    name: str
    decision: str
    at: str
    note: str
    signature: str = ""


@dataclass(frozen=True, slots=True)
class About:
    """What the summary says beside the numbers: when and by whom, why, what was left out, and notes of collectors."""

    made: str
    by: str
    cause: str
    parts: Sequence[str]
    files: Sequence[str]
    notes: Sequence[str] = ()


def summary(told: Mapping[str, Any], flags: Sequence[Mapping[str, Any]], about: About) -> str:
    """Return summary.md of metrics.json ``told`` and its ``flags`` (lines of the risk register)."""
    lines = [
        f"# Release audit {told['audit_id']}", "",
        f"Made {about.made} by {about.by}; {about.cause}.", "",
        "## Executive summary", "", _verdict(told, flags), "",
        *_compared(told), *_rest(told), *_register(flags), *recommendations(told, flags), *_notes(about), *_approval(),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _verdict(told: Mapping[str, Any], flags: Sequence[Mapping[str, Any]]) -> str:
    if told["deployment_ready"]:
        return "**Ready for deployment**: no risk is open. It may be signed; nothing is deployed by this audit."
    count = {
        word: sum(flag["severity"] == word for flag in flags) for word in dict.fromkeys(f["severity"] for f in flags)
    }
    kinds = ", ".join(f"{number} {word}" for word, number in count.items())
    return f"**Not ready for deployment**: {len(flags)} risk{'s are' if len(flags) > 1 else ' is'} open ({kinds})."


def _compared(told: Mapping[str, Any]) -> list[str]:
    before, after = told["baseline"], told["optimized"]
    gains = dict(zip(FOUR, (told["deltas"][name] for name in DELTAS), strict=True))
    rows = [
        f"| {words} | {shown(before[key])} | {shown(after[key])} | {shown(gains.get(key), signed=True)} |"
        for words, key in NAMES
    ]
    return [
        "## Baseline and optimised", "",
        f"Strategy {cell(shown(before['strategy']))}, configuration {cell(shown(after['config_id']))}.", "",
        "| Measure | Baseline | Optimised | Delta |", "|---|---:|---:|---:|", *rows, "",
    ]  # fmt: skip


def _rest(told: Mapping[str, Any]) -> list[str]:
    lines = []
    for name, title in TITLES.items():
        found = section(told, name)
        rows = [f"| {key.replace('_', ' ')} | {cell(shown(found[key]))} |" for key in SECTIONS[name][1]]
        lines += [f"## {title}", "", "| | |", "|---|---|", *rows, ""]
    return lines


def _register(flags: Sequence[Mapping[str, Any]]) -> list[str]:
    if not flags:
        return ["## Risk register", "", "No risk is open.", ""]
    rows = [
        f"| {k} | {flag['severity']} | `{flag['code']}` | {cell(flag['message'])} | {flag['owner']} | "
        f"{cell(flag['mitigation'])} |"
        for k, flag in enumerate(flags, start=1)
    ]
    head = ["| No. | Severity | Code | Risk | Owner | Mitigation |", "|---:|---|---|---|---|---|"]
    return ["## Risk register", "", *head, *rows, ""]


def recommendations(told: Mapping[str, Any], flags: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what to do next, as a section of Markdown."""
    lines = ["## Recommendations", ""]
    if told["deployment_ready"]:
        steps = ["Have the release signed by three people who did not make it.", "Deploy outside a session, or flat."]
    else:
        steps = ["Do not deploy."]
        steps += list(dict.fromkeys(f["mitigation"] for f in flags if f["severity"] in (CRITICAL, HIGH)))
        steps += ["Audit again; every risk above must be gone.", *_restore(flags)]
    return [*lines, *(f"{k}. {step}" for k, step in enumerate(steps, start=1)), ""]


def _restore(flags: Sequence[Mapping[str, Any]]) -> list[str]:
    worst = any(flag["severity"] == CRITICAL for flag in flags)
    return ["If this release trades already: roll back (`make release-rollback`)."] if worst else []


def _notes(about: About) -> list[str]:
    left = [part for part in PARTS if part not in about.parts]
    told = [f"- Not audited, by the setting `RELEASE_AUDIT_PARTS`: {', '.join(left)}."] if left else []
    notes = [*told, *(f"- {cell(note)}" for note in about.notes)]
    lines = ["## Notes", "", *notes, ""] if notes else []
    return [*lines, "## Files", "", *(f"- [{name}]({name})" for name in about.files), ""]


def _approval() -> list[str]:
    rows = [f"| {role} | {MEANING[role]} |" for role in ROLES]
    return [
        "## Approval", "",
        f"This file is sealed. Sign-offs and waivers of open risks are recorded as they come in [{APPROVALS}]"
        f"({APPROVALS}), which the seal leaves out, and on the page of the audit; each is bound to the digests of this "
        "bundle.", "",
        "| Role | Confirms |", "|---|---|", *rows,
    ]  # fmt: skip


def index(title: str, names: Mapping[str, str]) -> bytes:
    """Return a folder's index.md: its files by name, each with what it shows."""
    lines = [f"- [{name}]({name}){f': {cell(words)}' if words else ''}" for name, words in names.items()]
    return "\n".join([f"# {title}", "", *(lines or ["There are none."])]).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class WaiverLine:
    """One half of a waiver as the approval section shows it."""

    flag: str
    role: str
    name: str
    at: str
    until: str
    reason: str
    word: str


def approvals(audit_id: str, digest: str, signed: Sequence[Approval], waived: Sequence[WaiverLine] = ()) -> str:
    """Return approvals.md: who has signed for the bundle of ``digest``, who has not, and which flags were waived."""
    rows = [
        f"| {cell(each.role)} | {cell(each.name)} | {each.decision} | {each.at} | {cell(each.note)} | "
        f"{f'`{each.signature}`' if each.signature else '–'} |"
        for each in signed
    ]
    done = {each.role for each in signed}
    rows += [f"| {role} | – | waiting | – | – | – |" for role in ROLES if role not in done]
    head = ["| Role | Name | Decision | When | Note | Signature |", "|---|---|---|---|---|---|"]
    lines = [f"# Approvals of {audit_id}", "", f"Bundle `{digest}`.", "", *head, *rows, *_waivers(waived)]
    return "\n".join(lines) + "\n"


def _waivers(waived: Sequence[WaiverLine]) -> list[str]:
    if not waived:
        return []
    rows = [
        f"| `{each.flag}` | {each.role} | {cell(each.name)} | {each.at} | {each.until} | {cell(each.reason)} | "
        f"{cell(each.word)} |"
        for each in waived
    ]
    head = ["| Flag | Role | Name | When | Until | Reason | Counts |", "|---|---|---|---|---|---|---|"]
    return ["", "## Waivers", "", f"A flag is waived by one {' and one '.join(WAIVERS)}.", "", *head, *rows]


def shown(value: Any, *, signed: bool = False) -> str:
    """Return a value for reading; a dash for what is not known."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:+.2f}" if signed else f"{value:.2f}"
    if isinstance(value, list):
        return "; ".join(map(str, value)) or "none"
    return str(value)


def cell(text: str) -> str:
    """Return text as a cell of a Markdown table shows it: on one line, nothing of it markup."""
    flat = " ".join(str(text).split())
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>|" else letter for letter in flat)
