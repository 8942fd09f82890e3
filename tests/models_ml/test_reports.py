"""Reports: what they show, that nothing a user typed is markup in any format, and that the notebooks run."""

import csv
import io
import json
import re
from html.parser import HTMLParser

import matplotlib
import nbformat
import pytest
from nbclient import NotebookClient

from models_ml.core.report_markdown import as_table, escaped
from models_ml.core.reports import Chart, Series, bins
from models_ml.services import report_backtest, report_optimization, reports
from models_ml.services.artifacts import ranked_csv
from sensequant.lib.errors import BadInput, Failed, NotAllowed, NotFound
from tests.trading import rows
from tests.trading.desks import NOON, command
from tests.trading.pages import a_run
from tests.trading.traced import SOME, recorded
from trading.adapters.tracefiles import TraceWriter
from trading.models import BacktestRun

EVIL = "</script><script>alert(1)</script>|`x`$\\frac$*_[a](b)&lt;"
pytestmark = pytest.mark.django_db


def config(k, score, **metrics):
    """Return a configuration as ``configs.json`` holds it; its score follows its first parameter."""
    found = {"sharpe_ratio": 1.45 + k / 10, "total_return": 0.185 + k / 100, "win_rate": 0.5, **metrics}
    accuracy = {"precision_long": 0.6, "hit_ratio": 0.55, "confusion_matrix": [[5, 1, 0], [2, 4, 0], [3, 3, 0]]}
    return {
        "config_id": f"config_{k:04d}", "rank": 5 - k, "score": score,
        "parameters": {"sma": 10 + 5 * k, "rsi": 14 - k % 3},
        "metrics": found, "accuracy_metrics": accuracy, "validation": {},
    }  # fmt: skip


@pytest.fixture
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    return tmp_path


@pytest.fixture
def folder(home):
    """The files of a small optimisation that went from a Sharpe of 1.45 to one of 1.92."""
    where = home / "sample_run"
    where.mkdir()
    configs = [config(k, 0.5 + k / 50) for k in range(5)]
    configs[4]["metrics"]["sharpe_ratio"] = 1.92
    configs[4]["config_id"] = EVIL
    before = {"sharpe_ratio": 1.45, "total_return": 0.185, "precision_long": 0.625, "hit_ratio": 0.598,
              "win_rate": 0.55,
              "confusion_matrix": [[5, 1, 0], [2, 4, 0], [3, 3, 0]]}  # fmt: skip
    honesty = {"verdict": "REJECT", "reasons": [EVIL], "trials": 108, "deflated_sharpe": 0.4, "pbo": 0.6}
    summary = {"run_id": 3, "strategy": "intraday", "symbols": ["RELIANCE", EVIL], "honesty": honesty}
    for name, what in (("configs", configs), ("baseline_metrics", before), ("optimization_summary", summary)):
        (where / f"{name}.json").write_text(json.dumps(what))
    return where


@pytest.fixture
def backtest(home):
    run = rows.backtest()
    BacktestRun.objects.filter(pk=run.pk).update(
        warnings=[EVIL], equity=[["2026-10-30", 1_010_000.0], ["2026-11-02", 990_000.0], ["2026-11-20", 999_000.0]]
    )
    return str(run.pk)


class Page(HTMLParser):
    """What a page holds: its scripts, its figures, its text, and where it points to."""

    def __init__(self, text):
        super().__init__()
        self.inside, self.scripts, self.figures, self.text, self.outside = "", [], [], "", []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.inside = "figure" if found.get("type") == "application/json" else tag
        self.outside += [found[key] for key in ("src", "href") if key in found]
        if tag == "script" and self.inside != "figure":
            self.scripts.append("")

    def handle_endtag(self, tag):
        self.inside = ""

    def handle_data(self, data):
        if self.inside == "figure":
            self.figures.append(json.loads(data))
        elif self.inside == "script":
            self.scripts[-1] += data
        else:
            self.text += data


def page_of(kind, run):
    return Page(reports.export(kind, str(run), "html", at=NOON).read_text())


def test_an_optimisation_is_one_html_file_that_needs_nothing_else(folder):
    page = page_of("optimization", folder)
    assert page.outside == []
    assert len(page.scripts) == 2
    assert "plotly.js" in page.scripts[0]
    titles = [each["layout"]["title"]["text"] for each in page.figures]
    for title in ("Baseline and best", "Correlation with the score", "Parameters and measures: correlation",
                  "Best score by sma (across) and rsi (down)", "Scores", "Confusion matrix, baseline",
                  "Confusion matrix, best"):  # fmt: skip
        assert title in titles, title
    before_after = page.figures[titles.index("Baseline and best")]["data"]
    assert [bar["y"][0] for bar in before_after] == [1.45, 1.92]
    assert "REJECT" in page.text
    assert EVIL in page.text


def test_what_a_user_typed_is_text_in_a_page_and_in_its_figures(folder, backtest):
    for kind, run in (("optimization", folder), ("backtest", backtest)):
        text = reports.export(kind, str(run), "html", at=NOON).read_text()
        assert "<script>alert" not in text
        assert "Content-Security-Policy" in text


def test_the_figures_of_a_page_are_no_markup_to_the_chart_library_either(folder):
    page = page_of("optimization", folder)
    assert all("<script" not in json.dumps(each) for each in page.figures)


def test_accuracy_shows_matrices_returns_and_calibration(home):
    recorded(a_run(), SOME)
    titles = [each["layout"]["title"]["text"] for each in page_of("accuracy", "record").figures]
    for title in ("Confusion matrix, intraday", "Confusion matrix, swing", "Returns of trades", "Cumulative return",
                  "Drawdown", "Confidence and return", "Reliability"):  # fmt: skip
        assert title in titles, title


def test_accuracy_reads_folders_and_traced_backtests(home, backtest):
    with TraceWriter(home / "t") as writer:
        for each in SOME:
            writer.write(each)
    assert "30 traces" in page_of("accuracy", home / "t").text
    BacktestRun.objects.filter(pk=backtest).update(
        telemetry={"traces": 30, "files": [str(path) for path in writer.files]}
    )
    assert "30 traces" in page_of("accuracy", backtest).text


def test_a_backtest_shows_its_curve_its_months_and_its_trades(backtest):
    page = page_of("backtest", backtest)
    titles = [each["layout"]["title"]["text"] for each in page.figures]
    assert titles[:3] == ["Equity", "Drawdown", "Monthly return, %"]
    assert "By symbol" in page.text
    months = report_backtest.monthly([["2026-10-30", 1_010.0], ["2026-11-02", 990.0], ["2026-11-20", 999.9]], 1000.0)
    assert months["2026"][9:11] == [pytest.approx(1.0), pytest.approx(-1.0)]
    assert months["2026"][0] is None


@pytest.mark.parametrize("kind", reports.KINDS)
def test_markdown_keeps_every_cell_a_cell(home, folder, backtest, kind):
    recorded(a_run(), SOME)
    run = {"optimization": str(folder), "backtest": backtest, "accuracy": "record"}[kind]
    text = reports.export(kind, run, "markdown", at=NOON).read_text()
    tables = [part for part in re.split(r"\n\n", text) if part.startswith("|")]
    assert tables
    for table in tables:
        assert len({len(re.findall(r"(?<!\\)\|", line)) for line in table.splitlines()}) == 1, table
    assert "<script>" not in text.replace("\\<script\\>", "")


@pytest.mark.parametrize("kind", reports.KINDS)
def test_pdf_pages_are_made_without_a_browser(home, folder, backtest, kind):
    recorded(a_run(), SOME)
    run = {"optimization": str(folder), "backtest": backtest, "accuracy": "record"}[kind]
    path = reports.export(kind, run, "pdf", at=NOON)
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_size > 10_000
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def cells(path):
    return [each["source"] for each in json.loads(path.read_text())["cells"] if each["cell_type"] == "code"]


@pytest.mark.parametrize(("kind", "name"), [("backtest", "returns"), ("accuracy", "matrix")])
def test_the_notebooks_code_runs_on_what_lies_beside_it(home, backtest, kind, name, monkeypatch, capsys):
    recorded(a_run(), SOME)
    matplotlib.use("Agg")
    monkeypatch.setattr("matplotlib.pyplot.show", lambda: None)
    path = reports.export(kind, backtest if kind == "backtest" else "record", "ipynb", at=NOON)
    nbformat.validate(nbformat.read(path, as_version=4))
    space = {}
    for source in cells(path):
        exec(compile(source, str(path), "exec"), space)  # noqa: S102 - our own notebook
    matplotlib.pyplot.close("all")
    assert capsys.readouterr().out
    if kind == "accuracy":
        assert sum(map(sum, space["matrix"])) == 30


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
def test_the_notebook_of_an_optimisation_opens_and_runs(folder):
    path = reports.export("optimization", str(folder), "ipynb", at=NOON)
    book = nbformat.read(path, as_version=4)
    nbformat.validate(book)
    assert [cell.source.split("\n")[0][:4] for cell in book.cells if cell.cell_type == "markdown"][1:] == [
        f"## {k}" for k in range(2, 9)
    ]
    NotebookClient(book, timeout=60, kernel_name="python3").execute()
    assert sum(output.output_type == "display_data" for cell in book.cells for output in cell.get("outputs", [])) >= 4
    found = json.loads(path.with_name(f"{path.stem}_summary.json").read_text())
    assert (found["best"], found["honesty"]["verdict"]) == (EVIL, "REJECT")
    assert found["sensitivity"]["sma"] == pytest.approx(1.0)


def test_the_command_says_where_it_wrote_and_refuses_in_one_line(folder, backtest):
    code, out, err = command("export_report", "optimization", folder, "--format", "markdown", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["path"].endswith("/data/reports/optimization_sample_run.md")
    code, out, err = command("export_report", "backtest", backtest, "--format", "markdown", "--output", folder / "b.md")
    assert (code, out, err) == (0, f"written to {folder / 'b.md'}\n", "")
    for words, said in (
        (("backtest", "4711"), "there is no backtest '4711'"), (("optimization", "/nowhere"), "there is no folder"),
        (("optimization", "4711"), "there is no optimisation 4711"), (("accuracy", "nothing"), "no source of traces"),
        (("accuracy", "record"), "no scored prediction"),
    ):  # fmt: skip
        code, out, err = command("export_report", *words)
        assert (code, out, err.count("\n")) == (2, "", 1), words
        assert said in err


def test_files_that_cannot_be_are_named(folder):
    (folder / "configs.json").write_text("{")
    with pytest.raises(BadInput, match=r"configs\.json cannot be read"):
        reports.export("optimization", str(folder), "html", at=NOON)
    (folder / "configs.json").write_text("[]")
    with pytest.raises(BadInput, match="holds no configurations"):
        reports.export("optimization", str(folder), "html", at=NOON)
    for kind, form, said in (("moonshot", "html", "no report of"), ("accuracy", "docx", "format 'docx'")):
        with pytest.raises(BadInput, match=said):
            reports.export(kind, "1", form, at=NOON)


def test_a_run_that_has_not_ended_and_a_place_that_cannot_be_written_are_said(home, backtest):
    (home / "file").write_text("here first")
    with pytest.raises(Failed, match="cannot be written"):
        reports.export("backtest", backtest, "markdown", output=str(home / "file" / "r.md"), at=NOON)
    BacktestRun.objects.filter(pk=backtest).update(status="running")
    with pytest.raises(NotAllowed, match="is running"):
        reports.export("backtest", backtest, "markdown", at=NOON)
    with pytest.raises(NotFound):
        reports.export("backtest", "²", "markdown", at=NOON)


def test_without_the_chart_library_html_is_refused_with_the_way_to_get_it(backtest, monkeypatch, home):
    monkeypatch.setattr(reports, "LIBRARY", "vendor/nowhere.js")
    with pytest.raises(Failed, match="npm run vendor"):
        reports.export("backtest", backtest, "html", at=NOON)


def test_correlations_bins_and_tables_are_what_they_say():
    configs = [config(k, 0.5 + k / 50) for k in range(5)]
    assert report_optimization.correlation(configs, "sma", "score") == pytest.approx(1.0)
    assert report_optimization.correlation(configs, "sma", "win_rate") is None
    assert [n for _, _, n in bins([0.0, 1.0, 2.0, 2.0], 2)] == [1, 3]
    assert bins([]) == []
    assert bins([3.0, 3.0]) == [(3.0, 3.0, 2)]
    two = (Series("a", ["x"], [1.0]), Series("b", ["y"], [None]))
    assert as_table(Chart("bar", "t", two)).rows == (("x", "1", ""), ("y", "", "–"))
    assert escaped("a|b\n*c*") == "a\\|b \\*c\\*"


def test_a_ranking_opened_as_a_spreadsheet_holds_no_formula(folder):
    configs = [dict(config(k, 0.5), feasible=True) for k in range(3)]
    for row in csv.reader(io.StringIO(ranked_csv(configs))):
        assert not any(cell[:1] in "=+@\t" for cell in row if cell)
