"""Who may do what only one may do at a time: a row with a token that grows with every change of holder.

The database's clock decides, so a host whose clock jumps neither keeps nor steals a lease; the holder's own side counts
with the monotonic clock and stops itself at half the time.
"""

from __future__ import annotations

import os
import socket
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

from django.db import DatabaseError, connection, transaction

from sensequant.lib.errors import NotAllowed
from sensequant.lib.logs import get_logger
from trading.models.broker import Lease

TTL = 15.0  # seconds
log = get_logger("leases")


@dataclass(slots=True)
class Held:
    """A lease that was granted; ``good_until`` is a monotonic second before which its holder may act."""

    name: str
    holder: str
    token: int
    good_until: float

    @property
    def good(self) -> bool:
        """Say whether the holder may still begin something new: half the time it was granted for is not gone."""
        return time.monotonic() < self.good_until


def myself() -> str:
    """Return a name no other has: host, process number, when the process began, and a random word."""
    return f"{socket.gethostname()}:{os.getpid()}:{_began(os.getpid())}:{uuid.uuid4().hex[:8]}"


def _began(pid: int) -> str:
    """Return when a process of this machine began, in ticks since boot; empty when there is none such."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""


def process_of(holder: str) -> int | None:
    """Return the number of a holder's process when it lives on this machine, else None."""
    host, _, rest = holder.partition(":")
    pid = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit() or is_gone(holder) or not _began(int(pid)):
        return None
    return int(pid)


def is_gone(holder: str) -> bool:
    """Say whether a holder is a process of this machine that surely lives no more; its number may be in use again."""
    host, _, rest = holder.partition(":")
    pid, _, rest = rest.partition(":")
    began = rest.partition(":")[0]
    if host != socket.gethostname() or not pid.isdigit() or not began or not Path("/proc/self/stat").exists():
        return False
    return _began(int(pid)) != began


def take(name: str, holder: str, *, ttl: float = TTL) -> Held:
    """Return the lease ``name`` for ``holder``; NotAllowed naming who has it.

    Taking one's own lease again renews it under the same token. One held by a process of this machine that is gone
    is taken at once: whoever was killed cannot send any more.
    """
    asked = time.monotonic()
    with transaction.atomic():
        token = _grant(name, holder, ttl)
    if token is None:
        other = Lease.objects.filter(name=name).first()
        if other is not None and is_gone(other.holder) and _bury(other):
            return take(name, holder, ttl=ttl)
        who = f"{other.holder} until {other.expires_at:%H:%M:%S} UTC" if other else "somebody else"
        raise NotAllowed(f"{name} is held by {who}", fix="stop that process, or wait until its lease has run out")
    return Held(name, holder, token, asked + ttl / 2.0)


def renew(held: Held, *, ttl: float = TTL) -> None:
    """Prolong a lease; NotAllowed when another has taken it meanwhile."""
    asked = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE trading_lease SET expires_at = {_later()} WHERE name = %s AND holder = %s AND token = %s",  # noqa: S608
            [ttl, held.name, held.holder, held.token],
        )
        if cursor.rowcount != 1:
            raise NotAllowed(f"{held.name} was lost to another process", fix="this process stops; the other goes on")
    held.good_until = asked + ttl / 2.0


def due(held: Held, *, ttl: float = TTL) -> bool:
    """Say whether a lease should be prolonged: a third of the time it was granted for is gone."""
    return time.monotonic() > held.good_until - ttl / 6.0


def ours(held: Held) -> bool:
    """Say whether nobody has taken a lease since, run out or not."""
    return Lease.objects.filter(name=held.name, holder=held.holder, token=held.token).exists()


def held(name: str) -> bool:
    """Say whether somebody holds a lease: it has not run out, and its holder is not known to be gone."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT holder FROM trading_lease WHERE name = %s AND expires_at >= {_now()}", [name])  # noqa: S608
        row = cursor.fetchone()
    return row is not None and not is_gone(str(row[0]))


def release(held: Held) -> None:
    """Give a lease back, so that the next one need not wait."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE trading_lease SET expires_at = {_past()} WHERE name = %s AND holder = %s AND token = %s",  # noqa: S608
            [held.name, held.holder, held.token],
        )


def give_back(held: Held) -> None:
    """Release a lease when the database lets us; otherwise it runs out by itself."""
    try:
        release(held)
    except DatabaseError as error:
        log.warning("the lease could not be given back; it runs out by itself", name=held.name, error=str(error))


def _bury(dead: Lease) -> bool:
    """End the lease of a process that lives no more, unless somebody was faster."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE trading_lease SET expires_at = {_past()} WHERE name = %s AND holder = %s AND token = %s",  # noqa: S608
            [dead.name, dead.holder, dead.token],
        )
        return bool(cursor.rowcount == 1)


def _grant(name: str, holder: str, ttl: float) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO trading_lease (name, holder, token, expires_at) VALUES (%s, %s, 1, {_later()}) "  # noqa: S608
            f"ON CONFLICT (name) DO UPDATE SET token = trading_lease.token + "
            f"CASE WHEN trading_lease.holder = excluded.holder AND trading_lease.expires_at >= {_now()} "
            f"THEN 0 ELSE 1 END, holder = excluded.holder, expires_at = excluded.expires_at "
            f"WHERE trading_lease.holder = excluded.holder OR trading_lease.expires_at < {_now()} RETURNING token",
            [name, holder, ttl],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _now() -> str:
    if connection.vendor == "postgresql":
        return "clock_timestamp()"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')"


def _past() -> str:
    if connection.vendor == "postgresql":
        return "clock_timestamp() - interval '1 second'"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-1 second')"


def _later() -> str:
    """Return the SQL of a moment ``%s`` seconds from now by the database's clock."""
    if connection.vendor == "postgresql":
        return "clock_timestamp() + %s * interval '1 second'"
    return "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', printf('%%+f seconds', %s))"
