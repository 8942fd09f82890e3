"""A small release on disk, signed by three people and a release key, as verifying stories need it."""

import base64
import datetime as dt
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sensequant.lib import approvals, dsse, manifests
from sensequant.lib.manifest_checks import Asked, verify

ROLES = ("Engineering Lead", "Risk Manager", "Business Owner")
NAME = "release_20261123_120000"
NOON = dt.datetime.fromisoformat("2026-11-23T12:00:00+05:30")
FILES = {"strategies.json": b'{"intraday": 1}\n', "settings.json": b'{"SYMBOLS": "TCS"}\n'}
MODEL = {"student/model.json": b'{"w": [1, 2, 3]}\n'}
KEY = Ed25519PrivateKey.from_private_bytes(b"r" * 32)
PUBLIC = dsse.public_of(KEY)
PEOPLE = {role: (Ed25519PrivateKey.from_private_bytes(bytes([65 + i]) * 32), name)
          for i, (role, name) in enumerate(zip(ROLES, ("emma", "risa", "bela"), strict=True))}  # fmt: skip


def sha(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


def artifact(name, content, source="database"):
    return {
        "name": name, "path": f"data/models/production/s1/{Path(name).name}" if source == "home" else f"config/{name}",
        "source": source, "hash": sha(content), "size": len(content), "version": "",
        "backup": f"release/backups/{NAME}/{name}",
    }  # fmt: skip


def core(**changes):
    return {
        "release_id": NAME, "release_type": "minor", "release_seq": 7, "environment": "production", "author": "tara",
        "summary": "wider stops", "created_at": NOON.isoformat(),
        "code": {"commit": "0" * 40, "dirty": False, "tree": sha(b"t"), "lockfile": sha(b"l"), "python": "3.11.2"},
        "settings": sha(b"s"), "data": sha(b"d"),
        "artifacts": {
            "configs": [artifact(*each) for each in FILES.items()],
            "models": [artifact(*each, "home") for each in MODEL.items()], "notebooks": [],
        },
        "rollback_plan": {
            "previous_release_id": "", "previous_manifest": "", "previous_manifest_hash": "", "restore_commands": [],
            "verification_steps": ["make test"],
        },
        **changes,
    }  # fmt: skip


def approval(content, role, at=NOON, decision="approve", **changes):
    key, name = PEOPLE[role]
    statement = approvals.Statement(
        content["release_id"], manifests.digest(content), "a" * 64, "f" * 64, role, decision, name, f"{name}@desk",
        "read it", at.isoformat(),
    )  # fmt: skip
    return {
        "role": role, "name": name, "email": f"{name}@desk", "timestamp": at.isoformat(), "note": "read it",
        "evidence": f"sha256:{statement.evidence}",
        "public_key": "ed25519:" + base64.b64encode(dsse.public_of(key)).decode(),
        "signature": "ed25519:" + statement.signed(key), **changes,
    }  # fmt: skip


def manifest(content=None, **changes):
    content = content or core()
    stamp = NOON.isoformat()
    return {
        **content, "expires_at": (NOON + dt.timedelta(hours=72)).isoformat(),
        "audit_bundle": "release/audit_20261123_113000",
        "audit": {"audit_id": "audit_20261123_113000", "bundle": "sha256:" + "a" * 64, "flags": "sha256:" + "f" * 64,
                  "open_flags": 0},
        "deployment": {"timestamp": stamp, "deployer": "omar", "environment": "production"},
        "approvals": [approval(content, role) for role in ROLES],
        "monitoring": {
            "heightened_period_hours": 48, "heightened_start": stamp, "heightened_end": stamp,
            "alert_thresholds": {"intraday_hit_ratio_drop": 0.05, "swing_precision_drop": 0.05},
            "alert_frequency_hours": 2,
        },
        "metadata": {"generator": "release_manifest", "generator_version": "1.0.0"}, **changes,
    }  # fmt: skip


@dataclass
class Folder:
    """A copied release: write it, harm it, verify it."""

    root: Path

    @property
    def yaml(self):
        return self.root / "release" / "manifests" / f"{NAME}.yaml"

    @property
    def envelope(self):
        return manifests.beside(self.yaml)

    def write(self, told=None, keys=(KEY,), text=None):
        text = manifests.dump(told or manifest()) if text is None else text
        self.put(self.yaml, text)
        self.put(self.envelope, dsse.sign(manifests.KIND, text, keys))
        for name, content in {**FILES, **MODEL}.items():
            self.put(self.root / "release" / "backups" / NAME / name, content)
        for name, content in MODEL.items():
            self.put(self.root / "data/models/production/s1" / Path(name).name, content)
        return self

    def put(self, path, content):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def told(self, **asked):
        wanted = {"root": self.root, "public": PUBLIC, "roles": ROLES, "environment": "production", "at": NOON, **asked}
        return list(verify(self.yaml, Asked(**wanted)).differences)
