"""Which real services the tests can talk to.

python -m tests.services            say what answers and what will be skipped
python -m tests.services postgres   exit 0 when PostgreSQL answers, 1 otherwise
"""

import os
import shutil
import socket
import sys
from functools import cache
from urllib.parse import urlsplit

POSTGRES = os.environ.get("TEST_DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
REDIS = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
REQUIRED = os.environ.get("SENSEQUANT_REQUIRE_SERVICES") == "1"
ON_POSTGRES = os.environ.get("TEST_ON") == "postgres"


def _answers(url: str, port: int) -> bool:
    at = urlsplit(url)
    try:
        socket.create_connection((at.hostname or "127.0.0.1", at.port or port), timeout=1).close()
    except OSError:
        return False
    return True


@cache
def chromium() -> str:
    """Return the installed Chromium's path, or an empty text."""
    return next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), ""
    )


@cache
def missing(service: str) -> str:
    """Return why tests of ``service`` cannot run, or an empty text."""
    if service == "postgres":
        return "" if _answers(POSTGRES, 5432) else "PostgreSQL does not answer (TEST_DATABASE_URL says where it is)"
    if service == "redis":
        return "" if _answers(REDIS, 6379) else "Redis does not answer (TEST_REDIS_URL says where it is)"
    return "" if chromium() else "Chromium is not installed"


WITHOUT = {
    "postgres": "the database tests run on SQLite only",
    "redis": "the tests marked redis are skipped",
    "browser": "the tests marked browser are skipped",
}


def main(asked: list[str]) -> int:
    """Answer the command line."""
    if asked:
        return 1 if missing(asked[0]) else 0
    lacking = [(missing(name), told) for name, told in WITHOUT.items() if missing(name)]
    for why, told in lacking:
        sys.stderr.write(f"note: {why}: {told}\n")
    return 1 if lacking and REQUIRED else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
