"""The sockets' door: whose pages may open one, and which loop the messages are sent from."""

import asyncio
import dataclasses

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator
from django.contrib.auth.models import User

from sensequant.asgi import application
from sensequant.lib import broadcast
from sensequant.lib.clock import now
from sensequant.lib.security.models import SecurityEvent
from tests.sockets import Socket
from trading import consumers
from trading.services import tokens

NOON = now()


@pytest.mark.django_db(transaction=True)  # the refusal is kept, from a thread of its own
@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://localhost.evil.example", "http://localhost:8001"]
)
async def test_a_socket_from_another_site_is_refused(origin):
    stranger = Socket("/ws/live", origin=origin)
    assert await stranger.connect() == (False, None)
    await stranger.wait()
    assert await sync_to_async(SecurityEvent.objects.get)(kind="socket refused")


@pytest.mark.django_db(transaction=True)
async def test_an_address_opens_no_sockets_without_end_and_its_flood_is_one_row(monkeypatch, settings):
    monkeypatch.setattr("sensequant.sockets.SOCKETS", 2)
    monkeypatch.setattr("sensequant.sockets.now", lambda: NOON)  # one minute, however slow the machine
    settings.DESK = dataclasses.replace(settings.DESK, trusted_proxies=1)
    codes = []
    for _ in range(5):
        one = Socket("/ws/live/", forwarded="203.0.113.77")
        codes.append(await one.connect())
        await one.wait()
    assert codes == [(True, None)] * 2 + [(False, None)] * 3  # let in, and then shown out as strangers
    elsewhere = Socket("/ws/live/", forwarded="203.0.113.78")
    assert await elsewhere.connect() == (True, None)
    await elsewhere.wait()
    kept = await sync_to_async(SecurityEvent.objects.get)(kind="too many sockets")
    assert kept.address == "203.0.113.77"


@pytest.mark.django_db(transaction=True)
async def test_a_key_in_a_sockets_address_lets_nobody_in():
    def key():
        User.objects.create_user("asha", is_staff=True)
        return tokens.issue(username="asha", scope="admin", days=1, by="test", at=NOON)[1]

    stranger = Socket(f"/ws/live/?token={await sync_to_async(key)()}")
    assert await stranger.connect() == (True, None)  # so that the browser sees the reason
    assert await stranger.hear() == {"closed": consumers.STRANGER}
    await stranger.wait()


async def test_the_servers_loop_is_bound_while_it_runs():
    server = ApplicationCommunicator(application, {"type": "lifespan"})
    await server.send_input({"type": "lifespan.startup"})
    assert (await server.receive_output())["type"] == "lifespan.startup.complete"
    assert broadcast._Door.loop is asyncio.get_running_loop()
    await server.send_input({"type": "lifespan.shutdown"})
    assert (await server.receive_output())["type"] == "lifespan.shutdown.complete"
    await server.wait()
    assert broadcast._Door.loop is None
