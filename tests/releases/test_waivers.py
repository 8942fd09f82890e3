"""An open flag is waived by a Risk Manager and a Quant Lead together, for a reason and a while; some by nobody."""

import datetime as dt
import json

import pytest
from django.db import IntegrityError, transaction

from releases.core import audit_flags, audit_metrics
from releases.core.audit_flags import UNWAIVABLE
from releases.core.roles import QUANT, RISK, ROLES
from releases.models import FlagWaiver, LedgerCheck, LedgerEntry, ReleaseSignOff
from releases.models.guarded import plain
from releases.services import (
    audit_integrity,
    candidates,
    ledger,
    lifecycle,
    people_keys,
    signing,
    waivers,
    waiving,
    writing,
)
from releases.services.collecting import Wanted
from releases.services.signing import Proof, Word
from releases.services.waiving import Wish
from sensequant.lib import manifest_checks, manifests, paths, release_keys
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.releases import world
from tests.releases.deployed import deployed, later
from tests.releases.world import PASSWORD, person, sha
from tests.trading.desks import LIVELY
from trading.models import ReleasePointer
from trading.services import strategies

AUDIT = "audit_20261123_113000"
FLAGS = [
    {"code": code, "subject": "x", "message": code, "severity": "high", "owner": RISK, "mitigation": "mend it"}
    for code in ("sharpe_degraded", "missing", "validation_skipped")
]
DAY = dt.timedelta(days=1)


@pytest.fixture
def cast(home, db, noon):
    return {**world.people(), QUANT: person("quentin", QUANT)}


@pytest.fixture
def audit(cast, noon):
    metrics = audit_metrics.judged(audit_metrics.metrics(AUDIT, noon, {}), ["sharpe_degraded: x"])
    return world.audit(
        noon,
        metrics=metrics,
        flags=FLAGS[:2],
        flags_sha256=audit_flags.digest(FLAGS[:2]),
        deployment_ready=False,
        by="omar",
    )


def give(audit, user, role, *, at, number=1, **more):
    wish = Wish(number, role, more.get("reason", "the baseline is released"), more.get("days", 7))
    return waiving.waive(audit.audit_id, user, wish, Proof(more.get("password", PASSWORD)), at=at)


def both(audit, cast, at, number=1, **more):
    return [give(audit, cast[role], role, at=at, number=number, **more) for role in (RISK, QUANT)]


def candidate(cast, at):
    strategies.activate(strategies.propose("intraday", LIVELY, by="tara", at=at).pk, by="tara", at=at)
    made = candidates.make(Wanted(summary="x"), cast["author"], at=at)
    return candidates.judge(made.release_id, AUDIT, by="tara", at=at)


def sign(row, cast, at, roles=ROLES):
    for role in roles:
        word = Word(role, "approve", "read it", signing.read_digest(row))
        signing.sign(row.release_id, cast[role], word, Proof(PASSWORD), at=at)
    return lifecycle.find(row.release_id)


def test_every_flag_takes_two_people_and_then_the_release_is_signed_and_its_manifest_says_so(cast, audit, noon):
    row = candidate(cast, noon)
    with pytest.raises(NotAllowed, match="open flags"):
        sign(row, cast, noon)
    both(audit, cast, noon)
    give(audit, cast[RISK], RISK, at=noon, number=2)
    assert [flag["code"] for flag in waivers.open_flags(audit, at=noon)] == ["missing"]
    assert not waivers.ready(audit, at=noon)
    give(audit, cast[QUANT], QUANT, at=noon, number=2, days=1)
    assert waivers.ready(audit, at=noon)
    row = writing.write(sign(row, cast, noon), by="omar", at=noon)
    told = manifests.load((paths.home() / row.manifest_path).read_bytes())
    assert [(each["code"], each["role"]) for each in told["waivers"]] == [
        ("sharpe_degraded", RISK), ("sharpe_degraded", QUANT), ("missing", RISK), ("missing", QUANT),
    ]  # fmt: skip
    assert dt.datetime.fromisoformat(told["expires_at"]) == noon + DAY, "the waiver that ends first"
    assert verified(row, at=noon) == []
    assert "the waiver of missing by the Quant Lead (quentin) expired" in str(verified(row, at=noon + 2 * DAY))
    assert signing.missing(row, at=noon + DAY) == [f"{audit} has open flags"]
    beside = (paths.resolve(audit.folder) / "approvals.md").read_text()
    assert "| `1 sharpe_degraded` | Risk Manager | risk |" in beside
    ledger.pull(at=noon)
    assert LedgerEntry.objects.filter(action="waived as Quant Lead: missing", object=f"audit {AUDIT}").count() == 1


def verified(row, *, at):
    asked = manifest_checks.Asked(
        paths.home(), release_keys.public(), ROLES, backups_only=True, at=at, waivers=(RISK, QUANT)
    )
    return list(manifest_checks.verify(paths.resolve(row.manifest_path), asked).differences)


@pytest.mark.parametrize("harm", ["drop", "words", "twice"])
def test_a_stranger_names_a_waiver_that_is_no_longer_what_two_people_signed(cast, audit, noon, harm):
    row = candidate(cast, noon)
    for number in (1, 2):
        both(audit, cast, noon, number)
    row = writing.write(sign(row, cast, noon), by="omar", at=noon)
    path = paths.resolve(row.manifest_path)
    told = manifests.load(path.read_bytes())
    if harm == "drop":
        told["waivers"].pop()
    if harm == "words":
        told["waivers"][0]["reason"] = "other words"
    if harm == "twice":
        told["waivers"][1] = {**told["waivers"][0]}
    text, envelope = manifests.sealed(told)  # by whoever has the desk's key
    path.write_bytes(text)
    manifests.beside(path).write_bytes(envelope)
    assert "the waiver of" in str(verified(row, at=noon))


@pytest.mark.parametrize(("who", "role", "more", "words"), [
    (ROLES[0], RISK, {}, "not in the group"), ("root", RISK, {}, "not in the group"),
    (QUANT, RISK, {}, "not in the group"), (RISK, "Engineering Lead", {}, "waives nothing"),
    (RISK, RISK, {"reason": " "}, "no reason"), (RISK, RISK, {"days": 31}, "31 days"),
    (RISK, RISK, {"number": 3}, "no open flag 3"), (RISK, RISK, {"password": "guess"}, "password is not right"),
    ("author", RISK, {}, "made the release"),
])  # fmt: skip
def test_who_may_not_and_what_cannot_be(cast, audit, noon, who, role, more, words):
    candidate(cast, noon)
    with pytest.raises((NotAllowed, BadInput, NotFound), match=words):
        give(audit, cast[who], role, at=noon, **more)
    assert not FlagWaiver.objects.exists()


def test_who_asked_for_the_audit_waives_nothing_and_nobody_gives_both_halves(cast, audit, noon):
    omar = person("omar", RISK, QUANT)
    with pytest.raises(NotAllowed, match="omar asked for it"):
        give(audit, omar, RISK, at=noon)
    both_roles = person("berta", RISK, QUANT)
    give(audit, both_roles, RISK, at=noon)
    with pytest.raises(NotAllowed, match="has waived it as Risk Manager already"):
        give(audit, both_roles, QUANT, at=noon)


@pytest.mark.parametrize("code", UNWAIVABLE)
def test_what_does_not_hold_or_was_not_looked_at_is_waived_by_nobody_and_no_sql(cast, noon, code):
    flags = [{**FLAGS[0], "code": code}]
    audit = world.audit(noon, flags=flags, flags_sha256=audit_flags.digest(flags), deployment_ready=False, by="omar")
    with pytest.raises(NotAllowed, match="is never waived"):
        give(audit, cast[RISK], RISK, at=noon)
    key = people_keys.of(cast[RISK], PASSWORD, at=noon)[0]
    row = FlagWaiver(
        audit=audit, position=0, code=code, role=RISK, user=cast[RISK], reason="x", at=noon, expires_at=noon + DAY,
        audit_sha256=audit.bundle_sha256, flags_sha256=audit.flags_sha256, key=key, public_key=key.public,
    )  # fmt: skip
    with pytest.raises(IntegrityError, match="never waived"), transaction.atomic():
        plain(FlagWaiver).bulk_create([row])


def test_a_role_taken_away_a_day_over_and_another_audit_end_it(cast, audit, noon):
    for number in (1, 2):
        both(audit, cast, noon, number, days=1)
    assert waivers.ready(audit, at=noon + DAY / 2)
    assert not waivers.ready(audit, at=noon + DAY)
    other = world.audit(noon, "audit_20261123_114500", flags=FLAGS[:2], flags_sha256=sha("x"), deployment_ready=False)
    assert not waivers.ready(other, at=noon)
    cast[QUANT].groups.clear()
    assert len(waivers.open_flags(audit, at=noon)) == 2


def test_signatures_are_void_when_a_waiver_is_taken_back_and_the_database_counts_flags_itself(cast, audit, noon):
    row = candidate(cast, noon)
    for number in (1, 2):
        both(audit, cast, noon, number)
    writing.write(sign(row, cast, noon), by="omar", at=noon)
    good = ReleaseSignOff.objects.first()
    waiving.take_back(AUDIT, FlagWaiver.objects.first().pk, cast[QUANT], "Monday", at=noon)
    row = lifecycle.find(row.release_id)
    assert (row.state, row.manifest_path, signing.valid(row, at=noon)) == ("audited", "", [])
    with pytest.raises(NotAllowed, match="open flags"):
        sign(row, cast, noon)
    told = {each.name: getattr(good, each.name) for each in ReleaseSignOff._meta.concrete_fields if each.name != "id"}
    with pytest.raises(IntegrityError, match="a signature is of what is there to be signed"), transaction.atomic():
        plain(ReleaseSignOff).bulk_create([ReleaseSignOff(**told)])
    for statement in ({"reason": "x"}, {"expires_at": noon + 9 * DAY}):
        with pytest.raises(IntegrityError, match="never edited"), transaction.atomic():
            plain(FlagWaiver).filter(revoked_at=None).update(**statement)
    with pytest.raises(NotAllowed, match="cannot be deleted"):
        FlagWaiver.objects.all().delete()
    with pytest.raises(NotAllowed, match="taken back already"):
        waiving.take_back(AUDIT, FlagWaiver.objects.first().pk, cast[QUANT], "Monday", at=noon)


def test_page_and_rest_waive_and_take_back(cast, audit, noon, client, monkeypatch):
    for door in ("releases.views.audits", "releases.api.audits"):
        monkeypatch.setattr(f"{door}.now", lambda: noon)
    client.force_login(cast[RISK])
    page = client.get(f"/audits/{AUDIT}/").content.decode()
    assert ("2 open risks" in page, "Waive No. 1 as Risk Manager" in page, "as Quant Lead" in page) == (
        True,
        True,
        False,
    )
    form = {"number": "1", "role": RISK, "reason": "read it", "days": "7", "password": PASSWORD}
    refused = client.post(f"/audits/{AUDIT}/waive", {**form, "password": "guess"}, follow=True).content.decode()
    assert "password is not right" in refused
    assert "cannot be" in client.post(f"/audits/{AUDIT}/waive", {**form, "days": "x"}, follow=True).content.decode()
    page = client.post(f"/audits/{AUDIT}/waive", form, follow=True).content.decode()
    assert "Your half of the waiver is kept." in page
    assert "Waive No. 1 as" not in page
    client.force_login(cast[QUANT])
    path = f"/api/v1/audits/{AUDIT}/waivers"
    body = {"number": 1, "role": QUANT, "reason": "read it", "password": PASSWORD}
    answer = client.post(path, json.dumps(body), "application/json")
    assert (answer.status_code, answer.json()["ready"], len(answer.json()["waivers"])) == (201, False, 2)
    assert "1 open risk (2 with" in " ".join(client.get(f"/audits/{AUDIT}/").content.decode().split())
    number = answer.json()["waivers"][0]["id"]
    answer = client.post(f"{path}/{number}/end", json.dumps({"reason": "Monday"}), "application/json")
    assert answer.json()["waivers"][0]["revoked_at"]
    client.force_login(cast["Business Owner"])
    assert client.post(path, json.dumps(body), "application/json").status_code == 409
    assert "may not take it back" in client.post(f"/audits/{AUDIT}/waivers/{number}/end", {"reason": "x"}, follow=True
                                                 ).content.decode()  # fmt: skip


def test_a_release_that_is_not_what_was_signed_and_a_broken_ledger_are_flags_of_an_audit(cast):
    assert audit_integrity.collect().flags == []
    deployed(cast)
    path = paths.resolve(ReleasePointer.objects.get().folder) / "files/strategies.json"
    path.chmod(0o644)
    path.write_text("{}")
    broken = {"breaks": [{"seq": 4, "why": "it was changed after it was written"}]}
    LedgerCheck.objects.create(asked_at=later(1), by="omar", done_at=later(1), sound=False, result=broken)
    found = audit_integrity.collect().flags
    assert [flag.code for flag in found] == ["ledger_broken", "release_differs"]
    assert all("entry 4" in flag.message or "strategies.json" in flag.message for flag in found)
