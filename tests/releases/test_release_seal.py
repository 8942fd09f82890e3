"""Every page says which release is in force, whether it is known to be whole, and how long it is watched still."""

import pytest

from sensequant.lib import paths, release_keys
from tests.releases.deployed import EVENING, back, cast, deployed, later, two
from trading.models import ReleasePointer, StrategyConfig
from trading.services import release_seal

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


def word(at=EVENING):
    return release_seal.seal(at=at).word


def folder():
    return paths.resolve(ReleasePointer.objects.get().folder)


def test_the_strip_and_telemetry_name_the_release_its_seal_and_the_hours_left(client, monkeypatch):
    who = cast()
    monkeypatch.setattr("trading.templatetags.shell.now", lambda: later(17))
    client.force_login(who["Risk Manager"])
    assert "No release is deployed: what trades here was signed by nobody." in client.get("/telemetry").content.decode()
    row = deployed(who)
    release_seal.refresh(at=later(16, 55))
    page = " ".join(client.get("/telemetry").content.decode().split())
    assert f"{row.release_id} ✓ verified 5 min ago · WATCH 31 h left" in page
    assert "✓ signature and every file verified 5 min ago" in page
    release_seal.refresh(at=later(10))
    strip = " ".join(client.get("/state").content.decode().split())
    assert f"{row.release_id} ? not verified 420 min ago" in strip
    assert "✓" not in strip.partition("RELEASE")[2].partition("</li>")[0]


@pytest.mark.parametrize("harm", ["byte", "more", "key", "pointer"])
def test_whatever_changed_is_not_verified_from_that_moment_and_named_once_it_was_compared(harm):
    deployed(cast())
    assert word() == "verified"
    if harm == "byte":
        path = folder() / "files/strategies.json"
        path.chmod(0o644)
        path.write_bytes(path.read_bytes()[:-2] + b" \n")
    if harm == "more":
        (folder() / "files/extra.json").write_text("{}")
    if harm == "key":
        release_keys.public_path().unlink()
    if harm == "pointer":
        ReleasePointer.objects.update(manifest_sha256="0" * 64)
    assert word() == "not verified"
    found = release_seal.refresh(at=EVENING)
    assert (found.word, found.mark, bool(found.against)) == ("differs", "✗", True)


def test_parameters_changed_past_every_door_are_told_with_the_next_comparison():
    deployed(cast())
    StrategyConfig.objects.update(params={"adx_min": 11})
    assert release_seal.refresh(at=EVENING).against[0].startswith("strategies.json: intraday")


def test_a_rollback_leaves_the_release_before_verified_and_unwatched():
    who = cast()
    old, new = two(who)
    back(who, new)
    found = release_seal.seal(at=later(3))
    assert (found.release_id, found.word, found.watch) == (old.release_id, "verified", "")
