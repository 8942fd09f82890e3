"""The schema: what every operation has in common is written into each, once, here."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from ninja.openapi.schema import REF_TEMPLATE, OpenAPISchema
from ninja.operation import Operation

from trading.api.auth import Bearer, Session
from trading.api.doors import KEY, LONGEST_KEY, REPLAYED
from trading.api.problems import MEDIA, Problem
from trading.core.rights import MEANING, Right

READ_PROBLEMS = (400, 401, 403, 404, 429, 503)
WRITE_PROBLEMS = (400, 401, 403, 404, 409, 429, 503)
ETAG = {"description": "Changes when the answer does.", "schema": {"type": "string"}}
IF_NONE_MATCH = {
    "in": "header",
    "name": "If-None-Match",
    "required": False,
    "description": "The ETag of the answer you have.",
    "schema": {"type": "string"},
}
IDEMPOTENCY_KEY = {
    "in": "header",
    "name": KEY,
    "required": False,
    "description": "Repeating a request with the same key within 24 hours gives the first answer and does nothing.",
    "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": r"^[!-~]+$"},
}


class DeskSchema(OpenAPISchema):
    """ninja's schema with our problems, ETags, keys and rights in it."""

    def operation_details(self, operation: Operation) -> dict[str, Any]:
        """Return the operation, with what is true of every one."""
        details: dict[str, Any] = super().operation_details(operation)
        reads = operation.methods == ["GET"]
        details["parameters"] = [_parameter(each) for each in details["parameters"]]
        for status in READ_PROBLEMS if reads else WRITE_PROBLEMS:
            details["responses"].setdefault(status, problem(status))
        (self._as_read if reads else self._as_write)(details)
        right = _right(operation)
        if right:
            details["description"] = f"{details.get('description', '')}\n\nNeeds: **{right.scope}** ({MEANING[right]})."
            details["x-needs"] = right.scope
        return details

    def get_components(self) -> dict[str, Any]:
        """Return the components, the problem among them."""
        schema = Problem.model_json_schema(ref_template=REF_TEMPLATE, mode="serialization")
        self.schemas.update(schema.pop("$defs"))
        self.schemas["Problem"] = schema
        components: dict[str, Any] = super().get_components()
        return components

    @staticmethod
    def _as_read(details: dict[str, Any]) -> None:
        details["parameters"].append(IF_NONE_MATCH)
        details["responses"][200]["headers"] = {"ETag": ETAG}
        details["responses"][304] = {"description": "Not changed since the ETag given.", "headers": {"ETag": ETAG}}

    @staticmethod
    def _as_write(details: dict[str, Any]) -> None:
        details["parameters"].append(IDEMPOTENCY_KEY)
        replayed = {"description": "true when this is the first answer again.", "schema": {"type": "string"}}
        for status in (200, 201):
            if status in details["responses"]:
                details["responses"][status]["headers"] = {REPLAYED: replayed}


def _parameter(given: dict[str, Any]) -> dict[str, Any]:
    """Return a parameter as an address can carry it: without null, its example where OpenAPI wants one."""
    schema = {key: value for key, value in given["schema"].items() if key not in ("anyOf", "examples", "title")}
    kinds = [kind for kind in given["schema"].get("anyOf", []) if kind.get("type") != "null"]
    examples = given["schema"].get("examples") or [example for kind in kinds for example in kind.pop("examples", [])]
    schema |= kinds[0] if len(kinds) == 1 else {"anyOf": kinds} if kinds else {}
    rest = {key: value for key, value in given.items() if key != "examples"}
    return {**rest, "schema": schema, **({"example": examples[0]} if examples else {})}


def problem(status: int) -> dict[str, Any]:
    """Return how the schema tells of a problem with this status."""
    content = {MEDIA: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {"description": HTTPStatus(status).phrase, "content": content}


def _right(operation: Operation) -> Right | None:
    ways = [way for way in operation.auth_callbacks if isinstance(way, Bearer | Session)]
    return ways[0].needs if ways else None
