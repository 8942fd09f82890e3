"""Somebody opens every page the admin has, as everybody who can log in: no page breaks, and nobody sees too much."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django_celery_beat.models import CrontabSchedule, PeriodicTask

from monitoring.services import facts, watching
from sensequant import urls  # noqa: F401 - finds the pages of the admin
from sensequant.lib.clock import now
from sensequant.lib.security import events
from tests.trading import rows
from trading.core.rights import OPERATORS
from trading.models import Fill, Trade

HISTORY = {"AccessAttempt", "Attempt", "Authenticator", "Fill", "LogEntry", "Order", "SecurityEvent", "Trade"}


@pytest.fixture
def desk(db):
    """A day's rows, an alert that fires, a refusal."""
    people = rows.people()
    run = rows.run()
    rows.history(run)
    rows.backtest()
    rows.broker(run)
    rows.fetched()
    rows.news()
    facts.report("chain_breaks", 1.0, at=now(), group="of releases", told="entry 3 was changed")
    watching.look(at=now())
    events.note("login refused", at=now(), who="mallory")
    operator = User.objects.create_user("opal", is_staff=True)
    operator.groups.add(Group.objects.get_or_create(name=OPERATORS)[0])
    return people


def pages(model):
    """Yield the addresses of a model's pages, what is looked for and what is ordered among them."""
    base = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    changelist = reverse(f"{base}_changelist")
    yield from (
        changelist,
        f"{changelist}?q=DEMO",
        f"{changelist}?q=%27%00%F0%9F%92%A5",
        f"{changelist}?o=-1.2",
        f"{changelist}?e=1",
    )
    yield reverse(f"{base}_add")
    first = model._default_manager.first()
    if first is not None:
        yield from (reverse(f"{base}_{page}", args=[first.pk]) for page in ("change", "history", "delete"))
    yield reverse(f"{base}_change", args=["999999999"])


@pytest.mark.parametrize("who", ["asha", "opal", "viewer"])
def test_no_page_of_the_admin_breaks_for_anybody(desk, who):
    person = User.objects.filter(username=who).first() or desk["viewer"]
    client = Client(raise_request_exception=False)
    client.force_login(person)
    broken, seen = [], 0
    assert client.get(reverse("admin:index")).status_code == (200 if person.is_staff else 302)
    for model in admin.site._registry:
        for address in pages(model):
            status = client.get(address).status_code
            seen += status == 200
            if status >= 500 or (not person.is_superuser and status == 200):
                broken.append((address, status))
    assert broken == []
    assert (seen > 400) is (who == "asha")


def test_every_model_is_searched_and_filtered(db):
    lacking = [
        model._meta.label
        for model, page in admin.site._registry.items()
        if not page.search_fields or not (page.list_filter or page.date_hierarchy)
    ]
    assert [each for each in lacking if not each.startswith("auth.")] == []


def test_a_schedule_is_found_by_the_job_that_follows_it(db):
    asha = Client()
    asha.force_login(rows.people()["staff"])
    CrontabSchedule.objects.create(minute="7", hour="3")
    nightly = CrontabSchedule.objects.create(minute="30", hour="2")
    PeriodicTask.objects.create(name="prune what is old", task="trading.tasks.delete_old_rows", crontab=nightly)
    changelist = reverse("admin:django_celery_beat_crontabschedule_changelist")
    for asked in ("?q=prune", "?periodictask__enabled__exact=1&q=delete_old"):
        page = asha.get(f"{changelist}{asked}").content.decode()
        assert ("prune what is old" in page, "1 crontab" in page) == (True, True)
    for kind in ("clocked", "interval", "solar"):
        assert asha.get(reverse(f"admin:django_celery_beat_{kind}schedule_changelist")).status_code == 200


def test_history_is_only_read(desk, rf):
    request = rf.get("/")
    request.user = User.objects.get(username="asha")
    by_name = {model.__name__: page for model, page in admin.site._registry.items()}
    for name in HISTORY:
        page = by_name[name]
        asked = (page.has_add_permission, page.has_change_permission, page.has_delete_permission)
        assert not any(may(request) for may in asked)


def test_amounts_are_grouped_by_lakh_and_crore(desk):
    Trade.objects.update(net_pnl="-1234567.5000")
    Fill.objects.update(charges="12.3456")
    client = Client()
    client.force_login(User.objects.get(username="asha"))
    for page in ("changelist", "change"):
        args = [Trade.objects.first().pk] if page == "change" else []
        assert "−₹12,34,567.50" in client.get(reverse(f"admin:trading_trade_{page}", args=args)).content.decode()
    order = Fill.objects.first().order
    assert "₹12.35" in client.get(reverse("admin:trading_order_change", args=[order.pk])).content.decode()


def test_the_admin_says_which_mode_the_desk_is_in_and_leads_back_to_it(desk):
    client = Client()
    client.force_login(User.objects.get(username="asha"))
    client.cookies["theme"] = '"><script>'
    page = client.get(reverse("admin:index")).content.decode()
    assert re.search(r'<strong class="mode"[^>]*>[A-Z-]+</strong>', page)
    assert "ENGINE" in page
    assert 'href="/">← Back to the desk' in page
    assert '"><script>' not in page
