"""The doorbell: a queued backtest runs in a process of its own, and its row says how it went."""

import pytest
from django.conf import settings
from django.db import connection

from tests.trading.bar_files import minutes, write
from tests.trading.desks import NOON, WEEK
from trading.models import BacktestRun
from trading.services import backtests
from trading.tasks import run_backtest

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]


@pytest.fixture(autouse=True)
def same_database(monkeypatch):
    """Let the process that is started meet the database of the tests."""
    known = connection.settings_dict
    url = f"sqlite:///{known['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "sensequant.settings")
    monkeypatch.setenv("SENSEQUANT_HOME", str(settings.SENSEQUANT_HOME))


def queued(**told):
    usual = {"symbols": ["DEMOBANK"], "strategy": "intraday", "interval": "5minute", "by": "asha", "at": NOON}
    return backtests.request(**{**usual, "start": WEEK[0], "end": WEEK[1], **told})


def test_a_rung_backtest_is_done(caplog):
    run = queued()
    run_backtest(run_id=run.pk)
    run.refresh_from_db()
    assert (run.status, run.bars, run.error) == ("done", 5 * 72, "")
    assert "backtest failed" not in caplog.text


def test_a_backtest_that_fails_says_so_on_its_row_and_in_the_log(tmp_path, caplog):
    file = write(tmp_path / "ACME_5m.csv", minutes(*WEEK, 5))
    run = queued(symbols=["ACME"], directory=str(tmp_path))
    file.write_text("nothing,of,use\n")
    run_backtest(run_id=run.pk)
    run.refresh_from_db()
    assert run.status == "failed"
    assert "no column 'timestamp'" in run.error
    (line,) = [record for record in caplog.records if record.message == "backtest failed"]
    assert (line.context["run"], line.context["code"]) == (run.pk, 2)
    assert "no column 'timestamp'" in line.context["error"]


def test_a_backtest_that_was_cancelled_meanwhile_stays_cancelled():
    run = queued()
    backtests.cancel(run.pk, by="asha")
    run_backtest(run_id=run.pk)
    assert BacktestRun.objects.get(pk=run.pk).status == "cancelled"
