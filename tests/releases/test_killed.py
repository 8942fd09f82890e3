"""Whoever deploys or rolls back may die at any step: the old or the new release is whole, one resumption ends it."""

import json
import os
import signal
import subprocess
import sys

import pytest

from releases.core.steps import STEPS
from sensequant.config import ROOT
from tests import services
from tests.homes import Scratch, migrated

pytestmark = [pytest.mark.django_db, pytest.mark.slow]  # on PostgreSQL, too
PARAMETERS = {1: 25, 2: 30}
PLACES = {  # the release that stands when it was killed there
    "deploy-stage": 1, "deploy-switch": 1, "deploy-switch-uncommitted": 1, "deploy-switch-done": 2, "deploy-publish": 2,
    "rollback-restore": 2, "rollback-switch-uncommitted": 2, "rollback-switch-done": 1,
}  # fmt: skip
ENDS = {
    "deploy": (2, {"1": "superseded", "2": "active"}),
    "rollback": (1, {"1": "stable", "2": "rolled_back"}),
}


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """What was told of every place, on a database of its own."""
    env = {
        "PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(migrated(tmp_path_factory.mktemp("killed") / "home")),
        "ENV_FILE": os.devnull, "DJANGO_SETTINGS_MODULE": "sensequant.settings", "LOG_LEVEL": "CRITICAL",
    }  # fmt: skip
    if not services.ON_POSTGRES:
        yield told_of(env)
        return
    scratch = Scratch.beside(services.POSTGRES, f"desk_test_killed_{os.getpid()}")
    scratch.create()
    try:
        env["DATABASE_URL"] = scratch.url
        subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
        yield told_of(env)
    finally:
        scratch.drop()


def told_of(env):
    done = subprocess.run(
        [sys.executable, "-m", "tests.releases.killed", *PLACES], cwd=ROOT, env=env, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return {told["place"]: told for told in map(json.loads, done.stdout.splitlines())}


def whole(told, seq):
    """Pointer, parameters and student are of one release, and every file has the SHA-256 its manifest says."""
    assert (told["seq"], told["adx"], told["student"], told["differs"]) == (seq, PARAMETERS[seq], [seq], [])


@pytest.mark.parametrize("place", PLACES)
def test_killed_anywhere_one_release_is_whole_and_one_resumption_ends_it(killed, place):
    told, kind = killed[place], place.partition("-")[0]
    then, afterwards = told["then"], told["afterwards"]
    assert told["ended"] == -signal.SIGKILL
    assert then["state"] == "running"
    whole(then, PLACES[place])
    seq, states = ENDS[kind]
    whole(afterwards, seq)
    assert (afterwards["state"], afterwards["releases"]) == ("done", states)
    assert afterwards["steps"] == list(STEPS[kind]), "each step once, in its order"
    assert afterwards["epoch"] == {"deploy": 2, "rollback": 3}[kind], "it was switched once"
    assert (afterwards["in_file"], afterwards["halted"]) == (True, False)


def test_a_rollback_that_was_killed_keeps_entries_stopped_until_it_is_taken_up(killed):
    assert all(told["then"]["halted"] for place, told in killed.items() if place.startswith("rollback"))
