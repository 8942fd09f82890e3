"""A linear student: weights folded with the scaling they were fitted under."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from trading.core.errors import Invalid

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """Log-odds of the classes as ``weights @ x + bias``.

    ``weights`` has the shape (classes, features), ``bias`` (classes,). Before that each feature is put between ``low``
    and ``high``, what the student saw while it was fitted, and takes the value ``fill`` where it is unknown.
    """

    weights: Floats
    bias: Floats
    fill: Floats
    low: Floats
    high: Floats

    def __post_init__(self) -> None:
        """Raise Invalid unless the shapes agree and every number is finite."""
        classes, features = self.weights.shape if self.weights.ndim == 2 else (0, 0)
        if self.bias.shape != (classes,) or not classes:
            raise Invalid(f"weights of shape {self.weights.shape} and a bias of shape {self.bias.shape} do not agree")
        for name in ("fill", "low", "high"):
            if getattr(self, name).shape != (features,):
                raise Invalid(f"{name} must hold one number for each of the {features} features")
        if not all(np.isfinite(part).all() for part in (self.weights, self.bias, self.fill, self.low, self.high)):
            raise Invalid("the model holds a value that is no number")
        if (self.low > self.high).any():
            raise Invalid("a feature's low lies above its high")

    @property
    def features(self) -> int:
        """Return how many features a row has."""
        return int(self.weights.shape[1])

    @property
    def classes(self) -> int:
        """Return how many classes there are."""
        return int(self.weights.shape[0])

    def odds(self, x: Floats) -> Floats:
        """Return the log-odds (…, classes) of rows (…, features); NaN and infinities count as unknown."""
        known = np.isfinite(x)
        if not known.all():
            x = np.where(known, x, self.fill)
        told: Floats = np.minimum(np.maximum(x, self.low), self.high) @ self.weights.T + self.bias
        return told

    def as_json(self) -> dict[str, Any]:
        """Return the numbers as they are written to a file."""
        return {"kind": "linear", **{name: getattr(self, name).tolist() for name in self.__slots__}}

    @classmethod
    def of_json(cls, content: dict[str, Any]) -> Linear:
        """Return the model in a file's content; Invalid, KeyError or ValueError when it is none."""
        return cls(*(np.array(content[name], np.float64) for name in cls.__slots__))
