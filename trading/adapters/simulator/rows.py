"""The simulator's truth in Breeze's words: envelopes, and the rows of its answers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from math import isnan
from typing import Any, Final

from trading.adapters.simulator.desk import Desk, Trade
from trading.adapters.simulator.shares import Share
from trading.core.calendar import IST
from trading.core.exchange.book import BUY, EXPIRED, ORDERED, QUEUED, REJECTED, UNIT, Order

Row = dict[str, Any]
ZERO: Final = "0"
MONEY: Final = "0.00"


def good(success: Any) -> Row:
    """Return the envelope of an answer."""
    return {"Success": success, "Status": 200, "Error": None}


def bad(error: str, status: int = 500) -> Row:
    """Return the envelope of a refusal."""
    return {"Success": None, "Status": status, "Error": error}


def denied(error: str) -> Row:
    """Return the shape of limits and signatures: no Success at all."""
    return {"Status": 5, "Error": error}


def moment(ms: int) -> dt.datetime:
    """Return a moment in IST."""
    return dt.datetime.fromtimestamp(ms / 1000, IST)


def day(ms: int) -> str:
    """Return ``05-Feb-2025``."""
    return f"{moment(ms):%d-%b-%Y}"


def second(ms: int) -> str:
    """Return ``05-Feb-2025 10:41:24``."""
    return f"{moment(ms):%d-%b-%Y %H:%M:%S}"


def money(price: float) -> str:
    """Return a price as text, ``420.00``; of four places only if it has them."""
    text = f"{price:.4f}"
    return text.removesuffix("00")


def order(each: Order, code: str, *, regressed: bool = False) -> Row:
    """Return an order as list and detail show it; ``regressed``: as if nothing of it had been filled."""
    filled, status = (0, ORDERED) if regressed and each.filled else (each.filled, each.status)
    ended = status in (REJECTED, EXPIRED)
    pending = 0 if ended else each.quantity - filled - each.cancelled - each.expired
    average = each.average if filled else 0.0
    return {
        "order_id": each.id, "exchange_order_id": None if status in (QUEUED, REJECTED) else f"11{each.id[-12:]}",
        "exchange_code": "NSE", "stock_code": code, "product_type": "Cash", "action": each.side, "order_type": "Limit",
        "stoploss": MONEY, "quantity": str(each.quantity), "price": money(each.limit / UNIT),
        "validity": each.validity, "disclosed_quantity": ZERO, "expiry_date": None, "right": None, "strike_price": 0.0,
        "average_price": money(average) if filled else ZERO, "cancelled_quantity": str(each.cancelled + each.expired),
        "pending_quantity": str(pending), "status": status, "user_remark": None,
        "order_datetime": f"{moment(each.placed_ms):%d-%b-%Y %H:%M}", "parent_order_id": None,
        "modification_number": None, "exchange_acknowledgement_date": None, "SLTP_price": None,
        "exchange_acknowledge_number": None, "initial_limit": None, "intial_sltp": None, "LTP": None,
        "limit_offset": None, "mbc_flag": None, "cutoff_price": None, "validity_date": "",
    }  # fmt: skip


def trade_list(trades: Iterable[Trade], desk: Desk) -> list[Row]:
    """Return the trade book: one row an order, at its mean price."""
    grouped: dict[str, list[Trade]] = {}
    for each in trades:
        grouped.setdefault(each.order_id, []).append(each)
    return [_bought(parts, desk.floor.shares[parts[0].symbol]) for parts in grouped.values()]


def _bought(parts: Sequence[Trade], share: Share) -> Row:
    quantity = sum(part.quantity for part in parts)
    value = sum(part.quantity * part.price for part in parts)
    return {
        "book_type": "Trade-Book", "trade_date": day(parts[0].ms), "stock_code": share.listed.code,
        "action": parts[0].side, "quantity": str(quantity), "average_cost": money(value / quantity / UNIT),
        "brokerage_amount": MONEY, "product_type": "Cash", "exchange_code": "NSE", "order_id": parts[0].order_id,
        "segment": "N", "settlement_code": f"{moment(parts[0].ms):%Y%j}", "dp_id": "IN0000000", "client_id": "00000000",
        "ltp": money(share.market.last), "eatm_withheld_amount": MONEY, "cash_withheld_amount": MONEY,
        "total_taxes": MONEY, "order_type": "Limit", "expiry_date": None, "right": None, "strike_price": None,
    }  # fmt: skip


def trade_detail(each: Trade, code: str) -> Row:
    """Return one deal of an order."""
    return {
        "settlement_id": f"{moment(each.ms):%Y%j}", "exchange_trade_id": each.id,
        "executed_quantity": str(each.quantity), "action": each.side[0], "total_transaction_cost": ZERO,
        "brokerage_amount": ZERO, "taxes": ZERO, "eatm_withheld_amount": ZERO, "cash_withheld_amount": ZERO,
        "execution_price": money(each.price / UNIT), "stock_code": code, "exchange_code": "NSE",
        "trade_id": f"{moment(each.ms):%Y/%m%d}/{each.id[1:]}", "exchange_trade_time": second(each.ms),
    }  # fmt: skip


def quote(share: Share, exchange: str) -> Row:
    """Return a quote; numbers are numbers but for the quantities."""
    market = share.market
    bid, ask = market.offers
    size = str(touch_size(share))
    last = share.frozen or market.last or market.previous_close
    return {
        "exchange_code": exchange, "product_type": "", "stock_code": share.listed.code, "expiry_date": None,
        "right": None, "strike_price": 0.0, "ltp": last, "ltt": second(market.ms) if market.ms else "",
        "best_bid_price": bid or 0.0, "best_bid_quantity": size if bid else ZERO, "best_offer_price": ask or 0.0,
        "best_offer_quantity": size if ask else ZERO, "open": market.open, "high": market.high, "low": market.low,
        "previous_close": market.previous_close, "ltp_percent_change": round(market.change, 2),
        "upper_circuit": market.upper, "lower_circuit": market.lower,
        "total_quantity_traded": str(market.volume), "spot_price": None,
    }  # fmt: skip


def touch_size(share: Share) -> int:
    """Return the shares offered at the touch."""
    return max(share.book.left, 1)


def funds(desk: Desk, bank: float) -> Row:
    """Return what get_funds shows."""
    blocked = round(desk.blocked, 2)
    return {
        "bank_account": "000000000000", "total_bank_balance": bank, "allocated_equity": round(desk.cash, 2),
        "allocated_fno": 0.0, "allocated_commodity": 0.0, "allocated_currency": 0.0, "block_by_trade_equity": blocked,
        "block_by_trade_fno": 0.0, "block_by_trade_commodity": 0.0, "block_by_trade_currency": 0.0,
        "block_by_trade_balance": blocked, "unallocated_balance": str(round(bank - desk.cash, 2)),
    }  # fmt: skip


def margin(desk: Desk) -> Row:
    """Return what get_margin shows."""
    return {
        "limit_list": [], "cash_limit": round(desk.available, 2), "amount_allocated": round(desk.cash, 2),
        "block_by_trade": round(desk.blocked, 2), "isec_margin": 0.0,
    }  # fmt: skip


def demat(share: Share, quantity: int) -> Row:
    """Return one holding of the demat account."""
    return {
        "stock_code": share.listed.code, "stock_ISIN": share.listed.isin, "quantity": str(quantity),
        "demat_total_bulk_quantity": str(quantity), "demat_avail_quantity": str(quantity), "blocked_quantity": ZERO,
        "demat_allocated_quantity": str(quantity),
    }  # fmt: skip


def holding(share: Share, quantity: int) -> Row:
    """Return one row of the portfolio's holdings."""
    return {
        "stock_code": share.listed.code, "exchange_code": "NSE", "quantity": str(quantity), "average_price": ZERO,
        "booked_profit_loss": None, "current_market_price": money(share.market.last), "change_percentage": None,
        "answer_flag": "N", "product_type": None, "expiry_date": None, "strike_price": None, "right": None,
        "category_index_per_stock": None, "action": None, "realized_profit": None, "unrealized_profit": None,
        "open_position_value": None, "portfolio_charges": None,
    }  # fmt: skip


def position(share: Share, trades: Sequence[Trade]) -> Row:
    """Return the day's position in one share."""
    net = sum(each.quantity if each.side == BUY else -each.quantity for each in trades)
    side = BUY if net >= 0 else "Sell"
    mine = [each for each in trades if each.side == side]
    shares = sum(each.quantity for each in mine)
    average = sum(each.quantity * each.price for each in mine) / shares / UNIT if shares and net else 0.0
    return {
        "segment": "equity", "product_type": "Cash", "exchange_code": "NSE", "stock_code": share.listed.code,
        "expiry_date": None, "strike_price": None, "right": None, "action": side if net else "NA",
        "quantity": str(abs(net)), "average_price": money(average) if net else ZERO,
        "settlement_id": f"{moment(trades[0].ms):%Y%j}", "margin_amount": None, "ltp": money(share.market.last),
        "price": money(share.market.last), "stock_index_indicator": None, "cover_quantity": None,
        "stoploss_trigger": None, "stoploss": None, "take_profit": None, "available_margin": None,
        "squareoff_mode": None, "mtf_sell_quantity": None, "mtf_net_amount_payable": None, "mtf_expiry_date": None,
        "order_id": "", "cover_order_flow": None, "cover_order_executed_quantity": None, "pledge_status": None,
        "pnl": None, "underlying": None, "order_segment_code": None,
    }  # fmt: skip


def candle(ts: int, bar: Sequence[float], code: str) -> Row:
    """Return one bar as v2 history shows it: naive IST, its start, numbers."""
    first, high, low, last, volume = bar
    return {
        "close": last, "datetime": f"{moment(ts * 1000):%Y-%m-%d %H:%M:%S}", "exchange_code": "NSE", "high": high,
        "low": low, "open": first, "stock_code": code, "volume": 0 if isnan(volume) else round(volume),
    }  # fmt: skip


def customer(user_id: str, token: str, at: dt.datetime, status: str) -> Row:
    """Return what customerdetails shows of the account."""
    date = f"{at:%d-%b-%Y}"
    return {
        "exg_trade_date": {"NSE": date, "BSE": date, "FNO": date, "NDX": date},
        "exg_status": {"NSE": status, "BSE": status, "FNO": "N", "NDX": "X"},
        "segments_allowed": {"Trading": "Y", "Equity": "Y", "Derivatives": "N", "Currency": "N"},
        "idirect_userid": user_id, "session_token": token, "idirect_user_name": "SIMULATED CUSTOMER",
        "idirect_ORD_TYP": "N", "idirect_lastlogin_time": f"{at:%d-%b-%Y %H:%M:%S}", "mf_holding_mode_popup_flg": "N",
        "commodity_exchange_status": "N", "commodity_trade_date": date, "commodity_allowed": "N",
    }  # fmt: skip
