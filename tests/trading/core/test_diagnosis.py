"""Each way a backtest can mislead is found by its name, and a sound one is left alone."""

from __future__ import annotations

import pytest

from trading.core.diagnosis import Seen, TradeRow, diagnose

SOUND = Seen(
    {"exposure": 0.2, "charges": 100.0, "total_pnl": 900.0, "sharpe_ratio": 1.2, "win_rate": 0.55},
    [TradeRow("ABC"[k % 3], f"2026-0{k % 5 + 1}", 15.0 if k % 2 else 5.0) for k in range(90)],
    symbols=3, months=5, fills=180, stale=0,
)  # fmt: skip


def names(seen):
    return [each["name"] for each in diagnose(seen) if each["found"]]


def test_a_sound_run_raises_no_finding_and_tells_every_check():
    assert names(SOUND) == []
    assert len(diagnose(SOUND)) == 8
    assert all(each["evidence"] and each["threshold"] for each in diagnose(SOUND))


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("too few trades", {"trades": SOUND.trades[:29]}),
        ("one trade carries it", {"trades": [*SOUND.trades, TradeRow("A", "2026-01", 2000.0)]}),
        ("one symbol carries it", {"trades": [t._replace(symbol="A") for t in SOUND.trades]}),
        ("concentrated in time", {"trades": [t._replace(month="2026-03") for t in SOUND.trades]}),
        ("flat", {"metrics": {**SOUND.metrics, "exposure": 0.001}}),
        ("stale fills", {"stale": 9}),
        ("cost-dominated", {"metrics": {**SOUND.metrics, "charges": 901.0}}),
        ("cost-dominated", {"metrics": {**SOUND.metrics, "total_pnl": -500.0}}),
        ("look-ahead suspected", {"metrics": {**SOUND.metrics, "sharpe_ratio": 9.0}}),
        ("look-ahead suspected", {"metrics": {**SOUND.metrics, "win_rate": 0.95}}),
    ],
)
def test_what_misleads_is_found_by_its_name(name, changes):
    assert name in names(SOUND._replace(**changes))
