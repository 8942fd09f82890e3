"""Processes of the Procfile as they run in production, over the story's own database and a Redis that may be shot."""

import contextlib
import subprocess
import sys

from django.conf import settings
from django.db import connection

from sensequant.config import ROOT
from sensequant.soak.processes import lines_of


@contextlib.contextmanager
def running(name, broker, log, **more):
    """Run one line of the Procfile; ``more`` are further settings."""
    known = connection.settings_dict
    url = f"sqlite:///{known['NAME']}"
    if connection.vendor == "postgresql":
        url = f"postgres://{known['USER']}:{known['PASSWORD']}@{known['HOST']}:{known['PORT']}/{known['NAME']}"
    told = {
        "DATABASE_URL": url, "REDIS_URL": broker.url, "DJANGO_SETTINGS_MODULE": "sensequant.settings",
        "SENSEQUANT_HOME": str(settings.SENSEQUANT_HOME), "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
    }  # fmt: skip
    line = lines_of((ROOT / "Procfile").read_text())[name]
    for word, value in {
        "WORKERS:-2": "1",
        "WEB_WORKERS:-2": "1",
        "BIND_ADDRESS:-127.0.0.1": "127.0.0.1",
        **more,
    }.items():
        line = line.replace("${" + word + "}", value)
    words = [sys.executable, "-m", *line.split()]
    with log.open("w") as out, subprocess.Popen(words, cwd=ROOT, env=told, stdout=out, stderr=out) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(30)


def worker(broker, log):
    """Run a worker of one process."""
    return running("worker", broker, log)


def web(broker, log, port):
    """Run the web server at ``port``."""
    return running("web", broker, log, **{"PORT:-8000": str(port)})
