"""Limit prices for a venue without market orders: beyond the price, inside the circuit, on the tick, exact."""

from __future__ import annotations

from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal

from trading.core.errors import Invalid

HUNDRED = Decimal(100)


def on_grid(price: Decimal, tick: Decimal, *, up: bool) -> Decimal:
    """Return ``price`` on the grid of ``tick`` rupees, up or down, exact; Invalid for a tick that is not positive."""
    if tick <= 0:
        raise Invalid(f"a tick of {tick} rupees is none: give a positive one")
    steps = (price / tick).to_integral_value(rounding=ROUND_CEILING if up else ROUND_FLOOR)
    return steps * tick


def aggressive(
    side: str, last: Decimal, tick: Decimal, *, offset_pct: Decimal, lower: Decimal | None, upper: Decimal | None
) -> Decimal:
    """Return a limit that takes the market: ``offset_pct`` % beyond ``last``, never outside the circuit ``lower`` …
    ``upper`` (rupees), on the tick and rounded away from us; Invalid when nothing tradable is left.

    ``side`` is BUY or SELL. A limit at the circuit itself is allowed: it is the worst price the exchange takes.
    """
    if not last.is_finite() or last <= 0:
        raise Invalid(f"a price of {last} rupees is none: wait for a quote")
    if side == "BUY":
        limit = on_grid(last * (1 + offset_pct / HUNDRED), tick, up=True)
        if upper is not None and limit > upper:
            limit = on_grid(upper, tick, up=False)
        fits = lower is None or limit >= lower
    elif side == "SELL":
        limit = max(on_grid(last * (1 - offset_pct / HUNDRED), tick, up=False), tick)
        if lower is not None and limit < lower:
            limit = on_grid(lower, tick, up=True)
        fits = upper is None or limit <= upper
    else:
        raise Invalid(f"{side!r} is no side: use BUY or SELL")
    if limit <= 0 or not fits:
        raise Invalid(f"no limit on a tick of {tick} lies inside the circuit {lower} … {upper}")
    return limit
