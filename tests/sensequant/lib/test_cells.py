"""How tables become HTML: what a cell says, and that nothing a row says is taken for markup."""

from types import SimpleNamespace

import pytest

from sensequant.lib import cells
from trading.views.columns import Column


def lines(column, **row):
    return str(cells.lines([column], [row]))


@pytest.mark.parametrize(
    ("column", "row", "cell"),
    [
        (Column("price", "Price", "number"), {"price": 123456.5}, '<td class="n">1,23,456.50</td>'),
        (Column("pnl", "P&L", "pnl"), {"pnl": "-468"}, '<td class="n down">▼ −468.00</td>'),
        (Column("why", "Why"), {"why": None}, '<td class="text muted">—</td>'),
        (Column("why", "Why"), {}, '<td class="text muted">—</td>'),
        (Column("said", "Said", "word"), {"said": "stop_loss"}, "<td>stop loss</td>"),
        (Column("name", "Name", heading=True), {"name": "cpu_load"}, '<th scope="row">cpu_load</th>'),
        (Column("most", "Most", figures=True), {"most": 0.005}, '<td class="n">0.005</td>'),
        (Column("no", "No.", "qty", link="to"), {"no": 7, "to": "/o/7/"}, '<td class="n"><a href="/o/7/">7</a></td>'),
        (Column("no", "No.", "qty", link="to"), {"no": 7, "to": ""}, '<td class="n">7</td>'),
        (
            Column("t", "T", "word", link="u", hint="more"),
            {"t": "News", "u": "https://a.org/?b&c", "more": "all"},
            '<td title="all"><a href="https://a.org/?b&amp;c" rel="noopener noreferrer nofollow">News</a></td>',
        ),
    ],
)
def test_a_cell_says_what_its_column_makes_of_the_row(column, row, cell):
    assert lines(column, **row) == f"<tr>{cell}</tr>"


@pytest.mark.parametrize("how", ["text", "word", "status", "side", "symbol", "objections"])
def test_nothing_a_row_says_is_taken_for_markup(how):
    evil = "<script>alert('\"&')</script>"
    for said in (evil, [evil]) if how == "objections" else (evil,):
        made = lines(Column("x", "X", how, link="to", hint="tip"), x=said, to=f"/{evil}", tip=evil)
        assert "<script" not in made
        assert "&lt;script&gt;" in made
        assert "'" not in made.replace("&#x27;", "")


def test_a_share_with_an_ampersand_keeps_it_in_its_address():
    made = lines(Column("s", "S", "symbol"), s="M&M")
    assert made == '<tr><td><a href="/?symbol=M%26M" data-symbol="M&amp;M">M&amp;M</a></td></tr>'


def test_objects_are_read_like_mappings():
    assert cells.lines([Column("a", "A", "qty")], [SimpleNamespace(a=4)]) == '<tr><td class="n">4</td></tr>'


def test_a_table_without_a_row_says_why():
    columns = [Column("a", "A"), Column("b", "B")]
    assert '<td colspan="2">Nothing &lt;yet&gt;.</td>' in cells.body(columns, [], "Nothing <yet>.")
    assert "none" not in cells.body(columns, [{"a": 1}], "Nothing.")
    assert cells.body(columns, [], "") == "<tbody></tbody>"


def test_a_heading_explains_itself_and_sorts_where_one_can():
    plain, sorting = Column("a", "A & B", "qty", "what “A” is"), Column("c", "C", sort="c")
    made = cells.head([plain, sorting], lambda column: ("ascending", f"<a>{column.title}</a>"))
    assert '<th scope="col" class="n" title="what “A” is">A &amp; B</th>' in made
    assert '<th scope="col" aria-sort="ascending"><a>C</a></th>' in made
