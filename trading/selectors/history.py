"""What happened in trading, for whoever keeps a history of it."""

from __future__ import annotations

from sensequant.lib.history import Kept, Kind, Told, values
from trading.models.broker import LiveArming
from trading.models.control import Difference, Halt
from trading.models.deeds import Deed
from trading.models.engine import EngineRun
from trading.models.orders import OrderEvent
from trading.models.students import ActiveModel
from trading.models.telemetry import PredictionRecord
from trading.models.tokens import ApiToken

ENGINE = "engine"


def _order(row: OrderEvent) -> Told:
    order = row.order
    told = values(order, "key", "symbol", "side", "purpose", "quantity") | values(row, "old", "new", "at", "note")
    return Told(row.at, ENGINE, f"order {row.new.lower()}", f"order {order.pk}", {"order": order.pk, **told}, row.note)


def _run(row: EngineRun) -> Told:
    told = values(row, "name", "mode", "label", "interval", "strategy", "capital", "started_at")
    return Told(row.started_at, ENGINE, "run started", f"run {row.pk}", told)


def _halted(row: Halt) -> Told:
    told = values(row, "kind", "reason", "engaged_by", "engaged_at")
    return Told(row.engaged_at, row.engaged_by, f"{row.kind} engaged", f"halt {row.pk}", told, row.reason)


def _released(row: Halt) -> Told:
    told = values(row, "kind", "released_by", "released_at", "release_reason")
    return Told(row.released_at or row.engaged_at, row.released_by, f"{row.kind} released", f"halt {row.pk}", told,
                row.release_reason)  # fmt: skip


def _accepted(row: Difference) -> Told:
    told = values(row, "symbol", "accepted_by", "accepted_at", "reason")
    return Told(
        row.accepted_at or row.found_at,
        row.accepted_by,
        "difference accepted",
        f"difference {row.pk}",
        told,
        row.reason,
    )


def _armed(row: LiveArming) -> Told:
    told = values(row, "account", "armed_by", "armed_at", "expires_at", "plan", "shown")
    return Told(row.armed_at, row.armed_by, "live armed", f"arming {row.pk}", told)


def _disarmed(row: LiveArming) -> Told:
    told = values(row, "account", "disarmed_by", "disarmed_at")
    return Told(row.disarmed_at or row.armed_at, row.disarmed_by, "live disarmed", f"arming {row.pk}", told)


def _seated(row: ActiveModel) -> Told:
    told = values(row, "role", "version", "digest", "evidence", "since", "by", "reason")
    return Told(row.since, row.by, f"{row.role} in place", f"student {row.version}", told, row.reason)


def _issued(row: ApiToken) -> Told:
    told = values(row, "name", "prefix", "scope", "networks", "created_at", "created_by", "expires_at")
    return Told(row.created_at, row.created_by, "token issued", f"token {row.prefix}", {"user": row.user_id, **told})


def _revoked(row: ApiToken) -> Told:
    return Told(row.revoked_at or row.created_at, row.revoked_by, "token revoked", f"token {row.prefix}",
                values(row, "prefix", "revoked_at", "revoked_by"))  # fmt: skip


def _deed(row: Deed) -> Told:
    told = values(row, "at", "by", "what", "object", "reason", "ip", "session", "request_id", "detail")
    return Told(row.at, row.by, row.what, row.object, told, row.reason, row.ip or "", row.session, row.request_id)


KINDS = (
    Kind("order event", lambda: OrderEvent.objects.select_related("order"), _order),
    Kind("deed", Deed.objects.all, _deed),
    Kind("engine run", EngineRun.objects.all, _run),
    Kind("halt", Halt.objects.all, _halted, few=True),
    Kind("halt release", lambda: Halt.objects.filter(released_at__isnull=False), _released, few=True),
    Kind("difference accepted", lambda: Difference.objects.filter(accepted_at__isnull=False), _accepted, few=True),
    Kind("arming", LiveArming.objects.all, _armed, few=True),
    Kind("disarming", lambda: LiveArming.objects.filter(disarmed_at__isnull=False), _disarmed, few=True),
    Kind("student in place", ActiveModel.objects.all, _seated, few=True),
    Kind("token", ApiToken.objects.all, _issued, few=True),
    Kind("token revoked", lambda: ApiToken.objects.filter(revoked_at__isnull=False), _revoked, few=True),
)
KEPT = (
    Kept(OrderEvent, ("order_id", "old", "new", "at", "note")),
    Kept(Deed),
    Kept(PredictionRecord),
    Kept(Halt, ("kind", "reason", "engaged_by", "engaged_at")),
    Kept(LiveArming, ("account", "armed_by", "armed_at", "expires_at", "plan", "shown")),
)
