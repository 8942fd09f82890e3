"""What every operation has around it: nothing unknown is ignored, reads have an ETag, writes can be repeated."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, cast

from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_vary_headers, set_response_etag
from django.utils.crypto import salted_hmac
from ninja.operation import Operation

from sensequant.lib.clock import now
from sensequant.lib.errors import BadInput
from trading.api.problems import plain
from trading.models import StoredAnswer
from trading.services import answers
from trading.services.tokens import MARK

View = Callable[..., HttpResponse]
SAFE = ("GET", "HEAD", "OPTIONS")
KEY = "Idempotency-Key"
LONGEST_KEY = 128
REPLAYED = "Idempotency-Replayed"
SECRETS = ("token", "access_token", "api_key", "apikey", "key")
KEPT_HEADERS = ("Content-Type", "Location")


def around(run: View) -> View:
    """Wrap an operation: refuse parameters it does not know, then dress or keep its answer."""
    operation: Operation = run.__self__  # type: ignore[attr-defined]
    known = parameters(operation)

    @wraps(run)
    def wrapped(request: HttpRequest, **path: Any) -> HttpResponse:
        for name, value in request.GET.items():
            if name not in known or str(value).startswith(MARK):
                return operation.api.on_exception(request, _unknown(name, known))
        answer = run(request, **path)
        return _dressed(request, answer) if request.method in SAFE else _kept(request, answer)

    return wrapped


def once(view: View) -> View:
    """Wrap what an operation does: a key that was used before gives the first answer and does nothing."""

    @wraps(view)
    def wrapped(request: HttpRequest, **values: Any) -> Any:
        key = request.headers.get(KEY)
        if request.method in SAFE or key is None:
            return view(request, **values)
        row, fresh = answers.begin(
            user=cast(Any, request.user), key=_usable(key), fingerprint=_fingerprint(request), at=now()
        )
        if not fresh:
            return _again(row)
        cast(Any, request).stored_answer = row
        return view(request, **values)

    return wrapped


def allowing_methods(view: View) -> View:
    """Wrap an address: a method it does not know is answered as a problem, with the methods it does."""

    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = view(request, *args, **kwargs)
        if answer.status_code != 405:
            return answer
        allowed = ", ".join(sorted(answer["Allow"].split(", ")))
        refusal = plain(request, 405, f"{request.path} does not answer {request.method}, only {allowed}")
        refusal["Allow"] = allowed
        return refusal

    wrapped.csrf_exempt = True  # type: ignore[attr-defined]  # ninja's own; the session's way in checks the token
    return wrapped


def parameters(operation: Operation) -> set[str]:
    """Return the names an operation reads from the address."""
    return {
        name
        for model in operation.models
        if model.__ninja_param_source__ == "query"
        for name in model.__ninja_flatten_map__
    }


def _unknown(name: str, known: set[str]) -> BadInput:
    if name in known or name in SECRETS:
        return BadInput("a token has no place in an address", fix="send it as 'Authorization: Bearer <token>'")
    listed = ", ".join(sorted(known)) or "none"
    return BadInput(f"unknown parameter {name!r}", fix=f"this address takes: {listed}")


def _dressed(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "private, no-cache"
    patch_vary_headers(answer, ("Authorization", "Cookie"))
    if answer.status_code != 200:
        return answer
    set_response_etag(answer)
    return cast(HttpResponse, get_conditional_response(request, etag=answer["ETag"], response=answer))


def _kept(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    answer["Cache-Control"] = "no-store"
    row: StoredAnswer | None = getattr(request, "stored_answer", None)
    if row is not None:
        headers = {name: answer[name] for name in KEPT_HEADERS if name in answer}
        answers.finish(row, status=answer.status_code, headers=headers, body=_without_secrets(request, answer))
    return answer


def _without_secrets(request: HttpRequest, answer: HttpResponse) -> str:
    """Return the body as it may be kept: what the operation named in ``request.shown_once`` is emptied."""
    secrets = getattr(request, "shown_once", ())
    text = answer.content.decode()
    if not secrets or answer.status_code >= 400:
        return text
    return json.dumps({**json.loads(text), **dict.fromkeys(secrets, "")})


def _again(row: StoredAnswer) -> HttpResponse:
    return HttpResponse(row.body, status=row.status, headers={**row.headers, REPLAYED: "true"})


def _usable(key: str) -> str:
    if not 1 <= len(key) <= LONGEST_KEY or not all("!" <= letter <= "~" for letter in key):
        fix = f"give 1 to {LONGEST_KEY} printable ASCII characters without blanks"
        raise BadInput(f"{KEY} {key[:40]!r} cannot be used", fix=fix)
    return key


def _fingerprint(request: HttpRequest) -> str:
    """Return what tells one request from another; keyed, since a body may hold a password."""
    what = f"{request.method} {request.get_full_path()}\n".encode()
    return salted_hmac("idempotency", what + request.body, algorithm="sha256").hexdigest()
