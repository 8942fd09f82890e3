"""``manage.py charges``: what a trade costs, item by item, and the price at which it pays for itself."""

from __future__ import annotations

from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core import charge_data
from trading.core.bill_text import explain, percent
from trading.core.bills import ITEMS, Bill, Leg, bill, combine
from trading.core.charges import Rates, rates_on, schedule_on
from trading.core.round_trips import Breakeven, Terms, breakeven, entry_and_exit

LABELS = dict(zip(ITEMS, ("brokerage", "STT", "exchange", "SEBI", "stamp", "GST", "DP"), strict=True))
LARGEST = 10_000_000_000  # rupees: the largest turnover of a leg, so the largest price
DIGITS = 15


class Command(DeskCommand):
    """Itemise the charges of one leg or one round trip on the Indian cash market."""

    help = "Itemise what a trade costs: brokerage, STT, exchange, SEBI, stamp duty, GST and depository charges."
    examples = (
        "  manage.py charges --buy 1500 --sell 1560 --quantity 100 --plan prime-2999 --delivery\n"
        "  manage.py charges --buy 1400 --sell 1410 --quantity 200 --plan prime-2999 --product margin\n"
        "  manage.py charges --sell 1560 --quantity 100 --date 2016-03-01 --json\n"
        "  manage.py charges --list-plans\n"
        "  manage.py charges --list-rates --date 2012-01-02"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the two prices, the quantity, and how the trade is charged."""
        parser.add_argument("--buy", metavar="PRICE", help="purchase price in rupees")
        parser.add_argument("--sell", metavar="PRICE", help="sale price in rupees; leave one price out for one leg")
        parser.add_argument("--quantity", metavar="N", help="number of shares")
        parser.add_argument("--plan", default="i-secure", help="broker plan (default %(default)s; see --list-plans)")
        parser.add_argument("--product", default="cash", help="cash (default) or margin (paper only)")
        parser.add_argument("--exchange", default="NSE", help="default %(default)s")
        parser.add_argument("--delivery", action="store_true", help="closed on another day (default for cash)")
        parser.add_argument("--intraday", action="store_true", help="closed the same day (default for margin)")
        parser.add_argument("--date", metavar="YYYY-MM-DD", help="day of the first leg (default today)")
        parser.add_argument("--sell-date", metavar="YYYY-MM-DD", help="day of the sale, when rates changed between")
        parser.add_argument("--minimum-brokerage", metavar="RUPEES", help="per order, instead of the plan's")
        parser.add_argument("--second-leg", metavar="RULE", help="free or charged, instead of the plan's rule")
        parser.add_argument("--list-plans", action="store_true", help="list the broker plans and stop")
        parser.add_argument("--list-rates", action="store_true", help="list the day's rates and sources and stop")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Return the itemised bill, or a listing."""
        day = _day(options["date"], "--date") or ist(now()).date()
        if options["list_plans"]:
            return _plans()
        if options["list_rates"]:
            return _rates(day)
        delivery = _delivery(options)
        sell_day = _sell_day(options, day, delivery=delivery)
        terms = Terms(_rates_for(day, options), _rates_for(sell_day, options), delivery=delivery)
        bills, result = _bills(options, terms)
        facts = {
            "date": day.isoformat(),
            "sell_date": sell_day.isoformat(),
            "plan": options["plan"],
            "product": options["product"],
            "kind": "delivery" if delivery else "intraday",
            "on_breeze": charge_data.PLANS[options["plan"]].on_breeze and options["product"] == "cash",
        }
        return {**facts, **_numbers(combine(bills.values())), **result, **_legs(bills)}, _text(facts, bills, result)


def _bills(options: dict[str, Any], terms: Terms) -> tuple[dict[str, Bill], dict[str, Any]]:
    """Return side -> bill, and what the trade earns (nothing for one leg)."""
    quantity = _quantity(options["quantity"])
    buy, sell = _amount(options["buy"], "--buy"), _amount(options["sell"], "--sell")
    kind = "delivery" if terms.delivery else "intraday"
    if buy is not None and sell is not None:
        entry, exit_ = entry_and_exit(buy, sell, quantity, terms)
        result = _result((sell - buy) * quantity, combine((entry, exit_)), breakeven(buy, quantity, terms))
        return {"buy": entry, "sell": exit_}, result
    if buy is not None:
        result = _breakeven(breakeven(buy, quantity, terms))
        return {"buy": bill([Leg("BUY", quantity, buy)], terms.rates, kind)}, result
    if sell is None:
        raise BadInput("no price given", fix="give --buy, --sell or both")
    return {"sell": bill([Leg("SELL", quantity, sell)], terms.exit_rates or terms.rates, kind)}, {}


def _result(gross: Decimal, both: Bill, even: Breakeven) -> dict[str, Any]:
    return {"gross": float(gross), "net": float(gross - both.total), **_breakeven(even)}


def _breakeven(even: Breakeven) -> dict[str, Any]:
    return {
        "breakeven_price": float(even.price),
        "breakeven_per_share": float(even.move),
        "breakeven_bp": float(even.bp),
    }


def _numbers(one: Bill) -> dict[str, float]:
    """Return the items of a bill as JSON numbers, rupees with two places."""
    return {item: float(amount) for item, amount in one.items().items()} | {"turnover": float(one.turnover)}


def _legs(bills: dict[str, Bill]) -> dict[str, Any]:
    rows = [{"item": label, "how": how, "amount": float(rupees)} for label, how, rupees in _explained(bills)]
    return {"legs": {side: _numbers(one) for side, one in bills.items()}, "explained": rows}


def _explained(bills: dict[str, Bill]) -> list[tuple[str, str, Decimal]]:
    return explain(combine(bills.values()))


def _text(facts: dict[str, Any], bills: dict[str, Bill], result: dict[str, Any]) -> str:
    plan, days = charge_data.PLANS[facts["plan"]], sorted({facts["date"], facts["sell_date"]})
    lines = [f"{plan.title}, {facts['product']} {facts['kind']}, {' to '.join(days)}", ""]
    sides = [*bills, "both"] if len(bills) > 1 else [*bills]
    columns = [*bills.values(), combine(bills.values())][: len(sides)]
    lines.append(f"{'rupees':12}" + "".join(f"{side:>14}" for side in sides) + "  charged")
    how = [text for _, text, _ in _explained(bills)]
    for (item, label), text in zip((LABELS | {"total": "total"}).items(), how, strict=True):
        lines.append(f"{label:12}" + "".join(f"{one.items()[item]:>14,.2f}" for one in columns) + f"  {text}")
    lines += [""] + [f"{_caption(name):24}{value:>16,.2f}" for name, value in result.items()]
    if not facts["on_breeze"]:
        lines.append("not available on Breeze: paper and comparison only")
    if days[-1] > charge_data.REVIEWED.isoformat():
        lines.append(f"rates last reviewed on {charge_data.REVIEWED}")
    return "\n".join(lines).rstrip()


def _caption(name: str) -> str:
    captions = {"gross": "gross P&L", "net": "net P&L", "breakeven_price": "break-even sale at"}
    return captions.get(name) or {"breakeven_per_share": "  move per share", "breakeven_bp": "  move in bp"}[name]


def _plans() -> tuple[Any, str]:
    rows = [
        {
            "plan": name,
            "title": plan.title,
            "cash": percent(plan.cash),
            "cash_intraday": percent(plan.cash_intraday),
            "margin": percent(plan.margin),
            "second_leg_free": bool(plan.second_leg_free),
            "on_breeze": plan.on_breeze,
            "source": plan.source,
            "confidence": plan.confidence,
        }
        for name, plan in charge_data.PLANS.items()
    ]
    head = f"{'plan':12}{'cash':>9}{'same day':>10}{'margin':>10}  what"
    lines = [f"{r['plan']:12}{r['cash']:>9}{r['cash_intraday']:>10}{r['margin']:>10}  {r['title']}" for r in rows]
    products = [f"product {name}: {what}" for name, what in charge_data.PRODUCTS.items()]
    return {"plans": rows, "products": charge_data.PRODUCTS}, "\n".join([head, *lines, "", *products])


def _rates(day: date) -> tuple[Any, str]:
    rows = [
        {
            "item": item,
            "rate": f"{'yes' if row.rate else 'no'}" if item == "stamp_sell" else percent(row.rate),
            "since": row.since.isoformat(),
            "confidence": row.confidence,
            "source": row.source,
        }
        for item, row in schedule_on(day).items()
    ]
    lines = [f"{r['item']:18}{r['rate']:>11}  since {r['since']}  {r['confidence']:10}  {r['source']}" for r in rows]
    return {"date": day.isoformat(), "rates": rows}, "\n".join([f"rates on {day}", *lines])


def _rates_for(day: date, options: dict[str, Any]) -> Rates:
    """Return the day's rates, with the plan's open questions answered by the caller."""
    rates = rates_on(day, options["plan"], options["product"], options["exchange"])
    least = _amount(options["minimum_brokerage"], "--minimum-brokerage", zero=True)
    if least is not None:
        rates = rates._replace(brokerage_minimum=int(least * 100))
    rule = options["second_leg"]
    if rule not in {None, "free", "charged"}:
        raise BadInput(f"--second-leg {rule!r} is not a rule", fix="use free or charged")
    return rates._replace(second_leg_free=int(rule == "free")) if rule else rates


def _delivery(options: dict[str, Any]) -> bool:
    if options["delivery"] and options["intraday"]:
        raise BadInput("--delivery and --intraday exclude each other", fix="give one of them")
    return bool(options["delivery"] or (options["product"] != "margin" and not options["intraday"]))


def _sell_day(options: dict[str, Any], day: date, *, delivery: bool) -> date:
    sell_day = _day(options["sell_date"], "--sell-date") or day
    if sell_day < day:
        raise BadInput(f"--sell-date {sell_day} is before --date {day}", fix="give the later day as --sell-date")
    if sell_day != day and not delivery:
        raise BadInput(f"--sell-date {sell_day} is not the same day as --date {day}", fix="use --delivery")
    return sell_day


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text is not None else None
    except ValueError:
        raise BadInput(f"{option} {text!r} is not a date", fix="write YYYY-MM-DD") from None


def _amount(text: str | None, option: str, *, zero: bool = False) -> Decimal | None:
    if text is None:
        return None
    try:
        amount = Decimal(text)
    except InvalidOperation:
        raise BadInput(f"{option} {text!r} is not a number", fix="give rupees, e.g. 1500.50") from None
    if not amount.is_finite() or not 0 <= amount <= LARGEST or (amount == 0 and not zero):
        raise BadInput(f"{option} {text} is not a number of rupees above 0 and up to {LARGEST:,}", fix="e.g. 1500.50")
    return amount


def _quantity(text: str | None) -> int:
    if text is None:
        raise BadInput("no quantity given", fix="give --quantity, a number of shares")
    if not text.isascii() or not text.isdigit() or len(text) > DIGITS or int(text) == 0:
        raise BadInput(f"--quantity {text!r} is not a positive whole number of shares", fix="e.g. --quantity 100")
    return int(text)
