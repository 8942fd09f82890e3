"""Limit prices: beyond the price, inside the circuit, on the tick, exact to the paisa."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.errors import Invalid
from trading.core.limits import aggressive, on_grid

TICKS = st.sampled_from([Decimal(tick) for tick in ("0.01", "0.05", "0.10", "0.50", "1.00", "5.00")])
PRICES = st.decimals("10", "90000", places=2)
OFFSETS = st.decimals("0.05", "3", places=2)


@given(last=PRICES, tick=TICKS, offset=OFFSETS, side=st.sampled_from(["BUY", "SELL"]))
def test_a_limit_is_on_the_tick_and_takes_the_market(last, tick, offset, side):
    limit = aggressive(side, last, tick, offset_pct=offset, lower=None, upper=None)
    assert limit % tick == 0
    assert limit > 0
    wanted = last * (1 + (offset if side == "BUY" else -offset) / 100)
    if side == "BUY":
        assert wanted <= limit < wanted + tick
    else:
        assert limit <= max(wanted, tick)
        assert limit > wanted - tick


@given(
    last=PRICES,
    tick=TICKS,
    offset=OFFSETS,
    band=st.decimals("1", "20", places=0),
    side=st.sampled_from(["BUY", "SELL"]),
)
def test_a_limit_never_leaves_the_circuit(last, tick, offset, band, side):
    lower, upper = last * (1 - band / 100), last * (1 + band / 100)
    try:
        limit = aggressive(side, last, tick, offset_pct=offset, lower=lower, upper=upper)
    except Invalid:
        assert on_grid(lower, tick, up=True) > on_grid(upper, tick, up=False)
    else:
        assert lower <= limit <= upper
        assert limit % tick == 0


def test_a_price_at_the_upper_circuit_buys_at_the_circuit():
    circuit = {"lower": Decimal(990), "upper": Decimal("1210.03")}
    limit = aggressive("BUY", Decimal("1210.00"), Decimal("0.10"), offset_pct=Decimal("0.5"), **circuit)
    assert limit == Decimal("1210.00")


def test_the_price_the_sdk_would_send_in_floats_is_sent_exactly():
    limit = aggressive("BUY", Decimal("999.83"), Decimal("0.05"), offset_pct=Decimal(3), lower=None, upper=None)
    assert str(limit) == "1029.85"


@pytest.mark.parametrize(
    ("side", "last", "tick", "lower", "upper"),
    [
        ("BUY", Decimal(0), Decimal("0.05"), None, None),
        ("BUY", Decimal("NaN"), Decimal("0.05"), None, None),
        ("BUY", Decimal(100), Decimal(0), None, None),
        ("HOLD", Decimal(100), Decimal("0.05"), None, None),
        ("BUY", Decimal(100), Decimal(5), Decimal(101), Decimal(104)),
    ],
)
def test_what_cannot_be_a_limit_is_refused(side, last, tick, lower, upper):
    with pytest.raises(Invalid):
        aggressive(side, last, tick, offset_pct=Decimal("0.5"), lower=lower, upper=upper)
