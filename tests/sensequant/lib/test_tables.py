"""Tables become CSV as they are shown, and no cell becomes a formula."""

from decimal import Decimal

from sensequant.lib import tables

PAGE = """
<h2 id="held">Held <span>2</span></h2>
<table aria-labelledby="held"><thead><tr><th>Symbol</th><th class="n">P&amp;L</th></tr></thead>
<tbody><tr><td>=HYPERLINK("x")</td><td class="n"><span>▼ −₹1,23,456.50</span></td></tr>
<tr><th>TCS<br></th><td class="n">—</td></tr></tbody>
<tbody class="none"><tr><td colspan="2">Nothing.</td></tr></tbody></table>
<table aria-label="Other"><tr><td>a<button>press</button></td><td class="n">62% of it</td></tr></table>
"""


def test_a_pages_tables_are_read_with_their_names_and_numbers():
    held, other = tables.of_page(PAGE)
    assert held.name == "Held 2"
    assert held.rows == [["Symbol", "P&L"], ['=HYPERLINK("x")', Decimal("-123456.50")], ["TCS", ""]]
    assert (other.name, other.rows) == ("Other", [["a", "62% of it"]])


def test_written_cells_are_numbers_or_harmless_text():
    held, _ = tables.of_page(PAGE)
    assert tables.written(held.rows).splitlines()[1] == '"\'=HYPERLINK(""x"")",-123456.50'
