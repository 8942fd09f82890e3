"""The sockets' door: whose pages may open one, and which loop the messages are sent from."""

import asyncio

import pytest
from asgiref.sync import sync_to_async
from asgiref.testing import ApplicationCommunicator

from sensequant.asgi import application
from sensequant.lib import broadcast
from sensequant.lib.security.models import SecurityEvent
from tests.sockets import Socket


@pytest.mark.django_db(transaction=True)  # the refusal is kept, from a thread of its own
@pytest.mark.parametrize(
    "origin", [None, "null", "http://evil.example", "https://localhost.evil.example", "http://localhost:8001"]
)
async def test_a_socket_from_another_site_is_refused(origin):
    stranger = Socket("/ws/live", origin=origin)
    assert await stranger.connect() == (False, None)
    await stranger.wait()
    assert await sync_to_async(SecurityEvent.objects.get)(kind="socket refused")


async def test_the_servers_loop_is_bound_while_it_runs():
    server = ApplicationCommunicator(application, {"type": "lifespan"})
    await server.send_input({"type": "lifespan.startup"})
    assert (await server.receive_output())["type"] == "lifespan.startup.complete"
    assert broadcast._Door.loop is asyncio.get_running_loop()
    await server.send_input({"type": "lifespan.shutdown"})
    assert (await server.receive_output())["type"] == "lifespan.shutdown.complete"
    await server.wait()
    assert broadcast._Door.loop is None
