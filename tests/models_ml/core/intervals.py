"""Label intervals of stacked panels, as hypothesis imagines them."""

import numpy as np
from hypothesis import strategies as st


@st.composite
def panels(draw, least=40, most=220):
    """Return (symbol, ts, end) of rows in the order of time: gaps, holidays, symbols that come and go, any horizon."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    moments = np.cumsum(rng.choice([300, 300, 300, 600, 64_800], draw(st.integers(least, most)))) + 1_700_000_000
    horizon = draw(st.sampled_from([300, 1_500, 9_000, 90_000]))
    rows = []
    for j in range(draw(st.integers(1, 3))):
        here = np.flatnonzero(rng.random(moments.size) < draw(st.sampled_from([0.4, 1.0])))
        rows += [(int(moments[i]), f"S{j}", int(moments[i] + 1 + rng.integers(0, horizon))) for i in here]
    rows.sort()
    ts, symbol, end = zip(*rows, strict=True)
    return np.array(symbol), np.array(ts, np.int64), np.array(end, np.int64)
