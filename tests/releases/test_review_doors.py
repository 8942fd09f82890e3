"""What a second person says, on the page and over REST: the review of a lone rollback, the end of a watch."""

import json

import pytest

from releases.core.watch import Reading
from releases.models import Operation, Watch
from releases.services import readings, rolling_back, watching
from tests.releases.deployed import cast, later, proof, two
from tests.releases.test_watching import FELL, FINE, day, says
from tests.releases.world import PASSWORD, person
from trading.core.rights import OPERATORS
from trading.models import ReleasePointer
from trading.services import halts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("home")]


@pytest.fixture
def at(monkeypatch):
    def moment(when):
        for door in ("releases.views.releases", "releases.views.deploying", "releases.api.deploying"):
            monkeypatch.setattr(f"{door}.now", lambda: when)

    return moment


def post(client, path, **form):
    return client.post(path, {"password": PASSWORD, **form}, follow=True).content.decode()


def ask(client, path, **body):
    answer = client.post(f"/api/v1/releases/{path}", json.dumps({"password": PASSWORD, **body}), "application/json")
    return answer.status_code, answer.json()


def alone(who):
    """An operator goes back alone; return the operation and the operator."""
    omar = person("omar", OPERATORS)
    _, new = two(who)
    return rolling_back.back(new.release_id, "prices look wrong", proof(omar), at=later(3)), omar


def cannot_tell(who, monkeypatch):
    """Hours and two sessions are over, the newest check says nothing; return the release that is watched."""
    _, new = two(who)
    says(monkeypatch, Reading("intraday_hit_ratio_drop", None, 3, 0.05))
    watching.look(at=day(26, 10))
    return new.release_id


def test_an_emergency_waits_on_both_pages_until_another_lead_reviews_it_once(client, at):
    who = cast()
    done, omar = alone(who)
    at(later(20))
    path = f"/releases/operations/{done.pk}/review"
    for user, seen in ((omar, False), (who["Business Owner"], False), (who["Risk Manager"], True)):
        client.force_login(user)
        pages = [client.get(each).content.decode() for each in ("/releases", f"/releases/{done.away_from.release_id}/")]
        assert all("waits for another person’s review until" in page for page in pages)
        assert [path in page for page in pages] == [seen, seen]
    client.force_login(omar)
    assert "omar cannot review" in post(client, path, words="fine")
    client.force_login(who["Risk Manager"])
    assert "the password is not right" in post(client, path, words="fine", password="guess")
    assert "no words were given" in post(client, path, words=" ")
    assert Operation.objects.get(pk=done.pk).reviewed_at is None
    page = post(client, path, words="read the log; it was right")
    assert "Your review is kept." in page
    assert "read the log; it was right" in page
    assert "waits for no review" in post(client, path, words="again")
    assert path not in client.get("/releases").content.decode()
    assert client.post("/releases/operations/99/review").status_code == 404


def test_the_review_over_rest(client, at):
    who = cast()
    done, omar = alone(who)
    at(later(20))
    path = f"operations/{done.pk}/review"
    client.force_login(omar)
    assert ask(client, path, words="fine")[0] == 409
    client.force_login(who["Engineering Lead"])
    assert ask(client, path, words="fine", password="guess")[0] == 409
    assert client.get("/api/v1/releases/status").json()["reviews"] == [done.pk]
    status, told = ask(client, path, words="it was right")
    assert (status, told["reviewed_by"], told["review"]) == (200, "engineering", "it was right")
    assert client.get("/api/v1/releases/status").json()["reviews"] == []
    assert ask(client, "operations/99/review", words="fine")[0] == 404


def test_a_risk_manager_who_did_not_deploy_ends_a_watch_that_cannot_tell_on_its_page(client, at, monkeypatch):
    who = cast()
    name = cannot_tell(who, monkeypatch)
    at(day(26, 11))
    path = f"/releases/{name}/conclude"
    client.force_login(who["Engineering Lead"])
    assert path not in client.get(f"/releases/{name}/").content.decode()
    assert "may not end this watch" in post(client, path, reason="fine")
    client.force_login(who["Risk Manager"])
    assert path in client.get(f"/releases/{name}/").content.decode()
    assert "the password is not right" in post(client, path, reason="fine", password="guess")
    assert "no reason was given" in post(client, path, reason=" ")
    other = Watch.objects.get(state="ended").release.release_id
    assert "is not watched" in post(client, f"/releases/{other}/conclude", reason="fine")
    assert ReleasePointer.objects.get().mode == "heightened"
    assert "The watch is over" in post(client, path, reason="three trades, all of them read")
    assert ReleasePointer.objects.get().mode == "normal"
    assert (Watch.objects.first().finished_by, Watch.objects.first().state) == ("risk", "passed")
    assert client.post("/releases/release_20200101_000000/conclude").status_code == 404


def test_the_end_of_a_watch_over_rest_and_never_before_its_time(client, at, monkeypatch):
    who = cast()
    name = cannot_tell(who, monkeypatch)
    client.force_login(who["Risk Manager"])
    at(day(22, 11))
    status, told = ask(client, f"{name}/conclude", words="fine")
    assert (status, "2 full sessions" in str(told)) == (409, True)
    at(day(26, 11))
    assert ask(client, f"{name}/conclude", words="fine", password="guess")[0] == 409
    status, told = ask(client, f"{name}/conclude", words="read every trade")
    assert (status, told["watch"], told["active"]["state"]) == (200, None, "stable")


def test_a_watch_that_stopped_entries_goes_on_once_a_person_let_entries_go_on(monkeypatch):
    two(cast())
    says(monkeypatch, FELL)
    assert watching.look(at=day(23, 11)).action == "reduce"
    monkeypatch.setattr(readings, "every", lambda watch, *, at: [FINE])
    watching.look(at=day(23, 13))
    assert watching.current().state == "reduced"
    halts.release(halts.RELEASE, "looked at each trade", at=day(23, 14), by="risk")
    watching.look(at=day(23, 15))
    assert watching.current().state == "watching"
