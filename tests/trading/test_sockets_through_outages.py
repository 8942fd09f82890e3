"""A page's socket while Redis or the database is away: it goes on or is told to come again, without a traceback."""

import asyncio
import os
import shutil
import signal
import time

import psycopg
import pytest
import redis
from asgiref.sync import sync_to_async
from django.contrib.auth.models import User
from django.db import OperationalError

from sensequant.lib import broadcast
from sensequant.soak.servers import Redis
from sensequant.sockets import TRY_AGAIN
from tests.sockets import Socket, socket
from tests.trading.pages import a_run, published
from trading import consumers
from trading.consumers import LiveConsumer

pytestmark = pytest.mark.django_db(transaction=True)
LIVE = {"do": "subscribe", "topic": "live"}
publish = sync_to_async(published)


@pytest.fixture
def run(transactional_db):
    return a_run()


@pytest.fixture
def cookies(client, transactional_db):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    LiveConsumer.open_sockets.clear()
    return client.cookies


@pytest.fixture
def carrier(tmp_path, settings):
    """A Redis of our own that carries the pings, as in production."""
    found = Redis(tmp_path)
    layer = {"BACKEND": "sensequant.lib.layer.PatientLayer", "CONFIG": {"hosts": [found.url], "group_expiry": 3_600}}
    settings.CHANNEL_LAYERS = {"default": layer}
    yield found
    found.close()


def away(*_, **__):
    raise OperationalError("connection refused") from psycopg.OperationalError("connection refused")


async def version(one):
    """Return the version of the next snapshot."""
    while True:
        said = await one.hear(8)
        if said.get("topic") == "live" or "closed" in said:
            return said.get("v", said)


async def members(carrier):
    async with redis.asyncio.Redis.from_url(carrier.url) as door:
        return await door.zcard(f"asgi:group:{broadcast.group('live')}")


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_a_page_goes_on_while_redis_is_away_and_is_woken_again_when_it_is_back(
    cookies, run, carrier, monkeypatch, caplog
):
    monkeypatch.setattr(consumers, "RECHECK", 0.3)
    await publish(run, version=1)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        assert await version(one) == 1
        await sync_to_async(carrier.stop)()
        await publish(run, version=2)
        assert await version(one) == 2  # nobody pings; the page looks by itself
        await sync_to_async(carrier.start)()
        assert await members(carrier) == 0
        for _ in range(80):
            if await members(carrier):
                break
            await asyncio.sleep(0.1)
        assert await members(carrier) == 1  # it joined again
        monkeypatch.setattr(consumers, "POLL", 60.0)  # from now on only a ping wakes it
        await asyncio.sleep(1.5)
        await publish(run, version=3)
        for _ in range(3):  # a ping may be lost on a connection that died with Redis
            broadcast.publish("live", {"version": 3, "epoch": "e1"})
            await asyncio.sleep(0.3)
        assert await version(one) == 3
    assert not [each for each in caplog.records if each.exc_info]
    assert "a server is away" in caplog.text


@pytest.mark.skipif(shutil.which("redis-server") is None, reason="redis-server is not installed")
async def test_a_page_that_comes_while_redis_hangs_is_served_within_seconds_and_woken_when_it_answers(
    cookies, run, carrier, monkeypatch, caplog
):
    monkeypatch.setattr(consumers, "RECHECK", 0.3)
    await publish(run, version=1)
    os.kill(carrier.process.pid, signal.SIGSTOP)
    begun = time.monotonic()
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        assert await version(one) == 1
        await publish(run, version=2)
        assert await version(one) == 2
        assert time.monotonic() - begun < 8
        os.kill(carrier.process.pid, signal.SIGCONT)
        for _ in range(80):
            if await members(carrier):
                break
            await asyncio.sleep(0.1)
        assert await members(carrier) == 1
    assert not [each for each in caplog.records if each.exc_info]


async def test_a_page_whose_socket_misses_the_database_is_told_to_come_again(cookies, run, monkeypatch, caplog):
    await publish(run, version=1)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        assert await version(one) == 1
        monkeypatch.setattr("trading.selectors.live.version", away)
        assert await version(one) == {"closed": TRY_AGAIN}
    assert not [each for each in caplog.records if each.exc_info]
    assert not +LiveConsumer.open_sockets


async def test_a_socket_of_whom_nobody_can_be_known_is_refused_without_a_traceback(cookies, monkeypatch, caplog):
    monkeypatch.setattr("django.contrib.sessions.backends.db.SessionStore.load", away)
    accepted, code = await Socket("/ws/live/", cookies=cookies).connect()
    assert (accepted, code) == (False, TRY_AGAIN)
    assert not [each for each in caplog.records if each.exc_info]
