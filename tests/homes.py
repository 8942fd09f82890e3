"""Folders for processes under test: their SQLite file is migrated once and copied, which takes no time."""

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

from sensequant.config import ROOT


@cache
def _empty() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="home-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    env = {"PATH": os.environ["PATH"], "SENSEQUANT_HOME": str(folder), "ENV_FILE": os.devnull}
    subprocess.run([sys.executable, "manage.py", "migrate", "-v0"], cwd=ROOT, env=env, check=True)
    return folder / "desk.sqlite3"


def migrated(home: Path) -> Path:
    """Return ``home``, made when it is missing, with an empty database in it unless there is one."""
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "desk.sqlite3").exists():
        shutil.copyfile(_empty(), home / "desk.sqlite3")
    return home
