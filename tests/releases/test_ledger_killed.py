"""Whoever takes in what happened may die at any step, and several may do it at once: one chain, each thing once."""

import os
import random
import signal
import threading

import pytest
from django.db import connection, connections

from releases.management.commands.ledger import _end_with
from releases.models import Happening, LedgerEntry, LedgerHead
from releases.services import ledger, ledger_checks, ledger_heads
from sensequant.lib import crash
from sensequant.lib.clock import now

MANY = 1_200


@pytest.fixture(autouse=True)
def home(tmp_path, settings):
    settings.SENSEQUANT_HOME = tmp_path


def happened(count):
    Happening.objects.bulk_create(
        [Happening(at=now(), what=f"thing {number}", object="x", actor="asha") for number in range(count)]
    )


def in_a_child(work, place=""):
    """Do ``work`` in a process that gets SIGKILL at ``place``; return its exit code."""
    child = os.fork()
    if child == 0:
        try:
            for each in connections.all():
                each.connection = None  # the parent's
            crash.arm(place)
            work()
        finally:
            os._exit(0)
    return child


def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def each_once():
    assert list(LedgerEntry.objects.order_by("seq").values_list("seq", flat=True)) == list(range(1, MANY + 1))
    assert LedgerEntry.objects.filter(kind="happening").values("source").distinct().count() == MANY
    found = ledger_checks.verify()
    assert (found.breaks, found.entries, found.waiting) == ([], MANY, 0)


@pytest.mark.django_db(transaction=True)
def test_killed_at_every_step_it_neither_loses_nor_doubles_anything(monkeypatch):
    monkeypatch.setattr(ledger, "BATCH", 100)
    happened(MANY)
    dice, killed = random.Random(9), 0
    for place in ("ledger-appended", "ledger-committed") * 3:
        connections.close_all()
        child = in_a_child(lambda: ledger.pull(at=now()), f"{place}:{dice.randrange(1, 3)}")
        killed += ended(child) == -signal.SIGKILL
    assert killed == 6
    connections.close_all()
    assert ended(in_a_child(lambda: ledger_heads.sign(at=now()), "ledger-head-filed:1")) == -signal.SIGKILL
    assert LedgerHead.objects.count() == 0  # it was filed and no row tells of it …
    ledger_heads.sign(at=now())
    each_once()  # … which nothing takes amiss
    assert len(ledger_heads.path().read_text().splitlines()) == 2


@pytest.mark.django_db(transaction=True)
def test_many_who_take_in_at_once_make_one_chain():
    happened(MANY)
    connections.close_all()
    children = [in_a_child(lambda: ledger.pull(at=now(), whole=True)) for _ in range(3)]
    thread = threading.Thread(target=lambda: (ledger.pull(at=now()), connection.close()))
    thread.start()
    thread.join()
    assert [ended(child) for child in children] == [0, 0, 0]
    each_once()


def test_a_keeper_whose_desk_was_killed_ends_too():
    stop = threading.Event()
    _end_with(os.getppid() + 1, stop)  # who began it is gone: another process is its parent now
    assert stop.is_set()
