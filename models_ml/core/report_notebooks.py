"""Reports as notebooks that run: they read the files of a run, and need matplotlib and nothing of the desk."""

from __future__ import annotations

import json

from models_ml.core.notebook_walk import WALK
from models_ml.core.report_markdown import escaped

LABELS = """LABELS = ["LONG", "SHORT", "NOOP"]


def heat(ax, matrix, title):
    ax.imshow(matrix, cmap="Blues")
    ax.set_xticks(range(3), [f"predicted {label}" for label in LABELS])
    ax.set_yticks(range(3), LABELS)
    for j, row in enumerate(matrix):
        for k, n in enumerate(row):
            ax.text(k, j, n, ha="center", va="center")
    ax.set_title(title)
"""


OPTIMIZATION: tuple[tuple[str, str], ...] = (
    ("markdown", "## 2. The files of the run"),
    ("code", """
def read(name, otherwise=None):
    file = PATH / name
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else otherwise


configs = read("configs.json")
baseline = read("baseline_metrics.json", {})
summary = read("optimization_summary.json", {})
ranked = sorted(configs, key=lambda c: (c.get("rank") is None, c.get("rank") or 0))
best = ranked[0]


def measures(config):
    return {**(config.get("metrics") or {}), **(config.get("accuracy_metrics") or {}), "score": config.get("score")}


print(f"{len(configs)} configurations, best {best['config_id']}; honesty: {summary.get('honesty', {}).get('verdict')}")
"""),
    ("markdown", "## 3. Baseline and best"),
    ("code", """
FIVE = ["sharpe_ratio", "total_return", "win_rate", "precision_long", "hit_ratio"]
after = measures(best)
for name in FIVE:
    old, new = baseline.get(name), after.get(name)
    delta = "" if old is None or new is None else f"{new - old:+.4f}"
    print(f"{name:<16}{old!s:>24}{new!s:>24}  {delta}")
"""),
    ("markdown", "## 4. Before and after"),
    ("code", """
figure, ax = plt.subplots(figsize=(9, 4))
for shift, name, values in ((-0.2, "baseline", baseline), (0.2, "best", after)):
    ax.bar([k + shift for k in range(len(FIVE))], [values.get(key) or 0 for key in FIVE], 0.4, label=name)
ax.set_xticks(range(len(FIVE)), FIVE)
ax.legend()
plt.show()
"""),
    ("markdown", "## 5. What the parameters do"),
    ("code", """
def correlation(xs, ys):
    n = len(xs)
    mx, my = sum(xs) / n, sum(ys) / n
    over = sum((x - mx) * (y - my) for x, y in zip(xs, ys))
    under = (sum((x - mx) ** 2 for x in xs) * sum((y - my) ** 2 for y in ys)) ** 0.5
    return over / under if under else 0.0


scored = [c for c in configs if c.get("score") is not None]
names = [n for n, v in best["parameters"].items() if isinstance(v, (int, float))]
scores = [c["score"] for c in scored]
effect = {n: correlation([c["parameters"][n] for c in scored], scores) for n in names} if scored else {}
order = sorted(effect, key=lambda n: abs(effect[n]))
figure, ax = plt.subplots(figsize=(9, max(2, 0.4 * len(order))))
ax.barh(order, [effect[n] for n in order])
ax.set_xlabel("correlation with the score")
plt.show()
"""),
    ("markdown", "## 6. The best five, and what they predicted"),
    ("code", LABELS + """

top = ranked[:5]
figure, ax = plt.subplots(figsize=(9, 4))
ax.bar([str(c["config_id"]) for c in top], [c.get("score") or 0 for c in top])
ax.set_ylabel("score")
plt.show()
for c in top:
    print(c["config_id"], c.get("score"), c["parameters"])
pairs = [(name, v.get("confusion_matrix")) for name, v in (("baseline", baseline), ("best", after))]
pairs = [(name, matrix) for name, matrix in pairs if matrix]
if pairs:
    figure, axes = plt.subplots(1, len(pairs), figsize=(5 * len(pairs), 4), squeeze=False)
    for ax, (name, matrix) in zip(axes[0], pairs):
        heat(ax, matrix, name)
    plt.show()
"""),
    ("markdown", (
            "## 7. Before it may trade\n\nTwo weeks on paper; then 20 %, 50 % and 100 % of the capital over four "
            "weeks, each step only when 80 % of the improvement holds; back to the baseline below 85 % of that. "
            "`deployment_plan.md` has the numbers and wants three signatures."
    )),
    ("markdown", "## 8. Summary"),
)  # fmt: skip


ACCURACY: tuple[tuple[str, str], ...] = (
    ("code", LABELS + """

traces = json.loads(PATH.read_text(encoding="utf-8"))
matrix = [[sum(t["actual"] == a and t["predicted"] == p for t in traces) for p in LABELS] for a in LABELS]
for k, label in enumerate(LABELS):
    said, was = sum(row[k] for row in matrix), sum(matrix[k])
    precision, recall = matrix[k][k] / said if said else None, matrix[k][k] / was if was else None
    print(f"{label:<6} precision {precision} recall {recall}")
figure, ax = plt.subplots(figsize=(5, 4))
heat(ax, matrix, "confusion matrix")
plt.show()
"""),
    ("code", """
returns = [t["return_pct"] for t in traces]
figure, (one, two) = plt.subplots(1, 2, figsize=(12, 4))
one.hist(returns, bins=30)
one.set_title("returns of trades, %")
wealth, path = 1.0, []
for each in returns:
    wealth *= 1 + each / 100
    path.append((wealth - 1) * 100)
two.plot(path)
two.set_title("cumulative return, %")
plt.show()
"""),
    ("code", """
figure, ax = plt.subplots(figsize=(5, 5))
ax.plot([0, 1], [0, 1], "--", label="perfect")
for version in sorted({t["version"] for t in traces}):
    told = [t for t in traces if t["version"] == version and t["predicted"] != "NOOP"]
    bands = [[t for t in told if k / 10 < t["confidence"] <= (k + 1) / 10] for k in range(10)]
    bands = [band for band in bands if band]
    ax.plot([sum(t["confidence"] for t in b) / len(b) for b in bands],
            [sum(t["predicted"] == t["actual"] for t in b) / len(b) for b in bands], "o-", label=version)
ax.legend()
ax.set_xlabel("confidence")
ax.set_ylabel("share that came true")
plt.show()
hits = sum(r > 0 for r in returns) / len(returns) if returns else None
print(f"{len(traces)} traces, hit ratio {hits}")
"""),
)  # fmt: skip


def audit_summary(releases: str) -> list[tuple[str, str]]:
    """Return the section "Release Audit Summary" (§9): the newest bundle of an audit under ``releases``."""
    return [
        ("markdown", "## 11. Release Audit Summary"),
        ("code", f"""
found = [json.loads(file.read_text(encoding="utf-8")) for file in Path({releases!r}).glob("audit_*/metrics.json")]
audit = max(found, key=lambda each: each["audit_timestamp"], default=None)
if audit is None:
    print("Nothing was audited yet: manage.py release_audit")
else:
    print(audit["audit_id"], audit["audit_timestamp"])
    for name, before in audit["baseline"].items():
        print(f"{{name:<20}}{{before!s:>14}}{{audit['optimized'][name]!s:>14}}")
    for title, part in (
        ("student model", audit["student_model"]), *audit["monitoring"].items(), *audit["validation_results"].items(),
    ):
        print(title, part)
    print("Ready for deployment." if audit["deployment_ready"] else "Do not deploy:")
    for flag in audit["risk_flags"]:
        print("-", flag)
"""),
    ]  # fmt: skip


def notebook(cells: list[tuple[str, str]]) -> str:
    """Return (kind, source) cells, kind ``markdown`` or ``code``, as a notebook of format 4.5."""
    made = []
    for k, (kind, source) in enumerate(cells):
        cell = {"cell_type": kind, "id": f"cell-{k}", "metadata": {}, "source": source.strip("\n")}
        made.append({**cell, "execution_count": None, "outputs": []} if kind == "code" else cell)
    about = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return json.dumps({"cells": made, "metadata": about, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _start(path: str) -> tuple[str, str]:
    lines = (
        "import json", "from pathlib import Path", "", "import matplotlib.pyplot as plt", "",
        'plt.rcParams["text.parse_math"] = False', f"PATH = Path({path!r})",
    )  # fmt: skip
    return "code", "\n".join(lines)


def optimization_notebook(folder: str, summary: str) -> str:
    """Return the notebook of an optimisation's folder, in the eight sections of §15.9.1; it writes ``summary``."""
    end = f"""
found = {{"best": best["config_id"], "score": best.get("score"), "before": {{k: baseline.get(k) for k in FIVE}},
         "after": {{k: after.get(k) for k in FIVE}}, "sensitivity": effect, "honesty": summary.get("honesty")}}
Path({summary!r}).write_text(json.dumps(found, indent=1), encoding="utf-8")
found
"""
    head = "# Optimisation report\n\n## 1. Configuration and setup\n\nPoint `PATH` at a run's folder."
    return notebook([("markdown", head), _start(folder), *OPTIMIZATION, ("code", end)])


def walk_notebook(folder: str, number: int | None) -> str:
    """Return the notebook of a walk-forward: over REST where a desk and a token are named, else from its ``folder``."""
    head = (
        "# Walk-forward\n\nIt reads `walk_forward.json` under `PATH`. Set `SENSEQUANT_URL` (such as "
        "http://127.0.0.1:8000) and `SENSEQUANT_TOKEN` (page Tokens, right to read) before it starts, "
        "and it asks the desk for run `RUN` instead."
    )
    name, source = _start(folder)
    return notebook([("markdown", head), (name, f"{source}\nRUN = {number!r}"), *WALK])


def accuracy_notebook(data: str, run: str, releases: str) -> str:
    """Return the notebook of traces in the JSON file ``data``; ``releases`` is the folder of release audits."""
    return notebook([
        ("markdown", f"# Accuracy of {escaped(run)}"), _start(data), *ACCURACY, *audit_summary(releases),
    ])  # fmt: skip


def backtest_notebook(data: str, run: str) -> str:
    """Return the notebook of a backtest whose facts lie in the JSON file ``data``."""
    return notebook([
        ("markdown", f"# Backtest {escaped(run)}"),
        _start(data),
        ("code", """
run = json.loads(PATH.read_text(encoding="utf-8"))
print(run["strategy"], run["symbols"], run["start"], run["end"])
for name, value in run["metrics"].items():
    print(f"{name:<24}{value}")
"""),
        ("code", """
figure, (one, two) = plt.subplots(2, 1, figsize=(11, 6), sharex=True)
one.plot([value for _, value in run["equity"]])
one.set_title("equity, rupees")
two.fill_between(range(len(run["drawdown"])), [100 * d for d in run["drawdown"]])
two.set_title("drawdown, %")
plt.show()
"""),
        ("code", """
trades = run["trades"]
figure, (one, two) = plt.subplots(1, 2, figsize=(12, 4))
one.hist([t["return_pct"] for t in trades], bins=30)
one.set_title("returns of trades, %")
two.scatter([t["hold_minutes"] for t in trades], [t["net_pnl"] for t in trades], s=8)
two.set_xlabel("minutes held")
two.set_ylabel("net P&L, rupees")
plt.show()
for reason in sorted({t["exit_reason"] for t in trades}):
    some = [t["net_pnl"] for t in trades if t["exit_reason"] == reason]
    print(f"{reason:<16}{len(some):>6}{sum(some):>14,.2f}")
"""),
    ])  # fmt: skip
