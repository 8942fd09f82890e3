"""Names, tokens and the security master."""

import csv
import datetime as dt
import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trading.adapters.simulator import master
from trading.adapters.simulator.listing import COLLIDING, KNOWN, Trait, check_digit, isin, listed
from trading.core import demo
from trading.core.errors import Invalid

DAY = dt.date(2026, 11, 23)
NAMES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789&-", min_size=1, max_size=12)


def rows(*symbols, count=0):
    zipped = zipfile.ZipFile(io.BytesIO(master.archive(listed([Trait(name) for name in symbols]), DAY, rows=count)))
    text = zipped.read("NSEScripMaster.txt").decode()
    return list(csv.DictReader(io.StringIO(text), skipinitialspace=True))


@settings(deadline=None, max_examples=60)
@given(st.lists(NAMES, min_size=1, max_size=40, unique=True))
def test_every_share_has_a_code_and_a_token_of_its_own_that_is_nobodys_symbol(names):
    found = listed([Trait(name) for name in names if name not in {"TATAMOTORS", "NIFTY", "NIFTYBANK"}] or [Trait("A")])
    assert len({each.code for each in found}) == len({each.token for each in found}) == len(found)
    invented = [each for each in found if each.symbol not in KNOWN and not each.index]
    assert all(each.code not in names and len(each.code) <= 9 for each in invented)
    assert [each.code for each in listed([Trait(each.symbol) for each in found])] == [each.code for each in found]


@pytest.mark.parametrize(
    ("symbol", "code", "token"),
    [
        ("RELIANCE", "RELIND", "2885"),
        ("M&M", "MAHMAH", "2031"),
        ("NIFTY50", "NIFTY", "NIFTY 50"),
        ("TATAMOTORS", "TATMOT", "3456"),
    ],
)
def test_what_is_known_is_kept(symbol, code, token):
    [each] = listed([Trait(symbol)])
    assert (each.code, each.token) == (code, token)


def test_a_market_without_symbols_is_refused():
    with pytest.raises(Invalid, match="one symbol"):
        listed([])


def test_isins_have_a_sound_check_digit():
    assert check_digit("INE002A0101") == "8"
    assert isin("RELIANCE") == "INE002A01018"
    assert check_digit(isin("DEMOBANK")[:11]) == isin("DEMOBANK")[11]


def test_the_header_has_61_columns_and_the_tick_size_is_useless():
    found = rows("RELIANCE", "TCS")
    assert len(found[0]) == 61
    assert {row["ticksize"] for row in found} == {"0.01"}
    assert found[0]["ISINCode"] == "INE002A01018"


def test_awkward_names_are_in_every_file():
    found = rows("RELIANCE")
    assert [row["Token"] for row in found if row["ExchangeCode"] == "HDFCBANK"] == ["1333", "1467", "17320"]
    codes, symbols = ({row[name] for row in found} for name in ("ShortName", "ExchangeCode"))
    assert {row.code for row in COLLIDING} == {"360ONE", "MON100", "MAHLOG", "WELENT"} <= codes & symbols


def test_of_two_names_of_one_company_only_the_served_one_is_listed():
    assert [row["ExchangeCode"] for row in rows("TATAMOTORS") if row["ShortName"] == "TATMOT"] == ["TATAMOTORS"]
    assert [row["ExchangeCode"] for row in rows("TCS") if row["ShortName"] == "TATMOT"] == ["TMPV"]


def test_the_file_can_be_as_long_as_the_real_one():
    found = rows(*demo.INSTRUMENTS, count=5_687)
    assert len(found) == 5_687
    assert 80 < sum(row["Token"] == "0" for row in found) < 90
    live = [row for row in found if row["Token"] != "0"]
    assert len({row["Token"] for row in live}) == len(live)
