"""What Breeze answers, as its own documentation shows it."""

PLACED = {
    "order_id": "20250205N300001234",
    "message": "Equity CASH Order placed successfully through RI reference no 20250205N300001234",
    "user_remark": None,
}
CANCELLED = {"order_id": "20250205N300001234", "message": "Your Order Canceled successfully."}
MODIFIED = {"message": "Successfully Modified the order", "order_id": "20250205N300001234"}
ORDER = {
    "order_id": "20250205N300001234", "exchange_order_id": None, "exchange_code": "NSE", "stock_code": "ITC",
    "product_type": "Cash", "action": "Buy", "order_type": "Limit", "stoploss": "0.00", "quantity": "10",
    "price": "420.00", "validity": "Day", "disclosed_quantity": "0", "expiry_date": None, "right": None,
    "strike_price": 0.0, "average_price": "0", "cancelled_quantity": "0", "pending_quantity": "10",
    "status": "Ordered", "user_remark": "", "order_datetime": "05-Feb-2025 09:26", "parent_order_id": None,
    "modification_number": None, "exchange_acknowledgement_date": None, "SLTP_price": None,
    "exchange_acknowledge_number": None, "initial_limit": None, "intial_sltp": None, "LTP": None,
    "limit_offset": None, "mbc_flag": None, "cutoff_price": None, "validity_date": "",
}  # fmt: skip
DEAL = {
    "settlement_id": "1234567", "exchange_trade_id": "123456789", "executed_quantity": "1", "action": "B",
    "total_transaction_cost": "0", "brokerage_amount": "0", "taxes": "0", "eatm_withheld_amount": "0",
    "cash_withheld_amount": "0", "execution_price": "452.2", "stock_code": "ITC", "exchange_code": "NSE",
    "trade_id": "2025/1234/12345678", "exchange_trade_time": "05-Feb-2025 10:41:24",
}  # fmt: skip
QUOTE = {
    "exchange_code": "NSE", "product_type": "", "stock_code": "RELIND", "expiry_date": "", "right": "",
    "strike_price": 0.0, "ltp": 1209.05, "ltt": "12-Feb-2025 11:12:20", "best_bid_price": 1209.05,
    "best_bid_quantity": "13", "best_offer_price": 1209.35, "best_offer_quantity": "34", "open": 1219.45,
    "high": 1226.9, "low": 1193.35, "previous_close": 1234.85, "ltp_percent_change": -2.09, "upper_circuit": 1358.3,
    "lower_circuit": 1111.4, "total_quantity_traded": "10991550", "spot_price": "",
}  # fmt: skip
BARS = [
    {"close": 1250.15, "datetime": "2025-02-03 09:20:00", "exchange_code": "NSE", "high": 1250.9, "low": 1248.2,
     "open": 1248.2, "stock_code": "RELIND", "volume": 47317},
    {"close": 1249.15, "datetime": "2025-02-03 09:21:00", "exchange_code": "NSE", "high": 1250.5, "low": 1248.95,
     "open": 1250.0, "stock_code": "RELIND", "volume": 54277},
    {"close": 1248.9, "datetime": "2025-02-03 09:22:00", "exchange_code": "NSE", "high": 1249.7, "low": 1248.1,
     "open": 1249.0, "stock_code": "RELIND", "volume": 31001},
]  # fmt: skip
FUNDS = {
    "bank_account": "123456789012", "total_bank_balance": 800000000.0, "allocated_equity": 200000000.0,
    "allocated_fno": 200000000.0, "allocated_commodity": 200000000.0, "allocated_currency": 200000000.0,
    "block_by_trade_equity": 0.0, "block_by_trade_fno": 12500000.53, "block_by_trade_commodity": 0.0,
    "block_by_trade_currency": 0.0, "block_by_trade_balance": 15500000, "unallocated_balance": "87500000",
}  # fmt: skip
PREVIEW = {
    "brokerage": 0.31, "exchange_turnover_charges": 0.01, "stamp_duty": 0.07, "stt": 0.44, "sebi_charges": 0.0,
    "gst": 0.06, "total_turnover_and_sebi_charges": 0.01, "total_other_charges": 0.58, "total_brokerage": 0.89,
}  # fmt: skip
POSITION = {
    "segment": "equity", "product_type": "Cash", "exchange_code": "NSE", "stock_code": "ITC", "expiry_date": None,
    "strike_price": None, "right": None, "action": "Buy", "quantity": "7", "average_price": "452.20", "ltp": "451.95",
}  # fmt: skip
HOLDING = {
    "stock_code": "UNITEC", "stock_ISIN": "INE694A01020", "quantity": "1", "demat_total_bulk_quantity": "1",
    "demat_avail_quantity": "0", "blocked_quantity": "0", "demat_allocated_quantity": "1",
}  # fmt: skip
CUSTOMER = {
    "exg_trade_date": {"NSE": "04-Feb-2025"}, "exg_status": {"NSE": "O"}, "segments_allowed": {"Trading": "Y"},
    "idirect_userid": "XY604721", "idirect_user_name": "JOHN SMITH",
    "idirect_lastlogin_time": "04-Feb-2025 15:07:17",
}  # fmt: skip
# A notification of an equity order, item by item as the socket brings it.
NOTICE = [
    "12", "ORD", "USER42", "1", "0", "N", "77", "05-Feb-2025", "10:41:24", "C", "1", "4", "8501234567", "NSE", "ITC",
    "B", "L", "T", "420.00", "C", "P", "05-Feb-2025", "05-Feb-2025", "20250205N300001234", "10", "6", "4", "0", "0",
    "0", "0.00", "N", "4200.00", "11", "API", "N", "2025027", "Rolling", "M", "", "05-Feb-2025", "Y", "419.95", "N",
    "N", "0.00", "",
]  # fmt: skip


def order(**changes):
    """A row of the order book with other values."""
    return {**ORDER, **changes}
