"""``manage.py api_guide``: print the guide to the REST API, as docs/api.md keeps it."""

from __future__ import annotations

from typing import Any

from sensequant.lib.commands import DeskCommand


class Command(DeskCommand):
    """Write the guide from the schema."""

    help = "Print the guide to the REST API: every operation with a curl line and examples, written from the schema."
    examples = "  manage.py api_guide > docs/api.md"

    def run(self, **options: Any) -> tuple[Any, str]:
        """Write it."""
        from sensequant import api_guide

        sections = {noun: [each._asdict() for each in found] for noun, found in api_guide.sections().items()}
        return sections, api_guide.markdown().rstrip("\n")
