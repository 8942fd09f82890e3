"""Every error as ``application/problem+json`` (RFC 9457), with what to do about it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.signals import got_request_exception
from django.http import Http404, HttpRequest, HttpResponse
from ninja import Schema
from ninja.errors import AuthenticationError, HttpError, Throttled, ValidationError
from pydantic import Field

from sensequant.lib import outage, redact
from sensequant.lib.errors import SenseQuantError, is_bad_input
from sensequant.lib.logs import get_logger

MEDIA = "application/problem+json"
CODES = {401: "not_authenticated", 403: "not_permitted", 404: "not_found", 405: "method_not_allowed", 429: "too_many"}
LOG_IN = "send 'Authorization: Bearer <token>' (manage.py api_token create) or log in"
FIXES = {
    401: LOG_IN,
    404: "see /api/v1/docs for what there is",
    405: "see /api/v1/docs for the methods of this address",
    429: "wait as long as Retry-After says",
}

log = get_logger("api")


class Wrong(Schema):
    """One value that cannot be used."""

    where: str = Field(description="Where it was given.", examples=["query.limit"])
    value: str = Field(description="The value, shortened.", examples=["many"])
    reason: str = Field(description="What is wrong with it.", examples=["write a whole number"])


class Problem(Schema):
    """What went wrong."""

    type: str = Field(description="The kind of problem, stable.", examples=["urn:sensequant:bad_input"])
    title: str = Field(description="The kind in words.", examples=["Bad Request"])
    status: int = Field(description="The HTTP status.", examples=[400])
    detail: str = Field(description="What is wrong, naming the value.", examples=["query.limit='many': a whole number"])
    instance: str = Field(description="The address that was asked.", examples=["/api/v1/orders"])
    fix: str = Field(description="What to do about it; may be empty.", examples=["correct the value and try again"])
    errors: list[Wrong] = Field(default=[], description="Every value that cannot be used; empty for other problems.")


def problem(
    request: HttpRequest, status: int, code: str, detail: str, fix: str = "", errors: Iterable[dict[str, str]] = ()
) -> HttpResponse:
    """Return the problem as an answer."""
    body = {
        "type": f"urn:sensequant:{code}",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "fix": fix,
        "errors": list(errors),
    }
    answer = HttpResponse(json.dumps(body), status=status, content_type=MEDIA)
    if status == HTTPStatus.UNAUTHORIZED:
        answer["WWW-Authenticate"] = "Bearer"
    return answer


def plain(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    """Return the problem an HTTP status alone describes."""
    return problem(request, status, CODES.get(status, "refused"), detail, FIXES.get(status, ""))


def of_desk(request: HttpRequest, error: SenseQuantError) -> HttpResponse:
    """Answer a foreseeable error."""
    return problem(request, error.status, error.code, error.message, error.fix)


def of_values(request: HttpRequest, error: ValidationError) -> HttpResponse:
    """Answer values that do not fit the schema, each one named."""
    wrong = [_wrong(each) for each in error.errors]
    detail = "; ".join(f"{each['where']}={each['value']!r}: {each['reason']}" for each in wrong[:3])
    return problem(request, 400, "bad_input", detail, "correct the values named in errors", wrong)


def of_value(request: HttpRequest, error: ValueError) -> HttpResponse:
    """Answer a core's complaint about a value; any other ValueError is a bug."""
    if not is_bad_input(error):
        return of_bug(request, error)
    fix = str(error).partition(": ")[2]  # cores write "what is wrong: what would be accepted"
    return problem(request, 400, "bad_input", str(error), fix)


def of_http(request: HttpRequest, error: HttpError) -> HttpResponse:
    """Answer what ninja itself refuses, such as a body that is no JSON."""
    if error.status_code == HTTPStatus.BAD_REQUEST:
        return problem(request, 400, "bad_input", str(error), "send JSON as the schema says")
    return plain(request, error.status_code, _SAID.get(type(error), str(error)))


def of_size(request: HttpRequest, _: RequestDataTooBig) -> HttpResponse:
    """Answer a body that was not read, for its size."""
    return problem(request, 413, "bad_input", "the body is too large", "send at most 2.5 MB")


def of_missing(request: HttpRequest, _: Http404) -> HttpResponse:
    """Answer that there is nothing here."""
    return plain(request, 404, f"there is nothing at {request.path}")


def of_bug(request: HttpRequest, error: Exception) -> HttpResponse:
    """Log the bug with its traceback and say no more than that to the caller."""
    if outage.is_outage(error):
        log.warning("The API could not answer: a server is away", path=request.path, error=type(error).__name__)
        return problem(
            request, 503, "unavailable", "the database or Redis does not answer", "try again in some seconds"
        )
    got_request_exception.send(sender=None, request=request)
    log.exception("The API failed", path=request.path, error=type(error).__name__)  # noqa: LOG004 - ninja is handling it
    return problem(request, 500, "failed", "the desk failed at this; its log has the details", "report it")


def _wrong(error: dict[str, Any]) -> dict[str, str]:
    where = ".".join(str(part) for part in error["loc"])
    reason = str(error["msg"]).removeprefix("Value error, ")
    value = redact.value(error.get("input", ""), name=str(error["loc"][-1]) if error["loc"] else "")
    return {"where": where, "value": str(value)[:80], "reason": reason}


_SAID: dict[type[Exception], str] = {
    AuthenticationError: "no valid session and no valid token",
    Throttled: "too many requests",
}
HANDLERS: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
    SenseQuantError: of_desk,
    ValidationError: of_values,
    ValueError: of_value,
    HttpError: of_http,
    RequestDataTooBig: of_size,
    Http404: of_missing,
    Exception: of_bug,
}
