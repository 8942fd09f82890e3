"""A dataset is named by its content: any other bit, row, name or origin is another dataset."""

import numpy as np
import pytest

from models_ml.core.frozen import ARRAYS, Frozen, digest_of, row_order, sealed, signature
from trading.core.errors import Invalid


def arrays(n=6, k=2, seed=0):
    rng = np.random.default_rng(seed)
    ts = np.repeat(np.arange((n + 1) // 2) * 300, 2)[:n]
    return {
        "X": rng.normal(size=(n, k)), "symbol": np.array(["A", "B"] * n)[:n], "ts": ts, "end": ts + 900,
        "y": rng.integers(-1, 2, n).astype(np.int8), "net": rng.normal(size=(n, 2)),
        "ambiguous": np.zeros(n, bool), "weight": np.ones(n),
    }  # fmt: skip


def test_the_same_content_has_the_same_name():
    one, two = sealed(arrays(), ("a", "b"), {"x": 1}), sealed(arrays(), ["a", "b"], {"x": 1})
    wide = {**arrays(), "symbol": arrays()["symbol"].astype("U30")}
    assert one.digest == two.digest == sealed(wide, ("a", "b"), {"x": 1}).digest == digest_of(one)
    assert len(one) == 6


@pytest.mark.parametrize("name", ARRAYS)
def test_any_other_number_is_another_dataset(name):
    changed = arrays()
    changed[name] = changed[name].copy()
    flat = changed[name].reshape(-1)
    last = flat.size - 1
    if name in ("ts", "end"):
        flat[last] += 1
    elif name == "symbol":
        flat[last] = "C"
    elif name == "y":
        flat[last] = -flat[last] or 1
    else:
        flat[last] = not flat[last]
    assert sealed(changed, ("a", "b"), {}).digest != sealed(arrays(), ("a", "b"), {}).digest


def test_other_names_and_another_origin_are_another_dataset():
    digests = {sealed(arrays(), names, told).digest for names, told in (("ab", {}), ("ba", {}), ("ab", {"x": 2}))}
    assert len(digests) == 3


def test_nobody_writes_into_a_dataset():
    made = sealed(arrays(), ("a", "b"), {})
    with pytest.raises(ValueError, match="read-only"):
        made.X[0, 0] = 1.0


def test_a_part_knows_the_whole():
    whole = sealed(arrays(), ("a", "b"), {"signature": signature(("a", "b"), "c0de")})
    part = whole.select(whole.symbol == "A")
    assert isinstance(part, Frozen)
    assert part.manifest == {"part_of": whole.digest, "signature": signature(("a", "b"), "c0de")}
    assert part.symbol.tolist() == ["A"] * 3
    assert part.digest != whole.digest


def test_rows_are_sorted_by_time_then_symbol():
    assert row_order(np.array(["B", "A", "A"]), np.array([1, 1, 0])).tolist() == [2, 1, 0]


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        ({"ts": np.zeros(5, np.int64)}, "ab", "different lengths"),
        ({"net": np.zeros((6, 1))}, "ab", "X or net"),
        ({}, ("a", "fwd_return"), "fwd_return is known only afterwards"),
        ({}, "aa", "two features have one name"),
        ({"y": np.full(6, -9)}, "ab", "known labels only"),
        ({"end": np.zeros(6, np.int64)}, "ab", "an end after its start"),
        ({"symbol": np.array(["B", "A"] * 3)}, "ab", "in the order of time"),
    ],
)
def test_what_does_not_fit_is_refused(change, names, said):
    with pytest.raises(Invalid, match=said):
        sealed({**arrays(), **change}, tuple(names), {})
