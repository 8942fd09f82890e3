"""``manage.py check_lookahead`` as a user types it."""

import json

import numpy as np
import pytest

from tests.trading.desks import WEEK, command

pytestmark = pytest.mark.django_db
DEMO = ("--data-source", "demo", "--symbols", "DEMOBANK", "DEMOINFRA", "--interval", "5minute", "--start-date", WEEK[0],
        "--end-date", WEEK[1], "--probes", 3)  # fmt: skip
HERE = "tests.trading.test_check_lookahead"


def honest(columns):
    return {"change": np.diff(columns["close"], prepend=np.nan)}


def peeking(columns):
    return {**honest(columns), "next": np.append(columns["close"][1:], np.nan)}


def shapeless(columns):
    return columns["no such column"]


A_NUMBER = 5


def run(*words):
    return command("check_lookahead", *DEMO, *words)


def test_a_clean_strategy_is_said_to_be_clean():
    code, out, err = run("--strategy", "intraday", "--json")
    found = json.loads(out)
    assert (code, err, found["clean"], found["leaking"]) == (0, "", True, [])
    assert [each["symbol"] for each in found["reports"]] == ["DEMOBANK", "DEMOINFRA", "DEMOBANK, DEMOINFRA"]
    assert run("--strategy", "intraday")[1].endswith("nothing knows the future\n")


def test_any_function_of_bars_can_be_checked():
    assert run("--function", f"{HERE}.honest")[0] == 0
    code, out, _ = run("--function", f"{HERE}.peeking", "--json")
    assert (code, json.loads(out)["leaking"]) == (1, ["next"])
    code, out, _ = run("--function", f"{HERE}.peeking")
    assert code == 1
    assert "truncation: next at row" in out
    assert "LOOK-AHEAD in next" in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ((), "nothing to check was named"),
        (("--strategy", "moonshot"), "unknown strategy 'moonshot'"),
        (("--strategy", "intraday", "--bars", 5), "--bars 5 cannot be used"),
        (("--strategy", "intraday", "--probes", 0), "--probes 0 cannot be used"),
        (("--function", "nowhere.at_all"), "--function nowhere.at_all cannot be imported"),
        (("--function", f"{HERE}.A_NUMBER"), "is not a function"),
        (("--function", f"{HERE}.shapeless"), "shapeless failed on DEMOBANK: KeyError"),
        (("--strategy", "intraday", "--end-date", WEEK[0]), "has 72 bars"),
    ],
)
def test_a_mistake_is_told_in_one_line(words, said):
    code, out, err = run(*words)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert said in err
