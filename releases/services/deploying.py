"""A signed release is put in force: checked, proved, staged, switched in one transaction, watched from then on.

The person names the release a second time and confirms who they are; they are an Engineering Lead and did not make it.
While something is held, or a session is open, a Risk Manager overrides in their own name, or it waits.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from django.conf import settings

from releases.core import steps
from releases.core.roles import ENGINEERING, HOURS, RISK, ROLES, WAIVERS
from releases.core.states import ACTIVE, APPROVED, ROLLED_BACK, STABLE, STAGED, SUPERSEDED
from releases.models import Operation, Release, Watch
from releases.models.watch import OPEN
from releases.services import lifecycle, operations, people, signing, smoke, staging, status_files
from sensequant.lib import identity, manifest_checks, manifests, paths, release_keys
from sensequant.lib.errors import BadInput, NotAllowed, SenseQuantError
from sensequant.lib.logs import get_logger
from trading.selectors import releases as pointers
from trading.selectors import watched
from trading.services import release_gate, release_seal, release_state, vitals
from trading.services import releases as switching

log = get_logger("releases")
FLAT, SESSION = "flat", "session"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing a deployment needs; ``told`` says what is wrong, or what was looked at."""

    name: str
    good: bool
    told: str
    may_override: bool = False


@dataclass(frozen=True, slots=True)
class Who:
    """A person who confirms who they are."""

    user: Any
    password: str
    code: str = ""

    @property
    def name(self) -> str:
        """Return the user's name."""
        return str(self.user.get_username())

    def confirm(self) -> None:
        """Raise NotAllowed unless password and code are this person's."""
        identity.confirm(self.user, self.password, self.code)


@dataclass(frozen=True, slots=True)
class Override:
    """A Risk Manager's word that a release may be put in force although something is held or a session is open."""

    who: Who
    reason: str


def checks(release: Release, user: Any, *, at: dt.datetime) -> list[Check]:
    """Return everything a deployment needs, each with what was found; nothing is changed."""
    held, open_now = watched.held(), vitals.in_session(at=at)
    against = _manifest(release, at)
    return [
        _check("state", _state(release), f"it is {release.state}"),
        _check("signatures", signing.missing(release, at=at), "three people's signatures stand"),
        _check("manifest", against, "signature, number and every SHA-256 are right"),
        _check("settings", [] if against else _settings(release), "the settings here are the released ones"),
        _check("deployer", _deployer(release, user), "an Engineering Lead who did not make it"),
        _check(FLAT, [f"held or working: {', '.join(held)}"] if held else [], "nothing is held", may_override=True),
        _check(SESSION, ["a session is open"] if open_now else [], "no session is open", may_override=True),
    ]


def _check(name: str, against: list[str], good: str, *, may_override: bool = False) -> Check:
    return Check(name, not against, "; ".join(against) or good, may_override)


def _state(release: Release) -> list[str]:
    fresh = Release.objects.get(pk=release.pk)
    return [] if fresh.state in (APPROVED, STAGED) else [f"it is {fresh.state}, not approved"]


def _manifest(release: Release, at: dt.datetime) -> list[str]:
    try:
        told = staging.content(release)
    except SenseQuantError as error:
        return [error.message]
    asked = manifest_checks.Asked(
        paths.home(), release_keys.public(), ROLES, HOURS, backups_only=True,
        environment=settings.DESK.release_environment, at=at, waivers=WAIVERS,
    )  # fmt: skip
    against = list(manifest_checks.verify(paths.resolve(release.manifest_path), asked).differences)
    if manifests.digest(manifests.core(told)) != release.content_sha256:
        against.append("the manifest is of another content")
    row = pointers.pointer()
    highest = max(row.highest_seq if row else 0, release_gate.highest_seen())
    if release.seq <= highest:
        against.append(f"its number {release.seq} is not above {highest}, the highest ever deployed here")
    return against


def _settings(release: Release) -> list[str]:
    """Return which settings of this machine are not the released ones: no switch can change them."""
    name = release_state.SETTINGS
    promised = (staging.backups(release) / name).read_bytes()
    return release_state.differences(name, promised, release_state.standing()[name])


def _deployer(release: Release, user: Any) -> list[str]:
    against = []
    if not people.holds(user, ENGINEERING):
        against.append(f"{user.get_username()} is not in the group {ENGINEERING!r}")
    if user.pk == release.author_id:
        against.append(f"{user.get_username()} made this release")
    return against


def deploy(
    release_id: str, typed: str, who: Who, *, at: dt.datetime, override: Override | None = None
) -> Operation:  # fmt: skip
    """Put a release in force and return the operation; NotAllowed names everything that forbids it.

    ``typed`` is the release's name, given a second time by hand.
    """
    release = lifecycle.find(release_id)
    if typed.strip() != release.release_id:
        raise BadInput(f"{typed!r} is not the release's name", fix=f"type {release.release_id}")
    who.confirm()
    allowed = _overridden(override, who, release)
    against = [
        each.told for each in checks(release, who.user, at=at) if not each.good and not (each.may_override and allowed)
    ]
    if against:
        raise NotAllowed(f"{release} cannot be deployed: {'; '.join(against)}", fix="see the release's page")
    operation = operations.begin(
        steps.DEPLOY,
        {"release": release, "away_from": in_force(), "by": who.name, "override": allowed, "started_at": at},
    )
    return operations.carry_on(operation, STEPS, at=at)


def _overridden(override: Override | None, who: Who, release: Release) -> dict[str, str]:
    if override is None:
        return {}
    if not override.reason.strip():
        raise BadInput("no reason was given for the override", fix="say why it cannot wait")
    override.who.confirm()
    name = override.who.name
    if not people.holds(override.who.user, RISK) or name == who.name or override.who.user.pk == release.author_id:
        raise NotAllowed(f"{name} cannot override", fix="a Risk Manager does who neither deploys nor made the release")
    return {"by": name, "reason": override.reason.strip()[:300]}


def in_force() -> Release | None:
    """Return the release the pointer names; None while nothing is deployed."""
    row = pointers.pointer()
    return Release.objects.filter(release_id=row.release_id).first() if row else None


def _needs(operation: Operation, at: dt.datetime) -> None:
    """Ask again, as late as can be, everything that may have changed since the person asked."""
    user = people.named(operation.by)
    against = [
        each.told
        for each in checks(operation.release, user, at=at)
        if not each.good and not (each.may_override and operation.override)
    ]
    if against:
        raise NotAllowed(f"{operation.release} cannot be deployed: {'; '.join(against)}", fix="see its page")


def _verify(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    _needs(operation, at)
    told = staging.content(operation.release)
    return {"files": len(staging.files(told)), "signers": [each["role"] for each in told["approvals"]]}


def _backup(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    return {"restored": staging.proved(operation.release, staging.content(operation.release))}


def _stage(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    release = operation.release
    told = staging.content(release)
    place = staging.stage(release, told)
    to = staging.target(release, told)
    found = smoke.run(to.strategies, to.student, at=at)
    if release.state == APPROVED:
        lifecycle.advance(release, STAGED, by=operation.by, reason="verified, backed up, staged", at=at)
    return {"folder": str(place), "smoke": found}


def _switch(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    _needs(operation, at)
    release, old = operation.release, in_force()
    until = at + dt.timedelta(hours=settings.DESK.heightened_hours)
    to = staging.target(release, staging.content(release))
    row = switching.switch(
        to, epoch=pointers.standing().epoch, by=operation.by, at=at, heightened_until=until
    )  # fmt: skip
    lifecycle.advance(release, ACTIVE, by=operation.by, reason="deployed", at=at)
    if old is not None and old.state in (ACTIVE, STABLE):
        lifecycle.advance(old, SUPERSEDED, by=operation.by, reason=f"{release} was deployed", at=at)
    Watch.objects.filter(state__in=OPEN).update(
        state="ended", finished_at=at, finished_by=operation.by, reason=f"{release} was deployed"
    )
    Watch.objects.create(release=release, epoch=row.epoch, started_at=at, ends_at=until)
    return {"epoch": row.epoch, "before": old.release_id if old else None, "until": until.isoformat()}


def _reload(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    """Leave it to the engines, which see the new epoch within a second; what they said of the old one is over."""
    return {"forgotten": switching.forget_refusals(at=at), "epoch": pointers.standing().epoch}


def _publish(operation: Operation, at: dt.datetime) -> dict[str, Any]:
    release_seal.refresh(at=at)
    return {"written": str(status_files.write(at=at))}


STEPS: Final[Mapping[str, operations.Step]] = MappingProxyType({
    "verify": _verify, "backup": _backup, "stage": _stage, steps.SWITCH: _switch, "reload": _reload,
    "publish": _publish,
})  # fmt: skip

__all__ = ["ROLLED_BACK", "Check", "Override", "Who", "checks", "deploy", "in_force"]
