"""``manage.py train_sentiment`` and ``evaluate_sentiment``: a scorer is made, judged and put in force."""

import json
from pathlib import Path

import pytest

from tests.trading.desks import command, manage
from tests.trading.invented import headlines, write
from trading.services import sentiment_models, sentiment_training


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    """A folder with a file of headlines, and a home whose model was trained on four fifths of them."""
    folder = tmp_path_factory.mktemp("news")
    write(folder / "news.csv.gz", headlines(150))
    return folder


@pytest.fixture
def home(settings, desk):
    settings.SENSEQUANT_HOME = desk / "home"
    return desk / "home"


@pytest.fixture
def trained(home, desk):
    """The answer of one training, made once, by a process of its own."""
    kept = desk / "answer.json"
    if not kept.exists():
        words = ["train_sentiment", "--csv", str(desk / "news.csv.gz"), "--hold-out", "--json"]
        with manage(home, *words, PYTHONHASHSEED="77") as process:
            out, err = process.communicate()
        assert (process.returncode, err.count("error")) == (0, 0), err
        kept.write_text(out)
    return json.loads(kept.read_text())


def judged(desk, *words):
    code, out, err = command("evaluate_sentiment", "--csv", desk / "news.csv.gz", "--json", *words)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_the_answer_names_the_file_and_how_good_the_model_is_on_what_it_was_not_shown(trained):
    assert Path(trained["path"]).is_file()
    assert trained["training"]["labels"].keys() == {"negative", "neutral", "positive"}
    assert trained["n"] < 150
    assert 0.7 < trained["macro_f1"] <= 1.0
    assert trained["macro_f1"] > trained["training"]["held_back"]["keyword"]["macro_f1"]


def test_the_model_is_in_force_at_once(trained):
    assert sentiment_models.current().version == trained["version"]


def test_the_scorers_are_judged_side_by_side(trained, desk):
    answer = judged(desk)
    assert list(answer) == ["keyword", "lexicon", "trained"]
    for figures in answer.values():
        assert {"n", "accuracy", "macro_f1", "ece", "confusion", "bins", "labels", "version"} <= set(figures)
        assert figures["n"] == 150 == sum(map(sum, figures["confusion"]))
    assert answer["trained"]["seen"] == trained["n"]
    assert answer["lexicon"]["seen"] == 0


def test_what_it_was_trained_on_can_be_left_out(trained, desk):
    answer = judged(desk, "--unseen", "--scorers", "trained,lexicon")
    assert answer["trained"]["n"] == answer["lexicon"]["n"] == 150 - trained["n"]
    assert answer["trained"]["seen"] == 0
    assert answer["trained"]["macro_f1"] > 0.7


def test_the_same_files_and_seed_give_the_same_model_in_another_process(trained, desk):
    code, out, err = command("train_sentiment", "--csv", desk / "news.csv.gz", "--hold-out", "--json")
    assert (code, err, json.loads(out)["version"]) == (0, "", trained["version"])


def test_a_model_may_be_stored_without_being_put_in_force(trained, desk):
    code, out, _ = command("train_sentiment", "--csv", desk / "news.csv.gz", "--no-activate", "--seed", "4", "--json")
    other = json.loads(out)["version"]
    assert code == 0
    assert sentiment_models.current().version == trained["version"] != other
    assert judged(desk, "--model", other)["trained"]["version"] == other


def test_the_tables_are_for_people(trained, desk):
    code, out, _ = command("evaluate_sentiment", "--csv", desk / "news.csv.gz")
    assert code == 0
    for word in ("macro-F1", "is / told", "sure 0.", "it was trained on: --unseen"):
        assert word in out


def test_headlines_without_a_subject_train_too(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    rows = [(title, label) for title, _, label in headlines(90)]
    code, out, _ = command("train_sentiment", "--csv", write(tmp_path / "a.csv", rows, ("headline", "label")), "--json")
    assert (code, json.loads(out)["training"]["named"]) == (0, 0)


def test_without_a_model_the_rules_are_judged_and_the_way_to_one_is_told(settings, tmp_path, desk):
    settings.SENSEQUANT_HOME = tmp_path
    assert list(judged(desk)) == ["keyword", "lexicon"]
    code, out, _ = command("evaluate_sentiment", "--csv", desk / "news.csv.gz")
    assert (code, "manage.py train_sentiment" in out) == (0, True)


def test_noise_makes_a_model_that_is_stored_but_not_preferred(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    rows = [(title, entity, ("negative", "neutral", "positive")[n % 7 % 3]) for n, (title, entity, _) in
            enumerate(headlines(45))]  # fmt: skip
    code, out, _ = command("train_sentiment", "--csv", write(tmp_path / "noise.csv", rows))
    assert code == 0
    assert "on headlines held back:" in out
    assert "stored as" in out
    if "no better than the lexicon" in out:
        assert sentiment_models.active_scorer().name == "lexicon"
    else:
        assert sentiment_models.active_scorer().name == "trained"


@pytest.mark.parametrize("name", ["train_sentiment", "evaluate_sentiment"])
@pytest.mark.parametrize(
    ("content", "complaint"),
    [("title,mood\nAcme up,fine\n", "lacks a column sentiment or label"), ("title,label\nAcme up,fine\n", "'fine'")],
)
def test_a_bad_file_is_one_line_and_exit_two(settings, tmp_path, name, content, complaint):
    settings.SENSEQUANT_HOME = tmp_path
    (tmp_path / "bad.csv").write_text(content)
    code, out, err = command(name, "--csv", tmp_path / "bad.csv")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert complaint in err


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("--scorers", "trained"), "there is no trained model"),
        (("--scorers", "magic"), "there is no scorer 'magic'"),
        (("--model", "trained-000000000000"), "there is no model"),
        (("--model", "../x"), "is not the name of a model"),
    ],
)
def test_a_scorer_that_is_not_there_is_one_line_and_exit_two(settings, tmp_path, desk, words, complaint):
    settings.SENSEQUANT_HOME = tmp_path
    code, _, err = command("evaluate_sentiment", "--csv", desk / "news.csv.gz", *words)
    assert (code, err.count("\n")) == (2, 1)
    assert complaint in err


def test_too_little_to_learn_from_is_refused(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    rows = [row for row in headlines(60) if row[2] != "neutral"] + [("Acme meets", "Acme", "neutral")] * 30
    code, _, err = command("train_sentiment", "--csv", write(tmp_path / "few.csv", rows))
    assert (code, err.count("\n")) == (2, 1)
    assert "there are 1 different neutral headlines (give at least 5 of each label)" in err


@pytest.mark.parametrize("seed", [-1, 1 << 32])
def test_a_seed_out_of_bounds_is_refused(home, desk, seed):
    code, _, err = command("train_sentiment", "--csv", desk / "news.csv.gz", f"--seed={seed}")
    assert (code, f"the seed {seed} cannot be used" in err) == (2, True)


def test_nothing_is_left_when_all_was_seen(settings, tmp_path):
    settings.SENSEQUANT_HOME = tmp_path
    path = write(tmp_path / "a.csv", headlines(60))
    assert command("train_sentiment", "--csv", path)[0] == 0
    code, _, err = command("evaluate_sentiment", "--csv", path, "--unseen")
    assert (code, "trained on all of these" in err) == (2, True)


def test_the_same_words_are_always_in_the_same_fold():
    assert sentiment_training.fold_of("Acme up 5%!") == sentiment_training.fold_of("ACME UP 5%")
