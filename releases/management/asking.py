"""What the commands of releases ask a person: who they are, and whether they are sure."""

from __future__ import annotations

import getpass
import sys
from pathlib import Path
from typing import Any

from django.core.management.base import CommandParser

from releases.services import people
from releases.services.deploying import Who
from sensequant.lib.errors import BadInput

SURE = "Are you sure you want to {what}? (type 'yes'): "


def add_person(parser: CommandParser, prefix: str = "", what: str = "does it") -> None:
    """Add the options that say who does it."""
    parser.add_argument(f"--{prefix}by", metavar="USER", default="", help=f"who {what}; asked for when left out")
    parser.add_argument(f"--{prefix}password-file", metavar="FILE", default="", help="file with their password")
    parser.add_argument(f"--{prefix}code", default="", help="code of their authenticator, where they have one")


def person(options: dict[str, Any], prefix: str = "", what: str = "") -> Who:
    """Return who does it, asking on a terminal for what was not given."""
    name = options[f"{prefix}by"] or asked(f"{what or 'User'}: ", f"--{prefix.replace('_', '-')}by")
    user, file = people.named(name), options[f"{prefix}password_file"]
    if file:
        try:
            password = Path(file).read_text(encoding="utf-8").rstrip("\n")
        except OSError as error:
            raise BadInput(f"{file} cannot be read: {error.strerror}", fix="name a file with the password") from None
    else:
        password = secret(f"Password of {name}: ", f"--{prefix.replace('_', '-')}password-file")
    return Who(user, password, options[f"{prefix}code"])


def asked(question: str, option: str) -> str:
    """Return what a person types; BadInput where nobody can be asked."""
    if not sys.stdin.isatty():
        raise BadInput(f"{option} is missing", fix="give it, or run this on a terminal")
    return input(question).strip()


def secret(question: str, option: str) -> str:
    """Return what a person types unseen; BadInput where nobody can be asked."""
    if not sys.stdin.isatty():
        raise BadInput(f"{option} is missing", fix="give it, or run this on a terminal")
    return getpass.getpass(question)


def sure(what: str, *, yes: bool) -> None:
    """Raise BadInput unless the person types yes, or said so already."""
    if not yes and asked(SURE.format(what=what), "--yes") != "yes":
        raise BadInput("not confirmed: nothing was changed", fix="type yes")
