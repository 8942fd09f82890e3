"""Examples of whole requests and answers, put together from the examples of their fields."""

from __future__ import annotations

import json
from typing import Any

DEEPEST = 6
BY_KIND: dict[str, Any] = {"integer": 1, "number": 1.0, "boolean": True, "null": None, "string": "text"}
BY_FORMAT = {"date": "2026-11-20", "date-time": "2026-11-20T10:42:00+05:30"}
JSON = "application/json"


def fill(schema: dict[str, Any]) -> None:
    """Give every request body and every success in an OpenAPI document its example."""
    known = schema["components"]["schemas"]
    for path, methods in schema["paths"].items():
        for operation in methods.values():
            bodies = [operation.get("requestBody")]
            bodies += [answer for status, answer in operation["responses"].items() if int(status) < 300]
            for body in bodies:
                content = (body or {}).get("content", {}).get(JSON)
                if content is not None:
                    content["example"] = _of_list(
                        path, json.loads(json.dumps(of(content["schema"], known), default=str))
                    )


def _of_list(path: str, example: Any) -> Any:
    """Return an answer's example with the address of its own next page."""
    if isinstance(example, dict) and str(example.get("next", "")).endswith("cursor=WzQyXQ"):
        example["next"] = f"{path}?limit=100&cursor=WzQyXQ"
    return example


def of(schema: dict[str, Any], known: dict[str, Any], depth: int = 0) -> Any:
    """Return an example of what ``schema`` describes; ``known`` are the components it may refer to."""
    if "$ref" in schema:
        return of(known[schema["$ref"].rpartition("/")[2]], known, depth + 1)
    for given in (schema.get("examples", [])[:1], [schema[key] for key in ("const", "default") if key in schema]):
        if given:
            return given[0]
    if "enum" in schema:
        return schema["enum"][0]
    kinds = schema.get("anyOf") or schema.get("allOf") or schema.get("oneOf")
    if kinds:
        return of(next((kind for kind in kinds if kind.get("type") != "null"), kinds[0]), known, depth)
    return _by_kind(schema, known, depth)


def _by_kind(schema: dict[str, Any], known: dict[str, Any], depth: int) -> Any:
    kind = schema.get("type")
    if kind == "object" or "properties" in schema:
        inside = schema.get("properties", {}) if depth < DEEPEST else {}
        return {name: of(each, known, depth + 1) for name, each in inside.items()}
    if kind == "array":
        return [of(schema["items"], known, depth + 1)] if "items" in schema and depth < DEEPEST else []
    if kind in ("integer", "number"):
        return schema.get("minimum", BY_KIND[kind])
    return BY_FORMAT.get(schema.get("format", ""), BY_KIND.get(str(kind)))
