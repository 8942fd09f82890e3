"""No fault without a test that names it."""

import re
from pathlib import Path

import pytest

from trading.core.exchange.faults import FAULTS

HERE = Path(__file__).parent
TEXT = "".join((HERE / name).read_text() for name in ("test_answers_gone_wrong.py", "test_sockets.py"))


@pytest.mark.parametrize("name", FAULTS)
def test_a_test_names(name):
    assert re.search(rf"\b(test_\w*)?{name}\b|test_\w*{name}", TEXT), f"no test on the wire names {name}"
