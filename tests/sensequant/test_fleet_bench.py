"""Two Celery workers beside one, on a scratch database and an empty Redis: the same results, whoever is killed."""

import json

import pytest
import redis

from sensequant.fleet_bench import Job
from sensequant.lib.errors import BadInput
from tests import services
from tests.trading.desks import manage


@pytest.fixture
def empty_redis(redis_url):
    """A database of the tests' Redis that holds nothing."""
    server = redis_url.rpartition("/")[0]
    return next(f"{server}/{k}" for k in range(14, 0, -1) if not redis.Redis.from_url(f"{server}/{k}").dbsize())


@pytest.mark.redis
@pytest.mark.once
@pytest.mark.slow
@pytest.mark.skipif(bool(services.missing("postgres")), reason="workers meet on PostgreSQL")
def test_two_workers_find_what_one_finds_and_so_do_two_of_which_one_is_killed(tmp_path, empty_redis):
    words = ["bench_fleet", "--trials", "20", "--symbols", "1", "--start-date", "2026-09-01", "--kill", "--json"]
    run = manage(tmp_path, *words, DATABASE_URL=services.POSTGRES, REDIS_URL=empty_redis)
    said, errors = run.communicate(timeout=500)
    assert run.returncode == 0, errors
    told = json.loads(said)
    assert told["identical"] is True
    assert [(each["workers"], each["killed"]) for each in told["plays"]] == [(1, False), (2, False), (2, True)]
    assert {each["trials"] for each in told["plays"]} == {20}
    assert len({each["sha256"] for each in told["plays"]}) == 1
    assert all(min(each["worker_cpu"]) > 0 for each in told["plays"][:2])  # both workers did some of it
    assert redis.Redis.from_url(empty_redis).dbsize() == 0


@pytest.mark.parametrize(
    ("wrong", "named"),
    [({"trials": 3}, "--trials 3"), ({"symbols": 99}, "--symbols 99"), ({"start": "2026-13-01"}, "2026-13-01")],
)
def test_a_job_that_cannot_be_is_refused_by_name(wrong, named):
    with pytest.raises(BadInput, match=named):
        Job(**wrong)
