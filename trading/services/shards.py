"""One desk on several engines: each takes a part of the symbols, all keep one exposure limit.

A shard decides a moment inside one transaction that begins by locking the account's row: it reads what the others have
in the market, decides with that counted in, and writes down what it has itself. So two shards never decide at the same
time on what the other is about to use, nothing is refused for room that is free, and a shard killed in the middle
leaves no trace. The limit is the parameter ``max_exposure`` of each shard's own plan; it should be the same in all.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction
from django.db.models import F, Sum

from sensequant.lib.errors import BadInput
from trading.core.state import ELSEWHERE, EXPOSURE, RESERVED
from trading.models.engine import EngineRun, ExposureBook, ShardExposure
from trading.services.engine import Engine

MOST: Final = 64
SHAPE: Final = re.compile(r"([1-9][0-9]?)/([1-9][0-9]?)\Z")


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number`` of ``of`` of the account's symbols."""

    account: str
    number: int
    of: int

    @property
    def name(self) -> str:
        """Return the name of the shard's run."""
        return f"{self.account}-{self.number}of{self.of}"

    def mine(self, symbols: Sequence[str]) -> list[str]:
        """Return the symbols that fall to this shard; where a symbol falls depends on nothing but its name and ``of``.

        BadInput when none does.
        """
        found = [each for each in symbols if zlib.crc32(each.encode()) % self.of == self.number - 1]
        if not found:
            raise BadInput(f"no symbol falls to shard {self.number}/{self.of}", fix="use fewer shards or more symbols")
        return found

    def as_json(self) -> dict[str, Any]:
        """Return the shard as a plan keeps it."""
        return {"account": self.account, "number": self.number, "of": self.of}


def of_text(text: str, account: str) -> Shard:
    """Return the shard that ``k/n`` names, k from 1 to n; BadInput when it names none."""
    match = SHAPE.match(text)
    if match is None or not int(match[1]) <= int(match[2]) <= MOST:
        raise BadInput(f"--shard {text} is no part", fix=f"write k/n with k from 1 to n and n up to {MOST}, e.g. 2/8")
    return Shard(account, int(match[1]), int(match[2]))


def turn_of(run: EngineRun, engine: Engine) -> AbstractContextManager[None]:
    """Return what a run's moment is decided in: its shard's turn, or nothing when the run is the whole account."""
    told = run.plan.get("shard")
    return turn(Shard(**told), engine) if told else nullcontext()


@contextmanager
def turn(shard: Shard, engine: Engine) -> Iterator[None]:
    """Let ``engine`` decide while no other shard does, with their exposure counted in; keep its own at the end."""
    with transaction.atomic():
        book = _lock(shard.account)
        others = ShardExposure.objects.filter(book=book).exclude(shard=shard.name).aggregate(sum=Sum("exposure"))
        engine.A[ELSEWHERE] = float(others["sum"] or 0.0)
        yield
        ShardExposure.objects.update_or_create(
            book=book, shard=shard.name, defaults={"exposure": engine.A[EXPOSURE] + engine.A[RESERVED]}
        )


def _lock(account: str) -> ExposureBook:
    """Return the account's row, held until the transaction ends."""
    book, _ = ExposureBook.objects.get_or_create(account=account)
    ExposureBook.objects.filter(pk=book.pk).update(turns=F("turns") + 1)
    return book


def forget(shard: Shard) -> None:
    """Let a shard that begins anew, with nothing in the market, count for nothing."""
    ShardExposure.objects.filter(book__account=shard.account, shard=shard.name).update(exposure=0.0)
