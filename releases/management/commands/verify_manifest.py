"""Compare a release on disk with its signed manifest; needs the public key and no database."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import CommandParser

from releases.core.roles import HOURS, ROLES, WAIVERS
from releases.services.writing import seen_path
from sensequant.lib import manifest_checks, paths, release_keys
from sensequant.lib.clock import now
from sensequant.lib.commands import DeskCommand
from sensequant.lib.errors import NotFound
from sensequant.lib.manifest_checks import Asked, Found


class Command(DeskCommand):
    """The verifier."""

    help = (
        "Verify a manifest, its signatures, its artifacts and its backups, and name everything that differs (exit 1). "
        "Works on a copied folder with nothing but the public key."
    )
    examples = (
        "  manage.py verify_manifest release/manifests/release_20261126_103000.yaml\n"
        "  manage.py verify_manifest /mnt/copy/release/manifests/release_20261126_103000.yaml \\\n"
        "    --public-key release.pub --environment production --backups-only\n"
        "  manage.py verify_manifest release/manifests/release_20261012_190000.yaml --former"
    )

    def arguments(self, parser: CommandParser) -> None:
        """Add the manifest, the key, and what it is compared with."""
        parser.add_argument("path", help="the manifest's YAML; its envelope lies beside it")
        parser.add_argument("--public-key", metavar="FILE", help="PEM (default: SENSEQUANT_HOME/keys/release.pub)")
        parser.add_argument("--root", metavar="DIR", help="the folder release/ lies in (default: the manifest's)")
        parser.add_argument("--code", metavar="DIR", help="the program's folder, to compare its files too")
        parser.add_argument(
            "--backups-only", action="store_true", help="the copy holds no data/: compare backups alone"
        )
        parser.add_argument("--former", action="store_true", help="an older one, or one that expired, is looked at")
        parser.add_argument("--environment", default="", help="where it is to run (default: RELEASE_ENVIRONMENT)")
        parser.add_argument(
            "--seen", metavar="FILE", help="highest number seen (default: SENSEQUANT_HOME/keys/seen.json)"
        )

    def run(self, **options: Any) -> None:
        """Verify, tell what differs, and remember the number when nothing does."""
        path = self._path(options["path"])
        public = release_keys.public(Path(options["public_key"]) if options["public_key"] else None)
        seen = Path(options["seen"]) if options["seen"] else seen_path()
        environment = options["environment"] or settings.DESK.release_environment
        former = options["former"]
        asked = Asked(
            Path(options["root"]) if options["root"] else path.absolute().parent.parent.parent, public, ROLES, HOURS,
            Path(options["code"]) if options["code"] else None, options["backups_only"], environment,
            None if former else now(), 0 if former else manifest_checks.highest_seen(seen, public, environment),
            WAIVERS,
        )  # fmt: skip
        found = manifest_checks.verify(path, asked)
        if not found.differences:
            manifest_checks.remember(seen, public, environment, int(found.content["release_seq"]))
        self._tell(path, found, as_json=options["json"])

    def _path(self, text: str) -> Path:
        for path in (Path(text), paths.resolve(text)):
            if path.exists():
                return path
        raise NotFound(f"{text} is not there", fix="name a manifest: release/manifests/<release_id>.yaml")

    def _tell(self, path: Path, found: Found, *, as_json: bool) -> None:
        told = {
            "manifest": str(path), "holds": not found.differences, "differences": list(found.differences),
            "release_id": found.content.get("release_id", ""), "release_seq": found.content.get("release_seq"),
            "compared": found.compared, "not_compared": found.left_out,
        }  # fmt: skip
        words = [f"differs: {each}" for each in found.differences] or [
            f"{told['release_id']} (#{told['release_seq']}) is what was signed: {found.compared} files compared"
        ]
        self._print(told, "\n".join(words), as_json=as_json)
        if found.differences:
            sys.exit(1)
