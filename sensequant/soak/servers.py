"""A PostgreSQL cluster and a Redis of our own, in a scratch folder, on ports of their own: they may be shot."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from sensequant.lib.errors import Unavailable

PATIENCE: Final = 60.0
ACCOUNT: Final = "postgres"  # PostgreSQL refuses to run as root


def free_port() -> int:
    """Return a port nobody listens on now."""
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        return int(door.getsockname()[1])


def postgres_folder() -> Path:
    """Return where initdb and pg_ctl are; Unavailable says what to install."""
    on_path = shutil.which("pg_ctl")
    places = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda each: float(each.parent.name), reverse=True)
    for folder in [*([Path(on_path).parent] if on_path else []), *places]:
        if (folder / "initdb").exists() and (folder / "pg_ctl").exists():
            return folder
    raise Unavailable(
        "initdb and pg_ctl are not here", fix="install a PostgreSQL server (Debian: apt install postgresql)"
    )


class Postgres:
    """A cluster that begins empty."""

    def __init__(self, folder: Path) -> None:
        """Make the cluster in ``folder`` and start it."""
        self.bin, self.data, self.port = postgres_folder(), folder / "postgres", free_port()
        self._as = self._account()
        self.data.mkdir(mode=0o700)
        if self._as:
            owner = pwd.getpwnam(ACCOUNT)
            os.chown(self.data, owner.pw_uid, owner.pw_gid)
        self._say("initdb", "-D", str(self.data), "-U", "soak", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.start()

    @property
    def url(self) -> str:
        """Return its address, as DATABASE_URL wants it."""
        return f"postgres://soak@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        told = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=200"
        log = str(self.data / "server.log")
        self._say("pg_ctl", "-D", str(self.data), "-o", told, "-l", log, "-w", "-t", str(int(PATIENCE)), "start")

    def stop(self) -> None:
        """Stop it as a power cut would: nothing is written down, everybody is thrown out."""
        self._say("pg_ctl", "-D", str(self.data), "-m", "immediate", "-w", "stop")

    def close(self) -> None:
        """Stop it for good."""
        subprocess.run(  # it may be stopped already
            [*self._as, str(self.bin / "pg_ctl"), "-D", str(self.data), "-m", "fast", "-w", "stop"],
            capture_output=True, check=False, timeout=PATIENCE, cwd="/",
        )  # fmt: skip

    def _account(self) -> Sequence[str]:
        if os.geteuid() != 0:
            return ()
        try:
            pwd.getpwnam(ACCOUNT)
        except KeyError:
            raise Unavailable(
                "PostgreSQL does not run as root", fix=f"make a user {ACCOUNT}, or run this as somebody else"
            ) from None
        return ("runuser", "-u", ACCOUNT, "--")

    def _say(self, name: str, *words: str) -> None:
        command = [*self._as, str(self.bin / name), *words]
        # The server inherits what pg_ctl has open: a pipe would keep us waiting for its end.
        with (self.data.parent / "postgres.log").open("a") as out:
            done = subprocess.run(command, stdout=out, stderr=out, check=False, timeout=2 * PATIENCE, cwd="/")
        if done.returncode:
            raise Unavailable(f"{name} failed ({done.returncode})", fix=f"read {out.name}")


class Redis:
    """A Redis that keeps nothing on disk."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        if shutil.which("redis-server") is None:
            raise Unavailable("redis-server is not here", fix="install Redis (Debian: apt install redis-server)")
        self.folder, self.port = folder, free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Return its address, as REDIS_URL wants it."""
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, empty, and wait until it answers."""
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]
        with (self.folder / "redis.log").open("a") as out:
            self.process = subprocess.Popen(["redis-server", *words], stdout=out, stderr=out, cwd=self.folder)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise Unavailable("Redis did not start", fix=f"read {self.folder / 'redis.log'}")

    def stop(self) -> None:
        """Kill it; what it held is gone."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def flush(self) -> None:
        """Let it forget everything while it goes on."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as door:
            door.sendall(b"FLUSHALL\r\n")
            door.recv(16)

    close = stop
