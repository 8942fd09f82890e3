"""Audit the desk before anything is released: measures, risks, validation, one sealed bundle of files."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import CommandParser

from releases.core.audit_states import CANCELLED, STEPS
from releases.core.audit_text import shown
from releases.services import audits
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import NotAllowed


class Command(DeskCommand):
    """One audit; what it finds open is its answer, not its failure."""

    needs_database = True
    help = (
        "Audit the desk for a release: trading and alerts of the last 30 and 90 days, the newest optimisation, the "
        "student in place. What was found once is validated again, with the database refusing every write. The bundle "
        "goes to release/audit_<timestamp>/ and is never changed. Exit code 0 also when risks are open: look at "
        "deployment_ready."
    )
    examples = (
        "  manage.py release_audit\n"
        "  manage.py release_audit --skip-validation --skip-plots\n"
        "  manage.py release_audit --output-dir release/audit_2025Q4 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what is left out and where the bundle goes."""
        parser.add_argument("--skip-validation", action="store_true", help="do not validate again: never ready then")
        parser.add_argument("--skip-plots", action="store_true", help="draw nothing")
        parser.add_argument("--output-dir", default="", metavar="DIR", help="folder of the bundle, not there yet")
        parser.add_argument("--run", default="", metavar="AUDIT_ID", help="carry out an audit a page or the API queued")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Audit and return what was found."""
        how = audits.How(now, _bar)
        if options["run"]:
            audit = audits.execute(audits.find(options["run"]), how)
        else:
            asked = audits.Asked(options["skip_validation"], options["skip_plots"], options["output_dir"])
            audit = audits.execute(audits.keep(asked, by="shell", at=now()), how)
        if audit.state == CANCELLED:
            raise NotAllowed(f"{audit.audit_id} was cancelled", fix="start another audit")
        data = audits.answer(audit)
        return data, _text(data, str(audits.place(audit)))


def _bar(step: str) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"audit: {STEPS.index(step) + 1}/{len(STEPS)} {step}\n")


def _text(data: dict[str, Any], folder: str) -> str:
    told = data["metrics"]
    lines = [f"{data['audit_id']}: {'READY for deployment' if data['deployment_ready'] else 'NOT ready'}"]
    for key in ("sharpe_ratio", "total_return_pct", "win_rate_pct", "hit_ratio_pct"):
        before, after = shown(told["baseline"][key]), shown(told["optimized"][key])
        lines.append(f"  {key:<20}{before:>10}{after:>10}")
    lines += [f"  {flag['severity']:<9}{flag['code']}: {flag['message']}" for flag in data["flags"]]
    return "\n".join([*lines, f"  bundle sha256:{data['bundle_sha256']}", f"  {folder}"])
