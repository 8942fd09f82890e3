"""Datasets to ask for: small demo markets, and folders of generated bars."""

from __future__ import annotations

import datetime as dt

import numpy as np

from models_ml.services import datasets
from tests.trading.desks import NOON, TODAY
from trading.core.calendar import NSE
from trading.services import markets, runs

SPAN = dt.date(2026, 10, 12), dt.date(2026, 10, 30)
CHEAP = {"plan": "prime-2999", "product": "margin"}


def plan(source="demo", *, symbols=("DEMOBANK", "DEMOLABS"), span=SPAN, interval="5minute", strategy="intraday",
         warmup=100, label=None, **params):  # fmt: skip
    """Return a plan with cheap charges and a short warm-up."""
    asked = markets.want(str(source), symbols, interval, *span, today=TODAY)
    order = runs.order(strategy, {**CHEAP, **params}, None)
    return datasets.plan(asked, order, label or {}, warmup=warmup)


def built(*args, **told):
    return datasets.build(plan(*args, **told), at=NOON)


def bar_file(folder, symbol, first, last, seed=0, change=None):
    """Write five-minute bars of a random walk; ``change`` may rewrite the (times, prices, volumes) first."""
    rng = np.random.default_rng(seed)
    times = [
        window.start + dt.timedelta(minutes=5 * k)
        for session in NSE.sessions(first, last)
        for window in session.windows
        for k in range(int((window.end - window.start).total_seconds()) // 300)
    ]
    path = 500.0 * np.exp(np.cumsum(rng.normal(0, 0.0012, (len(times), 4)).ravel())).reshape(-1, 4)
    prices = np.round(np.round(path / 0.05) * 0.05, 2)
    volumes = rng.integers(1_000, 9_000, len(times)).astype(float)
    if change is not None:
        times, prices, volumes = change(times, prices, volumes)
    rows = ["timestamp,open,high,low,close,volume"]
    for when, p, v in zip(times, prices, volumes, strict=True):
        rows.append(f"{when:%Y-%m-%d %H:%M:%S},{p[0]:.2f},{p.max():.2f},{p.min():.2f},{p[3]:.2f},{v:.0f}")
    folder.mkdir(exist_ok=True)
    (folder / f"{symbol}_5m.csv").write_text("\n".join(rows) + "\n")
    return folder
