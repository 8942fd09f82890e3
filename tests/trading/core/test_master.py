"""The security master: read by its header's names, judged by name, and never half-believed."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.trading import masters
from trading.core.errors import Invalid
from trading.core.master import MEMBER, SERIES, MasterRow, judge, rows, with_futures


def read(text):
    return list(rows(io.StringIO(text)))


def judged(*given_rows):
    return judge(read(masters.text(*given_rows)))


def usable(*given_rows):
    return {row.symbol: row.token for row in judged(*given_rows).listings}


def refused(*given_rows):
    return dict(judged(*given_rows).refused)


def test_the_header_has_sixty_one_columns_with_a_space_after_each_comma():
    assert masters.HEADER.count(", ") == 60
    assert masters.line(*masters.RELIANCE).startswith('"2885","RELIND","EQ","RELIANCE INDUSTRIES",0.01,1,')
    assert masters.line(*masters.RELIANCE).count(",") == 60


def test_a_row_is_read_by_the_names_of_its_columns():
    (row,) = read(masters.text(masters.RELIANCE))
    assert row == MasterRow("2885", "RELIND", "EQ", "RELIANCE INDUSTRIES", "", "10", "INE002A01018", "RELIANCE")
    assert row.face == 10


def test_columns_in_another_order_and_a_new_one_do_no_harm():
    names = masters.HEADER.split(", ")
    values = masters.line(*masters.INFY).split(",")
    text = ", ".join([*reversed(names), '"Fresh"']) + "\n" + ",".join([*reversed(values), '"x"']) + "\n"
    assert read(text) == read(masters.text(masters.INFY))


def test_a_company_with_a_comma_or_a_quote_in_its_name_stays_one_column():
    strange = ("ACME", "ACM", "77", "EQ", 'ACME, SONS ""AND"" CO', "INE000000001", "10")
    (row,) = read(masters.text(strange))
    assert row.company == 'ACME, SONS "AND" CO'


def test_blank_lines_carriage_returns_and_a_byte_order_mark_are_passed_over():
    text = "\ufeff" + masters.text(masters.TCS).replace("\n", "\r\n") + "\r\n"
    assert [row.symbol for row in rows(io.StringIO(text, newline=""))] == ["TCS"]


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: "", "line 1 of NSEScripMaster.txt is not its header but ''"),
        (lambda text: "<html><body>busy</body></html>\n", "line 1 .* not its header but '<html><body>busy"),
        (lambda text: text.replace('"ShortName", ', ""), "line 1 .* has no column ShortName"),
        (lambda text: text.replace('"ISINCode"', '"ISIN"'), "no column ISINCode"),
        (lambda text: text[:-40], "line 3 .* has 49 of 61 columns: it is cut off"),
        (lambda text: text[:-3], "line 3 .* is cut off: it ends in"),
        (lambda text: text.replace('"INFTEC",', '"INFTEC"'), "line 3 .* has 60 of 61 columns"),
        (lambda text: text.replace('"RELIANCE INDUSTRIES"', '"RELIANCE INDUSTRIES'), "line 2 .* has 54 of 61 columns"),
        (lambda text: text.replace('"RELIANCE"', '"RELIANCE'), "line 2 .* quote that is not closed"),
        (lambda text: text.replace("RELIANCE INDUSTRIES", "R" * 140_000), "line 2 .* cannot be read: field larger"),
    ],
)  # fmt: skip
def test_what_is_no_master_is_refused_and_the_line_named(spoil, said):
    with pytest.raises(Invalid, match=said):
        read(spoil(masters.text(masters.RELIANCE, masters.INFY)))


@given(st.integers(1, 2000))
def test_a_master_cut_anywhere_is_a_shorter_master_or_refused(keep):
    text = masters.text(*masters.SHARES)
    try:
        found = read(text[: len(text) - keep])
    except Invalid:
        return
    assert found == read(text)[: len(found)]


def test_shares_with_a_real_token_and_a_share_s_series_are_usable():
    found = usable(*masters.SHARES, *masters.NOISE)
    assert found == {row[0]: row[2] for row in masters.SHARES}


@pytest.mark.parametrize("token", ["", "0", "00", "NA", "nul", "X5572", "-5", "1.5", "²"])
def test_a_token_the_exchange_does_not_give_out_is_refused_by_name(token):
    share = (*masters.TCS[:2], token, *masters.TCS[3:])
    assert usable(share) == {}
    assert "not traded" in refused(share)["TCS"]


@pytest.mark.parametrize("series", ["GS", "N1", "W1", "GB", "MF", ""])
def test_bonds_warrants_and_the_like_are_no_shares(series):
    paper = (*masters.TCS[:3], series, *masters.TCS[4:])
    assert judged(paper).listings == ()
    assert refused(paper) == {}


@pytest.mark.parametrize("series", SERIES)
def test_every_series_of_shares_is_usable(series):
    assert usable((*masters.TCS[:3], series, *masters.TCS[4:])) == {"TCS": "11536"}


def test_indices_are_kept_apart():
    found = judged(masters.NIFTY, masters.TCS)
    assert [(row.isec_code, row.token) for row in found.indices] == [("NIFTY", "NIFTY 50")]
    assert (found.rows, len(found.listings), found.refused) == (2, 1, ())


def test_hdfc_bank_is_its_share_and_its_warrant_and_bond_are_named():
    found = judged(masters.HDFC_WARRANT, masters.HDFC_BOND, masters.HDFCBANK)
    assert [(row.symbol, row.token) for row in found.listings] == [("HDFCBANK", "1333")]
    assert found.refused == (
        ("HDFCBANK", "N1 17320 (HDFCN1) set aside: EQ 1333 (HDFBAN) is used"),
        ("HDFCBANK", "W1 1467 (HDFCW1) set aside: EQ 1333 (HDFBAN) is used"),
    )


def test_of_several_series_the_freest_is_used():
    dish = [(*masters.DISHTV[:2], token, series, *masters.DISHTV[4:]) for token, series in (("1", "BZ"), ("2", "BE"))]
    assert usable(*dish) == {"DISHTV": "2"}
    assert usable(*dish, (*masters.DISHTV[:2], "3", "EQ", *masters.DISHTV[4:])) == {"DISHTV": "3"}


def test_two_rows_of_one_series_are_refused_whole():
    twice = (*masters.TCS[:2], "11537", *masters.TCS[3:])
    assert usable(masters.TCS, twice, masters.INFY) == {"INFY": "1594"}
    assert refused(masters.TCS, twice)["TCS"] == "several rows of one series: EQ 11536 (TCS) and EQ 11537 (TCS)"


def test_the_very_same_row_twice_is_one_row():
    assert usable(masters.TCS, masters.TCS) == {"TCS": "11536"}


def test_a_token_two_shares_claim_is_nobody_s():
    rival = ("RIVAL", "RIVCO", "11536", "BE", "RIVAL LTD", "INE000000002", "10")
    assert usable(masters.TCS, rival, masters.INFY) == {"INFY": "1594"}
    assert refused(masters.TCS, rival) == {
        "TCS": "token 11536 is also that of RIVAL", "RIVAL": "token 11536 is also that of TCS",
    }  # fmt: skip


def test_a_token_that_is_also_a_bond_s_is_nobody_s():
    bond = (*masters.GILT[:2], masters.TCS[2], *masters.GILT[3:])
    assert refused(masters.TCS, bond) == {"TCS": "token 11536 is also that of 769GS2043"}


def test_a_code_two_shares_claim_is_nobody_s():
    rival = ("RIVAL", "RELIND", "99", "EQ", "RIVAL LTD", "INE000000002", "10")
    assert usable(masters.RELIANCE, rival) == {}
    assert "code RELIND is also that of RIVAL" in refused(masters.RELIANCE, rival)["RELIANCE"]


def test_a_code_that_is_another_company_s_symbol_is_told():
    found = judged(masters.SHARE_360, masters.FUND_360, masters.TCS)
    assert found.collisions == (("360ONE", "MSCIINDIA"),)
    assert {row.symbol: row.isec_code for row in found.listings}["360ONE"] == "IIFWEA"


@pytest.mark.parametrize(
    ("at", "value", "said"),
    [
        (0, "", "no usable NSE symbol"), (0, "a b", "no usable NSE symbol"), (0, "X" * 33, "no usable NSE symbol"),
        (1, "", "no usable code"), (1, "C" * 17, "no usable code"),
        (2, "1" * 17, "too long"), (5, "INE0000000000", "too long"),
    ],
)  # fmt: skip
def test_words_that_cannot_be_names_are_refused(at, value, said):
    share = (*masters.TCS[:at], value, *masters.TCS[at + 1 :])
    found = judged(share)
    assert found.listings == ()
    assert said in found.refused[0][1]


@pytest.mark.parametrize(("written", "face"), [("10", 10), ("0.5", 0.5), ("0", None), ("", None), ("x", None)])
def test_a_face_value_is_a_number_or_unknown(written, face):
    (row,) = read(masters.text((*masters.TCS[:6], written)))
    assert row.face == face


def test_reading_needs_no_more_memory_for_a_longer_file():
    def endless():
        yield masters.HEADER + "\n"
        while True:
            yield masters.line(*masters.TCS) + "\n"

    found = rows(endless())
    assert [next(found).symbol for _ in range(3)] == [
        "TCS"
    ] * 3  # the first rows come before the last line is asked for


FUTURES = '"Token","InstrumentName","ShortName","Series","ExpiryDate","ExchangeCode"\n'


def test_the_shares_with_futures_are_told_by_their_codes():
    text = FUTURES + '"1","FUTIDX","NIFTY","FUTURE","29-Sep-2026","NIFTY 50"\n'
    text += '"2","FUTSTK","RELIND","FUTURE","29-Sep-2026","RELIANCE"\n"3","OPTSTK","TCS","OPTION","x","TCS"\n'
    text += '"4","FUTSTK","RELIND","FUTURE","27-Oct-2026","RELIANCE"\n'
    assert with_futures(io.StringIO(text)) == {"RELIND"}


def test_a_list_of_futures_that_is_none_is_refused():
    with pytest.raises(Invalid, match=r"FONSEScripMaster\.txt .* no column InstrumentName"):
        with_futures(io.StringIO("<html>\n"))
    assert MEMBER == "NSEScripMaster.txt"
