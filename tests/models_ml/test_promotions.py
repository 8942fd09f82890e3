"""Nobody reaches the champion's place alone, unread or by luck, and going back needs one person and a reason."""

import dataclasses
import datetime as dt
import json

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction

from models_ml.core import promotion as rules
from models_ml.core.paired import Paired
from models_ml.models import Promotion, SignOff, StudentRun
from models_ml.services import checklists, promotions, signing, student_folders
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput, NotAllowed, NotFound
from tests.trading.desks import LIVELY, NOON, TODAY, command
from tests.trading.pupils import pupil, sealed
from tests.trading.rows import PASSWORD
from trading.models import ActiveModel
from trading.services import markets, runs, students

SPAN = dt.date(2026, 10, 26), dt.date(2026, 11, 6)
SYMBOLS = ("DEMOBANK", "DEMOINFRA", "DEMOLABS")
BEYOND_LUCK = Paired(120, 4e-4, 1e-4, 7e-4, 0.004, 0.2, 2.0, significant=True)
SOUND = rules.Skill(500, 200, 0.53, 0.55, 0.51)


@pytest.fixture
def home(settings, tmp_path):
    """A home folder of its own, students enabled."""
    settings.SENSEQUANT_HOME = tmp_path / "home"
    settings.DESK = dataclasses.replace(settings.DESK, student_model_enabled=True)
    return settings.SENSEQUANT_HOME


@pytest.fixture
def people(db):
    """One person for each role, a superuser without any, and one in all of them."""
    found = {}
    for name, role in (("mala", "ML Lead"), ("quentin", "Quant Lead"), ("hari", "Head of Trading")):
        found[role] = User.objects.create_user(name, password=PASSWORD)
        found[role].groups.add(Group.objects.get_or_create(name=role)[0])
    found["root"] = User.objects.create_superuser("root", password=PASSWORD)
    found["all"] = User.objects.create_user("allin", password=PASSWORD)
    found["all"].groups.set(Group.objects.all())
    return found


def asked():
    wanted = markets.want("demo", SYMBOLS, "5minute", *SPAN, today=TODAY)
    return wanted, runs.order("intraday", LIVELY, 1e6)


def assessed(folder, student=None, by="tara", **told):
    sealed(folder, student, **{"trained_until": "2026-09-30", **told})
    return promotions.assess(folder, *asked(), by=by, at=NOON)


@pytest.fixture
def passing(monkeypatch):
    """The statistics find every candidate better beyond luck, and sound; the rest is real."""
    monkeypatch.setattr(promotions, "compare", lambda *_, **__: BEYOND_LUCK)
    monkeypatch.setattr(promotions, "worth", lambda *_: SOUND)
    monkeypatch.setattr(rules, "_alone", lambda _: [])
    monkeypatch.setattr(promotions.rules, "deltas", lambda *_: dict.fromkeys(
        ("precision_uplift", "hit_ratio_uplift", "sharpe_uplift"), 0.1))  # fmt: skip


def signed(row, people, *, at=NOON, but=()):
    for role in checklists.ROLES:
        if role not in but:
            signing.sign(row.pk, role, people[role], decision="approve", note="read it", at=at,
                         seen=signing.evidence_of(row))  # fmt: skip
    return row


def promoted(folder, people, student=None, at=NOON):
    row = signed(assessed(folder, student), people, at=at)
    return promotions.promote(row.pk, by="hari", at=at)


# judged


@pytest.mark.django_db
def test_a_student_without_skill_is_rejected_and_the_checklist_has_the_documents_fields(home, tmp_path):
    row = assessed(tmp_path / "s")
    assert (row.recommendation, row.state) == ("REJECT", "rejected")
    found = json.loads((tmp_path / "s_promotion_checklist.json").read_text())
    assert {
        "timestamp", "candidate_model", "baseline_model", "validation_period", "candidate_metrics",
        "baseline_metrics", "deltas", "validation_thresholds", "validation_results", "recommendation", "reason",
    } <= set(found)  # fmt: skip
    assert {"precision_long", "hit_ratio", "sharpe_ratio"} <= set(found["candidate_metrics"])
    assert found["validation_period"]["symbols"] == list(SYMBOLS)
    assert found["candidate_metrics"]["trades"] != found["baseline_metrics"]["trades"]
    text = (tmp_path / "s_promotion_checklist.md").read_text()
    for part in ("Performance summary", "Validation criteria", "Pre-deployment checklist", "Approval sign-offs",
                 "ML Lead", "Quant Lead", "Promotion commands", "Rollback procedure", "❌"):  # fmt: skip
        assert part in text


@pytest.mark.django_db
@pytest.mark.parametrize(("until", "word"), [("2026-10-26", "learned from bars up to"), ("", "does not tell")])
def test_bars_it_learned_from_prove_nothing(home, tmp_path, passing, until, word):
    row = assessed(tmp_path / "s", trained_until=until)
    assert row.recommendation == "REJECT"
    assert word in row.checklist["reason"]


@pytest.mark.django_db
def test_a_suspicion_from_its_training_stays(home, tmp_path, passing):
    version = assessed(tmp_path / "s").version
    StudentRun.objects.create(
        version=version, suspected_leak=True, symbols=[], created_at=NOON, model_type="logistic",
        teacher_artifacts_path="t", evaluation={"leak": {"reasons": ["an area of 0.700"]}}, created_by="mala",
    )  # fmt: skip
    row = assessed(tmp_path / "s")
    assert row.recommendation == "REJECT"
    assert "suspected leak: already when it was trained (an area of 0.700)" in row.checklist["reason"]
    assert row.author == "mala", "who trained it may not sign, whoever asks"


@pytest.mark.django_db
def test_the_same_assessment_twice_gives_the_same_numbers(home, tmp_path):
    first, second = assessed(tmp_path / "s"), assessed(tmp_path / "s")
    assert first.checklist == second.checklist
    assert first.checklist_digest == second.checklist_digest


@pytest.mark.django_db
def test_a_pickle_is_refused_by_name(home, tmp_path):
    path = tmp_path / "student_model.pkl"
    path.write_bytes(b"\x80\x04.")
    with pytest.raises(BadInput, match="is a pickle"):
        promotions.assess(path, *asked(), by="tara", at=NOON)


# signed


@pytest.mark.django_db
def test_three_people_sign_and_the_candidate_takes_its_place(home, tmp_path, people, passing):
    row = promoted(tmp_path / "s", people)
    champion = students.champion()
    assert (row.state, champion.version, champion.evidence) == ("promoted", row.version, signing.evidence_of(row))
    assert champion.folder == str(home / "data/models/production" / row.version)
    assert students.wanted(NOON)[0].scorer.version == row.version


@pytest.mark.django_db
@pytest.mark.parametrize("role", checklists.ROLES)
def test_without_one_of_them_nothing_happens(home, tmp_path, people, passing, role):
    row = signed(assessed(tmp_path / "s"), people, but=(role,))
    with pytest.raises(NotAllowed, match=f"{role} has not signed"):
        promotions.promote(row.pk, by="hari", at=NOON)
    assert students.champion() is None


def says(row, role, user, **changes):
    words = {"decision": "approve", "note": "read it", "seen": signing.evidence_of(row), "at": NOON, **changes}
    return signing.sign(row.pk, role, user, **words)


@pytest.mark.django_db
def test_who_may_not_sign_is_told_why(home, tmp_path, people, passing):
    row = assessed(tmp_path / "s", by="mala")
    for role, who, word in (
        ("ML Lead", "ML Lead", "trained this candidate"), ("Quant Lead", "root", "not in the group"),
        ("Quant Lead", "ML Lead", "may not sign"), ("Risk Owner", "all", "cannot"),
    ):  # fmt: skip
        with pytest.raises((NotAllowed, BadInput), match=word):
            says(row, role, people[who])
    says(row, "ML Lead", people["all"])
    for role, who in (("Quant Lead", "all"), ("ML Lead", "all")):
        with pytest.raises(NotAllowed, match="has signed"):
            says(row, role, people[who])
    with pytest.raises(BadInput, match="no note"):
        says(row, "Quant Lead", people["Quant Lead"], note=" ")


@pytest.mark.django_db
def test_the_database_itself_refuses_the_author_and_a_second_role(home, tmp_path, people, passing):
    row = assessed(tmp_path / "s", by="mala")
    base = {"promotion": row, "author": "mala", "decision": "approve", "evidence": "e", "note": "n", "at": NOON}
    mala, hari = people["ML Lead"], people["Head of Trading"]
    with pytest.raises(IntegrityError), transaction.atomic():
        SignOff.objects.create(**base, role="ML Lead", user=mala, username="mala")
    SignOff.objects.create(**base, role="Head of Trading", user=hari, username="hari")
    with pytest.raises(IntegrityError), transaction.atomic():
        SignOff.objects.create(**base, role="Quant Lead", user=hari, username="hari")


@pytest.mark.django_db
@pytest.mark.parametrize("harm", ["checklist", "candidate", "role", "inactive", "old", "refused"])
def test_what_changes_after_signing_voids_it(home, tmp_path, people, passing, harm):
    row, at = signed(assessed(tmp_path / "s"), people, but=("Head of Trading",)), NOON
    if harm == "refused":
        says(row, "Head of Trading", people["Head of Trading"], decision="reject")
    else:
        says(row, "Head of Trading", people["Head of Trading"])
        assert signing.missing(row, at=NOON) == []
    if harm == "checklist":
        Promotion.objects.filter(pk=row.pk).update(checklist={**row.checklist, "reason": "better"})
    if harm == "candidate":
        sealed(tmp_path / "s", pupil(middle=61.0), trained_until="2026-09-30")
    if harm == "role":
        people["Quant Lead"].groups.clear()
    if harm == "inactive":
        User.objects.filter(username="mala").update(is_active=False)
    if harm == "old":
        at = NOON + dt.timedelta(hours=73)
    with pytest.raises(NotAllowed):
        promotions.promote(row.pk, by="hari", at=at)
    assert students.champion() is None


@pytest.mark.django_db
def test_one_who_read_another_checklist_signs_nothing(home, tmp_path, people, passing):
    row = assessed(tmp_path / "s")
    with pytest.raises(NotAllowed, match="changed since it was read"):
        says(row, "ML Lead", people["ML Lead"], seen="f" * 64)


@pytest.mark.django_db
def test_a_rejected_checklist_cannot_be_stored_as_waiting_for_review(home, tmp_path):
    row = assessed(tmp_path / "s")
    with pytest.raises(IntegrityError), transaction.atomic():
        Promotion.objects.filter(pk=row.pk).update(state="review")


# switched, and back


@pytest.mark.django_db
def test_the_old_one_is_archived_and_comes_back_verified_even_when_its_folder_was_harmed(
    home, tmp_path, people, passing
):
    first = promoted(tmp_path / "a", people)
    second = promoted(tmp_path / "b", people, pupil(middle=55.0))
    kept = list((home / "data/models/archive").iterdir())
    assert [each.name for each in kept] == [f"{first.version}_20261123"]
    model = home / "data/models/production" / first.version / "model.json"
    model.write_bytes(model.read_bytes().replace(b"0", b"1", 1))
    with pytest.raises(BadInput, match="no reason"):
        promotions.rollback(" ", by="omar", at=NOON)
    assert promotions.rollback("it trades too much", by="omar", at=NOON) == first.version
    assert students.wanted(NOON)[0].scorer.version == first.version
    assert promotions.rollback("no, it was right", by="omar", at=NOON) == second.version
    assert ActiveModel.objects.filter(role="champion", until=None).count() == 1


@pytest.mark.django_db
def test_a_promotion_judged_against_another_model_than_the_one_in_place_is_not_carried_out(
    home, tmp_path, people, passing
):
    late = signed(assessed(tmp_path / "late", pupil(middle=52.0)), people)
    promoted(tmp_path / "a", people)
    with pytest.raises(NotAllowed, match="judged against another model"):
        promotions.promote(late.pk, by="hari", at=NOON)


@pytest.mark.django_db
def test_a_switch_that_fails_leaves_everything_as_it_was(home, tmp_path, people, passing, monkeypatch):
    first = promoted(tmp_path / "a", people)
    row = signed(assessed(tmp_path / "b", pupil(middle=55.0)), people)
    monkeypatch.setattr(students, "install", lambda *_, **__: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        promotions.promote(row.pk, by="hari", at=NOON)
    row.refresh_from_db()
    assert (row.state, students.champion().version) == ("review", first.version)


@pytest.mark.django_db
def test_without_a_champion_before_there_is_nothing_to_go_back_to(home, tmp_path, people, passing):
    promoted(tmp_path / "a", people)
    with pytest.raises(NotFound, match="no champion before"):
        promotions.rollback("why not", by="omar", at=NOON)


@pytest.mark.django_db
def test_a_copy_is_never_another_model(home, tmp_path):
    folder, digest = sealed(tmp_path / "s")
    other, _ = sealed(tmp_path / "t", pupil(middle=44.0))
    target = tmp_path / "there"
    assert student_folders.copied(folder, target, digest) == target
    assert student_folders.copied(folder, target, digest) == target
    with pytest.raises(BadInput, match="not what was judged"):
        student_folders.copied(other, tmp_path / "elsewhere", digest)
    assert not (tmp_path / "elsewhere").exists()


# the command


WORDS = [f"{key}={value}" for key, value in LIVELY.items()]
BARS = ("--symbols", *SYMBOLS, "--start-date", SPAN[0], "--end-date", SPAN[1], "--data-source", "demo", "--interval",
        "5minute", "--strategy", "intraday", "--params", *WORDS)  # fmt: skip


@pytest.mark.django_db
def test_the_command_judges_promotes_lists_and_goes_back(home, tmp_path, people, passing):
    sealed(tmp_path / "a", trained_until="2026-09-30")
    code, out, _ = command("promote_student_models", "--candidate", tmp_path / "a", *BARS, "--by", "tara", "--json")
    found = json.loads(out)
    assert (code, found["recommendation"], found["state"]) == (0, "PROMOTE", "review")
    code, _, err = command("promote_student_models", "--promote", found["id"])
    assert code == 1
    assert "ML Lead has not signed" in err
    row = Promotion.objects.get()
    Promotion.objects.filter(pk=row.pk).update(created_at=NOON)
    signed(row, people, at=now())
    assert command("promote_student_models", "--promote", row.pk)[0] == 0
    code, out, _ = command("promote_student_models", "--list", "--json")
    assert json.loads(out)["champion"] == row.version
    code, _, err = command("promote_student_models", "--rollback", "--reason", "x")
    assert (code, "no champion before" in err) == (2, True)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("words", "word"),
    [
        (("--candidate", "nowhere", *BARS), "no finished artifact"),
        (("--candidate", "nowhere"), "--symbols is missing"),
        (("--promote", "9"), "no promotion 9"),
        (("--rollback",), "no reason"),
    ],
)
def test_the_command_says_what_cannot_be_in_one_line(home, words, word):
    code, _, err = command("promote_student_models", *words)
    assert code == 2
    assert word in err
    assert err.count("\n") == 1


@pytest.mark.django_db
def test_a_challenger_is_seated_beside_the_champion_by_command(home, tmp_path):
    sealed(tmp_path / "a")
    code, _, _ = command("promote_student_models", "--challenger", tmp_path / "a", "--reason", "try it")
    assert code == 0
    assert [row.version for row in students.challengers()] == [students.wanted(NOON)[0].scorer.version]
