"""The documentation: complete, ours alone, and drawn by a browser that keeps to the content security policy."""

import json
import re

import pytest
from playwright.sync_api import sync_playwright

from sensequant.api import api
from tests.trading.api.hands import BY_HAND


@pytest.fixture(scope="module")
def schema():
    return json.loads(json.dumps(api.get_openapi_schema(path_prefix="/api/v1/"), default=str))


def operations(schema):
    return [(path, method, each) for path, methods in schema["paths"].items() for method, each in methods.items()]


def test_the_schema_and_its_page_need_no_login(client):
    answer = client.get("/api/v1/openapi.json")
    assert (answer.status_code, answer.json()["openapi"]) == (200, "3.1.0")
    assert client.get("/api/v1/docs").status_code == 200


def test_the_page_loads_nothing_from_elsewhere(client):
    page = client.get("/api/v1/docs").content.decode()
    assert re.findall(r"https?://|(?:src|href)=\"//", page) == []


def test_every_noun_of_the_desk_is_there(schema):
    nouns = {path.split("/")[3] for path in schema["paths"]}
    assert nouns >= {
        "symbols", "bars", "signals", "orders", "positions", "trades", "equity", "backtests", "engine", "strategies",
        "calendar", "charges", "health", "sentiment", "accuracy",
    }  # fmt: skip


def test_every_field_and_every_parameter_says_what_it_is(schema):
    silent = [
        f"{name}.{field}"
        for name, model in schema["components"]["schemas"].items()
        for field, details in model["properties"].items()
        if not details.get("description")
    ]
    silent += [
        f"{path} {p['name']}"
        for path, _, op in operations(schema)
        for p in op["parameters"]
        if not p.get("description")
    ]
    assert silent == []


def test_every_operation_has_a_summary_a_right_and_its_problems(schema):
    for path, method, each in operations(schema):
        assert each["summary"], path
        assert each["description"], path
        assert each["x-needs"] in ("read", "kill", "trade", "admin"), path
        by_hand = [] if method == "post" and path.endswith(BY_HAND) else [{"Bearer": []}]
        assert each["security"] == [*by_hand, {"Session": []}], path
        assert {"400", "401", "403", "404", "429"} <= set(each["responses"]), (path, method)
        assert "application/problem+json" in each["responses"]["401"]["content"]


def test_every_request_and_answer_has_an_example_the_schema_takes(schema):
    takes = {
        api.get_openapi_operation_id(each): {
            model.__ninja_param_source__: model for model in each.models
        }
        for _, router in api._routers for view in router.path_operations.values() for each in view.operations
    }  # fmt: skip
    for path, _, each in operations(schema):
        good = [answer for status, answer in each["responses"].items() if int(status) in (200, 201)]
        told = [answer["content"]["application/json"] for answer in good if "content" in answer]  # a file has none
        assert all("example" in each for each in told), path
        if "requestBody" in each:
            body = takes[each["operationId"]]["body"]
            name = next(iter(body.model_fields))
            body.model_validate({name: each["requestBody"]["content"]["application/json"]["example"]})


def test_every_operation_has_a_name_of_its_own(schema):
    names = [each["operationId"] for _, _, each in operations(schema)]
    assert len(names) == len(set(names))


@pytest.mark.browser
@pytest.mark.django_db
def test_a_browser_draws_it_without_one_complaint_about_the_policy(live_server, chromium, schema):
    tags = {tag for _, _, each in operations(schema) for tag in each["tags"]}
    complaints = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{live_server.url}/api/v1/docs")
        page.wait_for_selector(".opblock-tag-section", timeout=20_000)
        assert page.locator("h3.opblock-tag").count() == len(tags)
        page.click("#operations-tag-orders")
        page.click("#operations-orders-orders_listing .opblock-summary-control")
        page.wait_for_selector("#operations-orders-orders_listing .parameters")
        browser.close()
    assert complaints == []
