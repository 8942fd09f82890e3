"""Every rule of the desk, as data. The interpreter is ``episodes.step``; what it reads is a ``measure``.

The first seven are those of the document's section 10, with its severities, thresholds and windows; a threshold that
is a text names the setting it comes from. All times are seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Literal

from monitoring.core.errors import Invalid
from monitoring.core.levels import Severity

When = Literal["always", "session", "pre-open"]
NoData = Literal["ok", "alert"]
MINUTE, HOUR = 60, 3_600


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule; it holds while its measure is at or above its threshold."""

    key: str
    severity: Severity
    measure: str  # what it reads, group by group
    message: str  # with {value}, {threshold}, {group} and the context's names
    threshold: float | str = 1.0
    critical_at: float | str | None = None  # from here on it is CRITICAL whatever ``severity`` says
    clear_share: float = 1.0  # hysteresis: over only below this share of the threshold
    hold_for: float = 0.0  # pending this long before it fires
    keep_for: float = 0.0  # firing this long after it last held
    no_data: NoData = "ok"
    no_data_for: float = 2 * MINUTE  # pending of missing data and of errors
    when: When = "always"
    window: float = 10 * MINUTE  # a new episode within it is not told again
    repeat: float = 4 * HOUR  # still firing: said again after this long
    never_suppress: bool = False  # neither window nor silence nor acknowledgement keeps it quiet
    inhibits: tuple[str, ...] = ()  # rules that are its consequences
    action: Literal["", "stop-entries"] = ""  # what it does beside telling
    runbook: str = ""

    def __post_init__(self) -> None:
        if self.hold_for < 0 or self.keep_for < 0 or self.window < 0 or self.repeat <= 0:
            raise Invalid(f"rule {self.key}: times are not negative, and repeat is above 0")
        if not 0.0 < self.clear_share <= 1.0:
            raise Invalid(f"rule {self.key}: clear_share {self.clear_share} is not within 0 … 1")

    def number(self, which: float | str, settings: Mapping[str, float]) -> float:
        """Return a threshold as a number; Invalid when it names a setting that is not there."""
        if not isinstance(which, str):
            return which
        if which not in settings:
            raise Invalid(f"rule {self.key}: the setting {which} is not known")
        return float(settings[which])


C, W = Severity.CRITICAL, Severity.WARNING

RULES: tuple[Rule, ...] = (
    # 1 to 7: the document's
    Rule(
        "circuit_breaker_triggered", C, "breaker_open",
        "The daily-loss breaker of {group} is open: {daily_loss_pct:.2f} % lost, {open_positions} positions open",
        window=15 * MINUTE, never_suppress=True, inhibits=("daily_loss_high",), action="stop-entries",
        runbook="Look at /risk. The breaker stays until somebody releases it with a reason.",
    ),
    Rule(
        "daily_loss_high", W, "daily_loss_pct",
        "Daily loss {value:.2f}% of {group} approaching threshold {breaker:.2f}%",
        threshold="MONITORING_DAILY_LOSS_ALERT_PCT", critical_at="MAX_DAILY_LOSS_PCT", clear_share=0.9,
        keep_for=5 * MINUTE, window=30 * MINUTE,
        runbook="Look at /positions and /risk; pause entries if the market is not what the strategy expects.",
    ),
    Rule(
        "sentiment_failures_high", W, "sentiment_failures",
        "{value:.0f} sentiment failures within an hour at {group}",
        threshold="MONITORING_MAX_SENTIMENT_FAILURES", window=60 * MINUTE,
        runbook="Look at /sentiment: the provider's last error, its key, its rate limit.",
    ),
    Rule(
        "stale_teacher_artifacts", W, "teacher_age_hours", "The newest teacher is {value:.1f} hours old",
        threshold="MONITORING_ARTIFACT_STALENESS_HOURS", window=6 * HOUR, repeat=24 * HOUR,
        runbook="Train a teacher (manage.py train_teacher_batch), or raise MONITORING_ARTIFACT_STALENESS_HOURS.",
    ),
    Rule(
        "stale_student_model", W, "student_age_hours", "The student in use is {value:.1f} hours old",
        threshold="MONITORING_ARTIFACT_STALENESS_HOURS", window=6 * HOUR, repeat=24 * HOUR,
        runbook="Train and promote a student, or raise MONITORING_ARTIFACT_STALENESS_HOURS.",
    ),
    Rule(
        "heartbeat_lapsed", C, "heartbeat_age", "The engine {group} has been silent for {value:.0f} s",
        threshold="MONITORING_HEARTBEAT_LAPSE_SECONDS", window=5 * MINUTE, no_data="alert",
        inhibits=("performance_degradation", "feed_stale"),
        runbook="Is the engine's process alive? Its worker starts it again within 30 s; the watchdog gets out alone.",
    ),
    Rule(
        "breeze_connectivity_lost", C, "broker_down", "Breeze cannot be reached: {told}", window=10 * MINUTE,
        hold_for=5, keep_for=20, inhibits=("feed_stale", "performance_degradation", "rate_budget_low"),
        runbook="Log in again on /broker; look at ICICI's status. Exits are ordered as soon as it answers.",
    ),
    Rule(
        "performance_degradation", W, "latency_avg_ms",
        "{group} takes {value:.0f} ms on average (from {low:.0f} to {high:.0f}, {count} samples)",
        threshold="MONITORING_PERFORMANCE_ALERT_THRESHOLD_MS", clear_share=0.9, hold_for=2 * MINUTE,
        keep_for=5 * MINUTE, window=30 * MINUTE,
        runbook="Look at the machine's load, the database and the network.",
    ),
    # ours
    Rule(
        "order_unknown", C, "unknown_order", "Order {group} has had no clean answer from the broker", hold_for=10,
        never_suppress=True, action="stop-entries",
        runbook="It is never sent again; the broker's book settles it. Compare /orders with the broker's own screen.",
    ),
    Rule(
        "unprotected_position", C, "unprotected", "{group} is held and nothing watches its stop: {told}", hold_for=5,
        never_suppress=True,
        runbook="Start the engine, or leave the position at the broker by hand.",
    ),
    Rule(
        "reconciliation_mismatch", C, "books_differ", "{group}: our books say {ours}, the broker's {theirs}",
        hold_for=10, never_suppress=True,
        runbook="Entries in this symbol wait. Find out why on /risk, and accept it with a reason if it is right.",
    ),
    Rule(
        "feed_stale", W, "feed_stale", "No news of {group}: {told}", when="session", hold_for=30, keep_for=30,
        runbook="Is the stream connected? Does the share trade? Entries in it wait.",
    ),
    Rule(
        "rate_budget_low", W, "budget_used_share", "{value:.0%} of the broker's {group} calls are used up",
        threshold=0.8, critical_at=0.95, clear_share=0.9, keep_for=MINUTE,
        runbook="What is left is kept for exits. Stop what reads history beside the engine.",
    ),
    Rule(
        "token_missing", C, "token_missing", "Nobody has logged in to Breeze and the market opens at {opens}",
        when="pre-open", repeat=5 * MINUTE, window=0,
        runbook="Log in on /broker before the open, or run manage.py breeze_login.",
    ),
    Rule(
        "clock_skew", W, "clock_skew", "This machine's clock is {value:.1f} s off {group}'s", threshold=1.0,
        hold_for=30, critical_at=5.0, runbook="Is chrony or ntpd running?",
    ),
    Rule(
        "disk_low", W, "disk_used_share", "{value:.0%} of the disk of {group} is used", threshold=0.9, critical_at=0.97,
        clear_share=0.98, repeat=24 * HOUR, runbook="Move old archives away; look at logs/ and data/.",
    ),
    Rule(
        "outbox_lag", W, "outbox_age", "A message to {group} has been waiting for {value:.0f} s", threshold=60.0,
        critical_at=600.0, keep_for=30,
        runbook="Is the sender running (manage.py monitor run)? See /alerts for its last error.",
    ),
    Rule(
        "delivery_failed", C, "undelivered", "Nobody could be told of {group}: {told}", keep_for=30,
        runbook="Test each channel: manage.py monitor simulate RULE --send. Look at the channel's last error.",
    ),
    Rule(
        "audit_chain_broken", C, "chain_breaks", "The audit trail {group} was changed after it was written: {told}",
        never_suppress=True, repeat=24 * HOUR,
        runbook="Compare with the newest backup; somebody had write access to the database.",
    ),
    Rule(
        "accuracy_degraded", W, "accuracy_drop",
        "{group} is {drop:.3f} ({limit:.2f} is allowed): {now:.3f} over {hours} h against {before:.3f}, "
        "{trades} trades, {mode} watching",
        keep_for=5 * MINUTE, window=60 * MINUTE,
        runbook="Compare /telemetry with the weeks before. While a release is watched, its page says what follows.",
    ),
    Rule(
        "release_watch_failed", C, "release_watch", "The watch over release {group} found: {told}",
        runbook="Look at the release's page; roll back if the reason holds.",
    ),
    Rule(
        "backup_overdue", W, "backup_age", "The newest proved backup is {value:.0f} hours old", threshold=26.0,
        critical_at=50.0, repeat=24 * HOUR,
        runbook="Run manage.py backup and read what it says; is BACKUP_DIR full or not mounted?",
    ),
    Rule(
        "watching_stalled", C, "watch_age", "The last look at the desk was {value:.0f} s ago", threshold=120.0,
        inhibits=("heartbeat_lapsed",),
        runbook="The monitor was stopped or the database did not answer. Look at logs/app.log.",
    ),
    Rule(
        "desk_trouble", W, "trouble", "{told}", critical_at=2.0, hold_for=5, keep_for=15,
        runbook="The desk itself said so; its advice is in the context (fix).",
    ),
)  # fmt: skip

BY_KEY: Mapping[str, Rule] = MappingProxyType({rule.key: rule for rule in RULES})


def rule(key: str) -> Rule:
    """Return the rule called ``key``; Invalid naming those there are."""
    if key not in BY_KEY:
        raise Invalid(f"rule {key!r} is not known: use one of {', '.join(BY_KEY)}")
    return BY_KEY[key]


def split(name: str) -> tuple[Rule, str]:
    """Return rule and group of a name as the screens write it: a key, or ``key:group``, or ``key_group``.

    The document calls the latency alerts performance_degradation_{metric}.
    """
    key, _, group = name.partition(":")
    if key in BY_KEY:
        return BY_KEY[key], group
    for known in BY_KEY:
        if name.startswith(f"{known}_"):
            return BY_KEY[known], name[len(known) + 1 :]
    return rule(name), ""


def changed(one: Rule, **values: float) -> Rule:
    """Return the rule with some of its numbers replaced, as an operator has set them."""
    return replace(one, **values)  # type: ignore[arg-type]
