"""The trainings that are known, read from and written to teacher_runs.json and student_runs.json."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from models_ml.models import TrainingBatch
from models_ml.services import batches, run_files
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import NotFound

SHOWN = 30


class Command(DeskCommand):
    """The batches, what was read, or what was written."""

    needs_database = True
    help = (
        "List the batches of trainings; read run files back (what is known is never changed, a line that cannot be "
        "read is named and passed over: exit code 1), or write them anew from what is known."
    )
    examples = (
        "  manage.py training_runs --json\n"
        "  manage.py training_runs --import data/models/20251012_190000/teacher_runs.json\n"
        "  manage.py training_runs --export data/models/20251012_190000"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to read or write."""
        parser.add_argument("--import", dest="files", nargs="+", default=[], metavar="FILE", help="run files to read")
        parser.add_argument("--export", default="", metavar="DIR", help="the folder of a batch whose files to write")

    def run(self, **options: Any) -> tuple[Any, str] | None:
        """List, read or write; exit 1 when a line was passed over, after telling of every one."""
        if options["files"]:
            return self._read(options)
        if options["export"]:
            return _written(options["export"])
        rows = [
            {
                "id": batch.pk, "batch_id": batch.batch_id, "kind": batch.kind, "status": batch.status,
                "folder": batch.folder, "total": batch.total, "summary": batch.summary,
            }
            for batch in TrainingBatch.objects.all()[:SHOWN]
        ]  # fmt: skip
        lines = [
            f"{row['id']:>5}  {row['kind']:<8}{row['batch_id']:<28}{row['status']:<10}{row['folder']}" for row in rows
        ]
        return {"batches": rows}, "\n".join(lines) or "no batch yet"

    def _read(self, options: dict[str, Any]) -> tuple[Any, str] | None:
        found = [run_files.read(Path(name).expanduser().absolute(), at=now()) for name in options["files"]]
        data = {
            "files": [
                {
                    "file": each.file, "kind": each.kind, "added": each.added, "known": each.known,
                    "batches": each.batches, "problems": [problem._asdict() for problem in each.problems],
                }
                for each in found
            ]
        }  # fmt: skip
        lines = [f"{each.file}: {each.added} added, {each.known} known already" for each in found]
        bad = [f"{each.file} line {problem.number}: {problem.why}" for each in found for problem in each.problems]
        if not bad:
            return data, "\n".join(lines)
        self._print(data, "\n".join([*lines, *bad]), as_json=options["json"])
        self.stderr.write(f"error: {len(bad)} lines were passed over: {bad[0]}")
        sys.exit(1)


def _written(folder: str) -> tuple[Any, str]:
    found = [batch for kind in run_files.FILES if (batch := batches.of_folder(kind, folder))]
    if not found:
        raise NotFound(f"no batch is known in {folder}", fix="see manage.py training_runs")
    files = [str(path) for batch in found if (path := run_files.export(batch, batches.rows(batch)))]
    return {"files": files}, "\n".join(files)
