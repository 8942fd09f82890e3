"""Ask the providers of news about symbols, now."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import BadInput
from trading.core.hybrid import Score
from trading.selectors import sentiment as selected
from trading.services import sentiment_sources

SHOWN = 8


class Command(DeskCommand):
    """The score of each symbol, what it is made of, and the newest headlines behind it."""

    needs_database = True
    help = "Show what the news say of symbols; providers whose word is no longer fresh are asked."
    examples = "  manage.py sentiment RELIANCE TCS\n  manage.py sentiment --fresh INFY --json"

    def arguments(self, parser: CommandParser) -> None:
        """Add the symbols."""
        parser.add_argument("symbols", nargs="+", metavar="SYMBOL", help="NSE symbols")
        parser.add_argument("--fresh", action="store_true", help="ask every provider, even those just asked")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Ask, and tell."""
        registry = sentiment_sources.desk_registry(now)
        if not registry.sources:
            fix = "set SENTIMENT_ENABLE_NEWSAPI or SENTIMENT_ENABLE_TWITTER and its key"
            raise BadInput("no provider of news is switched on", fix=fix)
        names = [name.strip().upper() for word in options["symbols"] for name in word.split(",") if name.strip()]
        found = {name: registry.get_sentiment(name, force=options["fresh"]) for name in dict.fromkeys(names)}
        health = registry.get_provider_health()
        data = {"scores": {name: _told(score) for name, score in found.items()}, "providers": health}
        failing = [f"  {name}: {each['last_error']}" for name, each in health.items() if each["consecutive_failures"]]
        text = "\n".join(_text(name, score) for name, score in found.items())
        return data, text + ("\nfailing now:\n" + "\n".join(failing) if failing else "")


def _told(score: Score | None) -> dict[str, Any] | None:
    if score is None:
        return None
    return {
        "value": round(score.value, 6), "confidence": round(score.confidence, 6), "source": score.source,
        "stale": score.stale, "parts": [part._asdict() for part in score.parts],
    }  # fmt: skip


def _text(symbol: str, score: Score | None) -> str:
    if score is None:
        return f"{symbol}: neutral; no news, or no provider answers"
    parts = ", ".join(f"{part.name} {part.value:+.2f}" for part in score.parts)
    stale = ", as they were last said" if score.stale else ""
    lines = [f"{symbol}: {score.value:+.3f}, {score.confidence:.0%} sure ({parts}{stale})"]
    for item in selected.items(symbol)[:SHOWN]:
        words = (item.title or item.text)[:90]
        lines.append(f"  {item.value:+.2f}  {ist(item.published_at):%d %b %H:%M}  {words}")
    return "\n".join(lines)
