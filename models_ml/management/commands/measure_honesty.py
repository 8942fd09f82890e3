"""See what the honesty gate says of markets whose truth is known."""

from __future__ import annotations

from collections import Counter
from typing import Any

from django.core.management.base import CommandParser

from models_ml.core import desk_markets
from models_ml.core.honesty_markets import Truth, judged, returns
from models_ml.core.overfitting import Floats, annual, sharpe
from models_ml.core.verdicts import EVIDENCE, NOT_ENOUGH, REJECT
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput

WORDS = (EVIDENCE, NOT_ENOUGH, REJECT)


class Command(DeskCommand):
    """Pure noise, and one configuration with a true edge among configurations that have none."""

    help = "Measure how often the honesty gate of the optimiser believes pure noise, and how often it finds real skill."
    examples = (
        "  manage.py measure_honesty\n  manage.py measure_honesty --desk\n"
        "  manage.py measure_honesty --markets 200 --days 504 --planted 2 --json"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the kind of market."""
        usual = Truth()
        parser.add_argument("--markets", type=int, default=100, help="markets of each kind (default 100)")
        parser.add_argument("--days", type=int, default=usual.days, help=f"in all (default {usual.days})")
        parser.add_argument("--configs", type=int, default=usual.configs, help=f"tried (default {usual.configs})")
        parser.add_argument("--alike", type=float, default=usual.alike, help="correlation of two configurations (0.5)")
        parser.add_argument("--planted", type=float, default=3.0, metavar="SHARPE", help="true annual Sharpe (3)")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--desk", action="store_true",
            help=f"generate shares and search {len(desk_markets.GRID)} configurations of swing through the real desk",
        )  # fmt: skip

    def run(self, **options: Any) -> tuple[Any, str]:
        """Judge every market and count the verdicts."""
        _check(options)
        truth = Truth(options["days"], options["configs"], options["alike"])
        if options["desk"]:
            truth = truth._replace(configs=len(desk_markets.GRID))
        kinds = {"noise": truth, "planted": truth._replace(sharpe=options["planted"])}
        jobs = [(kind, k) for kind in kinds for k in range(options["markets"])]
        counts: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
        planted: list[float] = []
        for kind, k in self.progress(jobs, total=len(jobs), label="markets"):
            matrix = _market(kinds[kind], options["seed"] * 100_000 + k, desk=options["desk"])
            counts[kind][judged(matrix, k)[0]] += 1
            if kind == "planted":
                planted.append(annual(sharpe(matrix[:, _planted_column(desk=options["desk"])])))
        told = {kind: {word: found[word] / options["markets"] for word in WORDS} for kind, found in counts.items()}
        mean = sum(planted) / len(planted)
        data = {"truth": {**truth._asdict(), "sharpe": options["planted"], "desk": options["desk"]}, "verdicts": told,
                "planted_sharpe_seen": round(mean, 3)}  # fmt: skip
        lines = [f"{'':10}" + "".join(f"{word:>22}" for word in WORDS)]
        lines += [f"{kind:10}" + "".join(f"{told[kind][word]:>22.1%}" for word in WORDS) for kind in kinds]
        return data, "\n".join([*lines, f"the planted configuration's Sharpe was {mean:.2f} on average"])


def _market(truth: Truth, seed: int, *, desk: bool) -> Floats:
    if not desk:
        return returns(truth, seed)
    bars = desk_markets.market(truth.days, truth.sharpe, seed)
    return desk_markets.searched(bars, compiled=True)


def _planted_column(*, desk: bool) -> int:
    return desk_markets.GRID.index(desk_markets.PLANTED) if desk else 0


def _check(options: dict[str, Any]) -> None:
    for name, low, high in (("markets", 1, 100_000), ("days", 60, 2_500), ("configs", 2, 2_000), ("seed", 0, 10_000)):
        if not low <= options[name] <= high:
            raise BadInput(f"--{name} {options[name]} cannot be used", fix=f"give {low} to {high}")
    if not 0.0 <= options["alike"] < 1.0:
        raise BadInput(f"--alike {options['alike']} is no correlation", fix="give 0 to 0.99")
    if not -20.0 <= options["planted"] <= 20.0:
        raise BadInput(f"--planted {options['planted']} cannot be used", fix="give -20 to 20")
