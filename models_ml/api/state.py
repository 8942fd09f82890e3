"""How far learning is: the last day each symbol was trained on, the last batch and the last validations."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from models_ml.api.batches import BatchOut
from models_ml.api.validations import ValidationOut
from models_ml.selectors import batches as asked
from trading.api.fields import Moment

router = Router(tags=["state"])
SHOWN = 20


class TrainedState(Schema):
    """How far one symbol is trained."""

    symbol: str = Field(description="NSE symbol.", examples=["RELIANCE"])
    interval: str = Field(description="Length of a bar; empty where an import did not say.", examples=["5minute"])
    last_trained_date: dt.date = Field(description="Last day any teacher was trained on.", examples=["2024-03-28"])
    last_updated: Moment | None = Field(description="When that was.")


class ModelState(Schema):
    """What learning remembers."""

    symbols: list[TrainedState] = Field(description="By symbol and interval.")
    last_batch: BatchOut | None = Field(description="The newest batch; null before the first.")
    validation_runs: list[ValidationOut] = Field(description="The newest validations, newest first.")


@router.get("", response=ModelState, summary="How far learning is")
def state(request: HttpRequest) -> dict[str, Any]:
    """Return how far each symbol is trained, the newest batch, and the newest validations."""
    return {
        "symbols": asked.trained(), "last_batch": asked.batches().first(),
        "validation_runs": list(asked.validations().defer("results", "summary")[:SHOWN]),
    }  # fmt: skip
