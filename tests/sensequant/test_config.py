"""The settings table: what is accepted, how a refusal reads, and that every listing says the same."""

import dataclasses
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensequant import checks, config
from sensequant.config import Desk, load
from sensequant.lib import env

ROOT = config.ROOT
ROWS = env.rows(Desk)
LONG_KEY = "aB3$x9Q7" * 8


def one_problem(**variables):
    desk, problems = load(variables)
    assert len(problems) == 1, problems
    return desk, str(problems[0])


def test_an_empty_environment_is_a_working_desk():
    desk, problems = load({})
    assert problems == []
    assert (desk.mode, desk.port, desk.debug) == ("dry-run", 8000, False)
    assert desk == Desk()


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("LIVE_TELEMETRY_THROTTLE_SECONDS", "120", 120),
        ("LIVE_TELEMETRY_SAMPLE_RATE", "0.2", 0.2),
        ("ENABLE_MONITORING", "false", False),
        ("SYMBOLS", '["M&M", "TCS"]', ("M&M", "TCS")),
        ("SYMBOLS", "INFY, TCS", ("INFY", "TCS")),
        ("SENTIMENT_PROVIDER_WEIGHTS", '{"newsapi": 1, "twitter": 0.4}', {"newsapi": 1.0, "twitter": 0.4}),
        ("MONITORING_WEBHOOK_HEADERS", '{"Authorization": "Bearer TOKEN"}', {"Authorization": "Bearer TOKEN"}),
        ("INCREMENTAL_CRON_SCHEDULE", "*/5 9-15 * * 1-5", "*/5 9-15 * * 1-5"),
        ("DATA_FEED_NAIVE_TIMEZONE", "UTC", "UTC"),
    ],
)
def test_a_value_is_read_as_its_type(name, text, value):
    desk, problems = load({name: text})
    assert problems == []
    assert getattr(desk, name.lower()) == value


@pytest.mark.parametrize(
    ("name", "text", "accepted"),
    [
        ("PORT", "80a", "whole number from 1 to 65,535"),
        ("PORT", "0", "whole number from 1 to 65,535"),
        ("LIVE_TELEMETRY_THROTTLE_SECONDS", "9", "whole number from 10 to 3,600"),
        ("LIVE_TELEMETRY_THROTTLE_SECONDS", "3601", "whole number from 10 to 3,600"),
        ("TELEMETRY_SAMPLE_RATE", "1.01", "number from 0 to 1"),
        ("TELEMETRY_SAMPLE_RATE", "nan", "number from 0 to 1"),
        ("INCREMENTAL_LOOKBACK_DAYS", "366", "whole number from 1 to 365"),
        ("MODE", "paper", "dry-run | live | backtest | replay"),
        ("ENABLE_MONITORING", "maybe", "true or false"),
        ("SYMBOLS", "reliance", "NSE symbols such as RELIANCE, M&M, BAJAJ-AUTO"),
        ("INTRADAY_START", "9:15", "a time HH:MM"),
        ("INCREMENTAL_CRON_SCHEDULE", "0 25 * * *", "a cron line of five fields: minute hour day month weekday"),
        ("DATA_FEED_NAIVE_TIMEZONE", "Asia/Bombay2", "a time zone such as Asia/Kolkata or UTC"),
        ("SENTIMENT_PROVIDER_WEIGHTS", '{"newsapi": 2}', "JSON object of numbers from 0 to 1"),
        ("SENTIMENT_PROVIDER_WEIGHTS", '{"newsapi": "x"}', "JSON object of numbers from 0 to 1"),
        ("DATABASE_URL", "mysql://x/y", "sqlite:///PATH or postgres://USER:PASSWORD@HOST/NAME"),
    ],
)
def test_a_refusal_names_the_variable_and_what_is_accepted(name, text, accepted):
    desk, line = one_problem(**{name: text})
    assert line.startswith(f"{name}=")
    assert line.endswith(f"accepted: {accepted}")
    assert getattr(desk, name.lower()) == getattr(Desk(), name.lower())


def test_a_refused_secret_is_not_shown():
    _, line = one_problem(MONITORING_SLACK_WEBHOOK_URL="hooks.slack.com/services/T0/B0/abcdef")
    assert "abcdef" not in line
    assert "(hidden)" in line


@given(st.sampled_from([row for row in ROWS if row.low is not None]), st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_accepted_exactly_within_its_bounds(row, number):
    if row.kind is int:
        number = int(number)
    if row.kind not in (int, float):
        return
    _, problems = load({row.name: repr(number)})
    refused = any(problem.name == row.name and problem.number < 3 for problem in problems)
    assert refused == (not row.low <= number <= row.high)


def test_every_default_is_accepted_by_its_own_row():
    for row in ROWS:
        shown = row.show(row.default)
        if shown:
            assert env.parse(row, shown) == row.default, row.name


def test_a_prefixed_name_is_the_same_setting_and_two_opinions_are_refused():
    desk, problems = load({"SENSEQUANT_STUDENT_MODEL_ENABLED": "true"})
    assert desk.student_model_enabled
    assert problems == []
    _, line = one_problem(STUDENT_MODEL_VERSION="a", SENSEQUANT_STUDENT_MODEL_VERSION="b")
    assert line == "STUDENT_MODEL_VERSION and SENSEQUANT_STUDENT_MODEL_VERSION disagree: set one of them"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ALLOWED_HOSTS": "*", "SECRET_KEY": LONG_KEY}, "ALLOWED_HOSTS"),
        ({"BIND_ADDRESS": "0.0.0.0", "DEBUG": "true", "SECRET_KEY": LONG_KEY}, "DEBUG"),  # noqa: S104
        ({"ALLOWED_HOSTS": "desk.example"}, "SECRET_KEY"),
        ({"ALLOWED_HOSTS": "desk.example", "SECRET_KEY": "short"}, "SECRET_KEY"),
        ({"MODE": "live"}, "MODE"),
        ({"MODE": "live", "ALLOW_SHORT": "true", "BREEZE_API_KEY": "k", "BREEZE_API_SECRET": "s"}, "ALLOW_SHORT"),
        ({"INTRADAY_CUTOFF": "09:15"}, "INTRADAY_CUTOFF"),
        ({"MONITORING_ENABLE_SLACK_ALERTS": "true"}, "MONITORING_ENABLE_SLACK_ALERTS"),
        ({"SENTIMENT_ENABLE_NEWSAPI": "true"}, "SENTIMENT_ENABLE_NEWSAPI"),
    ],
)
def test_settings_that_contradict_each_other_are_refused(variables, named):
    _, line = one_problem(**variables)
    assert line.startswith(f"{named}: ")


def test_a_public_desk_with_a_key_is_accepted():
    assert load({"ALLOWED_HOSTS": "desk.example", "SECRET_KEY": LONG_KEY})[1] == []


def test_the_settings_cannot_be_changed_while_the_process_lives():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Desk().port = 1
    with pytest.raises(TypeError):
        Desk().sentiment_provider_weights["newsapi"] = 1.0


def test_the_example_file_lists_every_variable_with_its_default_and_is_up_to_date():
    text = (ROOT / ".env.example").read_text()
    assert text == env.as_env_file(Desk), "run: python -m sensequant.config > .env.example"
    desk, problems = load(env.read_file(str(ROOT / ".env.example")))
    assert (desk, problems) == (Desk(), [])
    assert re.findall(r"^([A-Z_]+)=", text, re.MULTILINE) == [row.name for row in ROWS]


def test_comments_and_quotes_of_a_settings_file_are_understood(tmp_path):
    file = tmp_path / ".env"
    file.write_text(
        "SENTIMENT_CIRCUIT_BREAKER_COOLDOWN=45  # minutes\n"
        'export MONITORING_EMAIL_TO=["operator@company.com"]\n'
        'INCREMENTAL_CRON_SCHEDULE="0 19 * * 1-5"\n'
        'SENTIMENT_PROVIDER_WEIGHTS=\'{"newsapi": 0.5, "twitter": 0.5}\'\n'
        "BREEZE_API_KEY=\n"
    )
    desk, problems = load(env.read_file(str(file)))
    assert problems == []
    assert desk.sentiment_circuit_breaker_cooldown == 45
    assert desk.monitoring_email_to == ("operator@company.com",)
    assert desk.incremental_cron_schedule == "0 19 * * 1-5"
    assert dict(desk.sentiment_provider_weights) == {"newsapi": 0.5, "twitter": 0.5}
    assert "BREEZE_API_KEY" not in os.environ


def test_the_reference_has_a_line_for_every_variable():
    told = env.as_markdown(Desk)
    for row in ROWS:
        assert f"| `{row.name}` |" in told
        assert row.note


def manage(*arguments, home, **variables):
    surroundings = {"PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(home), "ENV_FILE": os.devnull, **variables}
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=surroundings, capture_output=True, text=True, check=False, timeout=60)


def test_check_reports_a_refused_value_as_a_system_check(tmp_path):
    done = manage("check", home=tmp_path, PORT="99999")
    assert done.returncode == 1
    assert "(sensequant.E002) PORT='99999': out of range; accepted: whole number from 1 to 65,535" in done.stderr


@pytest.mark.parametrize("command", ["runserver", "standalone", "migrate"])
def test_any_start_with_a_refused_value_is_one_line_and_exit_2(command, tmp_path):
    done = manage(command, home=tmp_path, TELEMETRY_SAMPLE_RATE="2")
    assert done.returncode == 2
    assert done.stderr == "error: TELEMETRY_SAMPLE_RATE='2': out of range; accepted: number from 0 to 1\n"
    assert done.stdout == ""


def test_a_home_that_cannot_be_written_is_one_line_and_exit_2(tmp_path):
    file = tmp_path / "taken"
    file.write_text("a file, not a folder")
    done = manage("migrate", home=file)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert f"SENSEQUANT_HOME={file}" in done.stderr


def test_deploy_checks_are_clean_with_production_settings(tmp_path):
    production = {"ALLOWED_HOSTS": "desk.example", "SECRET_KEY": "aB3$x9Q7" * 8, "BEHIND_HTTPS": "true"}
    done = manage("check", "--deploy", "--fail-level", "WARNING", home=tmp_path, **production)
    assert done.returncode == 0, done.stderr


def test_reading_the_settings_loads_nothing_heavy():
    asked = "import sys, sensequant.config as c; c.load({}); print(' '.join(sys.modules))"
    loaded = set(subprocess.check_output([sys.executable, "-c", asked], cwd=ROOT, text=True).split())
    assert loaded & {"numpy", "pandas", "django.db.models", "celery", "numba", "sklearn"} == set()


def test_the_table_prints_itself():
    printed = subprocess.check_output([sys.executable, "-m", "sensequant.config", "--markdown"], cwd=ROOT, text=True)
    assert printed == env.as_markdown(Desk)
    assert json.dumps(["localhost", "127.0.0.1", "[::1]"]) in printed


def test_a_relative_home_lies_in_the_repository():
    assert config.home(Desk()) == Path(ROOT, "var")


def test_the_checks_name_variable_and_number(settings):
    settings.DESK_PROBLEMS = [env.Problem("PORT", "PORT='x': not a whole number", 1)]
    [told] = checks.settings_are_usable(None)
    assert (told.id, told.msg) == ("sensequant.E001", "PORT='x': not a whole number")


def test_passwords_in_the_clear_are_warned_about(settings):
    assert checks.deployment_is_reachable(None) == []
    settings.DESK = dataclasses.replace(settings.DESK, allowed_hosts=("desk.example",))
    assert [told.id for told in checks.deployment_is_reachable(None)] == ["sensequant.W001"]
    settings.DESK = dataclasses.replace(settings.DESK, behind_https=True)
    assert checks.deployment_is_reachable(None) == []


def test_a_start_with_problems_prints_them_and_leaves(capsys, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["manage.py", "standalone"])
    with pytest.raises(SystemExit) as left:
        config.stop_on([env.Problem("PORT", "PORT='x': not a whole number")])
    assert left.value.code == 2
    assert capsys.readouterr().err == "error: PORT='x': not a whole number\n"
    monkeypatch.setattr(sys, "argv", ["manage.py", "check"])
    config.stop_on([env.Problem("PORT", "left to the check")])
