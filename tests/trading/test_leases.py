"""One at a time: a lease has one holder, its token grows with every change, and a lost one cannot be prolonged."""

import os
import subprocess
import time

import pytest
from django.db import connection

from sensequant.lib.errors import NotAllowed
from trading.models import Lease
from trading.services import leases

pytestmark = pytest.mark.django_db


def run_out(name):
    back = "1 minute"
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(
                "UPDATE trading_lease SET expires_at = clock_timestamp() - %s::interval WHERE name = %s", [back, name]
            )
        else:
            cursor.execute(
                "UPDATE trading_lease SET expires_at = strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now', '-1 minute') "
                "WHERE name = %s",
                [name],
            )


def test_the_first_takes_it_and_the_second_hears_who_has_it():
    first = leases.take("stream", "a:1")
    assert (first.token, first.good) == (1, True)
    with pytest.raises(NotAllowed, match="stream is held by a:1 until"):
        leases.take("stream", "b:2")


def test_its_holder_takes_it_again_under_the_same_token():
    leases.take("stream", "a:1")
    assert leases.take("stream", "a:1").token == 1


def test_one_that_ran_out_goes_to_the_next_under_a_greater_token_and_the_old_holder_is_told():
    first = leases.take("stream", "a:1")
    run_out("stream")
    second = leases.take("stream", "b:2")
    assert second.token == first.token + 1
    with pytest.raises(NotAllowed, match="lost to another process"):
        leases.renew(first)
    assert Lease.objects.get().holder == "b:2"


def test_a_holder_that_let_its_own_lease_run_out_gets_a_new_token():
    leases.take("stream", "a:1")
    run_out("stream")
    assert leases.take("stream", "a:1").token == 2


def test_one_given_back_is_free_at_once():
    first = leases.take("stream", "a:1")
    leases.release(first)
    assert leases.take("stream", "b:2").token == 2


def test_nothing_new_is_begun_in_the_second_half_of_a_lease():
    held = leases.take("stream", "a:1", ttl=0.02)
    assert held.good
    time.sleep(0.012)
    assert not held.good
    leases.renew(held, ttl=5)
    assert held.good


def test_one_held_by_a_process_that_was_killed_is_taken_at_once():
    child = subprocess.Popen(["sleep", "60"])
    holder = leases.myself().replace(f":{os.getpid()}:", f":{child.pid}:")
    holder = holder.replace(leases._began(os.getpid()), leases._began(child.pid))
    leases.take("stream", holder)
    with pytest.raises(NotAllowed):
        leases.take("stream", "b:2")
    child.kill()
    child.wait()
    assert leases.take("stream", "b:2").token == 2


def test_a_process_number_in_use_again_is_somebody_else():
    holder = leases.myself().replace(leases._began(os.getpid()), "12345")
    leases.take("stream", holder)
    assert leases.take("stream", "b:2").token == 2


def test_a_holder_elsewhere_is_never_taken_for_dead():
    assert not leases.is_gone("other-host:1:2:abc")
    assert not leases.is_gone("a:1")
    assert not leases.is_gone(leases.myself())


def test_two_names_know_nothing_of_each_other():
    assert leases.take("one", "a:1").token == leases.take("two", "b:2").token == 1
