"""The desk's settings for tests: an empty environment, a home folder of its own, a fast hasher.

``TEST_ON=postgres`` runs the same tests on PostgreSQL (``tests.services`` says where it is).
"""

import atexit
import os
import shutil
import tempfile

from sensequant.config import ROOT, Desk
from sensequant.lib.env import PREFIX, rows
from tests import services

for name in (each.name for each in rows(Desk)):
    os.environ.pop(name, None)
    os.environ.pop(PREFIX + name, None)
HOME = tempfile.mkdtemp(prefix="desk-tests-")
atexit.register(shutil.rmtree, HOME, ignore_errors=True)
os.environ["SENSEQUANT_HOME"] = HOME
os.environ["ENV_FILE"] = os.devnull
# Compiled once for both passes, their workers and the desks they begin; trading.core.kernel keys it by content.
os.environ["SENSEQUANT_KERNELS"] = str(ROOT / "var" / "cache" / "kernels")
if os.environ.get("TEST_ON") == "postgres":
    os.environ["DATABASE_URL"] = services.POSTGRES

from sensequant.settings import *  # noqa: E402, F403
from sensequant.settings import DATABASES, SENSEQUANT_HOME, SQLITE_OPTIONS, STATIC_ROOT  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STATIC_ROOT.mkdir(exist_ok=True)
WHITENOISE_USE_FINDERS = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, as in life (threads share it), but no test waits for the disk.
    init = SQLITE_OPTIONS["init_command"].replace("synchronous=FULL", "synchronous=OFF")
    DATABASES["default"]["OPTIONS"] = {**SQLITE_OPTIONS, "init_command": init}
    DATABASES["default"]["TEST"] = {"NAME": str(SENSEQUANT_HOME / "test.sqlite3")}
else:
    DATABASES["default"]["TEST"] = {"NAME": f"desk_test_{os.getpid()}"}
    DATABASES["default"]["CONN_MAX_AGE"] = 0
    # As above: no test waits for the disk.
    options = DATABASES["default"].setdefault("OPTIONS", {})
    options["options"] = f"{options.get('options', '')} -c synchronous_commit=off".strip()
