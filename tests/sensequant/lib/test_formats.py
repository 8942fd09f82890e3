"""How numbers and moments are written, and that server and browser write them the same."""

import json
import shutil
import subprocess
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensequant.config import ROOT
from sensequant.lib import formats
from sensequant.lib.formats import show

NUMBERS = [
    0, 1, -1, 999, 1000, 99999, 100000, 12345678.5, -468, 0.004, -0.004, 0.005, -0.005, 1.005, 2.675, 1e7, -1.23e7,
    0.1, 0.6, 123456.5, 1e-7, 41, "123456.50", "-468.00", "0.00", "1.005", "99999.995", "10000000", "-0.001", "1e3",
    None, "", "abc", True, "NaN", "Infinity", "  1", "1_000",
]  # fmt: skip
MOMENTS = [
    "2026-11-20T10:42:07+05:30",
    "2026-11-20T18:30:00+00:00",
    "2026-11-20T18:29:59Z",
    None,
    "",
    "soon",
    "2026-11-20T10:42:07",
    5,
]
WORDS = ["BUY", "SHORT", "FLAT", "filled", "rejected", "queued", "what", "signal_flat", None, ""]


def cases():
    yield from ((value, how) for how in formats.NUMERIC for value in NUMBERS)
    yield from ((value, how) for how in formats.MOMENTS for value in MOMENTS)
    yield from ((value, how) for how in ("side", "status", "text", "word", "symbol") for value in WORDS)
    yield from ((value, "objections") for value in ([], ["cap reached"], ["a", "b"], "alone", None))


@pytest.mark.parametrize(
    ("value", "how", "text", "tone"),
    [
        (12345678.5, "inr", "₹1,23,45,678.50", ""),
        ("-468", "inr", "−₹468.00", ""),
        ("123456.50", "pnl_inr", "▲ +₹1,23,456.50", "up"),
        ("-468.00", "pnl", "▼ −468.00", "down"),
        ("-0.001", "pnl", "◆ 0.00", "flat"),
        (4820000, "compact", "₹48.20 L", ""),
        (12300000, "compact", "₹1.23 Cr", ""),
        (0.006, "pct_of_one", "+0.60%", "up"),
        (0.41, "share", "41%", ""),
        (None, "inr", "—", "muted"),
        (float("nan"), "ratio", "—", "muted"),
        ("2026-11-22T05:12:07+00:00", "stamp_full", "22 Nov 2026 10:42:07 IST", ""),
        (725, "age", "12 min", ""),
    ],
)
def test_values_are_written_the_indian_way(value, how, text, tone):
    seen = show(value, how)
    assert (seen.text, seen.tone) == (text, tone)


def test_what_is_shortened_keeps_the_exact_value_as_its_title():
    assert show("4820000.25", "compact").title == "₹48,20,000.25"


@given(st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**12), max_value=10**12))
def test_grouping_loses_no_digit(number):
    text = formats.grouped(Decimal(number))
    assert Decimal(text.replace(",", "").replace(formats.MINUS, "-")) == number
    assert all(len(part) == 2 for part in text.lstrip(formats.MINUS).partition(".")[0].split(",")[1:-1])


@pytest.mark.skipif(not shutil.which("node"), reason="needs node")
def test_the_browser_writes_exactly_what_the_server_writes():
    told = list(cases())
    script = (
        f"import {{ show }} from {json.dumps((ROOT / 'static/js/format.js').as_uri())};"
        "let text = ''; for await (const part of process.stdin) text += part;"
        "console.log(JSON.stringify(JSON.parse(text).map(([value, how]) => show(value, how))));"
    )
    done = subprocess.run(
        ["node", "--input-type=module", "-e", script],
        input=json.dumps(told),
        capture_output=True,
        text=True,
        check=True,
    )
    there = [(each["text"], each["tone"], each["title"]) for each in json.loads(done.stdout)]
    here = [(seen.text, seen.tone, seen.title) for seen in (show(value, how) for value, how in told)]
    assert [(case, a, b) for case, a, b in zip(told, here, there, strict=True) if a != b] == []
