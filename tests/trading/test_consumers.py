"""The live socket: newest snapshot to everyone logged in, orders from nobody, and no patience for the slow."""

import asyncio
import time

import pytest
from asgiref.sync import sync_to_async
from channels.layers import get_channel_layer
from django.contrib.auth.models import User

from sensequant.lib import broadcast
from sensequant.lib.clock import now
from tests.sockets import Socket, socket
from tests.trading.pages import a_run, published
from trading import consumers
from trading.consumers import LiveConsumer, Page, Shelf

pytestmark = [pytest.mark.django_db(transaction=True)]
LIVE = {"do": "subscribe", "topic": "live"}


@pytest.fixture
def run(transactional_db):
    return a_run()


@pytest.fixture
def cookies(client, transactional_db):
    client.force_login(User.objects.create_user("ravi", password="monsoon-in-mumbai"))
    LiveConsumer.open_sockets.clear()
    return client.cookies


publish = sync_to_async(published)


async def ping(version=1, epoch="e1"):
    message = {"type": "push", "topic": "live", "payload": {"version": version, "epoch": epoch}}
    await get_channel_layer().group_send(broadcast.group("live"), message)


async def hear_about(one, topic, timeout=5):
    """Return the next message of ``topic``, or a closing; others pass by."""
    while True:
        said = await one.hear(timeout)
        if "closed" in said or said["topic"] == topic:
            return said


async def test_a_stranger_is_told_why_and_shown_out():
    one = Socket("/ws/live/")
    assert await one.connect() == (True, None)  # let in only to be told: browsers hide the reason of a refusal
    assert await one.hear() == {"closed": consumers.STRANGER}


async def test_another_sites_page_does_not_get_in(cookies):
    accepted, _ = await Socket("/ws/live/", cookies=cookies, origin="https://evil.example").connect()
    assert not accepted


async def test_a_subscriber_gets_the_newest_snapshot_whole(cookies, run):
    await publish(run, version=7)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        said = await one.hear()
    assert (said["topic"], said["v"], said["epoch"]) == ("live", 7, "e1")
    assert said["body"]["pnl"]["day"] == "123456.50"
    assert said["body"]["attention"] == []
    assert said["sent_at"]


async def test_nothing_is_sent_to_who_did_not_subscribe(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        assert await one.receive_nothing(0.4)


async def test_a_ping_brings_the_next_version_within_a_moment(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        await one.hear()
        await publish(run, version=2)
        begun = time.monotonic()
        await ping(2)
        assert (await hear_about(one, "live"))["v"] == 2
        assert time.monotonic() - begun < 0.6


async def test_a_lost_ping_costs_at_most_a_look(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        await one.hear()
        await publish(run, version=2)
        assert (await hear_about(one, "live"))["v"] == 2


async def test_the_same_version_is_not_sent_twice_but_on_request(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        await one.hear()
        await ping(1)
        assert await one.receive_nothing(0.6)
        await one.say({"do": "resync", "topic": "live"})
        assert (await hear_about(one, "live"))["v"] == 1


async def test_a_new_epoch_counts_anew(cookies, run):
    await publish(run, version=900)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        await one.hear()
        await publish(run, version=1, epoch="e2")
        await ping(1, "e2")
        said = await hear_about(one, "live")
    assert (said["v"], said["epoch"]) == (1, "e2")


async def test_many_pings_are_one_message(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        await one.hear()
        begun, heard = time.monotonic(), 0
        for version in range(2, 30):
            await publish(run, version=version)
            await ping(version)
        while (await hear_about(one, "live"))["v"] < 29:
            heard += 1
        assert heard <= (time.monotonic() - begun) * 4 + 2


async def test_fifty_readers_cost_one_look(run, monkeypatch):
    await publish(run)
    looks, look = [], consumers.live.version
    monkeypatch.setattr(consumers.live, "version", lambda topic: looks.append(topic) or look(topic))
    pages = await asyncio.gather(*(Shelf.here().newest("live", ("e1", 1)) for _ in range(50)))
    assert {page.version for page in pages} == {1}
    assert looks == ["live"]


async def test_a_heartbeat_tells_how_old_the_figures_are(cookies, run, monkeypatch):
    monkeypatch.setattr(consumers, "HEARTBEAT", 0.1)
    monkeypatch.setattr(consumers, "POLL", 0.1)
    await publish(run, at=now())
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        said = await hear_about(one, "heartbeat")
    assert 0 <= said["ages"]["live"] < 5
    assert said["trouble"] == ""


async def test_a_heartbeat_tells_of_a_failed_run_that_publishes_nothing(cookies, run, monkeypatch):
    monkeypatch.setattr(consumers, "HEARTBEAT", 0.1)
    monkeypatch.setattr(consumers, "POLL", 0.1)
    await publish(run)
    await type(run).objects.filter(pk=run.pk).aupdate(state="failed", error="the disk is full")
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        assert (await hear_about(one, "heartbeat"))["trouble"] == f"Run {run.pk} failed: the disk is full"


@pytest.mark.parametrize(
    "said",
    [
        {"do": "buy", "topic": "live"},
        {"do": "subscribe", "topic": "secrets"},
        {"do": "subscribe"},
        {"do": ["subscribe"], "topic": "live"},
        {"do": "subscribe", "topic": ["live"]},
        ["subscribe"],
        "subscribe",
    ],
)
async def test_whatever_else_is_said_ends_the_socket(cookies, said):
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(said)
        assert await one.hear() == {"closed": consumers.NOT_UNDERSTOOD}


async def test_text_that_is_no_json_ends_the_socket(cookies):
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.send_input({"type": "websocket.receive", "text": "{"})
        assert await one.hear() == {"closed": consumers.NOT_UNDERSTOOD}


async def test_more_than_four_kilobytes_end_the_socket(cookies):
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say({"do": "pong", "filler": "x" * 5_000})
        assert await one.hear() == {"closed": consumers.TOO_LARGE}


async def test_a_pong_is_welcome_and_unsubscribing_brings_silence(cookies, run):
    await publish(run)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say({"do": "pong"})
        await one.say(LIVE)
        await one.hear()
        await one.say({"do": "unsubscribe", "topic": "live"})
        await publish(run, version=2)
        await ping(2)
        assert await one.receive_nothing(0.5)


async def test_one_person_has_a_limited_number_of_sockets(cookies, monkeypatch):
    monkeypatch.setattr(consumers, "MOST_SOCKETS", 1)
    async with socket("/ws/live/", cookies=cookies):
        another = Socket("/ws/live/", cookies=cookies)
        await another.connect()
        assert await another.hear() == {"closed": consumers.TOO_MANY}
    async with socket("/ws/live/", cookies=cookies) as one:  # the first one's place is free again
        assert await one.receive_nothing(0.1)


async def test_logging_out_elsewhere_ends_the_socket(cookies, client, run, monkeypatch):
    monkeypatch.setattr(consumers, "RECHECK", 0.1)
    monkeypatch.setattr(consumers, "POLL", 0.1)
    async with socket("/ws/live/", cookies=cookies) as one:
        await sync_to_async(client.session.flush)()
        assert await hear_about(one, "") == {"closed": consumers.STRANGER}


async def test_a_reader_that_does_not_read_is_let_go(cookies, run, monkeypatch):
    monkeypatch.setattr(consumers, "SLOWEST", 0.1)
    await publish(run)

    async def stuck(self, text_data=None, bytes_data=None, close=False):
        await asyncio.sleep(30)

    monkeypatch.setattr(LiveConsumer, "send", stuck)
    async with socket("/ws/live/", cookies=cookies) as one:
        await one.say(LIVE)
        assert await one.hear() == {"closed": consumers.TOO_SLOW}


def test_a_message_is_made_of_the_stored_text():
    page = Page(epoch='e"1', version=3, text='{"a":1}')
    assert '"epoch":"e\\"1"' in page.message("live")
    assert page.message("live").endswith('"body":{"a":1}}')
