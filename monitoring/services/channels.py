"""The channels that are switched on, and which of them a severity goes to."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

from django.conf import settings

from monitoring.adapters.alertlog import AlertLog
from monitoring.adapters.mail import Mail
from monitoring.adapters.slack import Slack
from monitoring.adapters.webhook import Webhook
from monitoring.adapters.words import Message

LOG, SLACK, EMAIL, WEBHOOK = "log", "slack", "email", "webhook"
ORDER = (SLACK, EMAIL, WEBHOOK)  # in which one stands in for another
ALL = (LOG, *ORDER)


class Sender(Protocol):
    """Whoever can send."""

    def send(self, message: Message, *, at: dt.datetime) -> str:
        """Send it and return by what it can be edited; raise NotSent."""
        ...


def on() -> tuple[str, ...]:
    """Return the channels that are switched on, in the order in which they stand in for each other."""
    desk = settings.DESK
    switched = {
        SLACK: desk.monitoring_enable_slack_alerts, EMAIL: desk.monitoring_enable_email_alerts,
        WEBHOOK: desk.monitoring_enable_webhook_alerts,
    }  # fmt: skip
    return tuple(name for name in ORDER if switched[name])


def of(severity: str) -> tuple[str, ...]:
    """Return the channels a severity is told on: the local log always, then its route or all that are switched on."""
    active = on()
    route = settings.DESK.monitoring_routes.get(severity)
    if route is None:
        return (LOG, *active)
    named = set(route.replace(",", " ").split())
    return (LOG, *(name for name in active if name in named))


def sender(name: str) -> Sender:
    """Return the channel called ``name``, as the settings describe it; KeyError for an unknown one."""
    desk = settings.DESK
    private = desk.monitoring_allow_private_addresses
    if name == LOG:
        return AlertLog()
    if name == EMAIL:
        return Mail(
            desk.monitoring_email_smtp_host, desk.monitoring_email_smtp_port, desk.monitoring_email_from,
            desk.monitoring_email_to, desk.monitoring_email_smtp_user, desk.monitoring_email_smtp_password,
        )  # fmt: skip
    if name == SLACK:
        return Slack(
            desk.monitoring_slack_webhook_url, desk.monitoring_slack_bot_token, desk.monitoring_slack_channel,
            desk.monitoring_slack_api_url, private,
        )  # fmt: skip
    if name == WEBHOOK:
        return Webhook(
            desk.monitoring_webhook_url, desk.monitoring_webhook_headers, desk.monitoring_webhook_secret, private
        )
    raise KeyError(name)
