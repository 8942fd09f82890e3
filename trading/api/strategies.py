"""The strategies there are, what each of their parameters means, and the versions people made of them."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Schema, Status
from pydantic import ConfigDict, Field

from sensequant.lib.clock import now
from sensequant.lib.errors import NotFound
from trading.api.auth import ADMIN
from trading.api.confirming import Confirmed, confirm
from trading.api.fields import Id, Moment, StrategyName
from trading.api.paging import Page, Paging, paged
from trading.core.setups import parameters
from trading.core.strategies import STRATEGIES
from trading.models import StrategyConfig
from trading.selectors.rest import one
from trading.services import strategies

router = Router(tags=["strategies"])
STATUS = Literal["draft", "active", "retired"]
ConfigId = Annotated[Id, Path(description="Number of the version in the database (`id`).", example=7)]


class ParameterOut(Schema):
    """One parameter and what it may be."""

    name: str = Field(description="Name, as given in `params`.", examples=["adx_min"])
    group: str = Field(description="params: the strategy's own; the others are the desk's rules.", examples=["params"])
    kind: str = Field(description="int or float.", examples=["float"])
    default: int | float = Field(description="Value when it is left out.", examples=[20.0])
    low: float = Field(description="Least value.", examples=[0.0])
    high: float = Field(description="Greatest value.", examples=[100.0])
    unit: str = Field(description="Unit.", examples=["ADX"])
    meaning: str = Field(description="What it does.", examples=["least strength of trend for an entry"])


class StrategyOut(Schema):
    """One strategy of the registry."""

    name: str = Field(description="Name in the registry.", examples=["intraday"])
    kind: str = Field(
        description="intraday: flat by the close; swing: held over days, on daily bars.", examples=["intraday"]
    )
    meaning: str = Field(description="What it does, in one sentence.", examples=["Trade with the session's trend."])
    parameters: list[ParameterOut] = Field(description="Everything that can be set.")


class ConfigOut(Schema):
    """One version of a strategy's parameters."""

    id: int = Field(description="Number in the database.", examples=[7])
    strategy: str = Field(description="Name in the registry.", examples=["intraday"])
    version: int = Field(description="Counts the strategy's versions.", examples=[2])
    params: dict[str, Any] = Field(description="What differs from the defaults.", examples=[{"adx_min": 25}])
    status: str = Field(description="draft, active or retired.", examples=["active"])
    note: str = Field(description="Why it was made.", examples=["stricter trend after October"])
    created_at: Moment = Field(description="When it was proposed.")
    created_by: str = Field(description="Who proposed it.", examples=["asha"])


class ConfigIn(Schema):
    """A new version."""

    model_config = ConfigDict(extra="forbid")

    strategy: StrategyName = Field(description="Name in the registry.", examples=["intraday"])
    params: dict[str, int | float | str] = Field(
        default={}, description="What differs from the defaults.", examples=[{"sma": 30}]
    )
    note: str = Field(
        default="", max_length=2000, pattern=r"^[^\x00]*$", description="Why.", examples=["slower average"]
    )


class ConfigFilter(Schema):
    """Which versions."""

    strategy: StrategyName | None = Field(default=None, description="Name in the registry.")
    status: STATUS | None = Field(default=None, description="Where it stands.")


@router.get("", response=list[StrategyOut], summary="List strategies")
def listing(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the registry: every strategy with every parameter, its bounds, its unit and its meaning."""
    return [_described(name) for name in STRATEGIES]


@router.get("/configs", response=Page[ConfigOut], summary="List versions")
def configs(request: HttpRequest, wanted: Query[ConfigFilter], paging: Query[Paging]) -> dict[str, Any]:
    """Return the versions people made, newest first."""
    asked = {name: value for name, value in wanted.model_dump().items() if value is not None}
    return paged(request, StrategyConfig.objects.filter(**asked), paging, ["id"])


@router.post("/configs", response={201: ConfigOut}, auth=ADMIN, summary="Propose a version")
def propose(request: HttpRequest, body: ConfigIn, response: HttpResponse) -> Status[StrategyConfig]:
    """Keep a new version as a draft; every parameter is checked against its bounds."""
    row = strategies.propose(body.strategy, body.params, note=body.note, by=request.user.get_username(), at=now())
    response["Location"] = f"{request.path}/{row.pk}"
    return Status(201, row)


@router.get("/configs/{number}", response=ConfigOut, summary="One version")
def config(request: HttpRequest, number: ConfigId) -> StrategyConfig:
    """Return one version."""
    return one(StrategyConfig.objects.all(), "strategy version", "/api/v1/strategies/configs", pk=number)


@router.post("/configs/{number}/activate", response=ConfigOut, auth=ADMIN, summary="Activate a version")
def activate(request: HttpRequest, number: ConfigId, body: Confirmed) -> StrategyConfig:
    """Make this version the active one; the one before is retired."""
    confirm(request, body)
    return strategies.activate(number, by=request.user.get_username(), at=now())


@router.get("/{name}", response=StrategyOut, summary="One strategy")
def detail(
    request: HttpRequest, name: Annotated[str, Path(description="Name in the registry.", example="intraday")]
) -> dict[str, Any]:
    """Return one strategy of the registry."""
    if name not in STRATEGIES:
        raise NotFound(f"strategy {name!r} does not exist", fix=f"use one of {', '.join(STRATEGIES)}")
    return _described(name)


def _described(name: str) -> dict[str, Any]:
    module = STRATEGIES[name]
    own = getattr(module, "RULES", {})
    found = [
        {
            "name": key,
            "group": group,
            "kind": field.kind.__name__,
            "default": own.get(key, field.default),
            "low": field.bound.low,
            "high": field.bound.high,
            "unit": field.bound.unit,
            "meaning": field.bound.meaning,
        }
        for group, known in parameters(name).items()
        for key, field in known.items()
    ]
    return {"name": name, "kind": module.KIND, "meaning": (module.__doc__ or "").strip(), "parameters": found}
