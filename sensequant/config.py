"""Every environment variable of the desk: one row each, with its type, default, bounds and meaning.

Names and defaults are those of the architecture document. The ``.env.example`` file, the ``/settings`` page, the
system checks and the configuration reference are written from this table:

    python -m sensequant.config              the text of .env.example
    python -m sensequant.config --markdown   docs/configuration.md

A variable may also be given with the prefix ``SENSEQUANT_``. Apps read ``settings.DESK.<lower-case name>``.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from sensequant.lib import env
from sensequant.lib.env import Problem, row

ROOT = Path(__file__).resolve().parent.parent
EXAMPLES = ("django-insecure-", "change", "secret", "example", "your-")  # how keys nobody changed begin
HOUR, DAY = 3_600, 86_400
LAKH, CRORE = 1e5, 1e7
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
MODES = ("dry-run", "live", "backtest", "replay")
PROVIDERS = ("newsapi", "twitter", "stub")
AUDITED = ("optimizer", "student", "intraday", "swing")
SCORERS = ("auto", "keyword", "lexicon", "trained")
WEIGHTS: Mapping[str, float] = MappingProxyType({"newsapi": 0.6, "twitter": 0.4})
TTLS: Mapping[str, float] = MappingProxyType({"newsapi": 1_800.0, "twitter": 900.0, "stub": 3_600.0})
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True)
class Desk:
    """The settings, read once at start and never changed while the process lives."""

    # Ours: the service itself. The document does not name these.
    debug: bool = row(False, "Show tracebacks in the browser; only on a loopback address", section="Service")
    secret_key: str = row("", "Signs sessions; empty: made once, kept in SENSEQUANT_HOME", secret=True)
    bind_address: str = row("127.0.0.1", "Address the web server listens on")
    port: int = row(8000, "Port the web server listens on", low=1, high=65_535)
    allowed_hosts: tuple[str, ...] = row(("localhost", "127.0.0.1", "[::1]"), "Host names the pages answer to; never *")
    csrf_trusted_origins: tuple[str, ...] = row((), "Other origins whose forms are accepted", form="origin")
    behind_https: bool = row(False, "An HTTPS proxy is in front: secure cookies, HSTS, redirect to https")
    trusted_proxies: int = row(0, "Proxies of ours in front, whose X-Forwarded-For is believed", low=0, high=5)
    second_factor_required: bool = row(False, "Starting, raising, signing and deploying need a second factor")
    session_idle_minutes: int = row(30, "Idle minutes that end a session; 8 hours end it anyway", low=5, high=480)
    database_url: str = row("", "Empty: SQLite in SENSEQUANT_HOME", form="database", secret=True)
    redis_url: str = row("", "Empty: tasks and sockets inside one process", form="redis", secret=True)
    sensequant_home: str = row("var", "Folder of everything the desk writes (data/, logs/, release/, database)")
    storage_url: str = row("", "Object store shared by machines, e.g. s3://bucket/desk; empty: only SENSEQUANT_HOME")
    demo_seed: int = row(7, "Seed of the generated demo market", low=0, high=2**31 - 1)

    # §3 Configuration management
    breeze_api_key: str = row("", "ICICI Breeze API key", secret=True, section="Breeze")
    breeze_api_secret: str = row("", "ICICI Breeze API secret", secret=True)
    breeze_session_token: str = row("", "Today's Breeze session token; the login page sets it too", secret=True)
    breeze_base_url: str = row("", "Origin of every Breeze address, e.g. a simulator's; empty: ICICI's own", form="url")
    breeze_token_key: str = row("", "Seals the stored session; empty: made once, kept in SENSEQUANT_HOME", secret=True)
    breeze_calls_per_minute: int = row(100, "API calls a minute at most; ICICI allows 100", low=1, high=100)
    breeze_calls_per_day: int = row(5_000, "API calls an IST day at most; ICICI allows 5,000", low=1, high=5_000)
    breeze_orders_per_second: int = row(5, "Order requests a second at most; ICICI allows 10", low=1, high=10)
    breeze_reserved_share: float = row(0.3, "Share of every budget kept for cancels and exits", low=0.3, high=0.9)
    breeze_connect_timeout: float = row(5.0, "Seconds to connect to Breeze", low=0.1, high=60)
    breeze_read_timeout: float = row(15.0, "Seconds Breeze may take to answer", low=0.1, high=120)
    breeze_limit_offset_pct: float = row(0.5, "How far an order's limit lies beyond the price, %", low=0.05, high=3)
    registered_ip: str = row("", "Address registered with the broker; live starts nowhere else", form="address")
    egress_ip_url: str = row("https://api.ipify.org", "Tells live trading which address it is seen from", form="url")
    feed_stale_seconds: float = row(30.0, "Age of a symbol's newest tick that blocks its entries", low=1, high=HOUR)
    feed_grace_seconds: float = row(2.0, "Seconds a bar waits after its end for late ticks", low=0, high=60)

    mode: str = row("dry-run", "How the engine trades", choices=MODES, section="Trading")
    symbols: tuple[str, ...] = row(("RELIANCE", "TCS", "INFY"), "Symbols to trade", form="symbol")
    engine_strategy: str = row("intraday", "Strategy the engine trades when none is named", form="name")
    engine_interval: str = row("1minute", "Bars it decides on", choices=("1minute", "5minute", "15minute"))
    engine_task: bool = row(False, "Let a Celery worker of the queue engine run the engine during sessions")
    # 09:15-15:29 as written; the calendar narrows them on days and segments whose session is shorter.
    intraday_start: str = row("09:15", "First intraday entry, IST", form="time")
    intraday_cutoff: str = row("15:29", "Last intraday entry and forced square-off, IST", form="time")
    # Short selling needs an intraday product the broker API does not offer, so live refuses it.
    allow_short: bool = row(False, "Allow SHORT entries in dry-run, replay and backtest; refused in live")
    charge_plan: str = row("i-secure", "Brokerage plan the charges are computed with", form="name")
    starting_capital_inr: float = row(10 * LAKH, "Capital of the paper account, rupees", low=1_000, high=1_000 * CRORE)

    max_exposure_inr: float = row(1 * LAKH, "Cap on open positions, rupees", low=0, high=1_000 * CRORE, section="Risk")
    daily_loss_cap_inr: float = row(5_000.0, "Loss of a day that stops entries, rupees", low=0, high=100 * CRORE)
    max_daily_loss_pct: float = row(5.0, "Loss of a day that trips the breaker, % of capital", low=0.1, high=100)
    default_stop_loss_pct: float = row(2.0, "Stop loss, % of the entry price", low=0.05, high=50)
    default_take_profit_pct: float = row(4.0, "Take profit, % of the entry price", low=0.05, high=500)

    log_level: str = row("INFO", "Least severe level that is logged", choices=LEVELS, section="Logging")

    # §10 Monitoring and alerts
    enable_monitoring: bool = row(True, "Watch the engine and raise alerts", section="Monitoring")
    monitoring_heartbeat_interval: int = row(60, "Seconds between heartbeat checks", low=1, high=HOUR)
    monitoring_enable_aggregation: bool = row(True, "Keep rollups of every metric")
    monitoring_aggregation_interval_seconds: int = row(300, "Length of a rollup, seconds", low=10, high=DAY)
    monitoring_max_raw_metrics: int = row(100, "Raw metric samples kept per metric", low=1, high=1_000_000)
    monitoring_max_archive_days: int = row(30, "Days an archive is kept", low=1, high=3_650)
    ledger_keep_days: int = row(1_827, "Days until the ledger's entries move to a sealed file", low=30, high=36_500)
    monitoring_archive_interval_hours: int = row(24, "Hours between archivals", low=1, high=720)
    monitoring_enable_performance_tracking: bool = row(True, "Measure latencies")
    monitoring_performance_alert_threshold_ms: float = row(1e3, "Average latency that alerts, ms", low=1, high=60_000)
    monitoring_max_sentiment_failures: int = row(5, "Sentiment failures an hour that alert", low=1, high=10_000)
    monitoring_artifact_staleness_hours: int = row(24, "Age of a model that alerts, hours", low=1, high=8_760)
    monitoring_heartbeat_lapse_seconds: int = row(300, "Silence of the engine that alerts, seconds", low=5, high=DAY)
    monitoring_daily_loss_alert_pct: float = row(4.0, "Daily loss that warns, %", low=0.1, high=100)
    monitoring_ack_ttl_seconds: int = row(DAY, "How long an acknowledgement lasts, seconds", low=60, high=30 * DAY)
    # The document's delivery lines are an example of a configured desk: without an address nothing can be sent.
    monitoring_enable_email_alerts: bool = row(False, "Send alerts by e-mail", section="Alert delivery")
    monitoring_email_smtp_host: str = row("smtp.gmail.com", "SMTP server")
    monitoring_email_smtp_port: int = row(587, "SMTP port (STARTTLS)", low=1, high=65_535)
    monitoring_email_smtp_user: str = row("", "SMTP user")
    monitoring_email_smtp_password: str = row("", "SMTP password", secret=True)
    monitoring_email_from: str = row("alerts@sensquant.com", "Sender of alert e-mails", form="email")
    monitoring_email_to: tuple[str, ...] = row((), "Receivers of alert e-mails", form="email")
    monitoring_enable_slack_alerts: bool = row(False, "Send alerts to Slack")
    monitoring_slack_webhook_url: str = row("", "Slack incoming webhook", form="url", secret=True)
    monitoring_enable_webhook_alerts: bool = row(False, "POST alerts as JSON to a URL")
    monitoring_webhook_url: str = row("", "Where alerts are posted", form="url")
    monitoring_webhook_headers: Mapping[str, str] = row(NO_HEADERS, "Headers sent with a posted alert", secret=True)
    # Ours: what the document does not name.
    monitoring_webhook_secret: str = row("", "Signs posted alerts (HMAC-SHA256); empty: unsigned", secret=True)
    monitoring_slack_bot_token: str = row("", "Slack bot token: messages are edited in place", secret=True)
    monitoring_slack_channel: str = row("", "Slack channel of the bot, e.g. C0123456789")
    monitoring_slack_api_url: str = row("https://slack.com/api", "Root of Slack's API", form="url")
    monitoring_routes: Mapping[str, str] = row(
        NO_HEADERS, 'Channels by severity, e.g. {"WARNING": "slack"}; empty: every one that is switched on'
    )
    monitoring_deadman_url: str = row("", "Asked every minute while the desk is watched; empty: nobody", form="url")
    monitoring_allow_private_addresses: bool = row(False, "Let alerts go to http and to private addresses")

    # §12 Historical data feed
    data_feed_source: str = row("hybrid", "Source of bars", choices=("csv", "breeze", "hybrid"), section="Market data")
    data_feed_enable_cache: bool = row(True, "Keep what the API returned as CSV files")
    data_feed_csv_directory: str = row("data/historical", "Folder of bar files, under SENSEQUANT_HOME unless absolute")
    data_feed_cache_compression: bool = row(False, "Compress cached bar files with gzip")
    # The document reads naive timestamps as UTC. Breeze and every Indian vendor write naive IST wall-clock, and reading
    # that as UTC moves each bar by five and a half hours, so IST is the default here.
    data_feed_naive_timezone: str = row("Asia/Kolkata", "Zone of timestamps without an offset", form="timezone")
    minute_data_enabled: bool = row(True, "Allow minute bars")
    minute_data_cache_dir: str = row("data/market_data", "Folder of cached minute bars")
    minute_data_resolution: str = row("1m", "Resolution of minute bars", choices=("1m", "5m", "15m"))
    minute_data_market_hours_start: str = row("09:15", "Minute bars before this are dropped, IST", form="time")
    minute_data_market_hours_end: str = row("15:30", "Minute bars from this on are dropped, IST", form="time")

    # §13 Sentiment. Providers are off until their key is given.
    sentiment_enable_newsapi: bool = row(False, "Read headlines from NewsAPI", section="Sentiment")
    sentiment_newsapi_api_key: str = row("", "NewsAPI key", secret=True)
    sentiment_newsapi_endpoint: str = row("https://newsapi.org/v2", "NewsAPI root", form="url")
    sentiment_newsapi_rate_limit: int = row(100, "NewsAPI requests a minute", low=1, high=10_000)
    sentiment_enable_twitter: bool = row(False, "Read posts from Twitter")
    sentiment_twitter_bearer_token: str = row("", "Twitter v2 bearer token", secret=True)
    sentiment_twitter_endpoint: str = row("https://api.twitter.com/2", "Twitter v2 root", form="url")
    sentiment_twitter_rate_limit: int = row(450, "Twitter requests a minute", low=1, high=10_000)
    sentiment_provider_weights: Mapping[str, float] = row(WEIGHTS, "Weight of each provider", low=0, high=1)
    sentiment_provider_fallback_order: tuple[str, ...] = row(("newsapi", "twitter"), "Order to try", choices=PROVIDERS)
    sentiment_cache_ttl_seconds: Mapping[str, float] = row(
        TTLS, "Seconds each provider's score is fresh", low=1, high=86_400
    )
    sentiment_circuit_breaker_threshold: int = row(5, "Failures that open a provider's circuit", low=1, high=100)
    sentiment_circuit_breaker_cooldown: int = row(30, "Minutes before it is tried again", low=1, high=1_440)
    sentiment_scorer: str = row("auto", "Scorer of texts; auto: a trained model, else lexicon", choices=SCORERS)
    sentiment_provider_timeout: float = row(5.0, "Timeout of one request, seconds", low=0.1, high=60)
    sentiment_snapshot_enabled: bool = row(False, "Store daily sentiment snapshots")
    sentiment_snapshot_providers: tuple[str, ...] = row(("stub",), "Providers asked for snapshots", choices=PROVIDERS)
    sentiment_snapshot_output_dir: str = row("data/sentiment", "Folder of snapshots")
    sentiment_snapshot_retry_limit: int = row(3, "Attempts per symbol and day", low=0, high=20)
    sentiment_snapshot_retry_backoff_seconds: int = row(2, "First wait between attempts, seconds", low=0, high=300)
    sentiment_snapshot_max_per_day: int = row(100, "Snapshots a day at most", low=1, high=100_000)

    # §14 Telemetry, live telemetry, dashboard
    telemetry_enabled: bool = row(False, "Record prediction traces in backtests", section="Telemetry")
    telemetry_storage_path: str = row("data/analytics", "Folder of traces")
    telemetry_sample_rate: float = row(1.0, "Share of predictions traced", low=0, high=1)
    telemetry_include_features: bool = row(True, "Write feature values into traces")
    telemetry_compression: bool = row(False, "Compress traces with gzip")
    telemetry_buffer_size: int = row(100, "Traces buffered before they are written", low=1, high=100_000)
    telemetry_max_file_size_mb: int = row(100, "Size at which a trace file is rotated, MB", low=1, high=10_000)
    live_telemetry_enabled: bool = row(False, "Record prediction traces while trading")
    live_telemetry_throttle_seconds: int = row(60, "Least seconds between two live traces", low=10, high=HOUR)
    live_telemetry_sample_rate: float = row(0.1, "Share of live predictions traced", low=0, high=1)
    dashboard_live_threshold_minutes: int = row(5, "Age of telemetry that still counts as live", low=1, high=1_440)
    dashboard_rolling_window_trades: int = row(100, "Trades in the rolling metrics", low=1, high=100_000)
    batch_parallel_workers: int = row(4, "Backtests run at once in a batch", low=1, high=256)
    batch_progress_bar: bool = row(True, "Draw a progress bar on a terminal")

    # §6, §16-17 Teacher, student, promotion
    teacher_retrain_days: int = row(7, "Days between retrainings", low=1, high=365, section="Models")
    student_model_enabled: bool = row(False, "Let the promoted student score live signals")
    # §3 says data/models/student.pkl, §17 (the later one) says this; the loader decides what the file may contain.
    student_model_path: str = row("data/models/production/student_model.pkl", "The promoted student")
    student_model_version: str = row("", "Version that must be loaded; empty: whatever is promoted")
    student_model_confidence_threshold: float = row(0.6, "Least confidence acted upon", low=0, high=1)
    promotion_min_precision_uplift: float = row(0.02, "Precision gained over the baseline", low=-1, high=1)
    promotion_min_hit_ratio_uplift: float = row(0.02, "Hit ratio gained over the baseline", low=-1, high=1)
    promotion_min_sharpe_uplift: float = row(0.05, "Sharpe gained over the baseline", low=-10, high=10)
    promotion_require_all_criteria: bool = row(True, "Every threshold must be met")
    student_batch_enabled: bool = row(False, "Train students in batches")
    student_batch_baseline_precision: float = row(0.60, "Precision a student must reach", low=0, high=1)
    student_batch_baseline_recall: float = row(0.55, "Recall a student must reach", low=0, high=1)
    student_batch_output_dir: str = row("data/models", "Folder of trained students")
    student_batch_promotion_enabled: bool = row(True, "Write a promotion checklist for every student")
    incremental_enabled: bool = row(False, "Update bars, sentiment and models every day", section="Schedules")
    incremental_lookback_days: int = row(30, "Days fetched when nothing was fetched before", low=1, high=365)
    incremental_cron_schedule: str = row("0 18 * * 1-5", "When the daily update runs, IST", form="cron")

    # Ours: how the database and the files are saved.
    backup_enabled: bool = row(False, "Back up every night, and prove it", section="Backups")
    backup_dir: str = row("backups", "Folder of backups, under SENSEQUANT_HOME unless absolute")
    backup_keep: int = row(14, "Backups that stay; 0 keeps all", low=0, high=10_000)
    backup_recipient: str = row("", "age public key (age1…) that backups are sealed for; empty: not sealed")
    backup_cron_schedule: str = row("30 19 * * *", "When the nightly backup runs, IST", form="cron")

    # Ours: how long rows are kept that grow for ever. Orders, fills, trades and the ledger are not among them.
    retention_broker_days: int = row(
        1_827, "Days the broker's messages are kept", low=30, high=36_500, section="Retention"
    )
    retention_news_days: int = row(730, "Days headlines, their scores and calls are kept", low=30, high=36_500)
    retention_stream_days: int = row(730, "Days streamed bars are kept", low=30, high=36_500)
    retention_replay_days: int = row(90, "Days signals and equity of ended replays are kept", low=1, high=36_500)

    # Validation and release. VALIDATION_* are under SENSEQUANT_HOME unless absolute.
    validation_data_dir: str = row("data/", "Folder of validation artifacts", section="Validation and release")
    validation_release_dir: str = row("release/", "Folder of release audits")
    release_environment: str = row(
        "production", "Where this desk runs; a manifest for elsewhere is refused", form="name"
    )
    source_commit: str = row("", "Commit the program was built from, where there is no git (a container)")
    source_authors: tuple[str, ...] = row(
        (), "Addresses of those who wrote it since the last release, likewise", form="email"
    )
    release_required: str = row("live", "Which engines need a deployed release", choices=("live", "always", "never"))
    heightened_hours: int = row(48, "Hours of heightened monitoring after a deployment", low=1, high=720)
    alert_frequency_hours: int = row(2, "Hours between heightened checks", low=1, high=48)
    release_audit_parts: tuple[str, ...] = row(AUDITED, "What an audit needs to be clean", choices=AUDITED)
    release_audit_modes: tuple[str, ...] = row(
        ("live", "dry-run"), "Runs whose trades an audit counts", choices=("live", "dry-run", "replay")
    )
    release_audit_max_alerts: int = row(10, "Alerts in a window that an audit accepts", low=0, high=100_000)
    release_audit_min_trades: int = row(20, "Trades in a window that an audit needs to tell", low=1, high=100_000)


def load(variables: Mapping[str, str] | None = None) -> tuple[Desk, list[Problem]]:
    """Return the settings of this process and every problem found in them.

    Without ``variables`` they come from the environment and, below it, from the file ``ENV_FILE`` (default ``.env``).
    """
    if variables is None:
        variables = {**env.read_file(os.environ.get("ENV_FILE", str(ROOT / ".env"))), **os.environ}
    desk, problems = env.load(Desk, variables)
    return desk, problems + list(_contradictions(desk))


def is_loopback(host: str) -> bool:
    """Say whether ``host`` can only be reached from this machine."""
    name = host.strip("[]")
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def is_local(desk: Desk) -> bool:
    """Say whether the desk listens on, and answers to, loopback names only."""
    return all(is_loopback(host) for host in (desk.bind_address, *desk.allowed_hosts))


def home(desk: Desk) -> Path:
    """Return the folder everything is written to, as an absolute path."""
    return (ROOT / Path(desk.sensequant_home).expanduser()).resolve()


def _contradictions(desk: Desk) -> Iterator[Problem]:
    for rule in (_web_problems, _trading_problems, _missing_addresses):
        for name, line in rule(desk):
            yield Problem(name, f"{name}: {line}", 3)


def _web_problems(desk: Desk) -> Iterator[tuple[str, str]]:
    if "*" in desk.allowed_hosts:
        yield "ALLOWED_HOSTS", "* would also accept sockets of any origin; name the hosts"
    if is_local(desk):
        return
    if desk.debug:
        yield "DEBUG", "true is only for a loopback address; set DEBUG=false or BIND_ADDRESS=127.0.0.1"
    elif desk.secret_key.startswith(EXAMPLES) or 0 < len(set(desk.secret_key)) < 5:
        yield (
            "SECRET_KEY",
            "is an example's, not a secret: give 64 characters of secrets.token_urlsafe(48)",
        )
    elif len(desk.secret_key) < 50:
        yield "SECRET_KEY", "give at least 50 random characters when the desk is reachable from other machines"


def _trading_problems(desk: Desk) -> Iterator[tuple[str, str]]:
    if desk.mode == "live" and desk.allow_short:
        yield "ALLOW_SHORT", "true is refused with MODE=live: the broker's API cannot carry short positions"
    if desk.mode == "live" and not (desk.breeze_api_key and desk.breeze_api_secret):
        yield "MODE", "live needs BREEZE_API_KEY and BREEZE_API_SECRET"
    if desk.intraday_start >= desk.intraday_cutoff:
        yield "INTRADAY_CUTOFF", f"{desk.intraday_cutoff} is not after INTRADAY_START={desk.intraday_start}"
    if desk.minute_data_market_hours_start >= desk.minute_data_market_hours_end:
        yield "MINUTE_DATA_MARKET_HOURS_END", "must be after MINUTE_DATA_MARKET_HOURS_START"


def _missing_addresses(desk: Desk) -> Iterator[tuple[str, str]]:
    needs = {
        "MONITORING_ENABLE_EMAIL_ALERTS": "MONITORING_EMAIL_TO",
        "MONITORING_ENABLE_WEBHOOK_ALERTS": "MONITORING_WEBHOOK_URL",
        "SENTIMENT_ENABLE_NEWSAPI": "SENTIMENT_NEWSAPI_API_KEY",
        "SENTIMENT_ENABLE_TWITTER": "SENTIMENT_TWITTER_BEARER_TOKEN",
    }
    for switch, address in needs.items():
        if getattr(desk, switch.lower()) and not getattr(desk, address.lower()):
            yield switch, f"true needs {address}"
    bot = desk.monitoring_slack_bot_token and desk.monitoring_slack_channel
    if desk.monitoring_enable_slack_alerts and not (desk.monitoring_slack_webhook_url or bot):
        address = "MONITORING_SLACK_WEBHOOK_URL, or MONITORING_SLACK_BOT_TOKEN and MONITORING_SLACK_CHANNEL"
        yield "MONITORING_ENABLE_SLACK_ALERTS", f"true needs {address}"


def stop_on(problems: list[Problem]) -> None:
    """Print each problem on a line of its own and exit 2, unless there is none or ``manage.py check`` will tell."""
    if not problems or sys.argv[1:2] == ["check"]:
        return
    for problem in problems:
        sys.stderr.write(f"error: {problem}\n")
    sys.exit(2)


if __name__ == "__main__":
    sys.stdout.write(env.as_markdown(Desk) if "--markdown" in sys.argv else env.as_env_file(Desk))
