"""The cells of a walk-forward's notebook: windows side by side, the stitched curve, what the choice did."""

from __future__ import annotations

WALK: tuple[tuple[str, str], ...] = (
    ("code", """
import os
import urllib.error
import urllib.request

URL, TOKEN = os.environ.get("SENSEQUANT_URL", "").rstrip("/"), os.environ.get("SENSEQUANT_TOKEN", "")


def asked():
    wanted = urllib.request.Request(f"{URL}/api/v1/optimizations/{RUN}", headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(wanted, timeout=30) as answer:
            run = json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{wanted.full_url} answers {error.code}: {error.read().decode()[:200]}") from None
    except OSError as error:
        raise SystemExit(f"{URL} does not answer ({error}): unset SENSEQUANT_URL to read {PATH}") from None
    if not run["result"].get("walk_forward"):
        raise SystemExit(f"run {RUN} of {URL} has no windows yet, or is no walk-forward")
    return {**run["result"]["walk_forward"], "metrics": run["test"]["best"], **run["test"]}


def kept():
    file = PATH / "walk_forward.json"
    if not file.exists():
        raise SystemExit(f"{file} is not there: point PATH at the run's folder, or set SENSEQUANT_URL and _TOKEN")
    return json.loads(file.read_text(encoding="utf-8"))


walk = asked() if URL and TOKEN and RUN is not None else kept()
windows = walk["windows"]
print(f"{len(windows)} windows, efficiency {walk['efficiency']}, profitable {walk['profitable_windows']:.0%}")
"""),
    ("markdown", "## 1. Each window: what its search promised, and what came"),
    ("code", """
for w in windows:
    test, seen, out = w["test"], w["in_sample"], w["out_of_sample"]
    print(f"{w['number']:>3}  {test['first']} to {test['last']}  searched {seen['total_return']:+.2%}  "
          f"unseen {out['total_return']:+.2%} in {out['trades']} trades  {w['verdict']}  {w['parameters']}")
figure, ax = plt.subplots(figsize=(11, 4))
for shift, name, part in ((-0.2, "searched", "in_sample"), (0.2, "unseen", "out_of_sample")):
    years = [100 * (w[part]["annual_return"] or 0) for w in windows]
    ax.bar([k + shift for k in range(len(windows))], years, 0.4, label=name)
ax.set_xticks(range(len(windows)), [w["test"]["first"] for w in windows], rotation=45)
ax.set_ylabel("return a year, %")
ax.legend()
plt.show()
"""),
    ("markdown", "## 2. The unseen days stitched on one account"),
    ("code", """
figure, ax = plt.subplots(figsize=(11, 4))
for name, line in (("walk-forward", walk["equity"]), ("baseline", walk.get("baseline_equity") or [])):
    if line:
        ax.plot([money for _, money in line], label=name)
ax.set_ylabel("rupees")
ax.set_xlabel("sessions")
ax.legend()
plt.show()
for name, value in walk["metrics"].items():
    if not isinstance(value, (list, dict)):
        print(f"{name:<24}{value}")
"""),
    ("markdown", "## 3. Its trades, and whether the choice drifts"),
    ("code", """
net = [t["net_pnl"] for t in walk["trades"]]
print(f"{len(net)} trades, {sum(net):+,.2f} rupees after charges")
for told in walk["drift"]:
    print(*(f"{name} {value}" for name, value in told.items()), sep="  ")
"""),
)  # fmt: skip
