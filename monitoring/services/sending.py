"""Sends what waits in the outbox, one thread a channel, with neither Celery nor Redis.

A message is claimed by compare-and-swap and sent; whoever dies in between leaves a claim that the next sender sees to
be a dead process's, or that runs out. So each message is sent at least once, and again under the same key at worst.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable

from django.db import DatabaseError, connection, transaction
from django.db.models import F, Q

from monitoring.adapters.words import Message, NotSent
from monitoring.models import Attempt, Channel, Episode, Notification
from monitoring.services import auditing, channels, outbox
from sensequant.lib import crash, outage
from sensequant.lib.clock import now
from sensequant.lib.logs import get_logger
from trading.core.token_bucket import Level, per_minute, take
from trading.services import leases

CLAIM = dt.timedelta(seconds=30)
WAITS = (1.0, 5.0, 30.0)  # seconds after the first tries …
THEN, LONGEST = 300.0, 3_600.0  # … then every five minutes, for an hour
RATE = per_minute(20)  # messages a minute on one channel; what is not urgent and above goes into a digest
IDLE = 0.5  # seconds between looks into an empty outbox
log = get_logger("sender")


class Sender:
    """Sends for one channel."""

    def __init__(self, channel: str, *, clock: Callable[[], dt.datetime] = now) -> None:
        """Send on ``channel`` in the name of this process."""
        self.channel, self.clock, self.me = channel, clock, leases.myself()

    def run(self, stop: threading.Event) -> None:
        """Send until ``stop``; a database that does not answer is asked again."""
        missing = outage.Outage(f"the outbox of {self.channel}", log)
        while not stop.is_set():
            try:
                pause = 0.0 if self.once() else IDLE
                missing.back()
            except DatabaseError as error:
                pause = missing.away(error)
            if pause:
                stop.wait(pause)
        connection.close()

    def once(self) -> bool:
        """Send the next message and say whether there was one."""
        at = self.clock()
        row = self._next(at)
        if row is None:
            return False
        if self._looked_after(row):
            return True
        if not row.urgent and not self._may(at):
            row = self._digest(row, at) or row
        if self._claim(row, at):
            self._send(row)
        return True

    def _looked_after(self, row: Notification) -> bool:
        """Withdraw a message somebody has answered meanwhile on another channel; the local log gets it all the same.

        The episode is read at each try, so an acknowledgement stops the rest of the chain.
        """
        episode = row.episode
        if episode is None or self.channel == channels.LOG or episode.acked_at is None:
            return False
        if episode.acked_at <= row.made_at or row.reason == "resolved":
            return False
        return bool(Notification.objects.filter(pk=row.pk, state="waiting", claimed_by=row.claimed_by).update(
            state="withdrawn", error=f"acknowledged by {episode.acked_by}"[:300]
        ))  # fmt: skip

    def drain(self, *, most: int = 1_000) -> int:
        """Send everything that is due and return how many messages those were."""
        sent = 0
        while sent < most and self.once():
            sent += 1
        return sent

    def _next(self, at: dt.datetime) -> Notification | None:
        """Return the next message that is due and that nobody living is sending; the urgent first."""
        due = Notification.objects.filter(channel=self.channel, state="waiting", due_at__lte=at)
        free = due.filter(Q(claimed_until=None) | Q(claimed_until__lte=at)).order_by("-urgent", "id").first()
        if free is not None:
            return free
        for row in due.exclude(claimed_by="").order_by("-urgent", "id")[:20]:
            if leases.is_gone(row.claimed_by):
                return row
        return None

    def _claim(self, row: Notification, at: dt.datetime) -> bool:
        mine = Notification.objects.filter(pk=row.pk, state="waiting", claimed_by=row.claimed_by, attempts=row.attempts)
        won = mine.update(claimed_by=self.me, claimed_until=at + CLAIM, attempts=F("attempts") + 1)
        crash.point("alert-claimed")
        return bool(won)

    def _may(self, at: dt.datetime) -> bool:
        """Take a token of the channel's bucket; False when there is none."""
        row, _ = Channel.objects.get_or_create(
            name=self.channel, defaults={"tokens": RATE.capacity, "refilled_at": at.timestamp()}
        )
        level, wait = take(RATE, Level(row.tokens, row.refilled_at), at.timestamp())
        Channel.objects.filter(pk=row.pk).update(tokens=level.tokens, refilled_at=level.at)
        return wait <= 0.0 or self.channel == channels.LOG

    def _digest(self, first: Notification, at: dt.datetime) -> Notification | None:
        """Make one message of all that wait and are not urgent; None when there is only one."""
        with transaction.atomic():
            rows = list(
                Notification.objects.filter(
                    channel=self.channel, state="waiting", urgent=False, due_at__lte=at, claimed_until=None
                ).exclude(episode=None).order_by("id")[:500]
            )  # fmt: skip
            if len(rows) < 2:
                return None
            worst = "WARNING" if any(row.severity == "WARNING" for row in rows) else "INFO"
            lines = [f"{row.reason}: {row.body.get('message', '')}" for row in rows]
            body = {
                "timestamp": at.isoformat(), "severity": worst, "rule": "digest", "acknowledged": False,
                "message": f"{len(rows)} messages within a minute", "context": {}, "lines": lines,
                "keys": [row.key for row in rows],
            }  # fmt: skip
            digest = Notification.objects.create(
                key=f"digest-{first.pk}-{self.channel}", channel=self.channel, reason="digest", severity=worst,
                body=body, made_at=first.made_at, due_at=at,
            )  # fmt: skip
            outbox.merged(digest, rows)
        return digest

    def _send(self, row: Notification) -> None:
        """Send a claimed message and write down how it went."""
        begun = time.monotonic()
        crash.point("alert-before-send")
        try:
            name = channels.sender(self.channel).send(self._message(row), at=self.clock())
        except NotSent as error:
            self._failed(row, error, time.monotonic() - begun)
        except Exception as error:
            log.exception("a channel failed", channel=self.channel)
            self._failed(row, NotSent(f"{type(error).__name__}: {error}"), time.monotonic() - begun)
        else:
            crash.point("alert-after-send")
            self._done(row, name, time.monotonic() - begun)
        crash.point("alert-written")

    def _message(self, row: Notification) -> Message:
        first = self._first(row.episode) if row.episode_id else None
        body = {**row.body, "key": row.key, "attempt": row.attempts + 1}
        return Message(
            row.key, _title(row), _text(row), body, row.severity, row.reason == "resolved",
            f"alert-{row.episode_id}" if row.episode_id else row.key, first.key if first else "",
            first.provider_id if first and first.sent_at else "",
        )  # fmt: skip

    def _first(self, episode: Episode | None) -> Notification | None:
        rows = Notification.objects.filter(episode=episode, channel=self.channel)
        return rows.order_by("number", "id").first()

    def _done(self, row: Notification, name: str, seconds: float) -> None:
        at = self.clock()
        with transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(
                state="sent", sent_at=at, provider_id=name[:200], error="", claimed_by="", claimed_until=None
            )
            Attempt.objects.create(notification=row, at=at, ok=True, seconds=seconds)
            self._count(at, "")

    def _failed(self, row: Notification, error: NotSent, seconds: float) -> None:
        at, tries = self.clock(), row.attempts + 1
        wait = WAITS[tries - 1] if tries <= len(WAITS) else THEN
        late = (at - row.made_at).total_seconds() >= LONGEST
        over = error.permanent or late
        log.warning("an alert was not sent", channel=self.channel, error=error.message, tries=tries, over=over)
        with transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(
                state="failed" if over else "waiting", error=error.message[:300], claimed_by="", claimed_until=None,
                due_at=at + dt.timedelta(seconds=wait),
            )  # fmt: skip
            Attempt.objects.create(
                notification=row, at=at, ok=False, permanent=error.permanent, seconds=seconds, error=error.message[:300]
            )
            self._count(at, error.message)
            if over:
                self._stand_in(row, error, at)

    def _count(self, at: dt.datetime, error: str) -> None:
        row, _ = Channel.objects.get_or_create(
            name=self.channel, defaults={"tokens": RATE.capacity, "refilled_at": at.timestamp()}
        )
        if error:
            changes: dict[str, object] = {
                "failed": F("failed") + 1, "last_error": error[:300], "last_error_at": at,
            }  # fmt: skip
        else:
            changes = {"sent": F("sent") + 1, "last_sent_at": at}
        Channel.objects.filter(pk=row.pk).update(**changes)

    def _stand_in(self, row: Notification, error: NotSent, at: dt.datetime) -> None:
        """Queue the message on the next channel that has not got it."""
        same = Notification.objects.filter(episode=row.episode, number=row.number) if row.episode_id else None
        have = {self.channel} if same is None else set(same.values_list("channel", flat=True))
        other = next((name for name in channels.on() if name not in have), "")
        if row.episode is not None:
            auditing.append(
                "channel failed", by="monitoring", at=at, episode=row.episode, channel=self.channel, why=error.message,
                stands_in=other,
            )  # fmt: skip
        if not other:
            return
        Notification.objects.create(
            key=f"{row.key}-by-{other}"[:80], episode=row.episode, number=row.number, channel=other,
            reason=f"{row.reason} ({self.channel} failed: {error.message})"[:400], severity=row.severity,
            urgent=row.urgent, body=row.body, made_at=at, due_at=at, stands_in_for=row,
        )  # fmt: skip


def _title(row: Notification) -> str:
    name = str(row.body.get("rule", "alert"))
    group = str(row.body.get("group") or "")
    if row.reason == "resolved":
        return f"{name} {group} is over".replace("  ", " ")
    return f"{name} {group}".strip()


def _text(row: Notification) -> str:
    lines = [str(row.body.get("message", ""))]
    if row.reason not in ("first", "digest"):
        lines.append(f"({row.reason})")
    if row.body.get("kept_quiet"):
        lines.append(f"{row.body['kept_quiet']} looks since the last message said nothing.")
    if row.body.get("flapping"):
        lines.append("It is flapping: it fired again and again within half an hour.")
    lines += [str(each) for each in row.body.get("lines", ())]
    if row.body.get("runbook"):
        lines.append(f"What to do: {row.body['runbook']}")
    return "\n".join(lines)
