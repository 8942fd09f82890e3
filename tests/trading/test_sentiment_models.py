"""A trained scorer is kept as a file that can do no harm, and the setting says which scorer is in force."""

import base64
import dataclasses
import json
import zlib

import numpy as np
import pytest

from sensequant.lib.errors import BadInput, NotFound
from trading.adapters.sentiment_files import ModelFolder, Stored, pack, unpack
from trading.core.sentiment import Model, scorer
from trading.core.sentiment.linear import Calibration
from trading.core.sentiment.reliability import Reliability
from trading.services import sentiment_models

LEXICON = scorer("lexicon").version


def stored(seed=1, *, better=True):
    weights = np.random.default_rng(seed).normal(0, 1, (256, 3)).astype(np.float32)
    reliability = {"lexicon": Reliability(0.5, -1.0, 0.25, 1.5)}
    model = Model(weights, (0.1, 0.2, -0.3), Calibration(0.9, (0.1, 0.0, -0.1)), Calibration(), reliability)
    return Stored(model, {"n": 9, "better_than_lexicon": better}, np.array([3, 2**63 + 5], np.uint64))


@pytest.fixture
def home(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    sentiment_models._missing.cache_clear()
    return tmp_path


@pytest.fixture
def chosen(settings):
    """Return what sets SENTIMENT_SCORER."""

    def choose(name):
        settings.DESK = dataclasses.replace(settings.DESK, sentiment_scorer=name)

    return choose


def spoiled(change):
    """Return a model's file after ``change`` of its content, its digest put right again."""
    content = json.loads(pack(stored())[1])["content"]
    change(content)
    from trading.adapters.sentiment_files import _digest

    return json.dumps({"sha256": _digest(content), "content": content}).encode()


def test_a_model_comes_back_to_the_last_bit(tmp_path):
    saved = ModelFolder(tmp_path).save(stored(), current=True)
    again = ModelFolder(tmp_path).load(saved.version)
    assert np.array_equal(again.model.weights, saved.model.weights)
    assert again.seen.tolist() == [3, 2**63 + 5]
    assert again.training == saved.training
    for part in ("bias", "whole", "subject", "reliability", "digest"):
        assert getattr(again.model, part) == getattr(saved.model, part)


def test_the_same_model_has_the_same_name_and_another_has_another():
    assert pack(stored())[0].version == pack(stored())[0].version != pack(stored(2))[0].version


@pytest.mark.parametrize(
    "text", [b"", b"{}", b"[]", b"null", b"\x80\x04pickle", b'{"sha256": 1, "content": {}}', b"[" * 100_000]
)
def test_what_is_no_model_is_refused(text):
    with pytest.raises(BadInput, match="x cannot be used"):
        unpack(text, "x")


def test_every_changed_byte_of_the_content_is_noticed():
    text = pack(stored())[1]
    for place in range(text.index('"content"') + 20, len(text) - 10, 97):
        if text[place].isalnum():
            changed = text[:place] + ("1" if text[place] != "1" else "2") + text[place + 1 :]
            with pytest.raises(BadInput):
                unpack(changed.encode(), "x")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (lambda c: c.update(features="0.0"), "another version"),
        (lambda c: c.update(format="sensequant sentiment model 0"), "another version"),
        (lambda c: c.update(bias=[0.0, 5.0, 0.0]), "read differently"),
        (lambda c: c.update(bias=[float("nan"), 0.0, 0.0]), "read differently"),
        (lambda c: c.update(buckets=1 << 40), "buckets"),
        (lambda c: c.update(buckets=-1), "buckets"),
        (lambda c: c.update(buckets=128), "more numbers than it says"),
        (lambda c: c.update(weights="not base64"), "no model of ours"),
        (lambda c: c.update(weights=base64.b64encode(zlib.compress(bytes(50_000_000))).decode()), "more numbers"),
        (lambda c: c.update(reliability={"lexicon": [1.0]}), "no model of ours"),
        (lambda c: c.pop("probes"), "no model of ours"),
    ],
)
def test_a_model_that_could_not_be_trusted_says_why(change, why):
    with pytest.raises(BadInput, match=why) as told:
        unpack(spoiled(change), "x")
    assert "train again" in str(told.value)


@pytest.mark.parametrize("name", ["../../etc/passwd", "trained-../x", "", "trained-0123456789AB", "lexicon-1"])
def test_only_the_name_of_a_model_opens_a_file(tmp_path, name):
    with pytest.raises(BadInput, match="is not the name of a model"):
        ModelFolder(tmp_path).load(name)


def test_a_model_that_is_not_there_names_those_that_are(tmp_path):
    version = ModelFolder(tmp_path).save(stored(), current=False).version
    with pytest.raises(NotFound, match=version):
        ModelFolder(tmp_path).load("trained-000000000000")


def test_a_file_under_another_models_name_is_refused(tmp_path):
    folder = ModelFolder(tmp_path)
    one = folder.path(folder.save(stored(), current=False).version)
    one.rename(tmp_path / "trained-000000000000.json")
    with pytest.raises(BadInput, match="holds the model"):
        folder.load("trained-000000000000")


def test_a_folder_that_can_not_be_written_is_told(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be written"):
        ModelFolder(tmp_path / "file").save(stored(), current=True)


# which scorer is in force


def test_without_a_model_the_lexicon_is(home, chosen):
    assert sentiment_models.current() is None
    assert sentiment_models.active_scorer().version == LEXICON
    chosen("keyword")
    assert sentiment_models.active_scorer().name == "keyword"
    assert sentiment_models.social_scorer().name == "keyword_social"


def test_a_model_is_in_force_once_it_is_there_and_the_newer_one_after_it(home):
    first = sentiment_models.folder().save(stored(1), current=True)
    assert sentiment_models.active_scorer().version == sentiment_models.social_scorer().version == first.version
    second = sentiment_models.folder().save(stored(2), current=True)
    assert sentiment_models.active_scorer().version == second.version
    assert sentiment_models.current() is sentiment_models.current()  # read once


def test_a_model_no_better_than_the_lexicon_is_not_unless_it_is_asked_for(home, chosen):
    saved = sentiment_models.folder().save(stored(better=False), current=True)
    assert sentiment_models.active_scorer().version == f"{LEXICON}+{saved.model.digest[:12]}"
    chosen("trained")
    assert sentiment_models.active_scorer().version == saved.version


def test_a_missing_model_is_said_once_and_the_lexicon_goes_on(home, chosen, caplog):
    chosen("trained")
    assert {sentiment_models.active_scorer().name for _ in range(3)} == {"lexicon"}
    assert caplog.text.count("sentiment_model_missing") == 1


@pytest.mark.parametrize("harm", ["spoiled", "gone", "renamed"])
def test_a_broken_model_is_said_once_and_the_lexicon_goes_on(home, caplog, harm):
    saved = sentiment_models.folder().save(stored(), current=True)
    path = sentiment_models.folder().path(saved.version)
    if harm == "gone":
        path.unlink()
    elif harm == "spoiled":
        path.write_text(path.read_text()[:-9])
    else:
        (path.parent / "current").write_text("../../evil")
    assert [sentiment_models.active_scorer().version for _ in range(3)] == [LEXICON] * 3
    assert caplog.text.count("sentiment_model_unusable") == 1


def test_an_old_version_scores_as_it_did(home):
    old = sentiment_models.folder().save(stored(1), current=True)
    text = "Acme Motors shares surge"
    for by in (scorer("keyword"), scorer("lexicon"), scorer("lexicon", old.model), scorer("trained", old.model)):
        sentiment_models.folder().save(stored(2), current=True)
        assert sentiment_models.scorer_of(by.version)(text, "Acme Motors") == by(text, "Acme Motors")


@pytest.mark.parametrize("version", ["lexicon-0", "magic-1", "", "trained-000000000000", f"{LEXICON}+000000000000"])
def test_a_version_that_is_gone_is_not_replaced_by_another(home, version):
    with pytest.raises(NotFound):
        sentiment_models.scorer_of(version)
