"""Judge a student, promote what was signed, go back, or list how promotions stand."""

from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import CommandParser

from models_ml.models import Promotion
from models_ml.services import promotions, signing
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.management.asking import add_market_arguments, asked
from trading.services import students

NEEDED = ("symbols", "start_date", "end_date")


class Command(DeskCommand):
    """The promotion of students."""

    needs_database = True
    help = (
        "Judge a candidate student against the one in place on later bars and write its checklist; promote it once "
        "three people have signed on /models; or roll back to the champion before."
    )
    examples = (
        "  manage.py promote_student_models --candidate data/models/20250112_143000/student \\\n"
        "    --symbols RELIANCE TCS --start-date 2024-07-01 --end-date 2024-09-30 \\\n"
        "    --csv data/historical --interval 5minute --strategy intraday\n"
        "  manage.py promote_student_models --list --json\n"
        "  manage.py promote_student_models --promote 3\n"
        '  manage.py promote_student_models --rollback --reason "precision fell since Monday"\n'
        "  manage.py promote_student_models --challenger data/models/20250112_143000/student"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to do, and the bars to judge on."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--candidate", metavar="DIR", help="judge the student in this folder")
        what.add_argument("--promote", type=int, metavar="NUMBER", help="carry out a promotion that was signed")
        what.add_argument("--rollback", action="store_true", help="return to the champion before, verified")
        what.add_argument("--challenger", metavar="DIR", help="let this student score in shadow beside the champion")
        what.add_argument("--list", action="store_true", help="say how promotions stand (what is done without a flag)")
        parser.add_argument("--baseline", metavar="DIR", default="", help="judge against this student instead")
        parser.add_argument("--reason", default="", help="why, in a few words")
        parser.add_argument("--by", default="", metavar="NAME", help="who does it (default: the user of this shell)")
        add_market_arguments(parser, needed=())

    def run(self, **options: Any) -> tuple[Any, str]:
        """Do what was asked for."""
        by, at = options["by"] or getpass.getuser(), now()
        if options["candidate"]:
            return self._assess(options, by)
        if options["promote"] is not None:
            row = promotions.promote(options["promote"], by=by, at=at)
            return described(row), f"{row.version} scores from now on; the one before is archived"
        if options["rollback"]:
            version = promotions.rollback(options["reason"], by=by, at=at)
            return {"version": version, "rolled_back": True}, f"back to {version}"
        if options["challenger"]:
            row = promotions.challenge(options["challenger"], reason=options["reason"], by=by, at=at)
            return {"version": row.version, "role": row.role}, f"{row.version} scores in shadow from now on"
        return self._list()

    def _assess(self, options: dict[str, Any], by: str) -> tuple[Any, str]:
        for name in NEEDED:
            if not options[name]:
                raise BadInput(f"--{name.replace('_', '-')} is missing", fix="name the bars to judge the candidate on")
        options["strategy"] = options["strategy"] or "intraday"
        at = now()
        wanted, order = asked(options, at=at)
        row = promotions.assess(
            options["candidate"], wanted, order, by=by, at=at, baseline=options["baseline"]
        )  # fmt: skip
        return described(
            row
        ), f"{row.recommendation}: {row.checklist['reason']}\nchecklist: {row.folder}_promotion_checklist.md"

    def _list(self) -> tuple[Any, str]:
        at, champion = now(), students.champion()
        rows = list(Promotion.objects.all()[:20])
        data = {
            "champion": champion.version if champion else None,
            "disabled": bool(champion and champion.disabled_at),
            "challengers": [row.version for row in students.challengers()],
            "promotions": [{**described(row), "missing": signing.missing(row, at=at)} for row in rows],
        }
        lines = [f"in place: {data['champion'] or 'no student'}{' (disabled)' if data['disabled'] else ''}"]
        lines += [f"{row}: {row.state}" for row in rows]
        return data, "\n".join(lines)


def described(row: Promotion) -> dict[str, Any]:
    """Return a promotion as scripts read it."""
    return {
        "id": row.pk, "version": row.version, "state": row.state, "recommendation": row.recommendation,
        "checklist": row.checklist, "evidence": signing.evidence_of(row), "author": row.author,
    }  # fmt: skip
