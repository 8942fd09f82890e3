"""Fifty readers of the live page and the engine they read of: what is measured, and how it is judged."""

import json

import pytest

from sensequant import socket_bench
from sensequant.socket_bench import Stretch
from tests import services
from tests.sensequant.test_fleet_bench import empty_redis  # noqa: F401 - a fixture
from tests.trading.desks import manage

MEASURED = "import json; from sensequant import socket_bench; print(json.dumps(socket_bench.measure(1.5, 1)))"


@pytest.mark.redis
@pytest.mark.once
@pytest.mark.slow
@pytest.mark.skipif(bool(services.missing("postgres")), reason="the sockets' process shares PostgreSQL")
def test_fifty_readers_of_a_web_process_are_told_what_the_engine_publishes(tmp_path, empty_redis):  # noqa: F811
    run = manage(tmp_path, "shell", "-v", "0", "-c", MEASURED, DATABASE_URL=services.POSTGRES, REDIS_URL=empty_redis)
    said, errors = run.communicate(timeout=120)
    assert run.returncode == 0, errors
    told = json.loads(said)
    assert told["readers"] == 50
    assert told["arrived_share"] > 0.3
    assert 0 < told["delivered_p50_ms"] <= told["delivered_p95_ms"]
    assert told["cpu_alone_ms"] > 0 < told["cpu_read_ms"]


def stretch(cpu, late=0.1):
    return Stretch(cpu, [0.02], [9.0], {1: 100.0}, [(1, 100.0 + late)])


@pytest.mark.parametrize(
    ("read", "late", "slow"), [(0.201, 0.1, []), (0.24, 0.1, ["cpu_read"]), (0.2, 1.5, ["delivered_p95"])]
)
def test_readers_may_cost_the_engine_no_more_than_it_differs_from_itself(read, late, slow):
    alone = [stretch(cpu) for cpu in (0.199, 0.2, 0.202)]
    found = socket_bench._told(alone, [stretch(read, late)] * 3)
    assert found["slow"] == slow
    assert found["cost_percent"] == pytest.approx(100 * (read / 0.2 - 1), abs=0.01)
