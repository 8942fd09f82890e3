"""The guide to the REST API, written from its schema: every operation with a curl line, a request and an answer.

python manage.py api_guide > docs/api.md
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from sensequant.api import api
from trading.api.examples import JSON

BEARER = '-H "Authorization: Bearer $TOKEN"'
PERSON = '-H "Cookie: sessionid=$SESSION; csrftoken=$CSRF" -H "X-CSRFToken: $CSRF"'
HEAD = """# The REST API

Written by `manage.py api_guide` from the schema; a test keeps it current. The schema itself is at
`/api/v1/openapi.json`, a page to try it at `/api/v1/docs`.

In every line `$DESK` is the desk's address, such as `http://127.0.0.1:8000`, and `$TOKEN` a key made on the page
`/tokens`, or with `manage.py api_token create`. What only a person may do takes the session of a browser instead.
`uuidgen` (Debian: `uuid-runtime`) makes a key for each write; any text of your own that is new each time does as well.

"""


class Guided(NamedTuple):
    """One operation as the guide tells it."""

    anchor: str
    title: str
    call: str
    told: str
    curl: str
    request: str
    answer: str


@cache
def sections() -> dict[str, list[Guided]]:
    """Return the operations by noun."""
    found: dict[str, list[Guided]] = {}
    for path, methods in api.get_openapi_schema(path_prefix="/api/v1/")["paths"].items():
        for method, each in methods.items():
            found.setdefault(each["tags"][0], []).append(_guided(path, method.upper(), each))
    return dict(sorted(found.items()))


def markdown() -> str:
    """Return the guide as Markdown."""
    return HEAD + api.description + "\n" + "".join(_lines())


def _lines() -> Iterator[str]:
    for noun, operations in sections().items():
        yield f"\n## {noun}\n"
        for each in operations:
            yield f"\n### {each.title}\n\n`{each.call}`\n\n{each.told}\n\n```sh\n{each.curl}\n```\n"
            if each.answer:
                yield f"\nAnswers, for example:\n\n```json\n{each.answer}\n```\n"


def _guided(path: str, method: str, each: dict[str, Any]) -> Guided:
    told = each["description"].strip()
    body = each.get("requestBody", {}).get("content", {}).get(JSON, {}).get("example")
    good: dict[str, Any] = next((answer for status, answer in each["responses"].items() if int(status) < 300), {})
    answer = good.get("content", {}).get(JSON, {}).get("example")
    request = "" if body is None else json.dumps(body, ensure_ascii=False)
    return Guided(
        each["operationId"], each["summary"], f"{method} {path}", told, _curl(path, method, each, request), request,
        "" if answer is None else json.dumps(answer, ensure_ascii=False),
    )  # fmt: skip


def _curl(path: str, method: str, each: dict[str, Any], body: str) -> str:
    query = []
    for given in each["parameters"]:
        if given["in"] == "path":
            path = path.replace(f"{{{given['name']}}}", str(given.get("example", given["schema"].get("example", 1))))
        elif given["in"] == "query" and given.get("required"):
            query.append(f"{given['name']}={given.get('example', given['schema'].get('example', 1))}")
    words = ["curl", "-sS", BEARER if {"Bearer": []} in each["security"] else PERSON]
    if method != "GET":
        words += ["-X", method, '-H "Idempotency-Key: $(uuidgen)"']
    if body:
        words += ["-H 'Content-Type: application/json'", "-d", shlex.quote(body)]
    return " ".join([*words, f'"$DESK{path}{"?" + "&".join(query) if query else ""}"'])
