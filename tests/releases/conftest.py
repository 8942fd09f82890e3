"""A home of its own for every story, and keys that are sealed cheaply."""

import pytest

from releases.services import people_keys


@pytest.fixture
def home(settings, tmp_path, monkeypatch):
    settings.SENSEQUANT_HOME = tmp_path / "home"
    settings.SENSEQUANT_HOME.mkdir()
    monkeypatch.setattr(people_keys, "COST", 16)
    return settings.SENSEQUANT_HOME
