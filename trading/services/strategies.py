"""Strategies as people configure them: proposed as a draft, activated once, never edited after that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from sensequant.lib.logs import get_logger
from trading.core.errors import Invalid
from trading.core.setups import make_setup
from trading.core.strategies import strategy
from trading.models.strategies import StrategyConfig
from trading.services import deeds

MINUTES = {"intraday": 5, "swing": 1440}
CHARGES = ("plan", "product")

log = get_logger("strategies")


def checked(name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``params`` as they are kept; Invalid names a parameter that cannot be, or that another contradicts."""
    if not isinstance(params, Mapping):
        raise Invalid(f"parameters are an object of name and value, not {params!r}")
    for key, value in params.items():
        if not isinstance(value, int | float | str) or isinstance(value, bool):
            raise Invalid(f"{key}={value!r} is neither a number nor a word")
    decided = {key: value for key, value in params.items() if key not in CHARGES}
    make_setup(name, MINUTES[strategy(name).KIND], decided)
    return dict(params)


def propose(name: str, params: Mapping[str, Any], *, note: str = "", by: str, at: dt.datetime) -> StrategyConfig:
    """Keep a new version of strategy ``name`` as a draft and return it; Invalid for what cannot be used."""
    kept = checked(name, params)
    try:
        with transaction.atomic():
            newest = StrategyConfig.objects.filter(strategy=name).order_by("-version").first()
            row = StrategyConfig.objects.create(
                strategy=name,
                version=newest.version + 1 if newest else 1,
                params=kept,
                note=note,
                created_at=at,
                created_by=by,
            )
            deeds.record("strategy proposed", f"strategy {name}", by=by, at=at, reason=note, version=row.version,
                         params=kept)  # fmt: skip
    except IntegrityError:
        raise NotAllowed(f"somebody else proposed a version of {name} just now", fix="propose again") from None
    log.info("Strategy version proposed", strategy=name, version=row.version, by=by)
    return row


def amend(config_id: int, params: Mapping[str, Any], *, note: str = "", by: str, at: dt.datetime) -> StrategyConfig:
    """Change a draft, or propose a new version when this one has ever been active; return the one that changed."""
    row = config(config_id)
    if row.status != "draft":
        return propose(row.strategy, params, note=note, by=by, at=at)
    kept = checked(row.strategy, params)
    with transaction.atomic():
        if not StrategyConfig.objects.filter(pk=row.pk, status="draft").update(params=kept, note=note):
            raise NotAllowed(f"{row} was activated meanwhile", fix="propose a new version")
        deeds.record("strategy amended", f"strategy {row.strategy}", by=by, at=at, reason=note, version=row.version,
                     params=kept, before=row.params)  # fmt: skip
    row.refresh_from_db()
    return row


def activate(config_id: int, *, by: str, at: dt.datetime) -> StrategyConfig:
    """Make a draft or a retired version the active one, retiring the one before; again changes nothing.

    Raises NotFound, or BadInput when bounds have since become narrower than the version's parameters.
    """
    row = config(config_id)
    try:
        checked(row.strategy, row.params)
    except Invalid as error:
        raise BadInput(f"{row} can no longer be used: {error}", fix="propose a version within the bounds") from error
    if row.status == "active":
        return row
    try:
        with transaction.atomic():
            before = StrategyConfig.objects.filter(strategy=row.strategy, status="active").first()
            StrategyConfig.objects.filter(strategy=row.strategy, status="active").update(status="retired")
            StrategyConfig.objects.filter(pk=row.pk).update(status="active")
            deeds.record("strategy activated", f"strategy {row.strategy}", by=by, at=at, version=row.version,
                         params=row.params, before=before.version if before else None)  # fmt: skip
    except IntegrityError:
        raise NotAllowed(f"another version of {row.strategy} was activated just now", fix="look again") from None
    log.info("Strategy version activated", strategy=row.strategy, version=row.version, by=by, at=at.isoformat())
    row.refresh_from_db()
    return row


def active_params(name: str) -> dict[str, Any]:
    """Return the parameters of the strategy's active version; empty when it has none."""
    row = StrategyConfig.objects.filter(strategy=name, status="active").first()
    return dict(row.params) if row else {}


def config(config_id: int) -> StrategyConfig:
    """Return one version; raise NotFound when there is none with this number."""
    row = StrategyConfig.objects.filter(pk=config_id).first()
    if row is None:
        raise NotFound(f"strategy version {config_id} does not exist", fix="see /api/v1/strategies/configs")
    return row
