"""Eight features that know the future, each a mistake somebody made: what catches leaks has to catch all of them."""

from __future__ import annotations

import numpy as np

from models_ml.core.assembly import observed
from trading.core.observations import NAMES

WINDOW, HOUR = 10, 12
PLACE = NAMES.index("gap")  # the column a mutant takes the place of


def past_mean(close):
    """The honest one: the mean of the last bars."""
    return close / np.array([close[max(0, i - WINDOW) : i + 1].mean() for i in range(close.size)]) - 1.0


def centred_mean(close):
    return close / np.array([close[max(0, i - WINDOW) : i + WINDOW + 1].mean() for i in range(close.size)]) - 1.0


def shifted(close):
    return np.append(close[1:] / close[:-1] - 1.0, 0.0)


def whole_sample_z_score(close):
    return (close - np.nanmean(close)) / np.nanstd(close)


def filled_backwards(close):
    """A number that is only known now and then, gaps filled with the next one."""
    known = np.where(np.arange(close.size) % HOUR == 0, close, np.nan)
    for i in range(close.size - 2, -1, -1):
        known[i] = known[i + 1] if np.isnan(known[i]) else known[i]
    return np.nan_to_num(known / close - 1.0)


def hour_stamped_at_its_open(close):
    last = np.minimum(np.arange(close.size) // HOUR * HOUR + HOUR - 1, close.size - 1)
    return close[last] / close - 1.0


def filtered_there_and_back(close):
    def smooth(x):
        out = np.empty_like(x)
        level = x[0]
        for i, value in enumerate(x):
            level += 0.2 * (value - level)
            out[i] = level
        return out

    return close / smooth(smooth(close)[::-1])[::-1] - 1.0


def whole_sample_rank(close):
    return np.argsort(np.argsort(close)) / close.size


def whole_sample_high(close):
    return close / np.nanmax(close) - 1.0


LEAKS = {
    each.__name__: each
    for each in (
        centred_mean, shifted, whole_sample_z_score, filled_backwards, hour_stamped_at_its_open,
        filtered_there_and_back, whole_sample_rank, whole_sample_high,
    )
}  # fmt: skip


def seeing(feature):
    """Return what makes a lane's features with ``feature`` among them."""

    def see(lane, name, setup):
        x, atr = observed(lane, name, setup)
        x[:, PLACE] = feature(lane.bars.close)
        return x, atr

    return see
