"""The table of faults: what may be switched on, and when it strikes."""

import pytest

from trading.core.errors import Invalid
from trading.core.exchange.faults import FAULTS, VERBS, Faults

REPORTED = """
timeout_before_accept timeout_after_accept reset_after_accept html_502_after_accept html_502 html_503 html_429
limit_minute limit_day garbage_json aspnet_error invalid_checksum session_expired session_replaced public_key_missing
history_swapped_daily history_missing_first_bar history_incomplete history_500 empty_history book_error book_empty
book_truncated book_delayed book_stale cancel_no_effect modify_no_effect reject_without_reason notifications_duplicate
notifications_shuffled notifications_delayed notifications_lost status_regress fill_after_cancel stream_disconnect
engineio_close stream_mute ticks_late ticks_repeated ticks_out_of_order ticks_index_none_fields short_lists
wrong_token_ticks ltp_frozen halt circuit connect_refused master_truncated master_404 master_html master_cdnse_last slow
"""


def test_every_defect_that_was_seen_has_a_name_and_a_meaning():
    assert sorted(FAULTS) == sorted(REPORTED.split())
    assert all(len(fault.meaning) > 10 and set(fault.verbs) <= set(VERBS) for fault in FAULTS.values())


def test_a_fault_strikes_as_often_as_it_was_told():
    faults = Faults()
    faults.on("html_502", {"times": 2})
    struck = [faults.strike("instead", verb="quotes") is not None for _ in range(3)]
    assert struck == [True, True, False]
    assert faults.active == []


def test_without_a_number_it_strikes_until_it_is_switched_off():
    faults = Faults()
    faults.on("html_502", {})
    assert all(faults.strike("instead", verb="quotes") for _ in range(50))
    assert [each.struck for each in faults.off("html_502")] == [50]
    assert faults.strike("instead", verb="quotes") is None


def test_a_fault_keeps_to_its_verb_and_its_symbol():
    faults = Faults()
    faults.on("html_502", {"verb": "quotes", "symbol": "tcs"})
    assert faults.strike("instead", verb="funds", symbol="TCS") is None
    assert faults.strike("instead", verb="quotes", symbol="INFY") is None
    assert faults.strike("instead", verb="quotes", symbol="TCS") is not None


def test_a_fault_of_orders_leaves_questions_alone():
    faults = Faults()
    faults.on("html_502_after_accept", {})
    assert faults.strike("after", verb="order_list") is None
    assert faults.strike("after", verb="cancel") is not None


@pytest.mark.parametrize(
    ("name", "asked", "told"),
    [
        ("html_501", {}, "did you mean html_50"),
        ("slow", {"secconds": 1}, "no parameter 'secconds'"),
        ("slow", {"seconds": "long"}, "seconds 'long' is not a number"),
        ("slow", {"seconds": -1}, "seconds -1"),
        ("slow", {"times": 0}, "times 0"),
        ("slow", {"times": True}, "times True"),
        ("slow", {"verb": "buy"}, "verb 'buy' is not known"),
    ],
)
def test_a_wrong_word_is_named(name, asked, told):
    with pytest.raises(Invalid, match=told):
        Faults().on(name, asked)
