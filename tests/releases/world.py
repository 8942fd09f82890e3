"""People, an audit and a candidate, as many stories need them."""

import hashlib
import shutil

from django.contrib.auth.models import Group, User
from django.db import connection

from releases.adapters import bundles
from releases.core.roles import ROLES
from releases.models import Audit, Release, triggers
from sensequant.lib import paths

PASSWORD = "monsoon-in-mumbai"
CONTENT = {"release_id": "release_20261123_120000"}


def sha(text):
    return hashlib.sha256(text.encode()).hexdigest()


def person(name, *roles, **more):
    user = User.objects.create_user(name, f"{name}@desk.example", PASSWORD, **more)
    for role in roles:
        user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def people():
    """One person a role, an author who holds all of them, and a superuser who holds none."""
    found = {role: person(role.split()[0].lower(), role) for role in ROLES}
    found["author"] = person("tara", *ROLES)
    found["root"] = User.objects.create_superuser("root", password=PASSWORD)
    return found


def audit(at, name="audit_20261123_113000", **more):
    """An audit that is done, its bundle on disk."""
    folder = paths.resolve(f"release/{name}")
    shutil.rmtree(folder, ignore_errors=True)
    bundle = bundles.write(folder, {"metrics.json": b"{}\n"}, {"audit_id": name})
    told = {
        "folder": f"release/{name}", "state": "done", "bundle_sha256": bundle.digest, "flags_sha256": sha("[]"),
        "deployment_ready": True, "created_at": at, "finished_at": at, "by": "tara", **more,
    }  # fmt: skip
    return Audit.objects.create(audit_id=name, **told)


def audit_forged(**values):
    """Change every audit as somebody who owns the database can: its guards are taken away first."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        for sql in triggers.dropped(connection.vendor, [Audit._meta.db_table]):
            cursor.execute(sql)
    Audit.objects.update(**values)


def release(author, at, **more):
    told = {
        "release_id": "release_20261123_120000", "seq": 1, "author": author, "summary": "wider stops",
        "content": CONTENT, "content_sha256": sha("content"), "created_at": at, **more,
    }  # fmt: skip
    return Release.objects.create(**told)
