"""Risk flags of a release audit: what the document's thresholds (§9) find, and everything that is not known.

A missing input is a flag, never a pass. Whoever has to act on one, and how, stands in REGISTER.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from releases.core import audit_metrics
from releases.core.roles import ENGINEERING, RISK

CRITICAL, HIGH, MEDIUM = "critical", "high", "medium"
SEVERITIES: Final = (CRITICAL, HIGH, MEDIUM)
SKIPPED: Final = "validation_skipped"


class Entry(NamedTuple):
    """What the risk register says of a kind of flag."""

    severity: str
    owner: str
    mitigation: str


REGISTER: Final[Mapping[str, Entry]] = MappingProxyType({
    "sharpe_degraded": Entry(HIGH, RISK, "Do not deploy the optimised parameters; search again on newer bars."),
    "win_rate_degraded": Entry(HIGH, RISK, "Do not deploy the optimised parameters; look at which trades are lost."),
    "hit_ratio_degraded": Entry(HIGH, RISK, "Do not deploy the optimised parameters; look at what costs do to them."),
    "optimizer_inconsistent": Entry(CRITICAL, ENGINEERING, "Find out what changed since (bars, code); optimise again."),
    "optimizer_tolerance": Entry(HIGH, ENGINEERING, "Find out what changed since (bars, code); optimise again."),
    "optimizer_unproven": Entry(HIGH, RISK, "Keep the baseline, or trade the configuration on paper first."),
    "parameters_not_examined": Entry(HIGH, RISK, "Optimise from the active parameters, or activate what was examined."),
    "student_checks_failed": Entry(CRITICAL, RISK, "Roll the student back or switch it off; judge a new one."),
    "student_baseline": Entry(HIGH, RISK, "Roll the student back; it no longer beats what it replaced."),
    "student_features": Entry(HIGH, ENGINEERING, "Train the student anew on the features as they are now."),
    "student_leak": Entry(CRITICAL, ENGINEERING, "Switch the student off until the leak is found; train it anew."),
    "intraday_degraded": Entry(HIGH, RISK, "Halve the size or pause entries; compare the last 30 days with before."),
    "swing_degraded": Entry(HIGH, RISK, "Halve the size or pause entries; compare the last 90 days with before."),
    "intraday_alerts": Entry(MEDIUM, ENGINEERING, "Work through /alerts of the last 30 days; mend what recurs."),
    "swing_alerts": Entry(MEDIUM, ENGINEERING, "Work through /alerts of the last 90 days; mend what recurs."),
    "open_critical_alert": Entry(CRITICAL, ENGINEERING, "End it first: its runbook stands on /alerts."),
    "too_few_trades": Entry(MEDIUM, RISK, "Trade on paper until there are enough trades to tell."),
    SKIPPED: Entry(MEDIUM, ENGINEERING, "Run the audit again without --skip-validation."),
    "changed_meanwhile": Entry(CRITICAL, ENGINEERING, "Run the audit again while nobody changes what it looks at."),
    "ledger_broken": Entry(CRITICAL, ENGINEERING, "Stop; compare with the signed heads and the newest backup."),
    "release_differs": Entry(CRITICAL, ENGINEERING, "Mend what is named, or roll back (make release-rollback)."),
    "missing": Entry(HIGH, ENGINEERING, "Make the input (optimise, train, trade on paper), then audit again."),
})  # fmt: skip


UNWAIVABLE: Final = (
    "ledger_broken", "release_differs", "changed_meanwhile", SKIPPED, "student_leak", "open_critical_alert",
)  # fmt: skip
"""What no person can waive: hashes and signatures that do not hold, what nobody looked at, what burns just now."""

MAKE: Final[Mapping[str, str]] = MappingProxyType({
    "optimizer": "Optimise with a baseline (manage.py optimize), on days with enough trades.",
    "student": "Train, judge and promote a student, or leave student out of RELEASE_AUDIT_PARTS.",
    "intraday": "Trade an intraday strategy on paper while the monitor watches, or leave intraday out.",
    "swing": "Trade a swing strategy on paper while the monitor watches, or leave swing out.",
})  # fmt: skip
"""How what is missing is made, by the part of the audit it belongs to."""


@dataclass(frozen=True, slots=True)
class Flag:
    """One open risk: its code in REGISTER, what it is about, in words, and the numbers behind it."""

    code: str
    subject: str
    message: str
    value: float | None = None
    limit: float | None = None

    @property
    def entry(self) -> Entry:
        """Return what the register says of it."""
        found = REGISTER[self.code]
        part = audit_metrics.SECTIONS.get(self.subject, ("", ()))[0]
        return found._replace(mitigation=MAKE[part]) if self.code == "missing" and part else found

    @property
    def line(self) -> str:
        """Return it as metrics.json has it."""
        return f"{self.code}: {self.message}"

    def as_json(self) -> dict[str, Any]:
        """Return the whole line of the risk register."""
        return {**asdict(self), **self.entry._asdict()}


@dataclass(frozen=True, slots=True)
class Limits:
    """The document's thresholds: Sharpe as it is, rates in points, alerts as a count, trades needed to tell."""

    sharpe: float = 0.2
    win_rate: float = 5.0
    hit_ratio: float = 10.0
    alerts: int = 10
    trades: int = 20


@dataclass(frozen=True, slots=True)
class Known:
    """What metrics.json does not tell: which parts were asked for, why something is missing, and what else was found.

    ``why`` says by section why it is unknown; ``others`` are flags the collectors raised themselves; ``trades`` counts
    the trades in each window.
    """

    parts: Sequence[str] = audit_metrics.PARTS
    skipped: bool = False
    why: Mapping[str, str] = field(default_factory=dict)
    trades: Mapping[str, int] = field(default_factory=dict)
    others: Sequence[Flag] = ()


def flags(told: Mapping[str, Any], known: Known, limits: Limits) -> list[Flag]:
    """Return every open flag of metrics.json ``told``, the worst first."""
    found = [*_degraded(told["deltas"], limits), *_validation(told["validation_results"], known), *known.others]
    found += [*_monitoring(told["monitoring"], known, limits), *_missing(told, known)]
    return sorted(found, key=lambda flag: (SEVERITIES.index(flag.entry.severity), flag.code, flag.subject))


def _degraded(deltas: Mapping[str, Any], limits: Limits) -> Iterator[Flag]:
    for code, key, words, limit, unit in (
        ("sharpe_degraded", "sharpe_ratio_delta", "Sharpe ratio", limits.sharpe, ""),
        ("win_rate_degraded", "win_rate_delta_pct", "win rate", limits.win_rate, " points"),
        ("hit_ratio_degraded", "hit_ratio_delta_pct", "hit ratio", limits.hit_ratio, " points"),
    ):  # fmt: skip
        value = deltas[key]
        if value is not None and value < -limit:
            told = f"the optimised {words} lies {-value:.2f}{unit} below the baseline's, more than {limit:g}{unit}"
            yield Flag(code, "optimized", told, value, -limit)


CHECKS: Final = (
    ("optimizer_validation", "best_config_consistent", "optimizer_inconsistent",
     "run again, the best configuration is not the best"),
    ("optimizer_validation", "delta_tolerance_met", "optimizer_tolerance",
     "run again, the gains over the baseline differ by more than 5 %"),
    ("student_validation", "all_checks_passed", "student_checks_failed", "the promotion checklist does not pass"),
    ("student_validation", "baseline_met", "student_baseline", "the student does not reach its baseline"),
    ("student_validation", "feature_stability", "student_features", "the student's features are not what it learned"),
    ("student_validation", "no_data_leakage", "student_leak", "the student is suspected of a leak"),
)  # fmt: skip


def _validation(told: Mapping[str, Any], known: Known) -> Iterator[Flag]:
    for section, key, code, words in CHECKS:
        if told[section][key] is False:
            why = known.why.get(f"validation_results.{section}", "")
            yield Flag(code, section, f"{words}: {why}"[:400] if why else words)


def _monitoring(told: Mapping[str, Any], known: Known, limits: Limits) -> Iterator[Flag]:
    for kind, name in (("intraday", "intraday_30day"), ("swing", "swing_90day")):
        section = told[name]
        if section["degradation_detected"]:
            yield Flag(f"{kind}_degraded", name, f"{kind} trading is worse than before within {name[-5:-3]} days")
        count = section["alert_count"]
        if count is not None and count > limits.alerts and kind in known.parts:
            words = f"{count} alerts fired within {name[-5:-3]} days, {limits.alerts} are accepted"
            yield Flag(f"{kind}_alerts", name, words, count, limits.alerts)
        trades = known.trades.get(kind, 0)
        if kind in known.parts and 0 < trades < limits.trades:
            words = f"only {trades} {kind} trades within {name[-5:-3]} days, {limits.trades} are needed to tell"
            yield Flag("too_few_trades", name, words, trades, limits.trades)


def _missing(told: Mapping[str, Any], known: Known) -> Iterator[Flag]:
    if known.skipped:
        yield Flag(SKIPPED, "validation_results", "validation was skipped, so nothing was confirmed")
    absent = "student" in known.parts and not told["student_model"]["deployed"]
    for name, keys in audit_metrics.unknown(told, known.parts):
        why = known.why.get(name, "")
        if name == "student_model" and absent:
            continue
        if not (known.skipped and name.startswith("validation_results")):
            yield Flag("missing", name, f"{name} lacks {', '.join(keys)}" + (f": {why}" if why else ""))
    if absent:
        why = known.why.get("student_model", "nobody was promoted")
        yield Flag("missing", "student_model", f"no student is deployed: {why}")


def digest(value: Any) -> str:
    """Return the SHA-256 of JSON data, however its keys are ordered."""
    text = json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
