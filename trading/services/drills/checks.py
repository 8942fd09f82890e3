"""The invariants, each a pure function of the ledger: what breaks them is returned in words, with its kind."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from trading.core.orders import NEXT, Status
from trading.services.drills.ledger import Ledger, OurOrder

DUPLICATE, LOST, POSITION, OPEN_INTENT, OTHER = (
    "duplicate_orders",
    "lost_fills",
    "unknown_positions",
    "open_intents",
    "broken",
)
WORSE: Final = 1.012  # an entry is sized at its price; its limit lies half a per cent beyond, and shares move a little
AT_ONCE: Final = 0.1  # seconds an order claimed before the switch may take to be seen as such
FINISHED: Final = frozenset({"Executed", "Rejected", "Expired", "Cancelled", "Partially Executed And Expired",
                             "Partially Executed And Cancelled"})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Breach:
    """One thing that must never be; ``kind`` is the figure it counts in."""

    kind: str
    what: str

    def __str__(self) -> str:
        """Return kind and words."""
        return f"{self.kind}: {self.what}"


def sent_once(ledger: Ledger) -> Iterator[Breach]:
    """No intent was put on the wire twice (I1)."""
    counts = Counter(each.remark for each in ledger.asked if each.verb == "place" and each.remark)
    for pk, count in counts.items():
        if count > 1:
            yield Breach(DUPLICATE, f"order row {pk} was sent {count} times")


def one_row_for_each(ledger: Ledger) -> Iterator[Breach]:
    """Every order the broker has from us has exactly one row, and no row has two (I1, I3)."""
    rows = Counter(each.broker_order_id for each in ledger.orders if each.broker_order_id)
    for each in ledger.their_orders:
        if each.external:
            if rows[each.id]:
                yield Breach(OTHER, f"order {each.id}, placed by hand, is taken for ours")
        elif rows[each.id] != 1:
            kind = DUPLICATE if _twin(ledger, each.symbol, each.side, each.quantity, each.limit) else POSITION
            yield Breach(kind, f"{each.side} {each.quantity} {each.symbol} ({each.id}) has {rows[each.id]} rows")
    theirs = {each.id for each in ledger.their_orders}
    for number in rows:
        if number not in theirs:
            yield Breach(OTHER, f"a row names order {number}, which the broker does not have")


def _twin(ledger: Ledger, symbol: str, side: str, quantity: int, limit: float) -> bool:
    """Say whether the broker has two of our orders that look the same."""
    same = [
        each
        for each in ledger.their_orders
        if not each.external and (each.symbol, each.side, each.quantity, each.limit) == (symbol, side, quantity, limit)
    ]
    return len(same) > 1


def no_fill_lost(ledger: Ledger) -> Iterator[Breach]:
    """Our fills are the exchange's trades of our orders, each once (I2)."""
    external = {each.id for each in ledger.their_orders if each.external}
    theirs = {each.id: each for each in ledger.their_trades if each.order_id not in external}
    ours = {each.trade_id.rpartition("/")[2]: each for each in ledger.fills}
    for number, trade in theirs.items():
        mine = ours.get(number)
        if mine is None:
            yield Breach(LOST, f"{trade.side} {trade.quantity} {trade.symbol}, trade {number}, is in no fill")
        elif (mine.symbol, mine.side, mine.quantity) != (trade.symbol, trade.side, trade.quantity):
            yield Breach(LOST, f"trade {number} is booked as {mine.side} {mine.quantity} {mine.symbol}")
    for number in ours.keys() - theirs.keys():
        yield Breach(LOST, f"a fill names trade {number}, which never was")
    if len(ours) != len(ledger.fills):
        yield Breach(LOST, "a trade is booked twice")


def sums_agree(ledger: Ledger) -> Iterator[Breach]:
    """What a row says was filled is the sum of its fills."""
    sums: Counter[int] = Counter()
    for each in ledger.fills:
        sums[each.order] += each.quantity
    for row in ledger.orders:
        if row.filled != sums[row.pk]:
            yield Breach(LOST, f"order row {row.pk} says {row.filled} filled, its fills {sums[row.pk]}")


def positions_agree(ledger: Ledger) -> Iterator[Breach]:
    """Engine, position rows, fills and broker hold the same (I7)."""
    external = {each.id for each in ledger.their_orders if each.external}
    broker: Counter[str] = Counter()
    for trade in ledger.their_trades:
        if trade.order_id not in external:
            broker[trade.symbol] += trade.quantity if trade.side == "BUY" else -trade.quantity
    folded: Counter[str] = Counter()
    for fill in ledger.fills:
        folded[fill.symbol] += fill.quantity if fill.side == "BUY" else -fill.quantity
    for symbol in {*broker, *folded, *ledger.held, *ledger.engine}:
        views = (broker[symbol], folded[symbol], ledger.held.get(symbol, 0), ledger.engine.get(symbol, 0))
        if len(set(views)) > 1:
            yield Breach(POSITION, f"{symbol}: broker {views[0]}, fills {views[1]}, row {views[2]}, engine {views[3]}")


def nothing_open(ledger: Ledger) -> Iterator[Breach]:
    """No intent is left between two chairs, and none works that the broker has finished (I5)."""
    finished = {each.id for each in ledger.their_orders if each.status in FINISHED}
    for row in ledger.orders:
        if row.status in (Status.NEW, Status.SENDING, Status.UNKNOWN):
            yield Breach(OPEN_INTENT, f"order row {row.pk} ({row.purpose} {row.symbol}) is still {row.status}")
        elif row.status in (Status.WORKING, Status.PARTIAL) and row.broker_order_id in finished:
            yield Breach(OPEN_INTENT, f"order row {row.pk} is {row.status}, yet the broker has finished it")


def ends_agree(ledger: Ledger) -> Iterator[Breach]:
    """No order taken for not placed, or never sent, has an order at the broker (I4)."""
    for row in ledger.orders:
        if row.status == Status.NOT_PLACED and row.broker_order_id:
            yield Breach(OTHER, f"order row {row.pk} is {row.status}, yet it is order {row.broker_order_id}")
        if row.filled and row.status in (Status.REJECTED, Status.NOT_PLACED):
            yield Breach(OTHER, f"order row {row.pk} is {row.status} with {row.filled} filled")


def paths_are_legal(ledger: Ledger) -> Iterator[Breach]:
    """The events of every order lead from its beginning to where it stands, by steps of the table (I9)."""
    for row in ledger.orders:
        stands = ""
        for old, new in row.events:
            legal = new == Status.NEW if not old else Status(new) in NEXT[Status(old)]
            if old != stands or not legal:
                yield Breach(OTHER, f"order row {row.pk} went from {stands or 'nothing'} by {old or 'nothing'} → {new}")
            stands = new
        if stands != row.status:
            yield Breach(OTHER, f"order row {row.pk} is {row.status}, its events end at {stands or 'nothing'}")


def exposure_kept(ledger: Ledger) -> Iterator[Breach]:
    """What was bought and not sold never cost more than the limit (I8); orders that turned up late are told apart."""
    cost: dict[str, float] = defaultdict(float)
    held: Counter[str] = Counter()
    highest = 0.0
    for fill in ledger.fills:
        if fill.symbol in ledger.late:
            continue
        if fill.side == "BUY":
            cost[fill.symbol] += fill.quantity * fill.price
            held[fill.symbol] += fill.quantity
        elif held[fill.symbol]:
            cost[fill.symbol] -= fill.quantity * cost[fill.symbol] / held[fill.symbol]
            held[fill.symbol] -= fill.quantity
        highest = max(highest, sum(cost.values()))
    marked = max(ledger.exposures, default=0.0) if not ledger.late else 0.0
    if ledger.limit and max(highest, marked / 1.05) > ledger.limit * WORSE:
        yield Breach(OTHER, f"the exposure reached {highest:,.0f} (marked {marked:,.0f}) of {ledger.limit:,.0f} rupees")


def nothing_after_the_switch(ledger: Ledger) -> Iterator[Breach]:
    """No entry was sent while the kill switch was on."""
    for row in ledger.orders:
        if ledger.halted and row.purpose == "entry" and row.sent > ledger.halted + AT_ONCE:
            yield Breach(OTHER, f"entry row {row.pk} was sent {row.sent - ledger.halted:.2f} s after the kill switch")


def strangers_untouched(ledger: Ledger) -> Iterator[Breach]:
    """Orders placed by hand were neither changed nor cancelled by us, and were told of (F21)."""
    external = {each.id for each in ledger.their_orders if each.external}
    for each in ledger.asked:
        if each.order_id in external:
            yield Breach(OTHER, f"{each.verb} of order {each.order_id}, which was placed by hand")
    for number in external - ledger.told:
        yield Breach(OTHER, f"order {number}, placed by hand, was never told of")
    for number in ledger.told & ({each.id for each in ledger.their_orders} - external):
        yield Breach(OTHER, f"our own order {number} was told of as placed by hand")


def fences_rise(ledger: Ledger) -> Iterator[Breach]:
    """Nothing was sent under a lease after something was sent under a newer one (F10, F18)."""
    fences: dict[int, OurOrder] = {row.pk: row for row in ledger.orders}
    newest = 0
    for each in sorted(ledger.asked, key=lambda asked: asked.at):
        row = fences.get(each.remark)
        if each.verb != "place" or row is None or not row.fence:
            continue
        if row.fence < newest:
            yield Breach(OTHER, f"order row {row.pk} was sent under lease {row.fence}, after one under {newest}")
        newest = max(newest, row.fence)


CHECKS: Final[tuple[Callable[[Ledger], Iterator[Breach]], ...]] = (
    sent_once, one_row_for_each, no_fill_lost, sums_agree, positions_agree, nothing_open, ends_agree, paths_are_legal,
    exposure_kept, nothing_after_the_switch, strangers_untouched, fences_rise,
)  # fmt: skip


def broken(ledger: Ledger) -> list[Breach]:
    """Return everything that must not be."""
    return [breach for check in CHECKS for breach in check(ledger)]
