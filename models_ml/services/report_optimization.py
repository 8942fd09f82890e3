"""The optimisation report, out of the files of a run (§15.9): before and after, sensitivity, the best, how honest."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from models_ml.core import walk_report
from models_ml.core.reports import Block, Chart, Document, Heading, Series, Table, Text, said
from models_ml.selectors import optimizations as selected
from sensequant.lib.errors import BadInput, NotFound

FIVE = (
    ("Sharpe", "sharpe_ratio"), ("Return", "total_return"), ("Win rate", "win_rate"),
    ("Precision LONG", "precision_long"),
    ("Hit ratio", "hit_ratio"),
)  # fmt: skip
OF_INTEREST = ("score", "sharpe_ratio", "total_return", "precision_long", "hit_ratio", "win_rate", "max_drawdown")
LABELS = ("LONG", "SHORT", "NOOP")
TOP = 5
SUMMARY, WALK = "optimization_summary.json", "walk_forward.json"


def folder(run: str) -> Path:
    """Return the folder of an optimisation, by its number or its path; NotFound when there is none."""
    if run.isdecimal() and len(run) < 19:
        found = selected.optimization(int(run))
        if found is None:
            raise NotFound(f"there is no optimisation {run}", fix="give the number of one, or the folder of its files")
        return Path(found.output_dir)
    path = Path(run).expanduser()
    if not path.is_dir():
        raise NotFound(
            f"there is no folder {path}", fix="give the number of an optimisation, or the folder of its files"
        )
    return path


def walk(where: Path) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """Return summary and windows of a walk-forward's folder; None for that of any other optimisation."""
    if not (where / WALK).is_file():
        return None
    try:
        summary, found = (json.loads((where / name).read_text(encoding="utf-8")) for name in (SUMMARY, WALK))
    except (OSError, ValueError) as error:
        raise BadInput(f"{where / WALK} cannot be read: {error}", fix="write it anew with manage.py optimize") from None
    if not (isinstance(summary, dict) and isinstance(found, dict) and found.get("windows")):
        raise BadInput(f"{where / WALK} holds no windows", fix="write it anew with manage.py optimize --walk-forward")
    return summary, found


def load(where: Path) -> dict[str, Any]:
    """Return a run's files as objects; ``baseline`` and ``summary`` may be missing, ``configs`` may not."""
    found: dict[str, Any] = {"baseline": None, "summary": {}}
    names = {"configs": "configs.json", "baseline": "baseline_metrics.json", "summary": SUMMARY}
    for key, name in names.items():
        try:
            found[key] = json.loads((where / name).read_text(encoding="utf-8"))
        except FileNotFoundError:
            continue
        except (OSError, ValueError) as error:
            raise BadInput(
                f"{where / name} cannot be read: {error}", fix="write it anew with manage.py optimize"
            ) from None
    configs = found.get("configs")
    if not (isinstance(configs, list) and configs and all(isinstance(c, dict) and "parameters" in c for c in configs)):
        raise BadInput(f"{where} holds no configurations of an optimisation", fix="give a folder with configs.json")
    if not isinstance(found["summary"], dict) or not isinstance(found["baseline"], dict | None):
        raise BadInput(f"{where} holds files of another kind", fix="write them anew with manage.py optimize")
    return found


def measures(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return everything measured of a configuration, its score included."""
    return {**(config.get("metrics") or {}), **(config.get("accuracy_metrics") or {}), "score": config.get("score")}


def document(run: str, made: str) -> Document:
    """Return the report of an optimisation."""
    where = folder(run)
    walked = walk(where)
    if walked is not None:
        return walk_report.document(*walked, made)
    found = load(where)
    s = found["summary"]
    title = f"Optimisation {s.get('run_id', where.name)}: {s.get('strategy', '')}".rstrip(": ")
    span = f"{', '.join(s.get('symbols', []))} {s.get('start_date', '')} to {s.get('end_date', '')}".strip()
    subtitle = f"{span}; {len(found['configs'])} configurations; made {made}"
    return Document(title, subtitle, tuple(_blocks(found)))


def _blocks(found: dict[str, Any]) -> Iterator[Block]:
    configs, before = found["configs"], found["baseline"]
    ranked = sorted(configs, key=lambda c: (c.get("rank") is None, c.get("rank") or 0))
    best = ranked[0]
    yield Heading("In short")
    yield Text(f"Best configuration {best.get('config_id')}: score {said(best.get('score'), '{:.4f}')}.")
    yield from walk_report.honest(found["summary"].get("honesty"))
    yield Heading("Before and after")
    yield from _before_after(before, measures(best))
    yield Heading("What the parameters do")
    yield from _sensitivity(configs)
    yield Heading(f"The best {min(TOP, len(ranked))}")
    yield from _best(ranked[:TOP])
    yield Heading("What was predicted, what happened")
    yield from _matrices(before, measures(best))
    yield Heading("Before it may trade")
    yield Text(
        "Paper trading for two weeks, then 20, 50 and 100 per cent of the capital over four weeks, each step only when "
        "80 per cent of the improvement holds; back to the baseline below 85 per cent of that. deployment_plan.md has "
        "the numbers and wants three signatures. Nothing here changes what trades."
    )


def _before_after(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[Block]:
    names = [words for words, _ in FIVE]
    bars = [Series("best", names, [_number(after.get(key)) for _, key in FIVE])]
    if before:
        bars.insert(0, Series("baseline", names, [_number(before.get(key)) for _, key in FIVE]))
    yield Chart("bar", "Baseline and best", tuple(bars), "", "")
    old = before or {}
    rows = tuple(
        (words, said(old.get(key), "{:.4f}"), said(after.get(key), "{:.4f}"), _delta(old.get(key), after.get(key)))
        for words, key in FIVE
    )
    yield Table("", ("measure", "baseline", "best", "difference"), rows)


def _sensitivity(configs: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    names = [n for n, v in configs[0]["parameters"].items() if isinstance(v, int | float) and not isinstance(v, bool)]
    table = {n: {key: correlation(configs, n, key) for key in OF_INTEREST} for n in names}
    moved = [n for n in names if table[n]["score"] is not None]
    moved.sort(key=lambda n: abs(table[n]["score"] or 0.0))
    if not moved:
        yield Text("No parameter was varied enough to see what it does.")
        return
    yield Chart(
        "hbar", "Correlation with the score", (Series("correlation", moved, [table[n]["score"] for n in moved]),),
        "correlation", "",
    )  # fmt: skip
    z = tuple(tuple(table[n][key] for key in OF_INTEREST) for n in reversed(moved))
    yield Chart(
        "heatmap", "Parameters and measures: correlation", columns=OF_INTEREST, lines=tuple(reversed(moved)), z=z
    )
    if len(moved) > 1:
        yield _surface(configs, moved[-1], moved[-2])


def correlation(configs: Sequence[Mapping[str, Any]], name: str, key: str) -> float | None:
    """Return Pearson's correlation of a parameter with a measure; None when either does not vary."""
    pairs = [(_number(c["parameters"].get(name)), _number(measures(c).get(key))) for c in configs]
    known = [(x, y) for x, y in pairs if x is not None and y is not None]
    n = len(known)
    if n < 3:
        return None
    mx, my = sum(x for x, _ in known) / n, sum(y for _, y in known) / n
    sx = math.sqrt(sum((x - mx) ** 2 for x, _ in known))
    sy = math.sqrt(sum((y - my) ** 2 for _, y in known))
    if sx < 1e-12 or sy < 1e-12:
        return None
    return sum((x - mx) * (y - my) for x, y in known) / (sx * sy)


def _surface(configs: Sequence[Mapping[str, Any]], one: str, two: str) -> Chart:
    """Return the best score for every pair of the two parameters that matter most."""
    best: dict[tuple[Any, Any], float] = {}
    for each in configs:
        score = _number(each.get("score"))
        key = (each["parameters"].get(one), each["parameters"].get(two))
        if score is not None and None not in key:
            best[key] = max(score, best.get(key, -math.inf))
    xs, ys = (sorted({key[k] for key in best}) for k in (0, 1))
    z = tuple(tuple(best.get((x, y)) for x in xs) for y in ys)
    return Chart("heatmap", f"Best score by {one} (across) and {two} (down)", columns=tuple(map(said, xs)),
                 lines=tuple(map(said, ys)), z=z)  # fmt: skip


def _best(top: Sequence[Mapping[str, Any]]) -> Iterator[Block]:
    ids = [str(each.get("config_id")) for each in top]
    yield Chart("bar", "Scores", (Series("score", ids, [_number(each.get("score")) for each in top]),), "", "score")
    header = ("configuration", "score", *(words for words, _ in FIVE), "parameters")
    rows = []
    for each in top:
        values = measures(each)
        given = ", ".join(f"{name}={said(value)}" for name, value in each["parameters"].items())
        cells = (said(values.get(key), "{:.4f}") for _, key in FIVE)
        rows.append((str(each.get("config_id")), said(each.get("score"), "{:.4f}"), *cells, given))
    yield Table("", header, tuple(rows))


def _matrices(before: Mapping[str, Any] | None, after: Mapping[str, Any]) -> Iterator[Block]:
    shown = 0
    for name, values in (("baseline", before or {}), ("best", after)):
        matrix = values.get("confusion_matrix")
        if isinstance(matrix, list) and len(matrix) == len(LABELS):
            shown += 1
            z = tuple(tuple(_number(n) for n in row) for row in matrix)
            columns = tuple(f"predicted {label}" for label in LABELS)
            yield Chart("heatmap", f"Confusion matrix, {name}", columns=columns, lines=LABELS, z=z)
    if not shown:
        yield Text("The run kept no confusion matrices.")


def _number(value: Any) -> float | None:
    known = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    return float(value) if known else None


def _delta(before: Any, after: Any) -> str:
    one, two = _number(before), _number(after)
    return "–" if one is None or two is None else f"{two - one:+.4f}"
