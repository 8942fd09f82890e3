"""The channel layer over Redis, for which a Redis that is away is no reason to drop a page.

Pings through Redis only wake a socket that looks at the rows by itself once a second, so nothing is lost while it is
away: who listens goes on listening, and groups are joined again by whoever is in them.
"""

from __future__ import annotations

import asyncio
from typing import Any

from channels_redis.core import RedisChannelLayer

from sensequant.lib import outage
from sensequant.lib.logs import get_logger

PATIENCE = 1.0  # seconds a page waits for a Redis that takes connections and answers nothing
log = get_logger("sockets")


class PatientLayer(RedisChannelLayer):  # type: ignore[misc]  # channels_redis publishes no types
    """Waits for Redis instead of raising: reading asks again, joining and leaving a group are left for later."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Take what the layer of channels_redis takes."""
        super().__init__(*args, **kwargs)
        self.missing = outage.Outage("Redis, which wakes the pages", log)

    async def receive(self, channel: str) -> Any:
        """Return the next message for ``channel``, however long Redis is away meanwhile."""
        while True:
            try:
                message = await super().receive(channel)
            except Exception as error:
                if not outage.is_outage(error):
                    raise
                await asyncio.sleep(self.missing.noted(error))
            else:
                self.missing.back()
                return message

    async def group_add(self, group: str, channel: str) -> None:
        """Join ``channel`` to ``group``; while Redis is away nothing happens, and it is to be joined again later."""
        await self._try(super().group_add(group, channel))

    async def group_discard(self, group: str, channel: str) -> None:
        """Take ``channel`` out of ``group``; while Redis is away it stays in until the group's time is over."""
        await self._try(super().group_discard(group, channel))

    async def _try(self, doing: Any) -> None:
        try:
            await asyncio.wait_for(doing, PATIENCE)
        except Exception as error:
            if not (isinstance(error, TimeoutError) or outage.is_outage(error)):
                raise
            self.missing.noted(error)
        else:
            self.missing.back()
