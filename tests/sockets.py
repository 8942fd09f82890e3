"""A browser's socket, for tests (channels ships one, but importing it needs another web server)."""

import json
from contextlib import asynccontextmanager
from unittest import mock

from asgiref.testing import ApplicationCommunicator

from sensequant.asgi import application


class Socket(ApplicationCommunicator):
    """One socket to the desk; ``cookies`` is a logged-in test client's."""

    def __init__(self, path, *, origin="http://localhost", host="localhost", cookies=None, forwarded=""):
        path, _, query = path.partition("?")
        headers = [(b"host", host.encode())]
        if origin is not None:
            headers.append((b"origin", origin.encode()))
        if forwarded:
            headers.append((b"x-forwarded-for", forwarded.encode()))
        if cookies:
            told = "; ".join(f"{name}={morsel.value}" for name, morsel in cookies.items())
            headers.append((b"cookie", told.encode()))
        scope = {"type": "websocket", "path": path, "query_string": query.encode(), "headers": headers}
        super().__init__(application, {**scope, "subprotocols": []})

    async def connect(self):
        """Ask to be let in; return ``(accepted, close code or None)``."""
        await self.send_input({"type": "websocket.connect"})
        answer = await self.receive_output(5)
        return answer["type"] == "websocket.accept", answer.get("code")

    async def say(self, data):
        """Send ``data`` as JSON."""
        await self.send_input({"type": "websocket.receive", "text": json.dumps(data)})

    async def hear(self, timeout=5):
        """Return the next message's JSON, or ``{"closed": code}``."""
        answer = await self.receive_output(timeout)
        return json.loads(answer["text"]) if answer["type"] == "websocket.send" else {"closed": answer.get("code")}

    async def leave(self):
        """Close the socket from the browser's side."""
        await self.send_input({"type": "websocket.disconnect", "code": 1000})
        await self.wait(5)


@asynccontextmanager
async def socket(path, **options):
    """Yield an open socket to ``path`` and close it afterwards; the test's database connection stays open."""
    with mock.patch("channels.db.close_old_connections"):
        one = Socket(path, **options)
        accepted, code = await one.connect()
        assert accepted, f"refused with {code}"
        yield one
        await one.leave()
