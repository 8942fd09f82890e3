"""One error family: every member knows its HTTP status and its exit code, and a command turns it into one line."""

import io
import json

import pytest
from django.core.management import call_command

from sensequant.lib import errors
from sensequant.lib.commands import DeskCommand
from trading.core.errors import Invalid


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        (errors.BadInput, 400, 2),
        (errors.NotFound, 404, 2),
        (errors.NotAllowed, 409, 1),
        (errors.Unavailable, 503, 1),
        (errors.Failed, 500, 1),
    ],
)
def test_each_error_maps_to_the_outside(kind, status, code):
    error = kind("RELIANC is not a symbol", fix="did you mean RELIANCE?", symbol="RELIANC")
    assert (error.status, error.exit_code) == (status, code)
    assert str(error) == "RELIANC is not a symbol (did you mean RELIANCE?)"
    assert error.context == {"symbol": "RELIANC"}


def run(work, **options):
    class Command(DeskCommand):
        def run(self, **given):
            return work()

    out, err = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command(Command(stdout=out, stderr=err, no_color=True), **options)
    except SystemExit as left:
        code = left.code
    return code, out.getvalue(), err.getvalue()


def fails(error):
    def work():
        raise error

    return work


def test_a_command_answers_in_text_or_in_json():
    assert run(lambda: ({"trades": 3}, "3 trades")) == (0, "3 trades\n", "")
    code, out, _ = run(lambda: ({"trades": 3}, "3 trades"), json=True)
    assert (code, json.loads(out)) == (0, {"trades": 3})


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.BadInput("end\nbefore start", fix="swap them"), 2),
        (errors.Failed("the run failed"), 1),
        (Invalid("window=0: from 1 to 400"), 2),
    ],
)
def test_a_foreseeable_error_is_one_line(error, code):
    left, out, err = run(fails(error))
    assert (left, out) == (code, "")
    assert err.startswith("error: ")
    assert err.count("\n") == 1


def test_an_ordinary_value_error_is_a_bug_and_stays_one():
    with pytest.raises(ValueError, match="a bug"):
        run(fails(ValueError("a bug")))
