"""Deployments and rollbacks that get SIGKILL, each in a process of its own, and what one resumption makes of them.

``python -m tests.releases.killed [PLACE …]`` (without any: at every step) forks a child for every act on the desk in
``SENSEQUANT_HOME``, on SQLite or, with ``DATABASE_URL``, PostgreSQL: it never opens the database itself, and it prints
one line a place: how the child ended, what stood then, what stood afterwards.
"""

import json
import os
import shutil
import sys
import traceback
from importlib import import_module

import django
from django.conf import settings

from releases.core.steps import STEPS, SWITCH
from sensequant.lib import crash, paths
from tests.homes import Scratch

URL = os.environ.get("DATABASE_URL", "")
EVERY = [
    f"{kind}-{step}{when}" for kind in ("deploy", "rollback") for step in STEPS[kind]
    for when in ("", *(["-uncommitted"] if step == SWITCH else []), "-done")
]  # fmt: skip


def here(work, place=""):
    """Do ``work`` in a child that gets SIGKILL at ``place``; return its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            crash.arm(place)
            work()
            code = 0
        finally:
            if code:
                traceback.print_exc()
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def must(work):
    assert here(work) == 0, work


def kept(name):
    return paths.home().with_name(f"{paths.home().name}.{name}")


def keep(name):
    shutil.copytree(paths.home(), kept(name))
    if URL:
        Scratch(URL).keep(name)


def restore(name):
    shutil.rmtree(paths.home())
    shutil.copytree(kept(name), paths.home())
    if URL:
        Scratch(URL).restore(name)


def prepare():
    """One release in force, with its student; another one signed, with other parameters and another student."""
    from tests.releases import deployed as d
    from tests.trading.pupils import pupil, sealed

    who, folder = d.cast(), paths.home() / "students"
    old = sealed(folder / "old")[0]
    new = sealed(folder / "new", pupil(slope=0.3))[0]
    d.deployed(who, student=str(old))
    d.signed(who, at=d.later(2), adx=30, name="audit_20261120_200000", student=str(new))


def deploy():
    from django.contrib.auth.models import User

    from releases.models import Release
    from releases.services import deploying
    from tests.releases import deployed as d

    name = Release.objects.get(seq=2).release_id
    deploying.deploy(name, name, d.proof(User.objects.get(username="engineering")), at=d.later(2))


def rollback():
    from django.contrib.auth.models import User

    from releases.models import Release
    from tests.releases import deployed as d

    d.back({"Risk Manager": User.objects.get(username="risk")}, Release.objects.get(seq=2))


def resume():
    from releases.services import resuming
    from tests.releases.deployed import later

    resuming.resume(at=later(4))


def look():
    """Write down which release stands: by its pointer, its student, its parameters, its files, its journal."""
    from releases.models import Operation, Release
    from trading.models import Halt, ReleasePointer, StrategyConfig
    from trading.services import release_gate, release_state

    row, operation = ReleasePointer.objects.get(), Operation.objects.order_by("-pk")[0]
    students = {seq: _digest(seq) for seq in (1, 2)}
    told = {
        "seq": row.seq, "adx": StrategyConfig.objects.get(status="active").params["adx_min"],
        "student": [seq for seq, digest in students.items() if digest == release_state.student()[1]],
        "differs": release_gate.verified(row), "epoch": row.epoch, "state": operation.state,
        "steps": list(operation.steps.order_by("pk").values_list("step", flat=True)),
        "releases": dict(Release.objects.values_list("seq", "state")), "in_file": row.release_id in _status(),
        "halted": Halt.objects.filter(released_at=None).exists(),
    }  # fmt: skip
    kept("told").write_text(json.dumps(told))


def _digest(seq):
    from releases.models import Release

    place = paths.home() / f"release/backups/{Release.objects.get(seq=seq).release_id}"
    return json.loads((place / "student/manifest.json").read_bytes())["sha256"]


def _status():
    path = paths.home() / "data/monitoring/releases/active_release.yaml"
    return path.read_text() if path.exists() else ""


def stood():
    must(look)
    return json.loads(kept("told").read_text())


def main(places):
    must(prepare)
    keep("deploy")
    must(deploy)
    keep("rollback")
    for place in places:
        kind = place.partition("-")[0]
        restore(kind)
        ended = here({"deploy": deploy, "rollback": rollback}[kind], place)
        then = stood()
        must(resume)
        told = {"place": place, "ended": ended, "then": then, "afterwards": stood()}
        sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    django.setup()
    for name in ("tests.releases.deployed", "tests.trading.pupils", "releases.services.resuming"):
        import_module(name)  # once, before any child is forked
    from releases.services import people_keys

    people_keys.COST = 16
    main(sys.argv[1:] or EVERY)
