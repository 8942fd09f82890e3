"""Put a signed release in force."""

from __future__ import annotations

from typing import Any

from django.core.management.base import CommandParser

from releases.management import asking
from releases.selectors import operations as found
from releases.services import deploying, lifecycle, people
from releases.services.deploying import Override
from sensequant.lib.clock import ist, now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import NotAllowed


class Command(DeskCommand):
    """A deployment, or a look at what one would need."""

    needs_database = True
    help = (
        "Put a release in force: verified, its backups restored and compared, staged, switched in one transaction, and "
        "watched for 48 hours and two full sessions. What was killed half-way is taken up with release_status --resume."
    )
    examples = (
        "  manage.py release_deploy release_20261126_190000 --dry-run --by esha\n"
        "  manage.py release_deploy release_20261126_190000 --by esha\n"
        "  manage.py release_deploy --by esha --override-by rafi --override-reason 'the session must not wait'"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add which release, who, and what is overridden."""
        parser.add_argument("release", nargs="?", default="", help="its name; default: the newest that is approved")
        parser.add_argument("--dry-run", action="store_true", help="say what it would need; change nothing")
        parser.add_argument("--yes", action="store_true", help="do not ask; needs --confirm")
        parser.add_argument("--confirm", metavar="ID", default="", help="the release's name, typed again")
        asking.add_person(parser, what="deploys")
        asking.add_person(parser, "override-", "overrides (a Risk Manager)")
        parser.add_argument("--override-reason", default="", help="why it cannot wait for a flat desk or the close")

    def run(self, **options: Any) -> tuple[Any, str]:
        """Check, ask, deploy."""
        at = now()
        release = lifecycle.find(options["release"]) if options["release"] else found.deployable()
        if options["dry_run"]:
            return self._look(release, options, at)
        asking.sure("continue", yes=options["yes"])
        typed = options["confirm"] or asking.asked(f"Type {release.release_id} to deploy it: ", "--confirm")
        who, override = asking.person(options), None
        if options["override_by"]:
            override = Override(asking.person(options, "override_"), options["override_reason"])
        done = deploying.deploy(release.release_id, typed, who, at=at, override=override)
        data = found.told(done)
        until = f"{ist(data['watched_until']):%d %b %Y %H:%M} IST"
        return data, f"{release.release_id} is in force and watched until {until} at the earliest"

    def _look(self, release: Any, options: dict[str, Any], at: Any) -> tuple[Any, str]:
        user = people.named(options["by"] or asking.asked("User: ", "--by"))
        checks = deploying.checks(release, user, at=at)
        lines = [f"{'ok ' if each.good else 'NO '} {each.name}: {each.told}" for each in checks]
        data = {
            "release_id": release.release_id, "dry_run": True, "ready": all(each.good for each in checks),
            "checks": [{"name": each.name, "good": each.good, "told": each.told} for each in checks],
        }  # fmt: skip
        if not data["ready"]:
            raise NotAllowed(
                f"{release.release_id} is not ready: {'; '.join(each.told for each in checks if not each.good)}"
            )
        return data, "\n".join(lines)
