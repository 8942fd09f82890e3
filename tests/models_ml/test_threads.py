"""A worker keeps to one thread, and what it learns with is loaded after the fork; else it may hang for ever."""

import os
import subprocess
import sys

from celery.signals import worker_process_init

import sensequant.celery
from models_ml.services import threads
from sensequant.config import ROOT
from sensequant.lib.fan_out import ONE_THREAD

FORKED = """
import os, signal, sys
import django
django.setup()
import sensequant.celery  # what a Celery parent loads
heavy = {"lightgbm", "sklearn", "scipy", "pandas"} & set(sys.modules)
assert not heavy, heavy
from models_ml.services.threads import pin
child = os.fork()
if child == 0:
    signal.alarm(60)
    pin()
    import lightgbm, numpy
    from threadpoolctl import threadpool_info
    x = numpy.random.default_rng(0).normal(size=(400, 5))
    booster = lightgbm.train({"verbose": -1, "objective": "binary"}, lightgbm.Dataset(x, x[:, 0] > 0), 5)
    assert booster.predict(x).shape == (400,)
    assert all(pool["num_threads"] == 1 for pool in threadpool_info()), threadpool_info()
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_forked_worker_learns_and_predicts_in_one_thread():
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "tests.settings"}
    for name in ONE_THREAD:
        environment.pop(name, None)
    done = subprocess.run(
        [sys.executable, "-c", FORKED], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_celery_pins_every_worker_process():
    assert sensequant.celery.app
    assert threads.pin in [receiver() for _, receiver in worker_process_init.receivers]
