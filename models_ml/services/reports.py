"""Reports written to files: one document per kind, one writer per format."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders

from models_ml.adapters import report_pdf
from models_ml.core.report_html import html
from models_ml.core.report_markdown import markdown
from models_ml.core.report_notebooks import (
    accuracy_notebook,
    backtest_notebook,
    optimization_notebook,
    walk_notebook,
)  # fmt: skip
from models_ml.core.reports import Document
from models_ml.services import report_accuracy, report_backtest, report_optimization
from sensequant.lib import paths
from sensequant.lib.clock import ist
from sensequant.lib.errors import BadInput, Failed

KINDS: dict[str, Any] = {
    "accuracy": report_accuracy,
    "optimization": report_optimization,
    "backtest": report_backtest,
}
FORMATS = {"html": ".html", "markdown": ".md", "pdf": ".pdf", "ipynb": ".ipynb"}
LIBRARY = "vendor/plotly-cartesian.min.js"
FOLDER = "data/reports"


def export(kind: str, run: str, form: str, *, output: str = "", at: dt.datetime) -> Path:
    """Write a report and return its path; an earlier one of the same name is replaced as a whole.

    BadInput for an unknown kind or format; NotFound for an unknown run; Failed when it cannot be written.
    """
    if kind not in KINDS:
        raise BadInput(f"there is no report of {kind!r}", fix=f"use one of {', '.join(KINDS)}")
    if form not in FORMATS:
        raise BadInput(f"format {form!r} is not known", fix=f"use one of {', '.join(FORMATS)}")
    path = Path(output).expanduser().absolute() if output else usual(kind, run, form)
    if path.is_dir():
        path = path / usual(kind, run, form).name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if form == "ipynb":
            return _notebook(kind, run, path)
        document = KINDS[kind].document(run, f"{ist(at):%Y-%m-%d %H:%M} IST")
        WRITERS[form](document, path)
    except OSError as error:
        raise Failed(f"{path} cannot be written: {error.strerror or error}", fix="name another with --output") from None
    return path


def usual(kind: str, run: str, form: str) -> Path:
    """Return where a report goes when nobody says otherwise."""
    name = re.sub(r"[^A-Za-z0-9_.\-]+", "_", Path(run).name).strip("._") or "report"
    return paths.resolve(FOLDER) / f"{kind}_{name[:80]}{FORMATS[form]}"


def _html(document: Document, path: Path) -> None:
    library = finders.find(LIBRARY)
    if not isinstance(library, str):
        raise Failed(f"static/{LIBRARY} is not there", fix="run: npm ci && npm run vendor")
    _whole(path, html(document, Path(library).read_text(encoding="utf-8")))


def _markdown(document: Document, path: Path) -> None:
    _whole(path, markdown(document))


def _pdf(document: Document, path: Path) -> None:
    fresh = path.with_name(f".{path.name}.new")
    try:
        report_pdf.write(document, fresh)
        fresh.replace(path)
    finally:
        fresh.unlink(missing_ok=True)


WRITERS: dict[str, Callable[[Document, Path], None]] = {"html": _html, "markdown": _markdown, "pdf": _pdf}


def _notebook(kind: str, run: str, path: Path) -> Path:
    """Write the notebook, and beside it what it reads where that is no file yet."""
    if kind == "optimization":
        where = report_optimization.folder(run).absolute()
        if report_optimization.walk(where) is not None:
            _whole(path, walk_notebook(str(where), int(run) if run.isdecimal() else None))
            return path
        report_optimization.load(where)
        text = optimization_notebook(str(where), str(path.with_name(f"{path.stem}_summary.json")))
    elif kind == "backtest":
        data = path.with_name(f"{path.stem}_data.json")
        _whole(data, json.dumps(report_backtest.facts(run)))
        text = backtest_notebook(str(data), run)
    else:
        data = path.with_name(f"{path.stem}_traces.json")
        _whole(data, json.dumps(report_accuracy.rows(run)))
        text = accuracy_notebook(str(data), run, str(paths.resolve(settings.DESK.validation_release_dir)))
    _whole(path, text)
    return path


def _whole(path: Path, text: str) -> None:
    fresh = path.with_name(f".{path.name}.new")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)
