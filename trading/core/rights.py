"""Who may do what: four rights, each including the one below it. Stopping asks for less than trading."""

from __future__ import annotations

from enum import IntEnum

from trading.core.errors import Invalid

OPERATORS = "operator"
"""Name of the group whose members may control the engine and start backtests."""
OFFICES = ("Head of Trading", "Risk Manager", "Engineering Lead", "Business Owner", "ML Lead", "Quant Lead")
"""Groups whose members sign for the desk; each of them alone may stop it."""


class Right(IntEnum):
    """What a person or a token may do."""

    READ = 1
    KILL = 2
    TRADE = 3
    ADMIN = 4

    @property
    def scope(self) -> str:
        """Return the right as tokens and problems name it."""
        return self.name.lower()


SCOPES: tuple[str, ...] = tuple(right.scope for right in Right)

MEANING: dict[Right, str] = {
    Right.READ: "look at everything",
    Right.KILL: "stop: throw the kill switch, disarm live trading, trade without a student",
    Right.TRADE: "control the engine, start and cancel backtests",
    Right.ADMIN: "propose and activate strategy versions",
}


def right(scope: str) -> Right:
    """Return the right called ``scope``; raise Invalid listing those there are."""
    if scope not in SCOPES:
        raise Invalid(f"scope {scope!r} is not known: use one of {', '.join(SCOPES)}")
    return Right[scope.upper()]
