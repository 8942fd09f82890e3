"""The API as a whole: ninja with our errors, our ways in, our paging, and a schema that says so."""

from __future__ import annotations

from typing import Any

import pydantic
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, URLResolver, path
from django.views.decorators.csrf import csrf_exempt
from ninja import NinjaAPI, Router, Swagger
from ninja.errors import ValidationError, ValidationErrorContext
from ninja.openapi.schema import OpenAPISchema
from ninja.operation import Operation

from trading.api import examples, openapi
from trading.api.auth import READ, PerCaller
from trading.api.doors import allowing_methods, around, once
from trading.api.problems import HANDLERS, plain

DESCRIPTION = """
Everything the desk's pages can do, a script can do.

* **Who**: a session (writes also send `X-CSRFToken`), or `Authorization: Bearer <token>`. `read` looks, `kill` stops as
  well, `trade` controls the engine and backtests, `admin` changes strategies.
* **Numbers**: money is a decimal string in rupees; ratios, indicators and bars are JSON numbers, `null` where unknown.
* **Times**: ISO 8601 with `+05:30`. Days in filters are IST and both included.
* **Lists**: `limit` at most 1000; `next` is the address of the next page, `null` on the last.
* **Errors**: `application/problem+json`; `detail` names the value, `fix` says what to do.
* **Reads** carry an `ETag`; send it back as `If-None-Match` and an unchanged answer is an empty 304.
* **Writes** take an `Idempotency-Key`: repeating one within 24 hours gives the first answer and does nothing.
""".strip()


class DeskAPI(NinjaAPI):
    """The desk's API; apps add routers to it."""

    def __init__(self, version: str) -> None:
        super().__init__(
            title="SenseQuant",
            version=version,
            description=DESCRIPTION,
            urls_namespace="api",
            auth=READ,
            throttle=PerCaller(),
            docs=Swagger({"persistAuthorization": False, "tryItOutEnabled": True, "docExpansion": "none"}),
        )
        self.add_decorator(around, mode="view")
        self.add_decorator(once)
        for kind, handler in HANDLERS.items():
            self.add_exception_handler(kind, handler)

    @property
    def urls(self) -> tuple[list[URLResolver | URLPattern], str, str]:
        """Return the addresses, whatever else is asked under them answered as a problem."""
        patterns, app, namespace = super().urls
        for pattern in patterns:
            if isinstance(pattern, URLPattern):
                pattern.callback = allowing_methods(pattern.callback)
        return [path("", nothing), *patterns, path("<path:rest>", nothing)], app, namespace

    def get_openapi_schema(self, *, path_prefix: str | None = None, path_params: Any = None) -> OpenAPISchema:
        """Return the schema, with what is true of every operation written into each."""
        prefix = self.get_root_path(path_params or {}) if path_prefix is None else path_prefix
        schema = openapi.DeskSchema(self, prefix)
        examples.fill(schema)
        return schema

    def get_openapi_operation_id(self, operation: Operation) -> str:
        """Return the noun and the verb, such as ``orders_list``."""
        return f"{operation.view_func.__module__.rpartition('.')[2]}_{operation.view_func.__name__}"

    def get_operation_url_name(self, operation: Operation, router: Router) -> str:
        """Return the same name for ``reverse("api:…")``."""
        return self.get_openapi_operation_id(operation)

    def validation_error_from_error_contexts(
        self, error_contexts: list[ValidationErrorContext[Any]]
    ) -> ValidationError:
        """Return the errors with the values that were given, which a problem names."""
        return ValidationError([error for each in error_contexts for error in _errors(each)])


def _errors(context: ValidationErrorContext[Any]) -> list[dict[str, Any]]:
    model: Any = context.model
    found: pydantic.ValidationError = context.pydantic_validation_error
    return [
        {**error, "loc": (model.__ninja_param_source__, *_place(model, error["loc"]))}
        for error in found.errors(include_url=False, include_context=False)
    ]


def _place(model: Any, loc: tuple[Any, ...]) -> tuple[Any, ...]:
    place: tuple[Any, ...] = model.__ninja_flatten_map_reverse__.get(loc, loc)
    single = getattr(model, "__read_from_single_attr__", None)
    return place[1:] if single and place[:1] == (single,) else place


@csrf_exempt
def nothing(request: HttpRequest, rest: str = "") -> HttpResponse:
    """Answer every other address under the API."""
    return plain(request, 404, f"there is nothing at {request.path}")
