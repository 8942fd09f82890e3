"""Slack: an incoming webhook, or a bot whose one message per episode is edited in place (chat.update)."""

from __future__ import annotations

import datetime as dt
import json
from dataclasses import dataclass
from typing import Any

from monitoring.adapters.posting import as_json, post
from monitoring.adapters.words import Message, NotSent

EMOJI = {"CRITICAL": "🔴", "WARNING": "⚠️", "INFO": "ℹ️"}
SHOWN = 10  # fields of the context
HOPELESS = ("invalid_auth", "not_authed", "account_inactive", "token_revoked", "channel_not_found", "not_in_channel",
            "is_archived", "missing_scope")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slack:
    """A webhook's address, or a bot's token and channel."""

    webhook: str = ""
    token: str = ""
    channel: str = ""
    api: str = "https://slack.com/api"
    private: bool = False

    def send(self, message: Message, *, at: dt.datetime) -> str:
        """Send ``message`` and return by what it can be edited (``channel ts``), or an empty text."""
        if not self.token:
            post(self.webhook, json.dumps(_told(message)).encode(), {}, private=self.private)
            return ""
        channel, _, ts = message.edits.partition(" ")
        if ts:
            self._call("chat.update", {**_told(message), "channel": channel, "ts": ts})
            return message.edits
        found = self._call("chat.postMessage", {**_told(message), "channel": self.channel})
        return f"{found.get('channel', self.channel)} {found.get('ts', '')}"

    def _call(self, method: str, body: dict[str, Any]) -> dict[str, Any]:
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json; charset=utf-8"}
        found = as_json(post(f"{self.api}/{method}", json.dumps(body).encode(), headers, private=self.private))
        if not found.get("ok"):
            why = str(found.get("error", "unknown"))[:60]
            raise NotSent(f"Slack said {why}", permanent=why in HOPELESS)
        return found


def _told(message: Message) -> dict[str, Any]:
    sign = "✅" if message.resolved else EMOJI.get(message.severity, "")
    title = f"{sign} {message.title}"
    context = message.body.get("context") or {}
    fields = [
        {"type": "mrkdwn", "text": f"*{_escape(str(key))}*\n{_escape(str(value))[:200]}"}
        for key, value in [*context.items()][:SHOWN]
    ]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": title[:150], "emoji": True}},
        {"type": "section", "text": {"type": "mrkdwn", "text": _escape(message.text)[:2_900]}},
    ]
    if fields:
        blocks.append({"type": "section", "fields": fields})
    return {"text": f"{title}: {message.text}"[:2_900], "blocks": blocks}


def _escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
