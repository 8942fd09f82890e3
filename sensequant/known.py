"""Who calls is known before anything is done for them; while the database is away all are told so, in one line."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse

from sensequant.lib import outage
from trading.api.problems import problem

PROBES = ("/healthz", "/readyz")  # a supervisor's questions: about the process, whoever asks
AGAIN = 5  # seconds until a caller should try again
SAID = "the database does not answer"


class NobodyAsks:
    """Leave the session aside where nobody's name matters, so that no database is asked for it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Forget the cookie of a probe."""
        if request.path in PROBES:
            request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)
        return self.get_response(request)


class KnownCaller:
    """Learn who asks; answer 503 while that cannot be known."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Look the caller up once, for everybody behind this."""
        try:
            _ = request.user.is_authenticated
        except DatabaseError as error:
            if not outage.is_away(error):
                raise
            return _away(request)
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer 503 where a view, or the page it made, missed the database."""
        return _away(request) if outage.is_away(error) else None


def _away(request: HttpRequest) -> HttpResponse:
    connection.close()
    if request.path.startswith("/api/"):
        answer = problem(request, 503, "unavailable", SAID, "try again in some seconds")
    else:
        told = f"{SAID.capitalize()}. Try again in some seconds.\n"
        answer = HttpResponse(told, status=503, content_type="text/plain")
    answer.headers["Retry-After"] = str(AGAIN)
    return answer
