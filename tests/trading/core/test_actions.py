"""Corporate actions: exact factors, bars seen as of a day, and breaks that a recorded action accounts for."""

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.core.actions import Action, adjust, as_read, exact, factors, stored
from trading.core.bar_report import FileReport, Finding, Severity
from trading.core.bars import Bars, ordinals
from trading.core.calendar import IST
from trading.core.errors import Invalid

MONDAY = dt.date(2024, 1, 8)


def day(n):
    return MONDAY + dt.timedelta(n)


def daily(closes, first=MONDAY, volume=1000.0):
    """Return one bar a day, opening where it closes."""
    ts = [int(dt.datetime.combine(first + dt.timedelta(n), dt.time(), IST).timestamp()) for n in range(len(closes))]
    close = np.array(closes, dtype=float)
    return Bars(np.array(ts), close, close * 1.01, close * 0.99, close.copy(), np.full(close.size, volume))


def action(kind="bonus", terms="1:1", ex=3, known=None):
    made = factors(kind, terms)
    return Action(kind, day(ex), day(ex if known is None else known), made.price, made.volume, made.terms)


def report(*findings):
    return FileReport("x.csv", "X", "1day", 6, 6, 0, "", "", tuple(findings))


def found(bars, at, rule="unadjusted_action"):
    span = (int(bars.ts[at - 1]), int(bars.ts[at]))
    return Finding(rule, Severity.REJECT, 1, "prices fall", "divide", span=span)


@pytest.mark.parametrize(
    ("kind", "terms", "price", "volume", "written"),
    [
        ("split", "10:2", Fraction(1, 5), 5, "split 10:2"),
        ("split", "10->1", Fraction(1, 10), 10, "split 10:1"),
        ("split", "consolidation 1:10", 10, Fraction(1, 10), "consolidation 1:10"),
        ("bonus", "1:1", Fraction(1, 2), 2, "bonus 1:1"),
        ("bonus", " BONUS  1 : 2 ", Fraction(2, 3), Fraction(3, 2), "bonus 1:2"),
        ("rights", "1:4 at 80 cum 100", Fraction(24, 25), Fraction(25, 24), "rights 1:4 at 80 cum 100"),
        ("dividend", "25 cum 500", Fraction(19, 20), 1, "dividend 25 cum 500"),
        ("demerger", "0.73", Fraction(73, 100), 1, "demerger 0.73"),
    ],
)
def test_the_factors_are_exact(kind, terms, price, volume, written):
    assert factors(kind, terms) == (price, volume, written)
    assert factors(kind, written) == factors(kind, terms)


def test_rights_leave_the_holder_with_what_the_old_and_the_new_shares_are_worth():
    price, cum, issue = factors("rights", "3:10 at 500 cum 812.35").price, Fraction("812.35"), 500
    assert 13 * price * cum == 10 * cum + 3 * issue


@pytest.mark.parametrize(
    ("kind", "terms", "said"),
    [
        ("merger", "1:1", "kind 'merger' is not known: use one of split, bonus"),
        ("split", "2", "write old:new face value"), ("split", "", "write old:new face value"),
        ("split", "1:5", "the face value falls in a split"), ("split", "10:10", "is no split"),
        ("bonus", "1:0", "every number lies above 0"), ("bonus", "x:y", "cannot be read: write new:held"),
        ("bonus", "-1:1", "cannot be read"), ("bonus", "1:1 at 5", "cannot be read"), ("bonus", "split 10:2", "cannot"),
        ("bonus", "99999999:1", "every number lies"), ("bonus", "1000000:1", "more than 100,000 times"),
        ("bonus", "1e5:1", "cannot be read"), ("bonus", "1" * 30 + ":1", "cannot be read"),
        ("rights", "1:4", "write new:held at PRICE cum CLOSE"), ("rights", "1:4 at 100 cum 100", "worth nothing"),
        ("dividend", "500 cum 500", "cannot reach"), ("dividend", "25", "write AMOUNT cum CLOSE"),
        ("demerger", "1", "lies between 0 and 1"), ("demerger", "1.2", "lies between"), ("demerger", "NaN", "cannot"),
    ],
)  # fmt: skip
def test_terms_that_cannot_be_are_refused_in_words(kind, terms, said):
    with pytest.raises(Invalid, match=said):
        factors(kind, terms)


RATIOS = st.tuples(st.integers(1, 300), st.integers(1, 300))
PRICES = st.floats(1.0, 5000.0, allow_nan=False)


@given(RATIOS)
def test_a_factor_is_read_as_it_was_before_it_was_kept(ratio):
    for made in (factors("bonus", "{}:{}".format(*ratio)), factors("rights", "{}:{} at 1 cum 2".format(*ratio))):
        assert exact(stored(made.price)) == made.price
        assert exact(stored(made.volume)) == made.volume


def test_a_kept_factor_that_is_no_plain_fraction_is_taken_as_it_is():
    kept = Decimal("0.730000000123")
    assert exact(kept) == Fraction(kept)


def test_without_an_action_the_bars_are_the_same_object():
    bars = daily([100] * 5)
    assert adjust(bars, [], day(9)) is bars
    assert as_read(bars, report(), [], day(9))[0] is bars


def test_bars_before_the_ex_date_are_read_in_the_shares_of_after():
    bars = daily([300, 303, 306, 153, 154])
    seen = adjust(bars, [action(terms="1:1", ex=3)], day(4))
    assert seen.close.tolist() == [150, 151.5, 153, 153, 154]
    assert seen.volume.tolist() == [2000, 2000, 2000, 1000, 1000]
    assert bars.close.tolist() == [300, 303, 306, 153, 154]


def test_two_thirds_of_three_hundred_are_two_hundred():
    assert adjust(daily([300, 200]), [action(terms="1:2", ex=1)], day(1)).close.tolist() == [200, 200]


def test_an_intraday_bar_of_the_ex_date_is_after_it():
    ts = [int(dt.datetime.combine(day(n), dt.time(9, 15), IST).timestamp()) for n in range(2)]
    column = np.array([100.0, 50.0])
    bars = Bars(np.array(ts), *[column] * 4, column)
    assert adjust(bars, [action(ex=1)], day(1)).close.tolist() == [50, 50]


@pytest.mark.parametrize(
    ("as_of", "known", "first"),
    [(2, 0, 100.0), (3, 0, 50.0), (9, 0, 50.0), (3, 4, 100.0), (4, 4, 50.0)],
)
def test_nobody_sees_a_factor_before_its_day_or_before_it_was_known(as_of, known, first):
    assert adjust(daily([100, 100, 100, 50, 50]), [action(ex=3, known=known)], day(as_of)).close[0] == first


def test_a_dividend_and_a_demerger_leave_volumes_alone():
    for told in (action("dividend", "25 cum 500", ex=1), action("demerger", "0.5", ex=1)):
        assert adjust(daily([500, 475]), [told], day(1)).volume.tolist() == [1000, 1000]


def test_an_unknown_volume_stays_unknown():
    bars = daily([100, 50], volume=np.nan)
    assert np.isnan(adjust(bars, [action(ex=1)], day(1)).volume).all()


@given(st.lists(PRICES, min_size=1, max_size=12), RATIOS, st.integers(0, 12))
def test_a_bonus_keeps_turnover_and_touches_nothing_from_its_day_on(closes, ratio, ex):
    bars = daily(closes)
    seen = adjust(bars, [action(terms="{}:{}".format(*ratio), ex=ex)], day(20))
    np.testing.assert_allclose(seen.close * seen.volume, bars.close * bars.volume, rtol=1e-12)
    after = ordinals(bars.ts) >= day(ex).toordinal()
    for one, other in zip(seen.columns(), bars.columns(), strict=True):
        np.testing.assert_array_equal(one[after], other[after])


@given(st.lists(PRICES, min_size=2, max_size=12), RATIOS, RATIOS, st.integers(0, 12), st.integers(0, 12))
def test_two_actions_are_the_product_of_both_in_any_order(closes, first, second, ex, other):
    bars = daily(closes)
    one, two = action(terms="{}:{}".format(*first), ex=ex), action(terms="{}:{}".format(*second), ex=other)
    both = adjust(bars, [one, two], day(20))
    for order in ([one, two], [two, one]):
        chained = adjust(adjust(bars, order[:1], day(20)), order[1:], day(20))
        np.testing.assert_allclose(both.close, chained.close, rtol=1e-12)
        np.testing.assert_allclose(both.volume, chained.volume, rtol=1e-12)


@given(st.lists(PRICES, min_size=1, max_size=12), RATIOS)
def test_bars_in_order_stay_in_order(closes, ratio):
    seen = adjust(daily(closes), [action(terms="{}:{}".format(*ratio), ex=20)], day(30))
    assert (seen.low <= np.minimum(seen.open, seen.close)).all()
    assert (seen.high >= np.maximum(seen.open, seen.close)).all()


@given(st.lists(PRICES, min_size=2, max_size=12), RATIOS, st.integers(0, 12), st.integers(0, 12))
def test_a_day_s_view_never_depends_on_what_came_after_it(closes, ratio, ex, as_of):
    bars, later = daily(closes), action(terms="{}:{}".format(*ratio), ex=ex)
    seen = adjust(bars, [later], day(as_of))
    if ex > as_of:
        assert seen is bars


def test_a_break_the_record_accounts_for_is_a_note_and_the_bars_are_whole():
    bars = daily([100, 101, 102, 51, 51.5])
    seen, told = as_read(bars, report(found(bars, 3)), [action(ex=3)], day(4))
    assert seen.close.tolist() == [50, 50.5, 51, 51, 51.5]
    assert (told.findings[0].rule, told.first_error, told.rejected) == ("adjusted_action", None, False)
    assert "the recorded bonus 1:1" in told.findings[0].message


def test_a_break_that_no_share_can_make_is_accounted_for_too():
    bars = daily([10_000, 10_050, 100, 101])
    _, told = as_read(bars, report(found(bars, 2, "level_break")), [action("split", "100:1", ex=2)], day(3))
    assert told.first_error is None


@pytest.mark.parametrize(
    "wrong",
    [action(ex=2), action(ex=4), action("split", "10:1", ex=3), action("demerger", "0.9", ex=3), action(ex=3, known=5)],
    ids=["a day before", "a day after", "another ratio", "far too little", "not known yet"],
)
def test_a_break_the_record_does_not_account_for_stays_an_error(wrong):
    bars = daily([100, 101, 102, 51, 51.5])
    _, told = as_read(bars, report(found(bars, 3)), [wrong], day(4))
    assert told.first_error is not None


def test_before_a_known_action_counts_its_break_is_no_error_and_the_bars_are_raw():
    bars = daily([100, 101, 102, 51, 51.5])
    seen, told = as_read(bars, report(found(bars, 3)), [action(ex=3, known=1)], day(2))
    assert seen is bars
    assert told.first_error is None


def test_a_break_over_a_hole_is_accounted_for_by_an_action_inside_it():
    bars = daily([100, 101, 102, 51, 51.5])
    whole = np.array([True, True, False, True, True])
    holed = Bars(*(column[whole] for column in bars.columns()))
    _, told = as_read(holed, report(found(holed, 2)), [action(ex=2)], day(4))
    assert told.first_error is None


def test_bars_that_somebody_adjusted_before_are_not_adjusted_again():
    bars = daily([50, 50.5, 51, 51, 51.5])
    seen, told = as_read(bars, report(), [action(ex=3)], day(4))
    assert seen is bars
    assert [each.rule for each in told.findings] == ["already_adjusted"]
    assert told.verdict == "warnings"


def test_a_small_factor_that_no_jump_can_prove_is_applied():
    seen, told = as_read(daily([100, 100, 100]), report(), [action("dividend", "5 cum 100", ex=2)], day(2))
    assert seen.close.tolist() == [95, 95, 100]
    assert told.findings == ()


def test_bars_that_end_before_the_ex_date_are_adjusted_on_the_record_s_word():
    seen, _ = as_read(daily([100, 101]), report(), [action(ex=3)], day(4))
    assert seen.close.tolist() == [50, 50.5]
