"""A simulated Breeze for the stories of a module, and settings that point at it."""

import dataclasses

import pytest

from sensequant.lib import redact
from tests.simulators import bar_folder, simulator


@pytest.fixture(scope="module")
def venue(tmp_path_factory):
    folder = bar_folder(tmp_path_factory.mktemp("bars"))
    with simulator("--at", "10:00", csv=folder) as found:
        yield found


@pytest.fixture
def breeze(venue, settings, tmp_path):
    """Settings of a desk whose Breeze is the simulator, with a home of its own."""
    venue.clear()
    settings.DESK = dataclasses.replace(
        settings.DESK, breeze_base_url=venue.url, breeze_api_key=venue.credentials["api_key"],
        breeze_api_secret=venue.credentials["api_secret"],
    )  # fmt: skip
    settings.SENSEQUANT_HOME = tmp_path
    yield venue
    redact.forget()
