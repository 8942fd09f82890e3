"""The evening after a session: review its trades, propose, watch the students, retrain where it is due."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from models_ml.models import Evening
from models_ml.services import evenings
from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from trading.management.asking import day


class Command(DeskCommand):
    """The evening's learning."""

    needs_database = True
    help = (
        "Review the day's trades by the teacher's rules, hold what they would change against a week apart, and "
        "propose it as a new version of the strategy, which trades only once a person activates it. Once per day."
    )
    examples = (
        "  manage.py eod_learning\n"
        "  manage.py eod_learning --date 2026-11-20 --json\n"
        "  manage.py eod_learning --date 2026-11-20 --run 12 --no-retrain"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the day, and the run to review."""
        parser.add_argument("--date", type=day, metavar="YYYY-MM-DD", help="the session to review (default: today)")
        parser.add_argument("--run", type=int, metavar="NUMBER", help="the engine run to review (default: that day's)")
        parser.add_argument("--no-retrain", action="store_true", help="train nothing, even where it is due")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do it, or tell what was found when it was done."""
        at = now()
        wanted = options["date"] or ist(at).date()
        row = evenings.learn(wanted, at=at, run=options["run"], train=not options["no_retrain"])
        return described(row), _text(row)


def described(row: Evening) -> dict[str, Any]:
    """Return an evening as scripts read it."""
    return {
        "event": "student_update", "date": row.date.isoformat(), "strategy": row.strategy, "outcome": row.outcome,
        "why": row.why, "params_changed": row.params_changed,
        "validation_sharpe": row.validation.get("changed", {}).get("sharpe"), "changes": row.changes,
        "validation": row.validation, "proposal": row.proposal_id, "retraining": row.retraining,
        "students": row.students,
    }  # fmt: skip


def _text(row: Evening) -> str:
    lines = [f"{row.date} {row.strategy}: {row.outcome} – {row.why}"]
    for each in row.changes:
        mark = "→" if each["changed"] else "stays"
        after = f" {each['after']:g}" if each["changed"] else ""
        lines.append(f"  {each['parameter'] or each['rule']} {each['before']:g} {mark}{after}: {each['evidence']}")
    lines += [f"  student {x['version']} ({x['role']}): {x['decisions']} decisions known" for x in row.students]
    told = row.retraining.get("status") or row.retraining.get("why") or "not asked for"
    return "\n".join([*lines, f"  retraining: {told}"])
