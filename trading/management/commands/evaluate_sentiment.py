"""``manage.py evaluate_sentiment``: the scorers of news side by side on labelled headlines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.sentiment import LABELS, TRAINED, scorers
from trading.services.sentiment_judging import Judged, headlines, judge, judges, unseen


class Command(DeskCommand):
    """Accuracy, macro-F1, confusion and calibration of each scorer."""

    help = (
        "Judge the scorers of news on labelled headlines: CSV files, gzip or not, with a column title, headline or "
        "text, a column sentiment or label (negative, neutral, positive), and if there is one a column entity."
    )
    examples = (
        "  manage.py evaluate_sentiment --csv headlines.csv.gz\n"
        "  manage.py evaluate_sentiment --csv headlines.csv --scorers lexicon trained --unseen --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the files and whom to judge."""
        parser.add_argument("--csv", nargs="+", required=True, metavar="FILE", help="labelled headlines")
        parser.add_argument(
            "--scorers", nargs="+", default=[], metavar="NAME",
            help=f"of {', '.join(scorers())} (default: keyword, lexicon and, once there is a model, trained)",
        )  # fmt: skip
        parser.add_argument("--model", default="", metavar="VERSION", help="a stored model (default: the current one)")
        parser.add_argument("--unseen", action="store_true", help="leave out what the model was trained on")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Judge one scorer after another."""
        names = [name for word in options["scorers"] for name in word.split(",") if name]
        judged_by = judges(names, options["model"])
        found = [each for file in headlines([Path(name) for name in options["csv"]]) for each in file.headlines]
        if options["unseen"]:
            found = unseen(found, options["model"])
            if not found:
                raise BadInput("the model was trained on all of these headlines", fix="give others")
        answer = {}
        for name in self.progress(list(judged_by), total=len(judged_by), label="scoring"):
            answer[name] = judge(found, judged_by[name], version=options["model"])
        return {name: each.as_dict() for name, each in answer.items()}, text(answer)


def text(answer: dict[str, Judged]) -> str:
    """Return the figures as tables."""
    lines = [f"{'':14} {'n':>7} {'accuracy':>9} {'macro-F1':>9} {'ECE':>6} {'µs each':>8}"]
    for name, each in answer.items():
        f = each.figures
        lines.append(f"{name:14} {f.n:>7,} {f.accuracy:>9.3f} {f.macro_f1:>9.3f} {f.ece:>6.3f} {each.micros:>8.0f}")
    for name, each in answer.items():
        lines += ["", f"{name} ({each.version})", *_confusion(each), *_calibration(each)]
        if each.seen:
            lines.append(f"  {each.seen:,} of these it was trained on: --unseen leaves them out")
    if TRAINED not in answer:
        lines += ["", "trained: not judged; manage.py train_sentiment --csv FILE makes a model"]
    return "\n".join(lines)


def _confusion(each: Judged) -> list[str]:
    head = "".join(f"{label:>10}" for label in LABELS)
    rows = zip(LABELS, each.figures.confusion, strict=True)
    return [f"  {'is / told':12}{head}", *(f"  {label:12}" + "".join(f"{n:>10,}" for n in row) for label, row in rows)]


def _calibration(each: Judged) -> list[str]:
    bins = each.figures.bins
    return [
        f"  sure {b.low:.1f}–{b.high:.1f}: {b.n:>7,} texts, mean {b.confidence:.3f}, right {b.accuracy:.3f}"
        for b in bins
    ]
