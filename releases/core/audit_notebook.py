"""The notebook section "Release Audit Summary" (§9): it lies in the bundle and reads its files, nothing of the desk."""

from __future__ import annotations

from typing import Final

from models_ml.core.report_notebooks import notebook

CELLS: Final[tuple[tuple[str, str], ...]] = (
    ("markdown", "# Release Audit Summary (Section 11)\n\nRun it where it lies: `PATH` is the bundle it is part of."),
    ("code", """
import json
from pathlib import Path

import matplotlib.pyplot as plt

plt.rcParams["text.parse_math"] = False
PATH = next(p for p in (Path.cwd(), *Path.cwd().parents) if (p / "metrics.json").exists())
metrics = json.loads((PATH / "metrics.json").read_text(encoding="utf-8"))
register = json.loads((PATH / "validation_results" / "risk_register.json").read_text(encoding="utf-8"))
print(metrics["audit_id"], metrics["audit_timestamp"], "ready" if metrics["deployment_ready"] else "NOT READY")
"""),
    ("markdown", "## Baseline and optimised"),
    ("code", """
before, after = metrics["baseline"], metrics["optimized"]
names = [n for n in before if n not in ("strategy", "config_id")]
for name in names:
    print(f"{name:<20}{before[name]!s:>14}{after[name]!s:>14}")
rates = [n for n in names if n.endswith("_pct")]
figure, ax = plt.subplots(figsize=(9, 4))
for shift, label, values in ((-0.2, "baseline", before), (0.2, "optimised", after)):
    ax.bar([k + shift for k in range(len(rates))], [values[n] or 0 for n in rates], 0.4, label=label)
ax.set_xticks(range(len(rates)), rates)
ax.legend()
plt.show()
"""),
    ("markdown", "## Validation of the student"),
    ("code", """
for name, value in {**metrics["student_model"], **metrics["validation_results"]["student_validation"]}.items():
    print(f"{name:<24}{value}")
"""),
    ("markdown", "## Monitoring, rolling windows"),
    ("code", """
for window, found in metrics["monitoring"].items():
    print(window)
    for name, value in found.items():
        print(f"  {name:<24}{value}")
"""),
    ("markdown", "## Recommendation"),
    ("code", """
print("Ready for deployment." if metrics["deployment_ready"] else "Do not deploy:")
for flag in register:
    print(f"- {flag['severity']:<9}{flag['owner']:<18}{flag['message']}\\n  {flag['mitigation']}")
"""),
)  # fmt: skip


def notebook_of() -> str:
    """Return the notebook; it is the same for every bundle, which it finds around itself."""
    return notebook(list(CELLS))
