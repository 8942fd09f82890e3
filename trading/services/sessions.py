"""Today's session at the broker: made by a person's login, sealed at rest, read afresh at every connect.

A session lives until midnight IST. When the broker no longer knows it – it expired, was revoked, or a later login took
its place – the row says so, the condition ``session-lost`` says what to do, and whoever asks gets ``SessionLost``;
nothing logs in again by itself, because only a person can.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction

from sensequant.lib import redact, seal
from sensequant.lib.clock import IST
from sensequant.lib.clock import now as wall
from sensequant.lib.errors import BadInput, NotAllowed
from sensequant.lib.logs import get_logger
from trading.adapters.breeze import probe
from trading.adapters.breeze.client import BreezeData, BreezeDesk
from trading.adapters.breeze.errors import SessionLost
from trading.adapters.breeze.wire import Keys, Wire, exchange_session
from trading.models.broker import BrokerSession
from trading.services import conditions, deeds
from trading.services.budgets import DeskBudget
from trading.services.market_clock import Clock, addresses

ACCOUNT = "breeze"
LOST = "session-lost"
LOGIN = "log in on the page Broker, or run: manage.py breeze_login"
log = get_logger("sessions")


def midnight(at: dt.datetime) -> dt.datetime:
    """Return the midnight IST that ends the day of ``at``."""
    day = at.astimezone(IST).date() + dt.timedelta(days=1)
    return dt.datetime.combine(day, dt.time(), IST)


def login_page() -> str:
    """Return where the operator logs in at the broker; BadInput without an API key."""
    key, _ = credentials()
    return addresses().login_page(key)


def log_in(api_session: str, *, at: dt.datetime, by: str = "") -> BrokerSession:
    """Exchange what the broker's login page handed over for today's session and keep it sealed.

    BadInput for something that is no API session or a wrong key, SessionLost when it is no longer worth anything,
    Unavailable when the broker does not answer; what was stored before is then kept as it was.
    """
    text = api_session.strip()
    if not text or len(text) > 200 or not text.isascii() or any(c.isspace() for c in text):
        raise BadInput("the broker handed over no usable API session", fix="copy the value behind apisession=")
    key, _ = credentials()
    redact.register([text])
    user, token = exchange_session(key, text, addresses(), budget=DeskBudget(wall), timeouts=_timeouts())
    redact.register([token])
    with transaction.atomic():
        known = BrokerSession.objects.filter(account=ACCOUNT).first()
        row, _ = BrokerSession.objects.update_or_create(
            account=ACCOUNT,
            defaults={
                "sealed": seal.seal({"api_session": text, "session_token": token, "user_id": user}),
                "login_user": user, "state": "active", "note": "", "version": known.version + 1 if known else 1,
                "obtained_at": at, "expires_at": midnight(at), "obtained_by": by,
            },
        )  # fmt: skip
        conditions.clear(LOST, at=at)
        deeds.record("broker login", f"broker {ACCOUNT}", by=by, at=at, version=row.version, expires_at=row.expires_at)
    log.info("logged in at the broker", by=by, version=row.version, until=row.expires_at.isoformat())
    return row


def current(*, at: dt.datetime) -> BrokerSession | None:
    """Return the account's newest session, expired by now or not; None before the first login.

    One that has passed its midnight loses its token for good.
    """
    row = BrokerSession.objects.filter(account=ACCOUNT).first()
    if row is not None and row.state == "active" and at >= row.expires_at:
        _end(row, "expired", f"it ended at midnight IST of {row.obtained_at.astimezone(IST):%d %b %Y}", at=at)
    return row


def lost(why: str, *, at: dt.datetime, version: int | None = None) -> None:
    """Remember that the broker refused the session (``version``: which one; a newer login is left alone)."""
    row = BrokerSession.objects.filter(account=ACCOUNT, state="active").first()
    if row is not None and (version is None or row.version == version):
        _end(row, "refused", why, at=at)
    conditions.hold(LOST, level="bad", message=f"the broker no longer knows this session: {why}", fix=LOGIN, at=at)


def revoke(*, at: dt.datetime, by: str) -> None:
    """Forget today's session here; NotAllowed when there is none."""
    row = current(at=at)
    if row is None or row.state != "active":
        raise NotAllowed("there is no active session to forget", fix=LOGIN)
    _end(row, "revoked", f"forgotten by {by}" if by else "forgotten", at=at, by=by)


def keys(*, at: dt.datetime) -> tuple[Keys, int]:
    """Return what signs today's requests, and the session's version; SessionLost, saying what to do, without one."""
    row = current(at=at)
    if row is None or row.state != "active":
        row = _unattended(row, at=at)
    if row is None or row.state != "active":
        why = "nobody has logged in yet" if row is None else f"the session is {row.state}: {row.note}"
        conditions.hold(LOST, level="bad", message=why, fix=LOGIN, at=at)
        raise SessionLost(f"there is no session at the broker: {why}", fix=LOGIN)
    key, secret = credentials()
    told = seal.unseal(row.sealed)
    redact.register([told["session_token"], told["api_session"]])
    return Keys(key, secret, told["session_token"], told["user_id"]), row.version


def version(*, at: dt.datetime) -> int:
    """Return the number of the session in force, which grows with every login; 0 without one."""
    row = current(at=at)
    return row.version if row is not None and row.state == "active" else 0


def wire(*, clock: Clock, on_message: Callable[[str, Any], None] | None = None) -> tuple[Wire, int]:
    """Return a wire of today's session, read now, and the session's version; SessionLost without one."""
    found, version = keys(at=clock())
    return Wire(found, addresses(), DeskBudget(wall), timeouts=_timeouts(), on_message=on_message), version


def data(*, clock: Clock) -> BreezeData:
    """Return what may be read at the broker, with no verb that moves money; SessionLost without a session."""
    return BreezeData(wire(clock=clock)[0])


def desk(*, clock: Clock, on_message: Callable[[str, Any], None]) -> tuple[BreezeDesk, int]:
    """Return the broker with its order verbs, and the session's version; SessionLost without a session."""
    found, version = wire(clock=clock, on_message=on_message)
    return BreezeDesk(found), version


def _unattended(row: BrokerSession | None, *, at: dt.datetime) -> BrokerSession | None:
    """Log in with BREEZE_SESSION_TOKEN, or with what a simulator publishes, once a day: what was refused stays so."""
    token = settings.DESK.breeze_session_token or published().get("api_session", "")
    if not token or (row is not None and at < row.expires_at):
        return row
    by = "BREEZE_SESSION_TOKEN" if settings.DESK.breeze_session_token else "simulator"
    try:
        return log_in(token, at=at, by=by)
    except SessionLost as error:
        conditions.hold(
            LOST, level="bad", message=f"the login with {by} was refused: {error.message}", fix=LOGIN, at=at
        )
        raise


def published() -> dict[str, str]:
    """Return the credentials a simulator publishes, where one stands for the broker; empty otherwise."""
    origin = addresses().origin
    found = probe.health(origin) if origin else {}
    return found.get("credentials", {}) if found.get("simulator") else {}


def _end(row: BrokerSession, state: str, note: str, *, at: dt.datetime, by: str = "") -> None:
    with transaction.atomic():
        won = BrokerSession.objects.filter(pk=row.pk, version=row.version, state="active").update(
            state=state, note=note[:300], sealed=""
        )
        if won:
            deeds.record(f"broker session {state}", f"broker {ACCOUNT}", by=by or "the desk", at=at, reason=note,
                         version=row.version)  # fmt: skip
    row.refresh_from_db()
    if won:
        log.warning("broker session over", state=state, why=note)


def credentials() -> tuple[str, str]:
    """Return the API key and secret: of the settings, or those a simulator publishes; BadInput without."""
    key, secret = settings.DESK.breeze_api_key, settings.DESK.breeze_api_secret
    if not (key and secret):
        told = published()
        key, secret = told.get("api_key", ""), told.get("api_secret", "")
    if not (key and secret):
        fix = "put both into .env; ICICI shows them on its API page"
        raise BadInput("BREEZE_API_KEY and BREEZE_API_SECRET are not set", fix=fix)
    redact.register([secret])
    return key, secret


def _timeouts() -> tuple[float, float]:
    return settings.DESK.breeze_connect_timeout, settings.DESK.breeze_read_timeout


def reseal() -> int:
    """Seal every stored session anew with the newest key and return how many there were."""
    rows = list(BrokerSession.objects.exclude(sealed=""))
    for row in rows:
        fresh = seal.reseal(row.sealed)
        BrokerSession.objects.filter(pk=row.pk, sealed=row.sealed).update(sealed=fresh)
    return len(rows)
