"""``manage.py train_teacher``: a teacher from recorded bars, with everything its students need."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from models_ml.core.assembly import WARMUP
from models_ml.services import places, teachers, trainings
from models_ml.services.fitting import Grown
from models_ml.services.teachers import TeacherResult, TeacherSpec
from sensequant.lib import paths
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput, Failed
from trading.adapters.sealed_folders import unseal
from trading.management.asking import add_market_arguments, pairs
from trading.services import runs

NEEDED = ("symbols", "start_date", "end_date")
DEFAULT = Grown()


class Command(DeskCommand):
    """Label bars with hindsight, fit LightGBM to them, and seal what came out."""

    needs_database = True
    help = (
        "Train a teacher: every bar is labelled by what a trade decided there would have come to, net of charges, and "
        "boosted trees learn the labels. The last sessions are held out. Students learn from its folder."
    )
    examples = (
        "  manage.py train_teacher --symbols RELIANCE TCS --start-date 2023-07-03 --end-date 2024-03-28 \\\n"
        "    --csv data/historical --interval 5minute\n"
        "  manage.py train_teacher --symbols DEMOBANK --start-date 2024-01-01 --end-date 2024-03-29 \\\n"
        "    --data-source demo --label target=2 stop=2 horizon=24 --seed 7 --json\n"
        "  manage.py train_teacher --manifest data/models/20261123_180000/teacher --output-dir /tmp/again"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to teach on and how."""
        add_market_arguments(parser, strategies=("intraday", "swing"), needed=())
        parser.set_defaults(interval=None)
        parser.add_argument("--output-dir", metavar="DIR", default="", help="default: data/models/<moment>/teacher")
        parser.add_argument(
            "--label", nargs="*", default=[], metavar="KEY=VALUE",
            help="target, stop (ATR, or fractions with by_atr=0), horizon (bars), value (₹), slippage (bps), hurdle …",
        )  # fmt: skip
        parser.add_argument("--warmup", type=int, default=WARMUP, help="bars before the first row (%(default)s)")
        parser.add_argument("--holdout", type=float, default=0.2, help="share of sessions held out (%(default)s)")
        parser.add_argument("--folds", type=int, default=4, help="earlier teachers, walking forward (%(default)s)")
        parser.add_argument("--embargo", type=int, default=3_600, help="seconds kept between slices (%(default)s)")
        parser.add_argument("--rounds", type=int, default=DEFAULT.rounds, help="trees of a class (%(default)s)")
        parser.add_argument("--leaves", type=int, default=DEFAULT.leaves, help="leaves of a tree (%(default)s)")
        parser.add_argument("--seed", type=int, default=0, help="seed of the training (%(default)s)")
        parser.add_argument(
            "--manifest", metavar="DIR", default="",
            help="train again what the teacher in this folder was trained on, and compare the bytes",
        )  # fmt: skip

    def run(self, **options: Any) -> tuple[Any, str]:
        """Train and tell."""
        if options["manifest"]:
            return _again(options)
        spec = _spec(options)
        at = now()
        folder = places.kept(paths.resolve(options["output_dir"] or f"{trainings.run_folder(at)}/teacher"))
        shown = partial(self._each, total=len(spec.symbols))
        row, made = trainings.teach(spec, folder, by="shell", at=at, progress=shown)
        told = {
            "run": row.pk, "folder": folder, "version": made.version, "manifest": made.digest,
            "dataset": made.dataset_digest, "metrics": made.metrics, "evaluation": made.evaluation,
            "seconds": made.seconds, "stages": made.stages,
        }  # fmt: skip
        return told, _text(row.pk, folder, made)

    def _each(self, symbols: Iterable[str], *, total: int) -> Iterable[str]:
        return self.progress(symbols, total=total, label="labelling")


def _spec(options: dict[str, Any]) -> TeacherSpec:
    missing = [f"--{name.replace('_', '-')}" for name in NEEDED if options[name] is None]
    if missing:
        raise BadInput(f"{', '.join(missing)} must be given", fix="or --manifest with a teacher's folder")
    interval = options["interval"] or ("1day" if options["strategy"] == "swing" else "5minute")
    if not 1 <= options["rounds"] <= 2_000 or not 2 <= options["leaves"] <= 64:
        raise BadInput(
            f"{options['rounds']} rounds of {options['leaves']} leaves cannot be used",
            fix="give 1 to 2000, and 2 to 64",
        )
    return TeacherSpec(
        tuple(dict.fromkeys(name.upper() for word in options["symbols"] for name in word.split(",") if name)),
        runs.source_of(options["data_source"], options["csv"]), "1minute" if options["minute_data"] else interval,
        options["start_date"], options["end_date"], options["sound_rows"], options["strategy"] or "",
        pairs(options["params"]), pairs(options["label"]), options["warmup"], options["seed"], options["holdout"],
        options["folds"], options["embargo"], DEFAULT._replace(rounds=options["rounds"], leaves=options["leaves"]),
    )  # fmt: skip


def _again(options: dict[str, Any]) -> tuple[Any, str]:
    if not options["output_dir"]:
        raise BadInput("--output-dir must be given", fix="name the folder the second training goes to")
    given = paths.resolve(places.found(options["manifest"].removesuffix("/manifest.json")))
    place = paths.resolve(options["output_dir"])
    if place.resolve() == given.resolve():
        raise BadInput(f"{place} is the folder to compare with", fix="name another with --output-dir")
    before = unseal(given)
    made = teachers.again(given, Path(place))
    if made.digest != before.digest:
        after = unseal(place).told["files"]
        other = sorted(name for name, digest in before.told["files"].items() if after.get(name) != digest)
        raise Failed(f"{place} differs from {given} in {', '.join(other) or 'its manifest'}", fix="compare environment")
    told = {"folder": str(place), "manifest": made.digest, "identical": True, "seconds": made.seconds}
    return told, f"{made.version}: every byte in {place} is that of {given}"


def _text(run: int, folder: str, made: TeacherResult) -> str:
    found, mine = made.evaluation, made.evaluation["in_sample"]
    area = found["directional_auc"]
    return "\n".join([
        f"teacher {made.version} (run {run}) in {folder}, {made.seconds:.1f} s",
        f"  on {found['rows']:,} {found['evaluated_on']}: accuracy {found['accuracy']:.3f}, precision "
        f"{found['precision_macro']:.3f}, recall {found['recall_macro']:.3f}, F1 {found['f1_macro']:.3f}",
        f"  LONG told from what is not: {'unknown' if area is None else f'{area:.3f}'} (a coin: 0.500)",
        f"  on its own rows (memory, not skill): accuracy {mine['accuracy']:.3f}, F1 {mine['f1_macro']:.3f}",
        f"next: manage.py train_student --teacher-dir {folder}",
    ])  # fmt: skip
