"""A company is looked for by the names people write, not by its symbol alone."""

import pytest

from trading.core.company_data import NAMES
from trading.core.company_names import entity, looked_for, names_of, usual


@pytest.mark.parametrize(
    ("registered", "spoken"),
    [
        ("RELIANCE INDUSTRIES LIMITED", "Reliance Industries"),
        ("Acme Widgets (India) Pvt. Ltd.", "Acme Widgets"),
        ("TATA STEEL LTD", "Tata Steel"),
        ("HDFC BANK LTD.", "HDFC Bank"),
        ("Bharat Forge Co. Ltd", "Bharat Forge"),
        ("NTPC LIMITED", "NTPC"),
        ("", ""),
    ],
)
def test_a_registered_name_is_spoken_without_its_legal_ending(registered, spoken):
    assert usual(registered) == spoken


def test_a_large_company_has_the_names_headlines_use():
    assert names_of("RELIANCE") == ("Reliance Industries", "Reliance", "RIL")
    assert names_of("RELIANCE", "RELIANCE INDUSTRIES LTD") == names_of("RELIANCE")


def test_any_other_has_the_name_of_the_master():
    assert names_of("ACME", "ACME WIDGETS LIMITED") == ("Acme Widgets",)
    assert names_of("ACME") == ()


def test_the_symbol_is_looked_for_too_unless_it_is_an_ordinary_word():
    assert looked_for("INFY", names_of("INFY")) == ("Infosys", "INFY")
    assert "IDEA" not in looked_for("IDEA", names_of("IDEA"))
    assert "LT" not in looked_for("LT", names_of("LT"))
    assert looked_for("TCS", names_of("TCS")) == ("Tata Consultancy Services", "TCS")


def test_a_company_without_a_name_is_looked_for_by_its_symbol_at_least():
    assert looked_for("IT", ()) == ("IT",)


def test_names_travel_to_a_scorer_in_one_word():
    assert entity(("Larsen & Toubro", "L|T")) == "Larsen & Toubro|L T"


def test_every_company_of_the_table_has_names_without_quotes():
    assert all(
        names and all(name and '"' not in name and "|" not in name for name in names) for names in NAMES.values()
    )
