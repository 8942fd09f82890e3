"""A database in use is brought up to date: guards step aside while tables are rebuilt, and stand again afterwards."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection

from releases.models.triggers import PREFIX

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.sqlite, pytest.mark.once]


def guards():
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE '{PREFIX}%'")  # noqa: S608
        return {name for (name,) in cursor.fetchall()}


def test_tables_are_rebuilt_under_guards_that_stand_again_afterwards():
    before = guards()
    assert before
    call_command("migrate", "releases", "0001", verbosity=0)
    call_command("migrate", "releases", verbosity=0)
    assert guards() == before
    with connection.cursor() as cursor, pytest.raises(IntegrityError, match="begins as a draft"):
        cursor.execute(
            "INSERT INTO releases_release (release_id, seq, kind, state, summary, content, content_sha256,"
            " manifest_path, manifest_sha256, envelope_sha256, created_at, author_id)"
            " SELECT 'release_20261126_000000', 1, 'minor',"
            " 'active', '', '{}', '', '', '', '', '2026-11-26', 1"
        )
