"""Alerts, metrics and the state of the desk at a terminal; and the process that watches it."""

from __future__ import annotations

import argparse
import csv
import datetime as dt
import getpass
import io
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandParser

from monitoring.core.matching import Matcher, severity
from monitoring.management import telling
from monitoring.selectors import alerts, metrics
from monitoring.services import archiving, monitor, silences, simulating, status
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput

INTERVALS = {"5m": 300, "1h": 3_600, "6h": 21_600, "1d": 86_400}
Answer = tuple[Any, str] | None


class Command(DeskCommand):
    """The monitor."""

    needs_database = True
    help = "Watch the desk, and say how it is: alerts, metrics, status, health."
    examples = (
        "  manage.py monitor run                                     the process that watches and sends\n"
        "  manage.py monitor alerts list --severity CRITICAL --hours 48\n"
        '  manage.py monitor alerts ack daily_loss_high --reason "Investigating" --minutes 60\n'
        '  manage.py monitor alerts ack --all --reason "Planned maintenance"\n'
        "  manage.py monitor alerts clear daily_loss_high\n"
        '  manage.py monitor alerts silence "performance_*" --minutes 30 --reason "deployment"\n'
        "  manage.py monitor alerts simulate circuit_breaker_triggered --send\n"
        "  manage.py monitor metrics show --interval 1h\n"
        "  manage.py monitor metrics export --format csv --hours 24 > metrics.csv\n"
        "  manage.py monitor watch --severity CRITICAL\n"
        "  manage.py monitor status --verbose\n"
        "  manage.py monitor archive --restore 2026-11-20"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the commands and their own arguments."""
        self.refuse = parser.error
        what = self._choices(parser, "what")
        self._alerts(self._choices(self._one(what, "alerts", "list, acknowledge, silence"), "verb"))
        self._metrics(self._choices(self._one(what, "metrics", "show, export, summarise"), "verb"))
        watch = self._one(what, "watch", "print each change of an alert as it happens")
        watch.add_argument("--severity", default="", help="INFO, WARNING or CRITICAL")
        watch.add_argument("--seconds", type=float, default=None, help="stop after so long")
        self._one(what, "status", "score from 0 to 100, and why").add_argument("--verbose", action="store_true")
        self._one(what, "health", "each part: ok, or what is wrong; exit 1 when one is not")
        archive = self._one(what, "archive", "put finished days into files")
        archive.add_argument("--restore", type=dt.date.fromisoformat, default=None, metavar="YYYY-MM-DD")
        running = self._one(what, "run", "watch and send until a signal comes")
        running.add_argument(
            "--only", choices=["look", "send"], help="only one of the two; another process does the other"
        )

    def _choices(self, parser: argparse.ArgumentParser, name: str) -> Any:
        return parser.add_subparsers(dest=name, required=True, parser_class=argparse.ArgumentParser)

    def _one(self, within: Any, name: str, told: str) -> argparse.ArgumentParser:
        found: argparse.ArgumentParser = within.add_parser(name, help=told, description=told)
        found.add_argument("--json", action="store_true", default=argparse.SUPPRESS, help="machine-readable output")
        found.error = self.refuse  # type: ignore[method-assign]
        return found

    def _alerts(self, verbs: Any) -> None:
        listed = self._one(verbs, "list", "alerts that fire, and those of the last hours")
        listed.add_argument("--severity", default="", help="INFO, WARNING or CRITICAL")
        listed.add_argument("--hours", type=_hours, default=24.0)
        for name, told in (("ack", "acknowledge what fires"), ("clear", "take acknowledgements back")):
            one = self._one(verbs, name, told)
            one.add_argument("rule", nargs="?", default="", help="a rule, or rule:group")
            one.add_argument("--all", action="store_true", help="every alert")
            one.add_argument("--by", default="", metavar="NAME", help="who does it (default: the user of this shell)")
            one.add_argument("--reason", default="" if name == "ack" else "cleared by hand", help="why, in a few words")
            if name == "ack":
                one.add_argument("--minutes", type=float, default=None, help="how long (MONITORING_ACK_TTL_SECONDS)")
        silence = self._one(verbs, "silence", "keep quiet for a while, a day at most")
        silence.add_argument("rule", help="a rule, or a pattern such as performance_*")
        silence.add_argument("--group", default="*")
        silence.add_argument("--minutes", type=float, default=60.0)
        silence.add_argument("--most", default="CRITICAL", metavar="SEVERITY", help="the worst that is kept quiet")
        silence.add_argument("--reason", default="")
        silence.add_argument("--by", default="")
        end = self._one(verbs, "unsilence", "end a silence")
        end.add_argument("number", type=int)
        end.add_argument("--by", default="")
        end.add_argument("--reason", default="ended by hand")
        simulate = self._one(verbs, "simulate", "say what a rule would do; --send really sends a test message")
        simulate.add_argument("rule")
        simulate.add_argument("--send", action="store_true")
        simulate.add_argument("--by", default="")

    def _metrics(self, verbs: Any) -> None:
        show = self._one(verbs, "show", "the rollups of the last day")
        show.add_argument("--interval", choices=tuple(INTERVALS), default="1h")
        show.add_argument("--metric", default="")
        show.add_argument("--hours", type=_hours, default=24.0)
        export = self._one(verbs, "export", "the rollups as CSV or JSON, on stdout")
        export.add_argument("--format", choices=("csv", "json"), default="csv")
        export.add_argument("--hours", type=_hours, default=24.0)
        summary = self._one(verbs, "summary", "each metric in one line")
        summary.add_argument("--hours", type=_hours, default=24.0)

    def waits(self, options: dict[str, Any]) -> bool:
        """Wait for a database that is away, as the process that watches."""
        return bool(options["what"] == "run")

    def run(self, **options: Any) -> Answer:
        """Do what was asked for."""
        name = "_".join(filter(None, ("do", options["what"], options.get("verb"))))
        do: Callable[..., Answer] = getattr(self, name)
        return do(options, now())

    # alerts

    def do_alerts_list(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Return the alerts of the last hours."""
        level = severity(options["severity"]) if options["severity"] else ""
        rows = list(alerts.listed(severity=level, since=at - dt.timedelta(hours=options["hours"])))
        return [telling.episode(row) for row in rows], telling.table(rows, at)

    def do_alerts_ack(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Acknowledge."""
        ttl = None if options["minutes"] is None else dt.timedelta(minutes=options["minutes"])
        rows = silences.acknowledge(_named(options), options["reason"], by=_by(options), at=at, ttl=ttl)
        return [telling.episode(row) for row in rows], "\n".join(f"acknowledged: {row}" for row in rows)

    def do_alerts_clear(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Take acknowledgements back."""
        rows = silences.clear(_named(options), by=_by(options), at=at, reason=options["reason"])
        return [telling.episode(row) for row in rows], "\n".join(f"no longer acknowledged: {row}" for row in rows)

    def do_alerts_silence(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Keep quiet."""
        if "*" not in options["rule"] and "?" not in options["rule"]:
            silences.open_episodes(options["rule"])  # refuses a rule that does not exist
        matcher = Matcher(options["rule"], options["group"], severity(options["most"]))
        until = at + dt.timedelta(minutes=options["minutes"])
        row = silences.silence(matcher, options["reason"], until=until, by=_by(options), at=at)
        return telling.silence(row), f"silence {row.pk}: {row}"

    def do_alerts_unsilence(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """End a silence."""
        row = silences.end(options["number"], by=_by(options), at=at, reason=options["reason"])
        return telling.silence(row), f"silence {row.pk} is over"

    def do_alerts_simulate(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Say what a rule would do."""
        found = simulating.simulate(options["rule"], by=_by(options), at=at, send=options["send"])
        return found, telling.simulated(found)

    # metrics

    def do_metrics_show(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Return rollups folded into wider spans."""
        width = INTERVALS[options["interval"]]
        if options["metric"] and options["metric"] not in metrics.names():
            known = ", ".join(metrics.names()) or "none yet"
            raise BadInput(f"metric {options['metric']!r} is not known", fix=f"known: {known}")
        found = metrics.wide(at - dt.timedelta(hours=options["hours"]), at, width=width, metric=options["metric"])
        return found, telling.numbers(found)

    def do_metrics_export(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Write the rollups to stdout."""
        found = metrics.wide(at - dt.timedelta(hours=options["hours"]), at, width=1)
        if options["format"] == "json" or options["json"]:
            self._print(found, "", as_json=True)
            return None
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(telling.COLUMNS)
        for row in found:
            writer.writerow([row[name] for name in telling.COLUMNS])
        self.stdout.write(out.getvalue(), ending="")
        return None

    def do_metrics_summary(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Return each metric over the whole span."""
        found = metrics.summary(at - dt.timedelta(hours=options["hours"]), at)
        return found, telling.numbers(found, moment=False)

    # the desk

    def do_watch(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Print what happens to alerts as it happens: the audit trail read on, no file is polled."""
        level = severity(options["severity"]) if options["severity"] else None
        newest = alerts.trail().values_list("pk", flat=True).first() or 0
        until = time.monotonic() + options["seconds"] if options["seconds"] is not None else float("inf")
        while time.monotonic() < until:
            for entry in alerts.trail().filter(pk__gt=newest).order_by("pk"):
                newest = entry.pk
                row = entry.episode
                if level is None or (row is not None and severity(row.severity).rank >= level.rank):
                    self._print(telling.entry(entry), telling.line(entry), as_json=options["json"])
            self.stdout.flush()
            time.sleep(0.5)
        return None

    def do_status(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Return the score and what it lost."""
        found = status.status(at=at)
        return found, telling.status(found, verbose=options["verbose"])

    def do_health(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Return each part's state; exit 1 when one is not well."""
        found = status.health(at=at)
        self._print(found, telling.health(found), as_json=options["json"])
        if not found["ok"]:
            sys.exit(1)
        return None

    def do_archive(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Archive finished days, or read one back."""
        if options["restore"] is not None:
            count = archiving.restore(options["restore"])
            return {"restored": count}, f"{count} rollups of {options['restore']} are back"
        found = archiving.archive(at=at)
        told = {"written": found.written, "deleted": found.deleted, "rollups_removed": found.rollups_removed,
                "samples_removed": found.samples_removed}  # fmt: skip
        return told, f"{len(found.written)} days archived, {len(found.deleted)} old files deleted"

    def do_run(self, options: dict[str, Any], at: dt.datetime) -> Answer:
        """Watch and send until SIGTERM or Ctrl-C."""
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        monitor.serve(stop, looks=options["only"] != "send", sends=options["only"] != "look")
        return {"stopped": True}, "stopped"


def _hours(text: str) -> float:
    value = float(text)
    if not 0.0 < value <= 24 * 366:
        raise argparse.ArgumentTypeError(f"{text} is not a number of hours between 0 and {24 * 366}")
    return value


def _by(options: dict[str, Any]) -> str:
    return options["by"] or getpass.getuser()


def _named(options: dict[str, Any]) -> str:
    if bool(options["rule"]) == options["all"]:
        raise BadInput(
            "which alert is not said" if not options["rule"] else "a rule and --all", fix="name a rule, or --all"
        )
    return str(options["rule"])
