"""What is left of a round trip after every charge, by the very lines the desk charges its fills with."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from trading.core.booking import paise
from trading.core.charges import Rates, dp_charge, levies, stt_rounded, stt_scaled
from trading.core.simulation import Schedule


class Trip(NamedTuple):
    """One trade in and out: ``way`` +1 long or −1 short, prices in rupees, ``same_day`` squared in its session."""

    way: int
    quantity: int
    entry: float
    exit: float
    same_day: bool


def rate_rows(charges: Schedule, session: npt.NDArray[np.int32]) -> list[Rates]:
    """Return the rates in force in each of ``session`` (ordinals)."""
    row = np.maximum(np.searchsorted(charges.changes, session, side="right") - 1, 0)
    rates = [Rates(*each) for each in charges.rates.tolist()]
    return [rates[k] for k in row.tolist()]


def net_return(trip: Trip, rates_in: Rates, rates_out: Rates) -> float:
    """Return the trade's gain after charges as a fraction of what was put in."""
    value_in, value_out = trip.quantity * trip.entry, trip.quantity * trip.exit
    gross = math.floor(trip.way * trip.quantity * (trip.exit - trip.entry) * 100.0 + 0.5) / 100.0
    cost = trip_charges(trip, paise(value_in), paise(value_out), rates_in, rates_out)
    return (gross - cost / 100.0) / value_in


def trip_charges(trip: Trip, paid_in: int, paid_out: int, rates_in: Rates, rates_out: Rates) -> int:
    """Return the charges in paise of a trip of ``paid_in`` and ``paid_out`` paise that is the account's only one.

    What is carried overnight pays delivery rates: a long for both legs and the depository at its sale; a short, which
    nobody can deliver, for the leg that closes it, as ``booking`` books it.
    """
    buy_first = 1 if trip.way > 0 else 0
    if trip.same_day:
        first = sum(levies(paid_in, buy_first, 0, 0, rates_in))
        last = sum(levies(paid_out, 1 - buy_first, 0, 1, rates_out))
        scaled = stt_scaled(paid_in, buy_first, 0, rates_in) + stt_scaled(paid_out, 1 - buy_first, 0, rates_out)
        return first + last + stt_rounded(scaled, rates_out)
    first = sum(levies(paid_in, buy_first, buy_first, 0, rates_in))
    last = sum(levies(paid_out, 1 - buy_first, 1, 0, rates_out))
    tax_in = stt_rounded(stt_scaled(paid_in, buy_first, buy_first, rates_in), rates_in)
    tax_out = stt_rounded(stt_scaled(paid_out, 1 - buy_first, 1, rates_out), rates_out)
    return first + last + tax_in + tax_out + (dp_charge(rates_out) if buy_first else 0)
