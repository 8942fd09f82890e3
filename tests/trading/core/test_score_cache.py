"""The cache of scores: fresh for its time, bounded, counted."""

import threading

from hypothesis import given
from hypothesis import strategies as st

from trading.core.hybrid import Part
from trading.core.score_cache import Entry, ScoreCache

WORD = Part("newsapi", 0.5, 0.8, 1.0, 0.0)


def entry(at=0.0, ttl=60.0, part=WORD):
    return Entry(part, at, at + ttl)


def test_an_entry_is_a_hit_while_it_is_fresh_and_a_miss_after():
    cache = ScoreCache()
    cache.put("newsapi", "TCS", entry())
    assert cache.get("newsapi", "TCS", 59.9).part == WORD
    assert cache.get("newsapi", "TCS", 60.0) is None
    assert cache.get("twitter", "TCS", 0.0) is None
    assert cache.counted() == {"newsapi": (1, 1), "twitter": (0, 1)}
    assert cache.counted() == {}


def test_what_has_expired_stays_as_a_last_resort_until_it_is_cleaned_away():
    cache = ScoreCache()
    cache.put("newsapi", "TCS", entry())
    assert cache.last("newsapi", "TCS").part == WORD
    assert cache.cleanup(100.0, keep=3_600.0) == 0
    assert cache.cleanup(3_660.0, keep=3_600.0) == 1
    assert cache.last("newsapi", "TCS") is None


def test_the_least_recently_used_makes_room():
    cache = ScoreCache(size=2)
    cache.put("newsapi", "A", entry())
    cache.put("newsapi", "B", entry())
    cache.get("newsapi", "A", 1.0)
    cache.put("newsapi", "C", entry())
    assert (cache.last("newsapi", "B"), len(cache), cache.evictions) == (None, 2, 1)
    assert cache.last("newsapi", "A") is not None


def test_that_there_was_nothing_to_say_is_remembered_too():
    cache = ScoreCache()
    cache.put("newsapi", "TCS", entry(part=None))
    assert cache.get("newsapi", "TCS", 1.0).part is None


def test_threads_may_share_it():
    cache = ScoreCache(size=8)

    def work(name):
        for k in range(500):
            cache.put(name, str(k % 20), entry())
            cache.get(name, str(k % 20), 1.0)

    threads = [threading.Thread(target=work, args=(name,)) for name in ("newsapi", "twitter")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(cache) == 8
    assert sum(hits + misses for hits, misses in cache.counted().values()) == 1_000


@given(st.lists(st.tuples(st.sampled_from("ABCDE"), st.booleans()), max_size=60), st.integers(1, 4))
def test_it_never_outgrows_its_bound_and_keeps_the_newest(steps, size):
    cache = ScoreCache(size=size)
    for symbol, put in steps:
        if put:
            cache.put("newsapi", symbol, entry())
            assert cache.last("newsapi", symbol) is not None
        else:
            cache.get("newsapi", symbol, 1.0)
        assert len(cache) <= size
