"""The live socket: tells each page the newest snapshot, and how old it is.

A reader subscribes to topics and is told; nothing can be ordered here. A ping from the engine only wakes a sender,
which reads the newest row, so a lost ping costs at most ``POLL`` seconds and a slow reader skips what it missed.

    to us    {"do": "subscribe"|"unsubscribe"|"resync", "topic": "live"}, {"do": "pong"}
    from us  {"topic": "live", "v", "epoch", "sent_at", "body"}
             {"topic": "heartbeat", "sent_at", "ages": {"live": seconds}, "trouble": text}
    closed   1013 the database is away, try again; 4400 not understood, 4401 not logged in, 4408 too slow,
             4409 too large, 4429 too many sockets
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from dataclasses import dataclass, field
from importlib import import_module
from types import SimpleNamespace
from typing import Any, ClassVar, cast
from weakref import WeakKeyDictionary

from asgiref.sync import sync_to_async
from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.contrib.auth import get_user
from django.db import DatabaseError
from django.http import HttpRequest

from sensequant.lib import broadcast, outage
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from sensequant.lib.security import factors, sessions
from sensequant.lib.security.receivers import sockets_of
from trading.selectors import live

PACE = 0.25  # seconds between two messages of a topic: at most four a second
POLL = 1.0  # looks at the row even when nothing pinged
HEARTBEAT = 2.0
SLOWEST = 2.0  # a send that takes longer ends the socket
RECHECK = 30.0  # seconds between looks at the session, and between two joinings of the groups
LARGEST = 4_096  # bytes a reader may send at once
MOST_SOCKETS = 8  # a person may have open in this process
TRY_AGAIN = 1013
NOT_UNDERSTOOD, STRANGER, TOO_SLOW, TOO_LARGE, TOO_MANY = 4400, 4401, 4408, 4409, 4429
log = get_logger("sockets")


def belongs(key: str, person: int | None) -> bool:
    """Say whether the session ``key`` still exists and is ``person``'s, read afresh."""
    session = import_module(settings.SESSION_ENGINE).SessionStore(key)
    user = get_user(cast(HttpRequest, SimpleNamespace(session=session)))
    if not user.is_authenticated or user.pk != person or not sessions.alive(session, at=now()):
        return False
    return factors.shown(user, session)


@dataclass(slots=True)
class Page:
    """One topic's newest snapshot as this process last read it, its body already JSON text."""

    epoch: str = ""
    version: int = -1
    text: str = ""
    published: float = 0.0  # epoch seconds
    looked: float = float("-inf")
    guard: asyncio.Lock = field(default_factory=asyncio.Lock)

    def message(self, topic: str) -> str:
        """Return the snapshot as one message, stamped with the present moment."""
        sent = now().isoformat(timespec="milliseconds")
        head = f'{{"topic":"{topic}","v":{self.version},"epoch":{json.dumps(self.epoch)},"sent_at":"{sent}"'
        return f'{head},"body":{self.text}}}'


class Shelf:
    """The pages of one event loop, shared by all its sockets, so that fifty readers cost one query."""

    _of_loop: ClassVar[WeakKeyDictionary[asyncio.AbstractEventLoop, Shelf]] = WeakKeyDictionary()

    def __init__(self) -> None:
        """Begin with nothing read."""
        self.pages = {topic: Page() for topic in live.TOPICS}
        self.trouble = ""  # what the pages must be told although nothing is published any more

    @classmethod
    def here(cls) -> Shelf:
        """Return the running loop's shelf."""
        return cls._of_loop.setdefault(asyncio.get_running_loop(), cls())

    async def newest(self, topic: str, told: tuple[str, int] | None) -> Page:
        """Return the page of ``topic``, read again when ``told`` names another version or nobody looked for a while."""
        page = self.pages[topic]
        async with page.guard:
            known = told is None or (told[0] == page.epoch and told[1] <= page.version)
            if known and time.monotonic() - page.looked < POLL:
                return page
            page.looked = time.monotonic()
            await self._read(topic, page)
            self.trouble = await database_sync_to_async(live.trouble)()
        return page

    async def _read(self, topic: str, page: Page) -> None:
        seen = await database_sync_to_async(live.version)(topic)
        if seen is None or seen == (page.epoch, page.version):
            return
        found = await database_sync_to_async(live.newest)(topic)
        if found is not None:
            page.text = await sync_to_async(json.dumps)(found.body, separators=(",", ":"), allow_nan=False)
            page.epoch, page.version, page.published = found.epoch, found.version, found.updated_at.timestamp()


class LiveConsumer(AsyncWebsocketConsumer):  # type: ignore[misc]  # channels publishes no types
    """One reader. ``sender`` is its only task; everything else sets ``dirty``."""

    open_sockets: ClassVar[Counter[int]] = Counter()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Know nobody yet."""
        super().__init__(*args, **kwargs)
        self.topics: dict[str, tuple[str, int]] = {}  # what was last sent of each
        self.told: dict[str, tuple[str, int]] = {}  # what the last ping said
        self.dirty = asyncio.Event()
        self.sender: asyncio.Task[None] | None = None
        self.person: int | None = None
        self.doubtful = False  # whether the session is to be looked at now

    async def __call__(self, *door: Any) -> None:
        """Serve the socket to its end; whatever ends it, it sends no more and is counted no more."""
        try:
            await super().__call__(*door)
        finally:
            if self.sender is not None:
                self.sender.cancel()
            if self.person is not None:
                self.open_sockets[self.person] -= 1

    async def connect(self) -> None:
        """Let a logged-in person in, and begin to send."""
        user = self.scope.get("user")
        await self.accept()  # a refusal before this would reach the browser as 1006, without its reason
        if user is None or not user.is_authenticated:
            await self.close(STRANGER)
        elif self.open_sockets[user.pk] >= MOST_SOCKETS:
            await self.close(TOO_MANY)
        else:
            self.person = user.pk
            self.open_sockets[user.pk] += 1
            await self.join()
            self.sender = asyncio.create_task(self.keep_sending())

    async def join(self) -> None:
        """Join the groups that wake this socket: at the start, and again and again, for Redis may forget them."""
        if self.person is not None:
            for name in (sockets_of(self.person), *self.topics):
                await self.channel_layer.group_add(broadcast.group(name), self.channel_name)

    async def disconnect(self, code: int) -> None:
        """Stop sending and leave the groups."""
        if self.sender is not None:
            self.sender.cancel()
            await asyncio.wait([self.sender])
        if self.person is not None:
            for name in (sockets_of(self.person), *self.topics):
                await self.channel_layer.group_discard(broadcast.group(name), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take one of the four words a reader may say; anything else ends the socket."""
        if self.person is None:
            return
        if text_data is None or len(text_data.encode()) > LARGEST:
            await self.close(TOO_LARGE if text_data or bytes_data else NOT_UNDERSTOOD)
            return
        try:
            said = json.loads(text_data)
        except ValueError:
            said = None
        if not isinstance(said, dict) or not await self.take(said.get("do"), said.get("topic")):
            await self.close(NOT_UNDERSTOOD)

    async def take(self, word: Any, topic: Any) -> bool:
        """Do what a reader said; False when it was not understood."""
        if word == "pong":
            return True
        if not isinstance(topic, str) or topic not in live.TOPICS or word not in ("subscribe", "unsubscribe", "resync"):
            return False
        if word == "unsubscribe":
            self.topics.pop(topic, None)
            await self.channel_layer.group_discard(broadcast.group(topic), self.channel_name)
            return True
        if word == "subscribe" and topic not in self.topics:
            await self.channel_layer.group_add(broadcast.group(topic), self.channel_name)
        self.topics[topic] = ("", -1)  # nothing sent yet: the next look sends it whole
        self.dirty.set()
        return True

    async def push(self, event: dict[str, Any]) -> None:
        """Take the engine's ping, or the word that the person's sessions changed."""
        if self.person is not None and event["topic"] == sockets_of(self.person):
            self.doubtful = True
            self.dirty.set()
            return
        payload = event.get("payload") or {}
        self.told[event["topic"]] = (str(payload.get("epoch")), int(payload.get("version", 0)))
        self.dirty.set()

    async def keep_sending(self) -> None:
        """Send until the session ends; end the socket when its reader is slow or the database is away."""
        try:
            await self.send_and_look()
        except TimeoutError:
            log.warning("A page reads too slowly; its socket is closed", person=self.person)
            await self.end(TOO_SLOW)
        except DatabaseError as error:
            if not outage.is_away(error):
                raise
            await self.end(TRY_AGAIN)

    async def send_and_look(self) -> None:
        """Send what is new, four times a second at most, and a heartbeat every two; look at the session at times."""
        beat = checked = time.monotonic()
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.dirty.wait(), POLL)
            self.dirty.clear()
            for topic in list(self.topics):
                await self.send_newest(topic)
            if time.monotonic() - beat >= HEARTBEAT:
                beat = time.monotonic()
                await self.send_heartbeat()
            if self.doubtful or time.monotonic() - checked >= RECHECK:
                checked, self.doubtful = time.monotonic(), False
                if not await self.still_logged_in():
                    await self.end(STRANGER)
                    return
                await self.join()
            await asyncio.sleep(PACE)

    async def send_newest(self, topic: str) -> None:
        """Send the newest snapshot of ``topic`` unless this reader has it."""
        page = await Shelf.here().newest(topic, self.told.get(topic))
        has = self.topics.get(topic)
        if has is None or page.version < 0 or has == (page.epoch, page.version):
            return
        self.topics[topic] = (page.epoch, page.version)
        await asyncio.wait_for(self.send(text_data=page.message(topic)), SLOWEST)

    async def send_heartbeat(self) -> None:
        """Tell how old each topic's newest snapshot is, in seconds, so that silence is not mistaken for calm."""
        shelf, at = Shelf.here(), now()
        seen = {name: shelf.pages[name] for name in self.topics}
        ages = {name: round(at.timestamp() - page.published, 2) for name, page in seen.items() if page.version >= 0}
        sent = at.isoformat(timespec="milliseconds")
        body = {"topic": "heartbeat", "sent_at": sent, "ages": ages, "trouble": shelf.trouble}
        await asyncio.wait_for(self.send(text_data=json.dumps(body)), SLOWEST)

    async def still_logged_in(self) -> bool:
        """Look whether the session still exists and still belongs to an active person."""
        key = getattr(self.scope.get("session"), "session_key", None)
        if not key:
            return False
        return bool(await database_sync_to_async(belongs)(key, self.person))

    async def end(self, code: int) -> None:
        """Close the socket, without waiting for a reader that does not read."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.close(code), SLOWEST)
