"""What a silence is about: rule and group by pattern, and the worst severity it may keep quiet."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

from monitoring.core.errors import Invalid
from monitoring.core.levels import ORDER, Severity

PATTERN = re.compile(r"[A-Za-z0-9_&*?.:#/ \-]{1,100}")


@dataclass(frozen=True, slots=True)
class Matcher:
    """Shell patterns for rule and group; ``most`` is the worst severity that is kept quiet."""

    rule: str = "*"
    group: str = "*"
    most: Severity = Severity.CRITICAL

    def __post_init__(self) -> None:
        for name, value in (("rule", self.rule), ("group", self.group)):
            if not PATTERN.fullmatch(value):
                raise Invalid(f"{name} {value!r} is not a pattern: use letters, digits, _ and * or ?")

    def matches(self, rule: str, group: str, severity: Severity) -> bool:
        """Say whether an episode is one of those meant."""
        return (
            fnmatchcase(rule, self.rule) and fnmatchcase(group or "-", self.group) and severity.rank <= self.most.rank
        )


def severity(text: str) -> Severity:
    """Return the severity called ``text`` in any case; Invalid naming the three."""
    try:
        return Severity(text.upper())
    except ValueError:
        raise Invalid(f"severity {text!r} is not known: use one of {', '.join(ORDER)}") from None
