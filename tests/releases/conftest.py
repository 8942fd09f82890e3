"""A home of its own for every story, keys that are sealed cheaply, and a program that is as it was committed."""

import pytest

from releases.services import people_keys, provenance


@pytest.fixture
def home(settings, tmp_path, monkeypatch):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    settings.SENSEQUANT_HOME.mkdir()
    monkeypatch.setattr(people_keys, "COST", 16)
    monkeypatch.setattr(provenance, "look", lambda since: provenance.Origin("0" * 40, "", ()))
    return settings.SENSEQUANT_HOME
