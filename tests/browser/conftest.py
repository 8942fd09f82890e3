"""A desk that serves, and a Chromium that visits it."""

import threading
import time
import uuid

import pytest
import uvicorn
from django.conf import settings
from django.contrib.auth.models import User
from playwright.sync_api import sync_playwright

from sensequant.config import ROOT
from sensequant.lib import broadcast
from sensequant.lib.clock import now
from tests import services
from tests.trading.pages import a_run, an_order, body, published
from trading.consumers import Shelf

PASSWORD = "monsoon-in-mumbai"
OUTPUT = ROOT / "tests" / "output"
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip


@pytest.fixture(scope="package")
def browser():
    """The installed Chromium; while it runs, the database may be used from a thread that has a loop."""
    if not (ROOT / "static/vendor/htmx.min.js").exists():
        pytest.skip("the browser libraries are not there: npm ci && npm run vendor")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as play:
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "true")
        chromium = play.chromium.launch(executable_path=services.chromium(), args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="package")
def address(django_db_setup):
    """The address of a desk that serves the tests' database from a thread."""
    from sensequant.asgi import application

    config = uvicorn.Config(application, port=0, log_config=None, lifespan="on", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


class Desk:
    """A run, its published picture, and a way to publish the next one."""

    def __init__(self):
        self.run = a_run()
        an_order(self.run)
        self.version, self.epoch = 0, uuid.uuid4().hex
        self.publish()

    def body(self, **changes):
        """The picture with ``changes``."""
        return body(self.run, **changes)

    def publish(self, **changes):
        """Store the next picture and ping the sockets, as the engine does."""
        self.version += 1
        published(self.run, self.version, self.epoch, now(), **changes)
        broadcast.publish("live", {"version": self.version, "epoch": self.epoch})

    def money(self, **changes):
        """Publish other figures."""
        self.publish(pnl={**self.body()["pnl"], **changes})


@pytest.fixture
def desk(transactional_db):
    """A desk with a run and a user who may do everything."""
    Shelf._of_loop.clear()  # the server must not hand the page the last test's snapshot, which it may keep for a second
    User.objects.create_superuser("asha", password=PASSWORD)
    return Desk()


def somebody(browser, address, client, **options):
    """Return a browser context of somebody who is logged in."""
    client.force_login(User.objects.get(username="asha"))
    context = browser.new_context(base_url=address, **options)
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": address}])
    return context


@pytest.fixture
def page(browser, address, desk, client):
    """The Live page; whatever the console complains of fails the test."""
    context = somebody(browser, address, client, viewport={"width": 1440, "height": 900}, color_scheme="dark")
    page = context.new_page()
    complaints = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def bare(browser, address, desk, client):
    """The same without scripts."""
    context = somebody(browser, address, client, java_script_enabled=False)
    page = context.new_page()
    page.goto("/")
    yield page
    context.close()


def tab_to(page, wanted):
    """Press Tab until ``wanted`` has the focus."""
    for _ in range(200):
        page.keyboard.press("Tab")
        if page.evaluate("wanted => document.activeElement.matches(wanted)", wanted):
            return
    raise AssertionError(f"no Tab leads to {wanted} on {page.url}")


def typed(page, wanted, text):
    """Go to a field and write over what stands in it."""
    tab_to(page, wanted)
    page.keyboard.press("Control+a")
    page.keyboard.type(text)


RUN_AXE = """rules => axe.run({runOnly: rules, resultTypes: ['violations']}).then(
  found => found.violations.map(each => [each.id, each.nodes.map(node => node.html.slice(0, 140))]))"""


def violations(page, rules):
    """Return what axe finds against ``rules``, and where; what passes is not listed, which would take longer."""
    if not page.evaluate("'axe' in window"):
        page.evaluate((ROOT / "node_modules/axe-core/axe.min.js").read_text())
    return page.evaluate(RUN_AXE, rules)
