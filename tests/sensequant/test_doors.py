"""The house's own pages: health, readiness, settings, and the headers every answer wears."""

import pytest
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext

from sensequant import views
from sensequant.middleware import SecurityHeaders


@pytest.fixture
def manager(db, client):
    user = User.objects.create_user("asha", password="monsoon-in-mumbai", is_staff=True)
    client.force_login(user)
    return client


@pytest.fixture(autouse=True)
def another_second():
    views.found_at.cache_clear()


def test_health_needs_neither_login_nor_database(client):
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "mode": "dry-run"}


@pytest.mark.django_db
def test_ready_when_the_database_has_every_migration(client):
    answer = client.get("/readyz")
    assert (answer.status_code, answer.json()["migrations"]) == (200, "ok")


def test_not_ready_while_the_database_does_not_answer(client, monkeypatch):
    def refuse():
        raise DatabaseError("gone")

    monkeypatch.setattr(views.connection, "cursor", refuse)
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "not ready", "database": "does not answer"}


@pytest.mark.django_db
def test_not_ready_while_a_migration_is_missing(client, monkeypatch):
    monkeypatch.setattr(views.MigrationExecutor, "migration_plan", lambda self, targets: [object()])
    answer = client.get("/readyz")
    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["migrations"]


@pytest.mark.django_db
def test_a_probe_is_never_refused_and_uses_up_nobodys_minute(client, manager, monkeypatch):
    monkeypatch.setattr("sensequant.limits.ADDRESS", 2)
    monkeypatch.setattr("sensequant.limits.PERSON", 2)
    stranger = Client()
    for path in ("/healthz", "/readyz"):
        assert {each.get(path).status_code for each in (stranger, manager) for _ in range(5)} == {200}
    assert [stranger.get("/login").status_code for _ in range(3)] == [200, 200, 429]
    assert [manager.get("/settings").status_code for _ in range(3)] == [200, 200, 429]
    assert stranger.get("/readyz").status_code == 200


@pytest.mark.django_db
def test_however_many_ask_whether_the_desk_is_ready_the_database_is_asked_once_a_second(client, monkeypatch):
    monkeypatch.setattr(views.time, "monotonic", lambda: 7.5)
    client.get("/readyz")
    with CaptureQueriesContext(connection) as asked:
        assert {client.get("/readyz").status_code for _ in range(20)} == {200}
    assert not asked.captured_queries
    monkeypatch.setattr(views.time, "monotonic", lambda: 8.1)
    with CaptureQueriesContext(connection) as asked:
        client.get("/readyz")
    assert asked.captured_queries


def test_only_reading_is_possible(client):
    assert client.post("/healthz").status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v1/audits/audit_1/files/a%0Ab"])
def test_a_program_that_asks_for_what_is_not_there_reads_a_problem(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert "there is nothing at" in answer.json()["detail"]
    assert answer.json()["fix"]


@pytest.mark.django_db
def test_a_person_who_asks_for_what_is_not_there_reads_a_page(client):
    answer = client.get("/nothing")
    assert answer.status_code == 404
    assert answer.headers["Content-Type"].startswith("text/html")


@pytest.mark.django_db
def test_settings_are_shown_to_staff_only(client):
    assert client.get("/settings").status_code == 302
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    assert client.get("/settings").status_code == 403


def test_the_settings_page_shows_every_variable_and_no_secret(manager, settings):
    from dataclasses import replace

    settings.DESK = replace(settings.DESK, breeze_api_secret="do-not-show-me", port=8123)
    page = manager.get("/settings").content.decode()
    assert "do-not-show-me" not in page
    assert "set, hidden" in page
    assert "8123" in page
    for name in ("LIVE_TELEMETRY_THROTTLE_SECONDS", "DATA_FEED_NAIVE_TIMEZONE", "HEIGHTENED_HOURS"):
        assert name in page


def dressed(path, view=lambda request: HttpResponse()):
    return SecurityHeaders(view)(RequestFactory().get(path)).headers["Content-Security-Policy"]


def test_scripts_come_from_our_own_files_only():
    policy = dressed("/")
    assert "default-src 'none'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy


def test_a_page_that_asks_for_a_nonce_gets_one_of_its_own():
    seen = []

    def view(request):
        seen.append(str(request.csp_nonce))
        assert str(request.csp_nonce) == seen[-1]
        return HttpResponse()

    first, second = dressed("/", view), dressed("/", view)
    assert f"'nonce-{seen[0]}'" in first
    assert f"'nonce-{seen[1]}'" in second
    assert seen[0] != seen[1]


def test_only_the_admin_and_the_api_documentation_may_style_inline():
    assert "unsafe" not in dressed("/admin/auth/")
    assert "style-src 'self' 'unsafe-inline'" in dressed("/api/v1/docs")
    assert "style-src 'self';" in dressed("/orders")


def test_every_answer_wears_the_headers(client):
    headers = client.get("/healthz").headers
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.django_db
def test_an_unknown_host_is_turned_away(client):
    assert client.get("/healthz", headers={"host": "evil.example"}).status_code == 400
