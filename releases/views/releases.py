"""The releases page, and the page of one: what it consists of, its audit, its signatures, its manifest."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST, require_safe

from releases.core import contents
from releases.core.states import APPROVED, REAUDITABLE, SIGNABLE
from releases.models import Release
from releases.selectors import audits as judged
from releases.selectors import operations
from releases.selectors import releases as found
from releases.selectors import signing as shown
from releases.services import candidates, signing, waivers, writing
from releases.services.collecting import KINDS, Wanted
from releases.services.signing import Proof, Word
from releases.views import deploying
from sensequant.lib.addresses import address
from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.views.columns import Column
from trading.views.doors import for_traders, may_trade, told

SHOWN = 50
FEW = 10
HEAVY = ("content", "previous__content", "audit__metrics")
COLUMNS = (
    Column("seq", "#", "qty"), Column("release_id", "Release", link="address", heading=True),
    Column("kind", "Kind", "word"), Column("state", "State", "word"), Column("summary", "What changes"),
    Column("author", "Made by", "symbol"), Column("audit", "Audit", "symbol"),
    Column("created_at", "Made", "stamp"),
)  # fmt: skip


@require_safe
@login_required
def releases_page(request: HttpRequest) -> HttpResponse:
    """Show the newest releases, with the form that makes one."""
    waiting = deploying.reviewed(operations.emergencies().filter(reviewed_at=None), request.user)
    context = {
        "columns": COLUMNS, "rows": [_row(each) for each in found.releases().defer(*HEAVY)[:SHOWN]], "kinds": KINDS,
        "may_trade": may_trade(request), "emergencies": waiting,
    }  # fmt: skip
    return render(request, "releases/releases.html", context)


def _row(release: Release) -> dict[str, Any]:
    return {
        "seq": release.seq, "release_id": release.release_id, "address": address("release", release.release_id),
        "kind": release.kind, "state": release.get_state_display(), "summary": release.summary,
        "author": release.author.get_username(), "audit": release.audit.audit_id if release.audit else "",
        "created_at": release.created_at,
    }  # fmt: skip


@require_safe
@login_required
def release_page(request: HttpRequest, release_id: str) -> HttpResponse:
    """Show one release."""
    row, at = _release(release_id), now()
    good = {each.pk for each in signing.valid(row, at=at)}
    before = row.previous.content if row.previous else None
    context: dict[str, Any] = {
        "row": row, "way": shown.way(row), "ended": shown.ended(row), "content": row.content,
        "changes": contents.changes(row.content, before), "roles": shown.roles(row, request.user, good),
        "missing": signing.missing(row, at=at), "seen": signing.read_digest(row),
        "may_sign": row.state in SIGNABLE, "is_author": request.user.pk == row.author_id,
        "may_judge": row.state in REAUDITABLE and may_trade(request), "may_write": row.state == APPROVED and may_trade(
            request), "audits": judged.audits().filter(state="done")[:FEW], "events": row.events.all(),
        "audit_ready": row.audit is not None and waivers.ready(row.audit, at=at),
        **deploying.shown(row, request.user, at=at),
    }  # fmt: skip
    return render(request, "releases/release.html", context)


def _release(release_id: str) -> Release:
    row = found.releases().filter(release_id=release_id).first()
    if row is None:
        raise Http404(f"there is no release {release_id}")
    return row


@require_POST
@for_traders
def make(request: HttpRequest) -> HttpResponse:
    """Make a candidate and go to its page."""
    form = request.POST

    def work() -> Release:
        student, dirty = form.get("student", "").strip(), form.get("dirty", "")
        wanted = Wanted(form.get("kind", ""), form.get("summary", ""), student, _numbers(form), dirty)
        return candidates.make(wanted, request.user, at=now())

    row = told(request, "The candidate is made: everything it consists of is copied.", work)
    return redirect("release", row.release_id) if row else redirect("releases")


def _numbers(form: Any) -> tuple[int, ...]:
    words = form.get("configs", "").replace(",", " ").split()
    if not all(word.isdecimal() and len(word) < 10 for word in words):
        raise BadInput(f"configs={form.get('configs')!r} are no numbers", fix="give numbers of strategy versions")
    return tuple(int(word) for word in words)


@require_POST
@for_traders
def judge(request: HttpRequest, release_id: str) -> HttpResponse:
    """Put a release under an audit."""
    _release(release_id)
    audit, by = request.POST.get("audit", ""), request.user.get_username()
    told(request, "It is judged by this audit.", lambda: candidates.judge(release_id, audit, by=by, at=now()))
    return redirect("release", release_id)


@require_POST
@login_required
def sign(request: HttpRequest, release_id: str) -> HttpResponse:
    """Keep one person's word."""
    _release(release_id)
    told(request, "Your word is kept.", lambda: signed(request, release_id))
    return redirect("release", release_id)


def signed(request: HttpRequest, release_id: str) -> Any:
    """Sign as the form says; the service's refusals are raised."""
    form = request.POST
    word = Word(form.get("role", ""), form.get("decision", ""), form.get("note", ""), form.get("seen", ""))
    return signing.sign(release_id, request.user, word, Proof(form.get("password", ""), form.get("code", "")), at=now())


@require_POST
@for_traders
def write(request: HttpRequest, release_id: str) -> HttpResponse:
    """Write and sign the manifest."""
    row, by = _release(release_id), request.user.get_username()
    told(request, "The manifest is written and signed.", lambda: writing.write(row, by=by, at=now()))
    return redirect("release", release_id)
