"""Several engines, one exposure limit: each moment is decided with what the others hold, one shard at a time."""

import random
import threading
from contextlib import suppress
from dataclasses import replace

import pytest
from django.db import DatabaseError, connection
from hypothesis import given
from hypothesis import strategies as st

from sensequant.lib.errors import BadInput
from tests.trading.desks import NOON, WEEK, After, plan
from trading.core.risk import OBJECTIONS, OVER_EXPOSURE
from trading.core.state import ELSEWHERE, EXPOSURE, RESERVED
from trading.models import EngineRun, ExposureBook, ShardExposure, Signal
from trading.services import runner, shards
from trading.services.shards import Shard


@given(st.integers(1, 64), st.lists(st.from_regex(r"[A-Z]{2,9}", fullmatch=True), min_size=1, unique=True))
def test_every_symbol_falls_to_exactly_one_shard(of, symbols):
    found = []
    for number in range(1, of + 1):
        with suppress(BadInput):  # none falls to this one
            found += Shard("desk", number, of).mine(symbols)
    assert sorted(found) == sorted(symbols)


@pytest.mark.parametrize("text", ["", "0/3", "4/3", "1/65", "a/b", "1/2/3", "-1/2", "1", "١/٢"])
def test_a_part_that_is_none_is_named(text):
    with pytest.raises(BadInput, match="is no part"):
        shards.of_text(text, "desk")


def together():
    return sum(ShardExposure.objects.values_list("exposure", flat=True))


class Account:
    """What a shard knows of an engine: its numbers."""

    def __init__(self):
        self.A = [0.0] * 13


@pytest.mark.django_db(transaction=True)
def test_shards_that_decide_at_the_same_time_never_exceed_the_limit_nor_leave_room_unused():
    limit, most, broken = 1_000.0, [], []

    def trade(number):
        dice, shard, mine = random.Random(number), Shard("desk", number, 4), Account()
        try:
            for _ in range(25):
                with shards.turn(shard, mine):
                    value = dice.uniform(50.0, 400.0)
                    if mine.A[ELSEWHERE] + mine.A[EXPOSURE] + mine.A[RESERVED] + value <= limit:
                        mine.A[RESERVED] += value
                    elif dice.random() < 0.6:
                        mine.A[RESERVED] = 0.0
                    most.append(mine.A[ELSEWHERE] + mine.A[RESERVED])
        except (ArithmeticError, DatabaseError, AssertionError) as error:
            broken.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=trade, args=(number,)) for number in range(1, 5)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert broken == []
    assert ExposureBook.objects.get().turns == 100
    assert 0.7 * limit < max(most) <= limit
    assert together() <= limit


@pytest.mark.django_db(transaction=True)
def test_a_turn_that_breaks_off_leaves_no_trace():
    mine, shard = Account(), Shard("desk", 1, 2)
    with shards.turn(shard, mine):
        mine.A[EXPOSURE] = 700.0
    with pytest.raises(ZeroDivisionError), shards.turn(shard, mine):
        mine.A[EXPOSURE] = 900.0 / 0
    assert together() == 700.0
    other = Account()
    with shards.turn(Shard("desk", 2, 2), other):
        assert other.A[ELSEWHERE] == 700.0


@pytest.mark.django_db
def test_two_engines_share_the_limit_of_one_desk():
    """What the first holds at the end of its bars is room the second does not have."""
    whole = plan(span=WEEK[:1] * 2, max_exposure=150_000)
    ShardExposure.objects.create(book=ExposureBook.objects.create(account="desk"), shard="desk-9of9", exposure=120_000)
    lone = _run(replace(whole, name="alone"))
    shared = _run(replace(whole, name="desk-1of9", shard=Shard("desk", 1, 9)))
    words = OBJECTIONS[OVER_EXPOSURE]
    assert any(words in each.objections for each in Signal.objects.filter(run=shared))
    assert shared.orders.count() < lone.orders.count()
    assert (
        _run(replace(whole, name="desk-1of9", shard=Shard("desk", 1, 9)), fresh=True).orders.count()
        == shared.orders.count()
    )
    assert ShardExposure.objects.get(shard="desk-1of9").exposure >= 0.0


def _run(planned, *, fresh=False):
    run = runner.begin(planned, at=NOON, fresh=fresh)
    runner.run_to_end(run, stop=After(), clock=lambda: NOON, show=False)
    return EngineRun.objects.get(pk=run.pk)
