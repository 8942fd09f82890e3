"""What the stories about optimisations share: a small demo market and a search of it."""

import datetime as dt

from models_ml.services import asking, optimizations
from sensequant.lib.clock import IST
from trading.services import markets, runs

NOON = dt.datetime(2026, 11, 20, 12, 0, tzinfo=IST)
START, END = dt.date(2026, 9, 1), dt.date(2026, 10, 30)
LIVELY = {"adx_min": 0, "volume_min": 0}
GRID = {"parameters": {"sma": [5, 10, 20], "rsi_low": [30, 50]}}


def asked(grid=GRID, params=LIVELY, symbols=("DEMOBANK",), start=START, end=END, **given):
    """A checked request on the demo market."""
    wanted = markets.want("demo", symbols, "5minute", start, end, today=NOON.date())
    return asking.ask(wanted, runs.order("intraday", params, None), grid, {"min_trades": 1, **given})


def kept(folder, **told):
    """A queued run whose files go into ``folder``."""
    return optimizations.keep(asked(**told), output_dir=str(folder), by="asha", at=NOON)


def how(workers=1, **told):
    """The way to carry a run out: here, at noon."""
    return optimizations.How(workers, lambda: NOON, **told)


def ranking(run):
    """What a ranking says, number by number."""
    rows = run.trials.filter(role="config").exclude(rank=None).order_by("rank")
    return [(row.rank, row.config_id, row.params, row.score, row.metrics) for row in rows]
