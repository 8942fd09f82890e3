"""Readers of the live page in a process of their own, for ``socket_bench``: real sockets, one of which hardly reads.

    python -m sensequant.socket_readers ws://127.0.0.1:8123/ws/live/ http://127.0.0.1:8123

The first line it reads is JSON, ``[cookie header, …]``, one for each reader. It says ``ready`` once every reader has a
snapshot, and when its input ends, ``[[version, seconds of the machine's steady clock], …]``: what arrived, and when.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import sys
import time
from typing import Final
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Origin

VERSION: Final = re.compile(r'^\{"topic":"live","v":(\d+)')
SMALL: Final = 4_096  # bytes the reader that hardly reads takes in before the desk must wait
Arrivals = list[tuple[int, float]]


async def read(one: ClientConnection, arrived: Arrivals, first: asyncio.Event) -> None:
    """Take every message until the socket closes."""
    async for message in one:
        if found := VERSION.match(str(message)):
            arrived.append((int(found[1]), time.monotonic()))
            first.set()


async def opened(address: str, origin: str, cookie: str, *, slow: bool) -> ClientConnection:
    """Return a socket that is subscribed to the live page."""
    plain = None
    if slow:
        parts = urlsplit(address)
        plain = socket.socket()
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL)
        plain.connect((parts.hostname, parts.port))
    one = await connect(
        address, origin=Origin(origin), additional_headers={"Cookie": cookie}, sock=plain, ping_interval=None,
        max_queue=1 if slow else 16, compression=None,
    )  # fmt: skip
    await one.send('{"do":"subscribe","topic":"live"}')
    return one


def say(text: str) -> None:
    """Tell the process that began this one."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


async def main(address: str, origin: str) -> None:
    """Read until the input ends."""
    cookies = json.loads(sys.stdin.readline())
    arrived: Arrivals = []
    firsts = [asyncio.Event() for _ in cookies[1:]]
    slow = await opened(address, origin, cookies[0], slow=True)
    quick = [await opened(address, origin, cookie, slow=False) for cookie in cookies[1:]]
    reading = [asyncio.create_task(read(one, arrived, first)) for one, first in zip(quick, firsts, strict=True)]
    await asyncio.gather(*(each.wait() for each in firsts))
    say("ready")
    await asyncio.to_thread(sys.stdin.read)
    told = list(arrived)
    for task in reading:
        task.cancel()
    slow.transport.abort()
    say(json.dumps(told))


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
