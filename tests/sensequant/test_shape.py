"""The shapes the desk runs in: Procfile, compose and systemd name the same processes; migrations need no downtime."""

import re
import sys
from pathlib import Path

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.db import migrations
from django.db.migrations.loader import MigrationLoader

from sensequant.config import ROOT
from sensequant.soak.processes import AGAIN, PATIENCE

NAMES = {"web", "worker", "training", "engine", "beat", "watchdog", "monitor", "sender", "ledger"}
OURS = ("trading", "models_ml", "monitoring", "releases", "sensequant")
CONTRACTS = (migrations.RemoveField, migrations.DeleteModel, migrations.RenameField, migrations.RenameModel)


def lines():
    return dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines() if line)


def test_every_process_is_in_the_procfile_the_compose_file_and_the_target():
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text())
    target = (ROOT / "config/systemd/sensequant.target").read_text()
    assert set(lines()) == NAMES
    assert {name for name, one in compose["services"].items() if one.get("command") == [name]} == NAMES
    assert set(re.findall(r"sensequant@(\w+)\.service", target)) == NAMES


def test_every_process_that_ends_is_begun_again_two_seconds_later_however_often():
    unit = dict(re.findall(r"^(\w+)=(.*)$", (ROOT / "config/systemd/sensequant@.service").read_text(), re.MULTILINE))
    assert (unit["Restart"], unit["RestartSec"], unit["StartLimitIntervalSec"]) == ("always", f"{AGAIN:g}", "0")
    assert (unit["KillMode"], unit["TimeoutStopSec"]) == ("mixed", f"{PATIENCE:g}")
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert {services[name]["restart"] for name in NAMES} == {"unless-stopped"}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_line_of_the_procfile_is_a_command_that_exists(name):
    program, *words = lines()[name].split()
    folder = Path(sys.executable).parent
    if program == "python":
        command = load_command_class(get_commands()[words[1]], words[1])
        command.create_parser("manage.py", words[1]).parse_args(words[2:])
    else:
        assert (folder / program).exists()


def test_nothing_is_taken_from_the_tables_the_version_before_still_uses():
    """Expand, then contract: what takes away says ``contract = True`` and comes a version later."""
    loader = MigrationLoader(None)
    for (app, name), one in loader.disk_migrations.items():
        if app in OURS and not getattr(one, "contract", False):
            taken = [op for op in one.operations if isinstance(op, CONTRACTS)]
            assert not taken, f"{app}.{name} takes away: {taken}; write contract = True when no running version uses it"
