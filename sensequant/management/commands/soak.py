"""``manage.py soak``: trading hours made fast while processes and servers are shot, and what is left of them."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput, Unavailable
from sensequant.soak.judging import Verdict
from sensequant.soak.plan import Wish

WIDTH = 22


class Command(DeskCommand):
    """The soak: servers, market and outside of its own, so that it harms nobody."""

    help = (
        "Play hours of trading at many times the market's pace with every process of the Procfile over a PostgreSQL "
        "and a Redis of its own, while workers, web, engine and servers are killed at random; then compare with a run "
        "nobody disturbed. Needs PostgreSQL's server programs and redis-server; as root, a user postgres."
    )
    examples = (
        "  manage.py soak                                     24 hours at 60 times, 50 shares: 24 minutes\n"
        "  manage.py soak --hours 1 --symbols 10 --seed 7\n"
        "  manage.py soak --hours 24 --json --keep > soak.json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add how long, how fast, how many, and which falls."""
        parser.add_argument("--hours", type=float, default=24.0, help="of trading (default: %(default)s)")
        parser.add_argument("--speed", type=float, default=60.0, help="market seconds a second (default: %(default)s)")
        parser.add_argument("--symbols", type=int, default=50, metavar="N", help="shares (default: %(default)s)")
        parser.add_argument("--seed", type=int, default=1, help="of what falls when (default: %(default)s)")
        parser.add_argument("--folder", default="", metavar="DIR", help="where to work (default: a temporary folder)")
        parser.add_argument("--keep", action="store_true", help="leave logs and databases; a soak that failed does")

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """Soak; anything that is not as it must be is exit code 1."""
        try:
            from sensequant.soak.running import Soak
        except ImportError as error:
            raise Unavailable(f"the soak needs {error.name}", fix="make setup") from None
        wish = Wish(options["hours"], options["speed"], options["symbols"], options["seed"])
        folder = _place(options["folder"])
        soak = Soak(wish, folder / "soak", say=self._say)
        try:
            verdict = soak.whole()
        except BaseException:
            self._say(f"kept: {folder}")
            raise
        finally:
            soak.close()
        if verdict.faults or options["keep"]:
            self._say(f"kept: {folder}")
        else:
            shutil.rmtree(folder / "soak", ignore_errors=True)
        found = {**verdict.figures, "faults": verdict.faults, "passed": not verdict.faults}
        self._print(found, _table(verdict), as_json=options["json"])
        if verdict.faults:
            sys.exit(1)
        return None

    def _say(self, told: str) -> None:
        self.stderr.write(told)
        self.stderr.flush()


def _place(wanted: str) -> Path:
    """Return the folder to work in; BadInput when a soak lies there already."""
    folder = Path(wanted or tempfile.mkdtemp(prefix="soak-")).resolve()
    if not wanted:
        folder.chmod(0o711)  # the account PostgreSQL runs as must get through to its own folder
    if (folder / "soak").exists():
        raise BadInput(f"{folder / 'soak'} is there already", fix="name an empty --folder, or remove it")
    return folder


def _table(verdict: Verdict) -> str:
    found = verdict.figures
    rows = {
        "pace": f"{found['pace']} of {found['pace_wanted']:g}: {found['market_hours']:g} h, {found['wall_seconds']} s",
        "falls": ", ".join(f"{name} {count}" for name, count in sorted(found["falls"].items())),
        "bars": f"{found['bars']['decided']:,} decided of {found['bars']['source']:,}",
        **{kind: f"{each['soak']:,}, undisturbed {each['undisturbed']:,}" for kind, each in found["rows"].items()},
        "alerts": f"{found['alerts']['held']} held, {found['alerts']['fired']} fired, {found['alerts']['messages']} "
        f"messages, {found['alerts']['doubles']} heard twice",
        "memory": f"{found['memory']['first_mb']} MB in the first hour, {found['memory']['last_mb']} in the last "
        f"({found['memory']['change_pct']} %), {found['memory']['most_mb']} at most",
        "answers": ", ".join(f"{name}: {count}" for name, count in found.get("script", {}).items()),
        "tracebacks": str(sum(count for _, count, _ in found["tracebacks"])),
    }  # fmt: skip
    lines = [f"{name:{WIDTH}} {told}" for name, told in rows.items()]
    lines += [f"    {process} {count} × {error}" for process, count, error in found["tracebacks"]]
    lines += [f"NOT AS IT MUST BE: {each}" for each in verdict.faults] or ["everything is as it must be"]
    return "\n".join(lines)
