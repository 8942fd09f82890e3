"""The ledger: everything that was done is in it once, and whatever is done to it is named."""

import datetime as dt
import json

import pytest
from django.contrib.auth import authenticate
from django.contrib.auth.models import Group, User
from django.db import DatabaseError, connection, transaction
from django.test import RequestFactory

from monitoring.models import Notification
from monitoring.services import auditing, facts
from releases.models import Happening, LedgerArchive, LedgerCheck, LedgerEntry, LedgerHead
from releases.selectors import ledger as listed
from releases.services import happenings, ledger, ledger_archives, ledger_checks, ledger_heads, ledger_waiting
from releases.services.ledger_keeping import Keeper
from sensequant.lib.errors import NotAllowed
from tests.trading.desks import command
from trading.models import Halt, LiveArming
from trading.services import halts, strategies

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path
    return tmp_path


def happened(at, *what):
    for number, each in enumerate(what):
        happenings.record(each, "user asha", at=at + dt.timedelta(seconds=number), actor="asha")


@pytest.fixture
def nine(noon):
    """A ledger of nine entries, signed at the sixth and at the ninth."""
    happened(noon, *"abcdef")
    ledger_heads.sign(at=noon)
    happened(noon + dt.timedelta(hours=1), *"ghi")
    ledger_heads.sign(at=noon + dt.timedelta(hours=1))
    assert ledger.head().number == 9


def by_sql(text, *values):
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(text, values)


def named(**options):
    return [(each.number, each.what) for each in ledger_checks.verify(**options).breaks if each.what != "guard"]


# taking in


def test_what_was_done_anywhere_is_in_the_ledger_with_who_and_why_each_once(noon):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai")
    user.groups.add(Group.objects.get_or_create(name="Risk Manager")[0])
    user.set_password("winter-in-delhi")
    user.save()
    assert authenticate(RequestFactory().post("/login"), username="asha", password="wrong") is None
    halts.engage(halts.KILL, "prices look wrong", at=noon, by="asha")
    first = ledger.pull(at=noon)
    halts.release(halts.KILL, "they were right", at=noon + dt.timedelta(hours=1), by="omar")
    strategies.activate(strategies.propose("intraday", {}, by="asha", at=noon).pk, by="omar", at=noon)
    auditing.append("acknowledged", by="omar", at=noon, reason="seen")
    assert (first, ledger.pull(at=noon), ledger.pull(at=noon, whole=True)) == (6, 4, 0)
    found = set(LedgerEntry.objects.values_list("actor", "action", "object", "reason"))
    halt = Halt.objects.get()
    assert {
        ("", "user made", "user asha", ""), ("", "groups granted", "user asha", ""),
        ("", "password changed", "user asha", ""), ("", "login failed", "user asha", ""),
        ("asha", "kill engaged", f"halt {halt.pk}", "prices look wrong"),
        ("omar", "kill released", f"halt {halt.pk}", "they were right"),
        ("asha", "strategy proposed", "strategy intraday", ""), ("omar", "strategy activated", "strategy intraday", ""),
        ("omar", "acknowledged", "alerts", "seen"),
    } <= found, sorted(found)  # fmt: skip
    again, before = LedgerEntry.objects.get(action="kill released"), LedgerEntry.objects.get(action="kill engaged")
    assert again.before_sha == before.after_sha
    assert "password" not in LedgerEntry.objects.get(action="password changed").content.replace("password changed", "")
    assert named() == []


def test_a_login_is_kept_with_its_address_a_digest_of_its_session_and_the_number_of_its_request(client, noon):
    User.objects.create_user("asha", password="monsoon-in-mumbai")
    told = {"username": "asha", "password": "monsoon-in-mumbai"}
    answer = client.post("/login", told, headers={"X-Request-ID": "request-4711"})
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (302, "request-4711")
    key = client.session.session_key
    client.post("/logout")
    ledger.pull(at=noon)
    entry = LedgerEntry.objects.get(action="logged in")
    assert (entry.actor, entry.ip, entry.request_id) == ("asha", "127.0.0.1", "request-4711")
    assert len(entry.session) == 64
    assert key not in "".join(LedgerEntry.objects.values_list("content", flat=True))
    assert LedgerEntry.objects.get(action="logged out").session == entry.session


def test_a_flood_of_failed_logins_fills_no_table(noon):
    for number in range(happenings.MOST + 10):
        authenticate(RequestFactory().post("/login"), username=f"asha{number}", password="wrong")
    assert Happening.objects.count() == happenings.MOST


def test_a_row_that_became_visible_late_is_taken_however_old_its_number_is(noon):
    happened(noon, *"abc")
    late = Happening.objects.get(what="a")
    kept = {field.column: getattr(late, field.attname) for field in Happening._meta.concrete_fields}
    Happening.objects.bulk_create([Happening(**{**kept, "id": late.pk + 10_000, "what": "young"})])
    ledger.pull(at=noon)
    Happening.objects.bulk_create([Happening(**{**kept, "id": late.pk + 9_900, "what": "late"})])
    Happening.objects.bulk_create([Happening(**{**kept, "id": late.pk + 5_000, "what": "very late"})])
    assert (ledger_waiting.waiting_now(), ledger.pull(at=noon)) == (1, 1)  # the near one at once …
    assert (ledger.waiting(), ledger.pull(at=noon, whole=True)) == (1, 1)  # … the far one with the hour
    assert named() == []


def test_the_settings_in_force_are_kept_when_they_are_others(noon, settings):
    assert happenings.settings_in_force(settings.DESK, at=noon) is not None
    assert happenings.settings_in_force(settings.DESK, at=noon) is None
    text = json.dumps(Happening.objects.get(what="settings in force").detail)
    assert '"MAX_DAILY_LOSS_PCT"' in text
    assert "SECRET_KEY" not in text


# seen


def test_a_beginning_is_looked_for_letter_for_letter_and_by_its_index(noon):
    for name in ("release_2026", "release_2025", "Release", "a release", "release%", "release_"):
        happenings.record("thing", name, at=noon, actor="asha")
    ledger.pull(at=noon)
    names = {each.object for each in listed.entries(listed.Asked(object="release_"))}
    assert names == {"release_2026", "release_2025", "release_"}
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        plan = listed.entries(listed.Asked(object="release_")).order_by("object").explain()
        assert "ledger_object_begins" in plan


@pytest.mark.parametrize("word", ["rare", "common"])
def test_pages_of_a_search_are_those_of_the_whole_list_whether_the_word_is_rare_or_common(noon, word):
    names = ["rare one", "rare two", *["common"] * listed.FILLED, "rare three"]
    rows = [Happening(at=noon, what=str(k), object=name, actor="asha") for k, name in enumerate(names)]
    Happening.objects.bulk_create(rows)
    ledger.pull(at=noon)
    kept = LedgerEntry.objects.filter(object__startswith=word).order_by("-seq")
    found = listed.entries(listed.Asked(object=word))
    assert [list(found[k : k + 2]) for k in (0, 2, 4)] == [list(kept[k : k + 2]) for k in (0, 2, 4)]
    assert list(found.filter(seq__lt=kept[1].seq)[:3]) == list(kept[2:5])


def test_the_page_the_entry_the_file_and_the_api_show_what_was_done(client, noon):
    client.force_login(User.objects.create_superuser("asha", password="x"))
    happenings.record("=cmd|calc", "user omar", at=noon, actor="omar", reason="a test")
    ledger.pull(at=noon)
    entry = LedgerEntry.objects.get(action="=cmd|calc")
    page = client.get("/ledger?actor=omar&day=2026-11-23").content.decode()
    assert f'href="/ledger/{entry.seq}"' in page
    assert "user made" not in page
    assert "is not a date" in client.get("/ledger?day=yesterday").content.decode()
    assert entry.digest in client.get(f"/ledger/{entry.seq}").content.decode()
    assert client.get("/ledger/4711").status_code == 404
    assert ",'=cmd|calc," in client.get("/ledger?export=csv&action==cmd").content.decode()
    answer = client.get("/api/v1/ledger?actor=omar&limit=1")
    assert [each["seq"] for each in answer.json()["items"]] == [entry.seq]
    again = client.get("/api/v1/ledger?actor=omar&limit=1", headers={"If-None-Match": answer["ETag"]})
    assert again.status_code == 304
    assert client.get(f"/api/v1/ledger/{entry.seq}").json()["content"]["reason"] == "a test"
    assert client.get("/api/v1/ledger/4711").status_code == 404
    told = client.post("/api/v1/ledger/verify").json()
    assert (told["sound"], told["entries"]) == (True, ledger.head().number)
    assert client.get("/api/v1/ledger/checks").json()["items"][0]["by"] == "asha"
    assert "Read: sound." in client.post("/ledger/verify", follow=True).content.decode()
    assert client.get(f"/admin/releases/ledgerentry/{entry.seq}/change/").status_code == 200
    assert client.post(f"/admin/releases/ledgerentry/{entry.seq}/delete/", {"post": "yes"}).status_code == 403
    client.force_login(User.objects.create_user("tara"))
    assert client.post("/ledger/verify").status_code == 403


# what is named


def test_an_entry_that_was_edited_is_named(nine, unguarded):
    by_sql("UPDATE releases_ledgerentry SET actor = 'omar' WHERE seq = 4")
    assert named() == [(4, "edited")]
    code, out, err = command("verify_ledger", "--json")
    assert (code, json.loads(out)["sound"]) == (1, False)
    assert err.startswith("error: seq 4: edited: it was changed after it was written")


def test_a_content_that_was_edited_with_its_digest_is_named_by_the_chain_and_by_its_source(nine, unguarded):
    row = LedgerEntry.objects.get(seq=5)
    forged = row.content.replace("asha", "omar")
    by_sql("UPDATE releases_ledgerentry SET content = %s, after_sha = %s WHERE seq = 5", forged, "0" * 64)
    assert set(named()) == {(5, "edited"), (5, "source")}


def test_an_entry_that_was_deleted_is_named(nine, unguarded):
    by_sql("DELETE FROM releases_ledgerentry WHERE seq = 3")
    assert named() == [(3, "deleted")]


def test_entries_that_changed_places_are_named(nine, unguarded):
    for old, new in ((2, 99), (7, 2), (99, 7)):
        by_sql("UPDATE releases_ledgerentry SET seq = %s WHERE seq = %s", new, old)
    found = named()
    assert {what for _, what in found} == {"reordered"}
    assert {number for number, _ in found} == {2, 7}


def test_an_entry_that_was_slipped_in_is_named(nine, unguarded):
    last = LedgerEntry.objects.get(seq=5)
    for seq in (9, 8, 7, 6):
        by_sql("UPDATE releases_ledgerentry SET seq = %s WHERE seq = %s", seq + 1, seq)
    forged = ledger.core.sealed(ledger.core.Entry(**{
        **{name: getattr(last, name) for name in ledger.core.COLUMNS}, "seq": 6, "source": 4711,
        "previous": "0" * 64,
    }))  # fmt: skip
    LedgerEntry.objects.bulk_create([LedgerEntry(**forged._asdict())])
    found = named()
    assert (6, "inserted") in found
    assert (6, "source") in found  # and nothing stands behind it


def test_a_tail_that_was_cut_off_is_named_by_the_newest_signed_head(nine, unguarded):
    by_sql("DELETE FROM releases_ledgerentry WHERE seq > 7")
    by_sql("DELETE FROM releases_happening WHERE what IN ('h', 'i')")
    assert named() == [(8, "truncated")]


def test_a_ledger_that_was_written_anew_disagrees_with_a_copy_of_its_heads_kept_elsewhere(nine, unguarded, tmp_path):
    copy = tmp_path / "usb.jsonl"
    copy.write_text(ledger_heads.path().read_text())
    by_sql("DELETE FROM releases_ledgerentry")
    by_sql("DELETE FROM releases_ledgerhead")
    by_sql("UPDATE releases_happening SET actor = 'omar' WHERE what = 'b'")
    ledger_heads.path().unlink()
    ledger.pull(at=dt.datetime(2026, 11, 23, tzinfo=dt.UTC), whole=True)
    assert named() == []  # the desk itself cannot know …
    found = named(heads=copy)
    assert (6, "rewritten") in found  # … who kept its messages does
    copy.write_text(copy.read_text().replace("eyJ", "eyK", 1))
    assert any(what == "head" for _, what in named(heads=copy))


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("UPDATE releases_happening SET actor = 'omar' WHERE what = 'd'", "no longer says the same"),
        ("DELETE FROM releases_happening WHERE what = 'd'", "is missing"),
    ],
)
def test_a_source_that_no_longer_says_the_same_is_named(nine, unguarded, change, what):
    by_sql(change)
    (found,) = [each for each in ledger_checks.verify().breaks if each.what == "source"]
    assert (found.number, what in found.why) == (4, True)


def test_a_file_of_heads_that_lost_one_and_an_alert_trail_that_lost_its_tail_are_named(nine, unguarded, noon):
    auditing.append("x", by="asha", at=noon)
    kept = auditing.append("y", by="asha", at=noon)
    ledger_heads.sign(at=noon + dt.timedelta(hours=2))
    by_sql("DELETE FROM monitoring_auditentry WHERE id = %s", kept.pk)
    found = ledger_checks.verify().breaks
    assert ("of alerts", "truncated") in {(each.chain, each.what) for each in found}
    lines = ledger_heads.path().read_text().splitlines()
    ledger_heads.path().write_text("\n".join(lines[1:]) + "\n")
    assert any("is not in ledger_heads.jsonl" in each.why for each in ledger_checks.verify().breaks)


# what the database refuses


@pytest.mark.parametrize(
    "text",
    [
        "UPDATE releases_ledgerentry SET actor = 'x' WHERE seq = 1", "DELETE FROM releases_ledgerentry WHERE seq = 9",
        "DELETE FROM releases_ledgerhead", "UPDATE releases_ledgerhead SET seq = 1", "DELETE FROM releases_happening",
        "UPDATE releases_happening SET actor = 'x'", "DELETE FROM trading_halt", "DELETE FROM trading_livearming",
        "UPDATE trading_halt SET reason = 'x'", "UPDATE trading_livearming SET armed_by = 'x'",
        "DELETE FROM monitoring_auditentry", "UPDATE monitoring_auditentry SET what = 'x'",
        "UPDATE trading_deed SET what = 'x'", "DELETE FROM trading_deed",
    ],
)  # fmt: skip
def test_the_database_refuses_to_edit_or_delete_what_was_done(nine, noon, text):
    halts.engage(halts.KILL, "prices look wrong", at=noon, by="asha", square_off=True)
    halts.engage(halts.BREAKER, "loss", at=noon, by="asha")
    halts.engage(halts.BREAKER, "loss", at=noon, by="asha", square_off=True)  # leaves a deed
    LiveArming.objects.create(armed_by="asha", armed_at=noon, expires_at=noon, plan="a", shown={})
    auditing.append("x", by="asha", at=noon)
    with pytest.raises(DatabaseError, match="only ever added"):
        by_sql(text)
    halts.release(halts.KILL, "over", at=noon, by="omar")  # what may change, may


def test_a_truncate_is_refused_too(nine):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has no TRUNCATE")
    with pytest.raises(DatabaseError, match="only ever added"):
        by_sql("TRUNCATE releases_ledgerentry")


def test_a_guard_that_was_taken_away_is_named(nine, unguarded):
    found = ledger_checks.verify().breaks
    assert {each.what for each in found} == {"guard"}
    assert any("releases_ledgerentry" in each.why for each in found)


# heads, archives, the process


def test_a_head_goes_into_the_file_the_row_and_out_through_every_channel_once(nine, noon):
    first, second = LedgerHead.objects.order_by("id")
    said = [ledger_heads.core.head(_payload(each)) for each in (first, second)]
    assert [(each.seq, each.before) for each in said] == [(6, ""), (9, first.sha256)]
    assert len(ledger_heads.path().read_text().splitlines()) == 2
    sent = Notification.objects.filter(body__rule="ledger_head")
    assert {each.body["context"]["seq"] for each in sent} == {6, 9}
    assert not ledger_heads.due(at=noon + dt.timedelta(hours=5))  # nothing happened since
    happened(noon, "j")
    ledger.pull(at=noon)
    assert not ledger_heads.due(at=noon + dt.timedelta(minutes=90))
    assert ledger_heads.due(at=noon + dt.timedelta(hours=2))


def _payload(row):
    key = [ledger_heads.release_keys.public()]
    return ledger_heads.dsse.opened(row.envelope.encode(), ledger_heads.KIND, key).decode()


def test_five_years_later_the_beginning_is_in_a_sealed_file_and_the_reading_goes_across_it(nine, noon, home):
    later = noon + dt.timedelta(days=1_828)
    happened(later, "young")
    ledger.pull(at=later)
    row = ledger_archives.archive(by="asha", at=later)
    assert (row.first, row.through, LedgerEntry.objects.count()) == (1, 9, 1)
    assert ledger_archives.archive(by="asha", at=later) is None
    assert ledger.pull(at=later, whole=True) == 0  # what is archived is not taken in again
    assert ledger_waiting.waiting_now() == 0
    happened(later, "younger", "youngest")
    assert (ledger_waiting.waiting_now(), ledger_waiting.waiting_now(1)) == (2, 1)
    assert ledger.pull(at=later, whole=True) == 2
    found = ledger_checks.verify()
    assert (found.breaks, found.entries, found.archived, found.sources, found.last) == ([], 12, 9, 12, 12)
    file = home / row.path
    file.chmod(0o640)
    file.write_bytes(file.read_bytes()[:-9])
    assert (1, "archive") in named()
    file.unlink()
    assert [what for _, what in named()] == ["archive", "archive"]
    with pytest.raises(DatabaseError, match="only ever added"):
        by_sql("DELETE FROM releases_ledgerentry")
    assert LedgerArchive.objects.count() == 1


def test_a_broken_chain_is_not_put_into_a_file(nine, unguarded, noon):
    by_sql("UPDATE releases_ledgerentry SET actor = 'omar' WHERE seq = 4")
    with pytest.raises(NotAllowed, match="entry 4 breaks the chain"):
        ledger_archives.archive(by="asha", at=noon + dt.timedelta(days=1_828))
    assert LedgerEntry.objects.count() == 9


def test_the_process_takes_in_signs_reads_and_tells_monitoring(noon, unguarded):
    at = [noon]
    keeper = Keeper(clock=lambda: at[0])
    happened(noon, *"ab")
    assert (keeper.once(), LedgerHead.objects.count(), LedgerCheck.objects.get().result["last"]) == (2, 1, 2)
    by_sql("UPDATE releases_ledgerentry SET actor = 'omar' WHERE seq = 1")
    at[0] += dt.timedelta(minutes=5)
    keeper.once()
    (told,) = [each for each in facts.View(at[0]).reports() if each.group == "of the ledger"]
    before = told.value  # the guards a test took away
    at[0] += dt.timedelta(minutes=6)
    keeper.once()
    (told,) = [each for each in facts.View(at[0]).reports() if each.group == "of the ledger"]
    assert told.value == before + 1
    assert LedgerCheck.objects.count() == 1
    asked = ledger_checks.ask(by="omar", at=at[0])
    assert (asked.sound, asked.by, asked.result["broken"]) == (False, "omar", told.value)
