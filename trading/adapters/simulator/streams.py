"""The sockets: who listens to what, and what the faults of the moment make of what they hear."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Callable
from itertools import count
from typing import Any, Final
from urllib.parse import parse_qs

import socketio  # type: ignore[import-untyped]
from engineio.packet import MESSAGE  # type: ignore[import-untyped]
from engineio.packet import Packet as EnginePacket
from socketio.exceptions import ConnectionRefusedError as Unwelcome  # type: ignore[import-untyped]
from socketio.packet import EVENT  # type: ignore[import-untyped]
from socketio.packet import Packet as SocketPacket

from trading.adapters.simulator import frames
from trading.adapters.simulator.shares import Share
from trading.adapters.simulator.venue import Venue
from trading.core.exchange.book import Order
from trading.core.exchange.faults import Active

FEEDS: Final = ("ticks", "orders", "ohlc")
ORDERS_ROOM: Final = "orders"
MOST_ROOMS: Final = 5_000
BEAT: Final = 0.02  # seconds between two looks at the market
BREATH: Final = 200  # messages sent before others get their turn
IMPATIENT: Final = 1.0  # seconds a shuffled message waits for others at most


class Feed:
    """One Socket.IO server: who is connected, on which feed, and in which rooms."""

    def __init__(self, venue: Venue, feed: str) -> None:
        """Make the server; ``feed`` is what a connection without a ``feed`` of its own is about."""
        self.venue, self._feed = venue, feed
        self.server = socketio.AsyncServer(
            async_mode="asgi", cors_allowed_origins=[], logger=False, engineio_logger=False, ping_interval=25
        )
        self.members: dict[str, set[str]] = {}
        self.feeds: dict[str, str] = {}
        for name in ("connect", "disconnect", "join", "leave"):
            self.server.on(name, getattr(self, f"_{name}"))

    async def _connect(self, sid: str, environ: dict[str, Any], auth: Any = None) -> None:
        told = auth if isinstance(auth, dict) else {}
        if not self.venue.entrance.socket(told.get("user", ""), told.get("token", "")):
            raise Unwelcome("authentication failed")
        query = parse_qs(environ.get("QUERY_STRING", ""))
        feed = query.get("feed", [self._feed])[0]
        self.feeds[sid] = feed if feed in FEEDS else self._feed
        if self.feeds[sid] == "orders":
            self.members.setdefault(ORDERS_ROOM, set()).add(sid)
            await self.server.enter_room(sid, ORDERS_ROOM)

    async def _disconnect(self, sid: str, *said: Any) -> None:
        """Forget a socket that is gone; an event of this name, which the SDK sends, is nothing but words."""
        if said and self.server.manager.is_connected(sid, "/"):
            return
        self.feeds.pop(sid, None)
        for rooms in self.members.values():
            rooms.discard(sid)

    async def _join(self, sid: str, rooms: Any = None) -> None:
        for room in _rooms(rooms):
            if len(self.members) < MOST_ROOMS or room in self.members:
                self.members.setdefault(room, set()).add(sid)
                await self.server.enter_room(sid, room)

    async def _leave(self, sid: str, rooms: Any = None) -> None:
        for room in _rooms(rooms):
            self.members.get(room, set()).discard(sid)
            await self.server.leave_room(sid, room)

    async def send(self, event: str, room: str, data: Any) -> None:
        """Send one event to a room: encoded once, without a task for every listener."""
        there = [below for _, below in self.server.manager.get_participants("/", room)]
        if not there:
            return
        said = SocketPacket(EVENT, data=[event, data], namespace="/").encode()
        message = EnginePacket(MESSAGE, said)
        for below in there:
            await self.server.eio.send_packet(below, message)

    async def cut(self, feed: str, *, engine: bool = False) -> None:
        """Send DISCONNECT, or close the engine below, to the sockets of a feed (empty: of all)."""
        for sid in [sid for sid, each in self.feeds.items() if feed in ("", each)]:
            if engine:
                below = self.server.manager.eio_sid_from_sid(sid, "/")
                if below is not None:
                    await self.server.eio.disconnect(below)
            else:
                await self.server.disconnect(sid)


def _rooms(said: Any) -> list[str]:
    """Return the rooms a client names: a text or a list of texts."""
    given = said if isinstance(said, list) else [said]
    return [room for room in given[:MOST_ROOMS] if isinstance(room, str) and len(room) <= 64]


class Streams:
    """Sends what happens on the floor to whoever listens."""

    def __init__(self, venue: Venue) -> None:
        """Listen to the floor and the desk."""
        self.venue = venue
        self.ticks, self.ohlc = Feed(venue, "ticks"), Feed(venue, "ohlc")
        self._queue: list[tuple[int, Feed, str, str, Any]] = []
        self._late: list[tuple[float, int, Feed, str, str, Any]] = []
        self._held: dict[str, list[tuple[float, Feed, str, str, Any]]] = {}
        self._candles: dict[str, list[frames.Candle]] = {}
        self._number = count(1)
        venue.floor.watch = self._watch
        venue.desk.notify = self._notify

    def _watch(self, share: Share) -> Callable[[Share], None] | None:
        """Return what hears of every tick of a share; None when nobody listens."""
        token = share.listed.token
        quotes = frames.quotes_room(token)
        heard = self.ticks.members.get(quotes) or self.ticks.members.get(frames.depth_room(token))
        return self._seen if heard or self.ohlc.members.get(quotes) else None

    def _seen(self, share: Share) -> None:
        token = share.listed.token
        room, deep = frames.quotes_room(token), frames.depth_room(token)
        if self.ticks.members.get(room):
            self._quote(share, room)
        if self.ticks.members.get(deep) and not self._struck("stream_mute", share):
            self._say(share.market.ms, self.ticks, "stock", deep, frames.depth(share))
        if self.ohlc.members.get(room):
            candles = self._candles.setdefault(token, [frames.Candle(s, c) for c, s in frames.CANDLES.items()])
            origin = int(share.session.open.timestamp()) if share.session else 0
            for candle in candles:
                if line := candle.take(share, origin):
                    self._say(share.market.ms, self.ohlc, candle.channel, room, line)

    def _quote(self, share: Share, room: str) -> None:
        if not self.venue.faults.active:
            self._say(share.market.ms, self.ticks, "stock", room, frames.quote(share))
            return
        if self._struck("stream_mute", share):
            return
        frame = frames.quote(share, as_index=bool(self._struck("ticks_index_none_fields", share)))
        if self._struck("wrong_token_ticks", share) and (other := self._another(share)):
            frame = [room, *frames.quote(other)[1:]]
        if fault := self._struck("short_lists", share):
            frame = frame[: int(fault.params["items"])]
        times = 2 if self._struck("ticks_repeated", share) else 1
        for _ in range(times):
            self._out(share, room, frame)

    def _out(self, share: Share, room: str, frame: list[Any]) -> None:
        if fault := self._struck("ticks_late", share):
            self._later(float(fault.params["seconds"]), self.ticks, "stock", room, frame)
        elif fault := self._struck("ticks_out_of_order", share):
            self._hold(int(fault.params["batch"]), self.ticks, "stock", room, frame)
        else:
            self._say(share.market.ms, self.ticks, "stock", room, frame)

    def _another(self, share: Share) -> Share | None:
        return next((each for each in self.venue.floor.shares.values() if each is not share and each.market.ms), None)

    def _struck(self, name: str, share: Share) -> Active | None:
        if not self.venue.faults.active:
            return None
        return self.venue.faults.strike("stream", symbol=share.listed.symbol, names=(name,))

    def _notify(self, order: Order) -> None:
        """Tell of an order's change, unless the faults of the moment have it otherwise."""
        if not self.ticks.members.get(ORDERS_ROOM):
            return
        share = self.venue.floor.shares[order.symbol]
        user = self.venue.entrance.credentials.user_id
        row = frames.notice(order, share.listed.code, user, next(self._number))

        def struck(name: str) -> Active | None:
            return self.venue.faults.strike("notices", symbol=order.symbol, names=(name,))

        if struck("notifications_lost"):
            return
        for _ in range(2 if struck("notifications_duplicate") else 1):
            if fault := struck("notifications_delayed"):
                self._later(float(fault.params["seconds"]), self.ticks, "order", ORDERS_ROOM, row)
            elif fault := struck("notifications_shuffled"):
                self._hold(int(fault.params["batch"]), self.ticks, "order", ORDERS_ROOM, row)
            else:
                self._say(self.venue.floor.ms, self.ticks, "order", ORDERS_ROOM, row)

    def _say(self, ms: int, feed: Feed, event: str, room: str, data: Any) -> None:
        self._queue.append((ms, feed, event, room, data))

    def _later(self, seconds: float, feed: Feed, event: str, room: str, data: Any) -> None:
        due = self.venue.monotonic() + seconds
        heapq.heappush(self._late, (due, next(self._number), feed, event, room, data))

    def _hold(self, batch: int, feed: Feed, event: str, room: str, data: Any) -> None:
        """Keep a message until so many are together, then send them the newest first."""
        held = self._held.setdefault(room, [])
        held.append((self.venue.monotonic(), feed, event, room, data))
        if len(held) >= max(batch, 1):
            self._release(room)

    def _release(self, room: str) -> None:
        for _, feed, event, where, data in reversed(self._held.pop(room)):
            self._say(self.venue.floor.ms, feed, event, where, data)

    async def run(self) -> None:
        """Keep the market going and the sockets fed, until cancelled."""
        while True:
            self.venue.floor.advance()
            self._end_candles()
            await self.flush()
            await asyncio.sleep(BEAT)

    def _end_candles(self) -> None:
        now = self.venue.floor.ms // 1000
        for token, candles in self._candles.items():
            share, room = self.venue.by_token[token], frames.quotes_room(token)
            for candle in candles:
                if line := candle.end(share, now):
                    self._say(self.venue.floor.ms, self.ohlc, candle.channel, room, line)

    async def flush(self) -> None:
        """Send everything that is due, in the order of the market's time."""
        now = self.venue.monotonic()
        while self._late and self._late[0][0] <= now:
            _, _, feed, event, room, data = heapq.heappop(self._late)
            self._say(self.venue.floor.ms, feed, event, room, data)
        for room in [room for room, held in self._held.items() if held[0][0] <= now - IMPATIENT]:
            self._release(room)
        waiting, self._queue = self._queue, []
        waiting.sort(key=lambda message: message[0])
        for number, (_, feed, event, room, data) in enumerate(waiting, 1):
            await feed.send(event, room, data)
            if not number % BREATH:
                await asyncio.sleep(0)

    async def cut(self, name: str, feed: str) -> None:
        """Cut sockets as a fault has it; a session that is over takes all of them with it."""
        for each in (self.ticks, self.ohlc):
            await each.cut(feed, engine=name == "engineio_close")
