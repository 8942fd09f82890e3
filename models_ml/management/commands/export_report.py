"""Write a report of accuracy, of an optimisation or of a backtest."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from models_ml.services import reports
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """A report in one file."""

    needs_database = True
    help = "Write a report with charts: self-contained HTML, Markdown, PDF, or a notebook that runs."
    examples = (
        "  manage.py export_report accuracy data/analytics/backtest_20250112 --format html\n"
        "  manage.py export_report accuracy record --format markdown\n"
        "  manage.py export_report optimization 3 --format ipynb --output report.ipynb\n"
        "  manage.py export_report optimization data/optimization/run_20251012_143022\n"
        "  manage.py export_report backtest 12 --format pdf"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to report on and how to write it."""
        parser.add_argument("kind", choices=tuple(reports.KINDS))
        parser.add_argument(
            "run_name", metavar="RUN", help="its number; a folder of traces or of an optimisation; record"
        )
        parser.add_argument("--format", choices=tuple(reports.FORMATS), default="html")
        parser.add_argument("--output", metavar="PATH", default="", help="default: under data/reports")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Write it and say where."""
        kind, name = options["kind"], options["run_name"]
        path = reports.export(kind, name, options["format"], output=options["output"], at=now())
        return {"kind": kind, "run": name, "format": options["format"], "path": str(path)}, f"written to {path}"
