"""Broadcasting: from any thread to the loop of the sockets, without raising and without waiting."""

import asyncio
import threading
import time

import pytest
from channels.layers import get_channel_layer

from sensequant.lib import broadcast


@pytest.fixture
def loop():
    """A loop running in a thread of its own, as the web server's does."""
    made = asyncio.new_event_loop()
    thread = threading.Thread(target=made.run_forever)
    thread.start()
    broadcast.bind_loop(made)
    yield made
    broadcast.bind_loop(None)
    made.call_soon_threadsafe(made.stop)
    thread.join()
    made.close()


def within(loop, coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(timeout=5)


def test_a_listener_on_the_servers_loop_hears_what_another_thread_says(loop):
    layer = get_channel_layer()
    within(loop, layer.group_add("live", "listener.one"))
    assert broadcast.publish("live", {"version": 7})
    heard = within(loop, layer.receive("listener.one"))
    assert heard == {"type": "push", "topic": "live", "payload": {"version": 7}}


def test_a_topic_becomes_a_valid_group_name():
    assert broadcast.group("bars:M&M/5minute") == "bars-M-M-5minute"
    assert len(broadcast.group("x" * 300)) == 99


class Stuck:
    async def group_send(self, group, message):
        await asyncio.sleep(60)


class Broken:
    async def group_send(self, group, message):
        raise ConnectionError("no Redis")


def test_a_stuck_layer_costs_the_caller_nothing_and_is_given_up(loop, monkeypatch, caplog):
    monkeypatch.setattr(broadcast, "get_channel_layer", Stuck)
    start = time.perf_counter()
    taken = [broadcast.publish("live", number) for number in range(200)]
    assert time.perf_counter() - start < broadcast.TIMEOUT
    assert taken.count(True) == broadcast.MOST_WAITING
    assert broadcast.drain(5)
    assert caplog.text.count("Sockets are not being reached") == 1


def test_a_broken_layer_is_said_once_per_outage(loop, monkeypatch, caplog):
    monkeypatch.setattr(broadcast, "get_channel_layer", Broken)
    for _ in range(3):
        assert broadcast.publish("live", 1)
        assert broadcast.drain(5)
    assert caplog.text.count("no Redis") <= 1
    monkeypatch.undo()
    assert broadcast.publish("live", 2)
    assert broadcast.drain(5)


def test_without_a_web_server_the_process_sends_from_a_loop_of_its_own():
    broadcast.bind_loop(None)
    assert broadcast.publish("live", 1)
    assert broadcast.drain(5)


@pytest.mark.redis
def test_two_loops_reach_each_other_through_redis(loop, redis_url, monkeypatch):
    from channels_redis.core import RedisChannelLayer

    def layer():
        return RedisChannelLayer(hosts=[redis_url], prefix="desk-tests")

    async def hear():
        listener = layer()
        name = await listener.new_channel()
        await listener.group_add("live", name)
        ready.set()
        heard = await asyncio.wait_for(listener.receive(name), 5)
        await listener.close_pools()
        return heard

    ready, sender = threading.Event(), layer()
    monkeypatch.setattr(broadcast, "get_channel_layer", lambda: sender)
    heard = asyncio.run_coroutine_threadsafe(hear(), loop)
    assert ready.wait(5)
    assert broadcast.publish("live", {"version": 1})
    assert heard.result(timeout=5)["payload"] == {"version": 1}
    within(loop, sender.close_pools())


def test_a_socket_nobody_tells_anything_waits_on():
    from channels_redis.utils import create_pool

    from sensequant.lib.layer import PatientLayer
    from sensequant.settings import channel_layer

    layer = PatientLayer(**channel_layer("redis://127.0.0.1:6379/15")["CONFIG"])
    waits = create_pool(layer.hosts[0]).connection_kwargs["socket_timeout"]
    assert waits > layer.brpop_timeout, "redis-py would give up the answer the layer waits for"
