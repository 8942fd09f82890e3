"""Who signs a release: three roles, three people, none of them its author; and who waives a flag: two."""

from __future__ import annotations

from typing import Final

ENGINEERING, RISK, BUSINESS = "Engineering Lead", "Risk Manager", "Business Owner"
ROLES: Final = (ENGINEERING, RISK, BUSINESS)
"""The groups of people who sign; every one of them signs every release."""

QUANT = "Quant Lead"
WAIVERS: Final = (RISK, QUANT)
"""The groups of people who waive an open flag: one of each, together."""
MOST_DAYS: Final = 30
"""How long a waiver may count."""

APPROVE, REJECT = "approve", "reject"
DECISIONS: Final = (APPROVE, REJECT)
HOURS: Final = 72
"""How long a signature counts."""

MEANING: Final = {
    ENGINEERING: "measures, risks and validation were read; the tests pass",
    RISK: "the risk of deploying was weighed, and the way back is prepared",
    BUSINESS: "the capital is allocated, and the desk may trade it",
}
