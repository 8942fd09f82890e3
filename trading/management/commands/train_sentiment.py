"""``manage.py train_sentiment``: make a scorer of news from labelled headlines."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.commands import DeskCommand
from trading.core.sentiment import TRAINED
from trading.services import sentiment_models, sentiment_training
from trading.services.sentiment_judging import headlines


class Command(DeskCommand):
    """Train, say how good the model is on headlines held back from it, store it and put it in force."""

    help = (
        "Train the scorer of news on labelled headlines: CSV files, gzip or not, with a column title, headline or "
        "text, a column sentiment or label (negative, neutral, positive), and if there is one a column entity. The "
        "same files and seed give the same model."
    )
    examples = (
        "  manage.py train_sentiment --csv headlines.csv.gz\n"
        "  manage.py train_sentiment --csv mine.csv more.csv --seed 3 --json\n"
        "  manage.py train_sentiment --csv headlines.csv --hold-out   # then: evaluate_sentiment --csv … --unseen"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the files and how to train."""
        parser.add_argument("--csv", nargs="+", required=True, metavar="FILE", help="labelled headlines")
        parser.add_argument("--seed", type=int, default=0, help="seed of the training (default: %(default)s)")
        parser.add_argument("--hold-out", action="store_true", help="leave a fifth of the titles out for a later test")
        parser.add_argument("--no-activate", action="store_true", help="store the model without putting it in force")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Train and tell."""
        made = sentiment_training.train(
            headlines([Path(name) for name in options["csv"]]), seed=options["seed"], hold_out=options["hold_out"],
            activate=not options["no_activate"],
            each=partial(self.progress, total=sentiment_training.FOLDS + 1, label="training"),
        )  # fmt: skip
        path = sentiment_models.folder().path(made.stored.version)
        training = made.stored.training
        told = {**training["held_back"][TRAINED], "n": training["n"]}
        data = {"version": made.stored.version, "path": str(path), **told, "training": training}
        return data, _text(made, path)


def _text(made: sentiment_training.Trained, path: Path) -> str:
    training = made.stored.training
    counts = ", ".join(f"{count:,} {label}" for label, count in training["labels"].items())
    lines = [f"trained on {training['n']:,} headlines ({counts})", "on headlines held back:"]
    lines += [
        f"  {name:9} macro-F1 {each.macro_f1:.3f}   accuracy {each.accuracy:.3f}   calibration error {each.ece:.3f}"
        for name, each in made.held_back.items()
    ]
    if not training["better_than_lexicon"]:
        lines.append("It is no better than the lexicon: SENTIMENT_SCORER=auto goes on with that.")
    return "\n".join([*lines, f"stored as {path}"])
