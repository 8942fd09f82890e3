"""``manage.py build_dataset``: freeze features, labels and weights of recorded bars; list, show and export them."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from models_ml.core.assembly import WARMUP
from models_ml.models.datasets import Dataset
from models_ml.selectors.datasets import dataset, datasets
from models_ml.services import dataset_tables
from models_ml.services import datasets as service
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.management.asking import add_market_arguments, asked, pairs

NEEDED = ("symbols", "start_date", "end_date")
USUAL = "5minute, for swing 1day"


class Command(DeskCommand):
    """Build a dataset and keep it under its content's digest, or look at those there are."""

    needs_database = True
    help = (
        "Freeze a dataset: what the decision core sees of each bar, what a long and a short decided there would have "
        "come to net of charges, and how far that looks ahead. The same bars and settings give the same digest."
    )
    examples = (
        "  manage.py build_dataset --symbols RELIANCE TCS --start-date 2023-07-03 --end-date 2024-03-28 \\\n"
        "    --csv data/historical --interval 5minute\n"
        "  manage.py build_dataset --symbols DEMOBANK --start-date 2024-01-01 --end-date 2024-03-29 \\\n"
        "    --data-source demo --interval 5minute --label target=3 stop=3 horizon=24 --params ema=60\n"
        "  manage.py build_dataset --list\n"
        "  manage.py build_dataset --show 3fa9c1 --json\n"
        "  manage.py build_dataset --show 3fa9c1 --export rows.csv.gz"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add what to build, or what to look at."""
        add_market_arguments(parser, strategies=("intraday", "swing"), needed=())
        parser.set_defaults(interval=USUAL)
        parser.add_argument(
            "--label", nargs="*", default=[], metavar="KEY=VALUE",
            help="target, stop (ATR, or fractions with by_atr=0), horizon (bars), value (₹), slippage (bps), hurdle …",
        )  # fmt: skip
        parser.add_argument("--warmup", type=int, default=WARMUP, help="bars before the first row (%(default)s)")
        parser.add_argument("--list", action="store_true", help="list the datasets there are")
        parser.add_argument("--show", metavar="DIGEST", help="verify and describe a kept dataset")
        parser.add_argument("--export", metavar="FILE", help="write its rows as .csv or .csv.gz")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Build or look, and tell."""
        if options["list"]:
            rows = list(datasets())
            return [_brief(row) for row in rows], "\n".join(map(str, rows)) or "there is no dataset yet"
        if options["show"]:
            row, data = dataset(options["show"]), service.load(options["show"])
        else:
            row, data = self._build(options)
        told, text = {**_brief(row), "manifest": row.manifest}, _text(row)
        if options["export"]:
            path = Path(options["export"])
            told["exported"] = {"path": str(path), "rows": dataset_tables.export(data, path)}
            text += f"\n{len(data):,} rows written to {path}"
        return told, text

    def _build(self, options: dict[str, Any]) -> tuple[Dataset, Any]:
        missing = [f"--{name.replace('_', '-')}" for name in NEEDED if options[name] is None]
        if missing:
            raise BadInput(f"{', '.join(missing)} must be given", fix="or --list, or --show DIGEST")
        options["strategy"] = options["strategy"] or "intraday"
        if options["interval"] == USUAL:
            options["interval"] = "1day" if options["strategy"] == "swing" else "5minute"
        wanted, order = asked(options, at=now())
        plan = service.plan(wanted, order, pairs(options["label"]), warmup=options["warmup"])
        shown = partial(self._each, total=len(wanted.symbols))
        return service.freeze(plan, by="shell", at=now(), progress=shown)

    def _each(self, symbols: Iterable[str], *, total: int) -> Iterable[str]:
        return self.progress(symbols, total=total, label="building")


def _brief(row: Dataset) -> dict[str, Any]:
    return {
        "digest": row.digest, "path": row.path, "symbols": row.symbols, "interval": row.interval,
        "start": str(row.start), "end": str(row.end), "strategy": row.strategy, "rows": row.rows,
        "features": row.features, "labels": row.labels, "ambiguous_share": row.ambiguous_share, "code": row.code,
        "seconds": row.seconds,
    }  # fmt: skip


def _text(row: Dataset) -> str:
    labels = ", ".join(f"{count:,} {word} ({count / row.rows:.1%})" for word, count in row.labels.items())
    counts = row.manifest["counts"].values()
    lost = {key: sum(each[key] for each in counts) for key in ("warming_up", "not_enterable", "not_settled")}
    lines = [
        f"dataset {row.digest[:12]}: {', '.join(row.symbols)}, {row.interval}, {row.start} to {row.end}",
        f"  {row.rows:,} rows of {row.features} features of {row.strategy}: {labels}",
        f"  labels that hang on the order inside one bar: {row.ambiguous_share:.2%}",
        "  bars without a row: " + ", ".join(f"{count:,} {key.replace('_', ' ')}" for key, count in lost.items()),
        f"  kept in {row.path}",
    ]
    return "\n".join([*lines, *(f"  note: {banner}" for banner in row.manifest["banners"])])
