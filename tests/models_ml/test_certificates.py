"""A pipeline that finds something where nothing is, or nothing where something is, gets no certificate."""

import warnings

import numpy as np
import pytest

from models_ml.core.proving import A_DAY, Ground, market
from models_ml.services.certificates import SEEDS, certify, edge_proof, null_proof, proving_data

SMALL = Ground(symbols=3, days=12)


def ridge(train, x):
    """Fit which of both sides did better, linearly."""
    known = np.isfinite(train.X).any(axis=0)
    middle, spread = np.zeros(x.shape[1]), np.ones(x.shape[1])
    middle[known] = np.nanmean(train.X[:, known], axis=0)
    spread[known] = np.maximum(np.nanstd(train.X[:, known], axis=0), 1e-12)

    def ready(rows):
        return np.column_stack([np.clip(np.nan_to_num((rows - middle) / spread), -5, 5), np.ones(len(rows))])

    a, w = ready(train.X), train.weight[:, None]
    truth = np.sign(train.net[:, 0] - train.net[:, 1])
    return ready(x) @ np.linalg.solve((a * w).T @ a + 3.0 * np.eye(a.shape[1]), (a * w).T @ truth)


def coin(train, x):
    return np.random.default_rng(0).random(len(x))


@pytest.fixture(scope="module")
def certificate():
    return certify(ridge)


def test_an_honest_pipeline_gets_both(certificate):
    assert certificate.passed
    assert str(certificate.null).startswith("passed: AUC 0.4") or str(certificate.null).startswith("passed: AUC 0.5")
    assert certificate.edge.mean > 0.6
    assert len(certificate.null.aucs) == len(SEEDS)
    assert certificate.null.high - 0.5 < 0.03


def test_it_is_plain_json_with_a_name_of_its_own(certificate):
    told = certificate.as_dict()
    assert len(told["sha256"]) == 64
    assert told["null"]["seeds"] == list(SEEDS)
    assert told == certificate.as_dict()


def test_a_pipeline_that_cannot_learn_is_not_certified():
    proof = edge_proof(coin, seeds=(1, 2), ground=Ground(3, 12, edge=0.35))
    assert not proof.passed
    assert str(proof).startswith("FAILED")


def test_a_proving_market_is_the_same_for_the_same_seed_and_another_for_another():
    one, same, other = market(1, SMALL), market(1, SMALL), market(2, SMALL)
    assert one[0].bars.close.tobytes() == same[0].bars.close.tobytes() != other[0].bars.close.tobytes()
    assert [lane.spec.symbol for lane in one] == ["W0", "W1", "W2"]


def test_a_proving_market_has_what_real_bars_have():
    lanes = market(3, Ground(4, 60, together=0.5))
    moves = np.array([np.diff(np.log(lane.bars.close)) for lane in lanes])
    inside = np.arange(moves.shape[1]) % A_DAY != A_DAY - 1
    common = np.corrcoef(moves[:, inside])[np.triu_indices(4, 1)]
    assert 0.3 < common.mean() < 0.6
    sizes = np.abs(moves[:, inside])
    assert all(np.corrcoef(row[:-A_DAY], row[A_DAY:])[0, 1] > 0.05 for row in sizes)  # wild days follow wild days
    assert (np.abs([np.corrcoef(row[:-1], row[1:])[0, 1] for row in moves]) < 0.05).all()
    for lane in lanes:
        o, h, low, c = lane.bars.columns()[1:5]
        assert ((h >= np.maximum(o, c)) & (low <= np.minimum(o, c)) & (low > 0)).all()
        np.testing.assert_allclose(c / 0.05, np.round(c / 0.05), atol=1e-6)
        assert lane.places.left[A_DAY - 1] == 0


def test_proving_data_is_made_as_every_dataset_is():
    data = proving_data(5, SMALL)
    assert data.manifest["proving"] == {"seed": 5, **SMALL._asdict()}
    assert data.digest == proving_data(5, SMALL).digest
    assert len(np.unique(data.symbol)) == 3


def test_a_proof_from_one_market_has_a_band_too():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert null_proof(coin, seeds=(1,), ground=SMALL).passed
