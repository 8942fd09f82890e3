"""Rows that grow for ever and are no record of money: deleted when they are old, a few thousand at a time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, Final, NamedTuple

from django.conf import settings
from django.db.models import QuerySet

from sensequant.lib.logs import get_logger
from trading.models.broker import BrokerMessage, Condition
from trading.models.fetching import StreamBar
from trading.models.orders import Signal
from trading.models.positions import EquityPoint
from trading.models.sentiment import NewsCall, NewsItem, SentimentScore
from trading.models.students import ModelScore

BATCH: Final = 2_000
log = get_logger("retention")
Rows = QuerySet[Any, Any]


class Rule(NamedTuple):
    """One kind of row: the setting that says for how many days it is kept, and which rows are older than a moment."""

    name: str
    setting: str
    older: Callable[[dt.datetime], Rows]


def _replays(rows: Rows, before: dt.datetime) -> Rows:
    """Return the rows of replays that ended before; a run that may go on keeps its own."""
    return rows.filter(run__mode="replay", run__current=False, run__stopped_at__lt=before)


RULES: Final = (
    Rule("broker messages", "retention_broker_days", lambda at: BrokerMessage.objects.filter(at__lt=at)),
    Rule("conditions", "retention_broker_days", lambda at: Condition.objects.filter(until__lt=at)),
    Rule("news calls", "retention_news_days", lambda at: NewsCall.objects.filter(at__lt=at)),
    Rule("scores of news", "retention_news_days", lambda at: SentimentScore.objects.filter(at__lt=at)),
    Rule("headlines", "retention_news_days", lambda at: NewsItem.objects.filter(fetched_at__lt=at)),
    Rule("streamed bars", "retention_stream_days", lambda at: StreamBar.objects.filter(start__lt=at)),
    Rule("scores of replays", "retention_replay_days", lambda at: _replays(ModelScore.objects.all(), at)),
    Rule("equity of replays", "retention_replay_days", lambda at: _replays(EquityPoint.objects.all(), at)),
    Rule("signals of replays", "retention_replay_days", lambda at: _replays(Signal.objects.all(), at)),
)  # fmt: skip


def old(rule: Rule, *, at: dt.datetime) -> Rows:
    """Return the rows of a rule that are older than it keeps them."""
    days: int = getattr(settings.DESK, rule.setting)
    return rule.older(at - dt.timedelta(days=days))


def counted(*, at: dt.datetime) -> dict[str, int]:
    """Return how many rows of each kind would go."""
    return {rule.name: old(rule, at=at).count() for rule in RULES}


def prune(*, at: dt.datetime) -> dict[str, int]:
    """Delete what is older than it is kept, each batch a transaction of its own; return how many rows of each kind."""
    gone = {}
    for rule in RULES:
        count = 0
        while ids := list(old(rule, at=at).order_by("pk").values_list("pk", flat=True)[:BATCH]):
            model = old(rule, at=at).model
            model._default_manager.filter(pk__in=ids).delete()
            count += len(ids)
        gone[rule.name] = count
    if any(gone.values()):
        log.info("old rows deleted", **{name.replace(" ", "_"): count for name, count in gone.items() if count})
    return gone
