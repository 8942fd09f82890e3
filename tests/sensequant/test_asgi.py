"""The sockets' door: whose pages may open one, and which loop the messages are sent from."""

import asyncio

import pytest
from channels.testing import ApplicationCommunicator, WebsocketCommunicator

from sensequant.asgi import application
from sensequant.lib import broadcast


@pytest.mark.parametrize("origin", [None, b"null", b"http://evil.example", b"https://localhost.evil.example"])
async def test_a_socket_from_another_site_is_refused(origin):
    headers = [(b"host", b"localhost")] + ([(b"origin", origin)] if origin else [])
    socket = WebsocketCommunicator(application, "/ws/live", headers=headers)
    assert (await socket.connect())[0] is False
    await socket.wait()


async def test_the_servers_loop_is_bound_while_it_runs():
    server = ApplicationCommunicator(application, {"type": "lifespan"})
    await server.send_input({"type": "lifespan.startup"})
    assert (await server.receive_output())["type"] == "lifespan.startup.complete"
    assert broadcast._Door.loop is asyncio.get_running_loop()
    await server.send_input({"type": "lifespan.shutdown"})
    assert (await server.receive_output())["type"] == "lifespan.shutdown.complete"
    await server.wait()
    assert broadcast._Door.loop is None
