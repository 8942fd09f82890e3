"""Numbers are taken down in a microsecond, folded once, archived before they are removed, and can be read back."""

import datetime as dt
import gzip
import json
import math
import random
import threading

import pytest
from django.conf import settings
from django.db import DatabaseError
from hypothesis import given
from hypothesis import strategies as st

from monitoring.models import Rollup, Sample
from monitoring.selectors import metrics
from monitoring.services import archiving, rollups
from sensequant.lib import measures, paths
from sensequant.lib.errors import BadInput, NotFound
from sensequant.lib.sketch import bucket, middle, quantile
from sensequant.lib.stats import Stats, floor, one, total
from tests.monitoring.world import NOON, at
from trading.models import Measure
from trading.services import measuring

finite = st.floats(-1e9, 1e9, allow_nan=False).filter(lambda x: x == 0 or abs(x) > 1e-6)
DAY = dt.timedelta(days=1)


# laws


@given(finite)
def test_a_bucket_stands_for_its_values_within_five_per_cent(value):
    assert middle(bucket(value)) == pytest.approx(value, rel=0.05, abs=1e-9)


@given(st.lists(finite, min_size=1, max_size=80), st.sampled_from([0.0, 0.5, 0.95, 0.99, 1.0]))
def test_a_percentile_is_within_five_per_cent_of_the_exact_one(values, q):
    stats = total(one(value, n) for n, value in enumerate(values))
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert stats.quantile(q) == pytest.approx(exact, rel=0.05, abs=1e-9)


@given(st.lists(finite, min_size=1, max_size=60), st.randoms())
def test_parts_taken_in_any_order_add_up_to_the_same(values, dice):
    parts = [one(value, n) for n, value in enumerate(values)]
    straight = total(one(value, n) for n, value in enumerate(values))
    while len(parts) > 1:
        dice.shuffle(parts)
        parts.append(parts.pop().add(parts.pop()))
    (found,) = parts
    assert (found.low, found.high, found.count, found.counts, found.last) == (
        straight.low, straight.high, straight.count, straight.counts, straight.last,
    )  # fmt: skip
    assert found.total == pytest.approx(straight.total)


def test_nothing_has_no_average_and_no_percentile():
    assert (Stats().avg, quantile({}, 0.5)) == (None, None)


# taken down


def test_what_is_recorded_can_be_drained_once():
    recorder = measures.Recorder()
    for value in (1.0, 3.0, math.nan, math.inf):
        recorder.record("latency", value)
    (slot,) = recorder.drain()
    assert (slot.name, slot.stats.count, slot.stats.low, slot.stats.high, slot.stats.total) == ("latency", 2, 1, 3, 4)
    assert recorder.drain() == []


def test_threads_lose_nothing():
    recorder = measures.Recorder()
    threads = [threading.Thread(target=lambda: [recorder.record("x", 1.0) for _ in range(2_000)]) for _ in range(4)]
    for thread in threads:
        thread.start()
    taken = []
    while any(thread.is_alive() for thread in threads):
        taken += recorder.drain()
    taken += recorder.drain()
    assert sum(slot.stats.count for slot in taken) == 8_000


def test_when_nobody_drains_the_oldest_are_forgotten_and_counted():
    recorder = measures.Recorder(most=10)
    for number in range(15):
        recorder.record(f"m{number}", 1.0)
    assert recorder.lost == 5
    assert [slot.name for slot in recorder.drain()] == [f"m{number}" for number in range(5, 15)]


@pytest.mark.django_db
def test_what_the_database_did_not_take_is_written_later(monkeypatch):
    recorder = measures.Recorder()
    writer = measuring.Writer(recorder)
    recorder.record("latency", 5.0)

    def slow(*_, **__):
        raise DatabaseError("too slow")

    with monkeypatch.context() as patch:
        patch.setattr(Measure.objects, "bulk_create", slow)
        with pytest.raises(DatabaseError):
            writer.write(at=at())
    recorder.record("latency", 7.0)
    assert writer.write(at=at(10)) == 2
    assert rollups.pull() == 2
    assert sorted(Sample.objects.values_list("total", flat=True)) == [5.0, 7.0]
    assert not Measure.objects.exists()


def test_recording_never_waits_for_a_database_that_does_not_answer():
    """The recorder goes on while a writer hangs."""
    recorder, hang = measures.Recorder(), threading.Event()

    def stuck():
        recorder.drain()
        hang.wait(5)

    thread = threading.Thread(target=stuck)
    thread.start()
    for _ in range(1_000):
        recorder.record("latency", 1.0)
    assert thread.is_alive()
    hang.set()
    thread.join()


# folded


def put(metric, second, *values):
    for value in values:
        rollups.observe({metric: value}, at=at(second))


@pytest.mark.django_db
class TestRollups:
    def test_a_span_has_the_documents_five_numbers(self):
        put("pnl_daily", 10, 1.0, 2.0, 6.0)
        rollups.roll()
        row = Rollup.objects.get()
        assert (row.low, row.high, row.avg, row.count, row.total) == (1.0, 6.0, 3.0, 3, 9.0)
        assert row.at.timestamp() == floor(NOON.timestamp(), 300)

    def test_folding_again_changes_nothing(self):
        put("x", 0, 1.0)
        assert [rollups.roll(), rollups.roll()] == [1, 0]
        assert Rollup.objects.get().count == 1

    def test_a_late_sample_changes_the_span_it_belongs_to(self):
        put("x", 0, 1.0)
        put("x", 400, 5.0)
        rollups.roll()
        put("x", 20, 9.0)
        rollups.roll()
        assert [(row.high, row.count) for row in Rollup.objects.order_by("at")] == [(9.0, 2), (5.0, 1)]

    def test_samples_beyond_the_cap_go_into_a_file_once_they_are_folded(self):
        object.__setattr__(settings.DESK, "monitoring_max_raw_metrics", 100)
        for second in range(0, 1_500, 10):
            put("x", second, float(second))
        assert rollups.cap(at=at(1_500)) == 0
        rollups.roll()
        assert rollups.cap(at=at(1_500)) == 50
        assert Sample.objects.count() == 100
        (file,) = paths.resolve("data/monitoring").glob("metrics_*.json")
        assert len(json.loads(file.read_text())["samples"]) == 50
        file.unlink()

    def test_wider_spans_read_percentiles_from_merged_counts(self):
        dice = random.Random(3)
        values = [dice.lognormvariate(3, 1) for _ in range(600)]
        for n, value in enumerate(values):
            put("perf", n * 5, value)
        rollups.roll()
        (found,) = metrics.wide(at(-3_600), at(3_600), width=86_400)
        assert found["p95"] == pytest.approx(sorted(values)[int(0.95 * 599)], rel=0.05)


@pytest.mark.django_db
class TestArchives:
    @pytest.fixture(autouse=True)
    def clean(self):
        yield
        for file in paths.resolve("data/monitoring").rglob("metrics_*"):
            file.unlink()

    def test_a_day_becomes_a_file_and_can_be_read_back(self):
        for second in range(0, 1_500, 10):
            put("x", second, float(second))
        rollups.roll()
        before = metrics.summary(at(-3_600), at(3_600))
        found = archiving.archive(at=NOON + DAY)
        assert found.written == (f"{NOON:%Y-%m-%d}",)
        assert not Sample.objects.exists()
        told = json.loads(gzip.decompress((archiving.folder() / f"metrics_{NOON:%Y-%m-%d}.json.gz").read_bytes()))
        assert len(told["samples"]) == 150
        Rollup.objects.all().delete()
        assert archiving.restore(NOON.date()) == len(told["rollups"])
        assert metrics.summary(at(-3_600), at(3_600)) == before

    def test_archiving_again_writes_nothing_and_a_late_sample_is_added_to_its_day(self):
        put("x", 0, 1.0)
        rollups.roll()
        archiving.archive(at=NOON + DAY)
        assert archiving.archive(at=NOON + DAY).written == ()
        put("x", 20, 2.0)
        rollups.roll()
        archiving.archive(at=NOON + DAY)
        told = archiving.read_json_gz(archiving.folder() / f"metrics_{NOON:%Y-%m-%d}.json.gz")
        assert [each["sum"] for each in told["samples"]] == [1.0, 2.0]
        assert told["rollups"][0]["count"] == 2

    def test_only_the_newest_288_spans_stay_and_none_leaves_before_its_day_is_in_a_file(self):
        for day in range(3):
            for span in range(0, 86_400, 600):
                put("x", day * 86_400 + span, 1.0)
        rollups.roll()
        archiving.archive(at=NOON + 4 * DAY)
        assert Rollup.objects.count() == 288
        assert len(list(archiving.folder().glob("*.gz"))) == 4

    def test_files_older_than_the_retention_are_deleted(self):
        archiving.folder().mkdir(parents=True, exist_ok=True)
        for age in (29, 31):
            (archiving.folder() / f"metrics_{(NOON - age * DAY):%Y-%m-%d}.json.gz").write_bytes(b"x")
        assert archiving.archive(at=NOON).deleted == (f"metrics_{(NOON - 31 * DAY):%Y-%m-%d}.json.gz",)

    def test_a_file_that_is_not_there_or_cannot_be_read_is_said(self):
        with pytest.raises(NotFound, match="there is no archive of 2020-01-01"):
            archiving.restore(dt.date(2020, 1, 1))
        archiving.folder().mkdir(parents=True, exist_ok=True)
        (archiving.folder() / "metrics_2020-01-02.json.gz").write_bytes(b"broken")
        with pytest.raises(BadInput, match=r"metrics_2020-01-02\.json\.gz cannot be read"):
            archiving.restore(dt.date(2020, 1, 2))
