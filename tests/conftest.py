"""The whole cast: what many stories need."""

from __future__ import annotations

import datetime as dt
import sys

import pytest
from asgiref.sync import SyncToAsync
from django.apps import apps
from django.core.cache import caches
from django.core.management.commands import flush
from django.db import connection, connections

from sensequant.lib.clock import IST
from tests import services

# Files in which few stories take long: they begin first, so that no worker is left with one of them at the end.
LONG = (
    "core/test_kernel", "test_fleet_bench", "test_engine_command", "live/test_live_day", "test_live_in_chromium",
    "test_optimize_command", "test_every_page_in_chromium", "test_standalone", "core/test_sweeps", "test_permissions",
    "releases/test_killed", "live/test_fault_drill", "test_stream_bars", "monitoring/test_sending", "test_batches",
    "models_ml/test_evenings", "simulator/test_process", "test_fan_out", "test_engine_worker",
    "test_socket_bench",
)  # fmt: skip


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items):
    """Skip what cannot run here and say why; where services are required, let it fail instead. Put long files first."""
    items.sort(key=lambda item: next((k for k, name in enumerate(LONG) if f"{name}.py" in item.nodeid), len(LONG)))
    for item in items:
        for name in ("redis", "browser"):
            if item.get_closest_marker(name) and (why := services.missing(name)) and not services.REQUIRED:
                item.add_marker(pytest.mark.skip(reason=why))
        if services.ON_POSTGRES and item.get_closest_marker("sqlite"):
            item.add_marker(pytest.mark.skip(reason="about SQLite itself"))
        if services.ON_POSTGRES and item.get_closest_marker("once"):
            item.add_marker(pytest.mark.skip(reason="shows nothing about the database"))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker):
    """Leave no connection behind: sockets read the database in a thread that outlives their tests."""
    with django_db_blocker.unblock():
        _empty_quickly()
    yield
    SyncToAsync.single_thread_executor.submit(connections.close_all).result()
    connections.close_all()


def _empty_quickly():
    """Let a test's rows be deleted though triggers forbid it, and leave what ``migrate`` wrote as it stands.

    Content types and permissions follow from the models, so they are not written anew after every story: that took
    ten times as long as to delete its rows. And let PostgreSQL delete: to truncate eighty small tables takes a second.
    """
    from django.contrib.auth.models import Group, Permission
    from django.contrib.contenttypes.models import ContentType

    from releases.core.roles import ROLES, WAIVERS
    from releases.models import triggers

    operations = type(connection.ops)  # of every connection: a browser's stories have one of their own
    quoted, plain = connection.ops.quote_name, operations.sql_flush
    follows = {ContentType._meta.db_table, Permission._meta.db_table}

    def without_guards(self, style, tables, **rest):
        return [*_guards_off(tables), *plain(self, style, [each for each in tables if each not in follows], **rest)]

    def deleting(self, style, tables, **_):
        deletes = [f"DELETE FROM {quoted(table)}" for table in tables if table not in follows]  # noqa: S608
        return ["SET session_replication_role = replica", *deletes, "SET session_replication_role = DEFAULT"]

    def guards_and_roles(verbosity, interactive, db, **_):
        if triggers.missing():
            triggers.install(apps.get_app_config("releases"), using=db)
        else:
            Group.objects.bulk_create(Group(name=role) for role in {*ROLES, *WAIVERS})

    operations.sql_flush = deleting if _is_superuser() else without_guards
    flush.emit_post_migrate_signal = guards_and_roles


def _is_superuser():
    if connection.vendor != "postgresql":
        return False
    with connection.cursor() as cursor:
        cursor.execute("SELECT usesuper FROM pg_user WHERE usename = current_user")
        return cursor.fetchone()[0]


def _guards_off(tables):
    """Return what drops every trigger of the tables; the flush puts them in place again."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            return [f"DROP TRIGGER IF EXISTS {name}" for (name,) in cursor.fetchall()]
    return [f"ALTER TABLE {connection.ops.quote_name(table)} DISABLE TRIGGER USER" for table in tables]


@pytest.fixture(autouse=True)
def fresh_minute():
    """Begin every story with nothing counted against anybody."""
    for each in ("default", "process"):
        caches[each].clear()


@pytest.fixture(autouse=True)
def nothing_read():
    """Begin every story with no chain read: each has a database of its own behind the same address."""
    for name in ("prediction_watch", "accuracy_sources"):
        if (module := sys.modules.get(f"trading.services.{name}")) is not None:
            module._KNOWN.clear()


@pytest.fixture
def unguarded(db):
    """A database whose triggers somebody took away: whatever is done to a row, only its digest still tells."""
    from releases.models import triggers

    with connection.cursor() as cursor:
        for statement in triggers.dropped(connection.vendor, connection.introspection.table_names(cursor)):
            cursor.execute(statement)


@pytest.fixture
def noon() -> dt.datetime:
    """A Monday's noon in Mumbai, in the middle of a regular session."""
    return dt.datetime(2026, 11, 23, 12, 0, tzinfo=IST)


@pytest.fixture
def redis_url() -> str:
    """The Redis of the tests (mark such a test ``redis``)."""
    return services.REDIS


@pytest.fixture
def chromium() -> str:
    """The installed browser (mark such a test ``browser``)."""
    return services.chromium()
