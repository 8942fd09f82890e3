"""An optimisation begun on the page or over REST, tried by every Celery worker there is, also by one with one place."""

import os
import shutil
import time
from pathlib import Path

import pytest
from django.contrib.auth.models import Group, User

from models_ml.models import OptimizationRun
from models_ml.services import optimizations
from sensequant.soak.processes import children
from tests.models_ml.searches import how, kept, ranking
from tests.models_ml.test_optimization_pages import BODY, GOOD
from tests.processes import running
from tests.sensequant.lib.test_jobs import broker  # noqa: F401
from trading.core.rights import OPERATORS

pytestmark = [
    pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed"),
    pytest.mark.django_db(transaction=True), pytest.mark.slow,
]  # fmt: skip
WIDE = {"sma": list(range(4, 20)), "rsi_low": [30, 40, 50]}


@pytest.fixture
def trader(client, transactional_db):
    user = User.objects.create_user("asha")
    user.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    client.force_login(user)
    return client


def ended(log):
    until = time.monotonic() + 150
    while (run := OptimizationRun.objects.get()).status in ("queued", "running"):
        assert time.monotonic() < until, log.read_text()
        time.sleep(0.2)
    assert (run.status, run.error, run.workers) == ("done", "", "fleet")
    return run


def busy(process):
    """Return the seconds of work each place of a worker has behind it, without what it started itself."""
    told = [Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split() for each in children(process.pid)]
    return [(int(each[11]) + int(each[12])) / os.sysconf("SC_CLK_TCK") for each in told]


def test_one_worker_with_one_place_ends_what_the_page_asked_the_fleet_for(trader, broker, tmp_path):  # noqa: F811
    assert "every Celery worker" in trader.get("/research/optimizations?strategy=intraday").content.decode()
    asked = trader.post("/research/optimizations", {**GOOD, "workers": "fleet"})
    assert asked.status_code == 302
    with running("worker", broker, tmp_path / "worker.log"):
        run = ended(tmp_path / "worker.log")
    assert run.trials.filter(role="config", status="done").count() == 2


def test_over_rest_two_places_share_it_and_the_ranking_is_that_of_one_core(trader, broker, tmp_path):  # noqa: F811
    body = {**BODY, "workers": "fleet", "parameters": WIDE, "params": {"adx_min": 0, "volume_min": 0}, "min_trades": 1}
    assert trader.post("/api/v1/optimizations", body, content_type="application/json").status_code == 201
    with running("worker", broker, tmp_path / "worker.log", **{"WORKERS:-2": "2"}) as process:
        run = ended(tmp_path / "worker.log")
        worked = busy(process)
    alone = optimizations.execute(kept(tmp_path / "alone", grid={"parameters": WIDE}).pk, how())
    assert ranking(run) == ranking(alone)
    assert max(worked) > 0.5  # the place that did not ask tried some; the one that did only waits for its command
    assert "Traceback" not in (tmp_path / "worker.log").read_text()
