"""The pages in a real browser: they move, obey the keyboard, read well to everyone, and work without scripts."""

import json
import re

import pytest
from playwright.sync_api import expect

from sensequant.lib.clock import now
from tests.browser.conftest import OUTPUT, PASSWORD, violations
from tests.trading import rows
from tests.trading.pages import a_position
from trading.models import Command, EngineRun, Halt
from trading.services import commands

pytestmark = [
    pytest.mark.browser,
    # WhiteNoise sends files by synchronous iterators; Django says so whenever a file is served over ASGI
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


def live(page):
    expect(page.locator("#wire .said")).to_have_text("live", timeout=10_000)
    return page


def test_logging_in_leads_to_the_live_page_and_out_again(browser, address, desk):
    page = browser.new_page(base_url=address)
    page.goto("/orders/")
    expect(page.locator("main")).to_contain_text("Log in to go on to /orders/")
    page.fill("#id_username", "asha")
    page.fill("#id_password", "wrong")
    page.press("#id_password", "Enter")
    expect(page.get_by_role("alert")).to_contain_text("is not right")
    page.fill("#id_password", PASSWORD)
    page.press("#id_password", "Enter")
    page.wait_for_url("**/orders/")
    page.click("#user-menu summary")
    page.get_by_role("button", name="Log out asha").click()
    page.wait_for_url("**/login")
    page.close()


def test_the_page_moves_when_the_engine_publishes(page, desk):
    live(page)
    expect(page.locator('[data-bind="pnl.day"]')).to_have_text("▲ +₹1,23,456.50")
    desk.money(day="-468.00")
    expect(page.locator('[data-bind="pnl.day"]')).to_have_text("▼ −₹468.00")
    assert page.locator('[data-bind="pnl.day"] > span').get_attribute("class") == "down"


def test_rows_come_change_and_go(page, desk):
    live(page)
    row = desk.body()["positions"][0]
    desk.publish(positions=[row, {**row, "symbol": "DEMOBANK", "pnl": "-12.00"}])
    rows = page.locator('tbody[data-rows="positions"] tr')
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("▼ −12.00")
    desk.publish(positions=[])
    expect(rows).to_have_count(0)
    expect(page.get_by_text("No open position.")).to_be_visible()


def test_rows_keep_their_place_while_somebody_points_at_them(page, desk):
    live(page)
    order = desk.body()["orders"][0]
    expect(page.locator("canvas").first).to_be_visible()  # the charts have taken their room; nothing moves any more
    page.locator('tbody[data-rows="orders"] tr').first.hover()
    expect(page.locator('tbody[data-rows="orders"]:hover')).to_have_count(1)
    desk.publish(orders=[{**order, "number": 2, "symbol": "DEMOBANK"}, {**order, "status": "rejected"}])
    first = page.locator('tbody[data-rows="orders"] tr').first
    expect(first).to_contain_text("rejected")
    expect(page.locator('tbody[data-rows="orders"] tr')).to_have_count(1)
    page.mouse.move(5, 5)
    expect(page.locator('tbody[data-rows="orders"] tr')).to_have_count(2)


def test_a_name_from_outside_stays_text_in_the_browser_too(page, desk):
    live(page)
    desk.publish(orders=[{**desk.body()["orders"][0], "number": 9, "symbol": "<img src=x onerror=alert(1)>"}])
    expect(page.locator('tbody[data-rows="orders"] tr').first).to_contain_text("<img src=x")
    assert page.locator("tbody img").count() == 0


def test_a_new_epoch_is_taken_whole(page, desk):
    live(page)
    desk.version, desk.epoch = 0, "another"
    desk.money(day="7.00")
    expect(page.locator('[data-bind="pnl.day"]')).to_have_text("▲ +₹7.00")


def test_controls_obey_the_keyboard_and_tell_their_outcome(page, desk):
    live(page)
    page.locator('button[value="pause"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#controls .outcome")).to_contain_text("Pause entries: requested at")
    expect(page.locator('button[value="resume"]')).to_be_visible()
    expect(page.locator('button[value="resume"]')).to_be_focused()
    assert EngineRun.objects.get().entries_paused
    page.locator('button[data-speed="600"]').focus()
    page.keyboard.press("Space")
    expect(page.locator("#controls .outcome")).to_contain_text("Speed 600×")
    expect(page.locator('button[data-speed="600"]')).to_have_attribute("aria-pressed", "true")
    assert EngineRun.objects.get().speed == 600
    assert page.url.endswith("/")


def test_stopping_asks_first(page, desk):
    live(page)
    expect(page.get_by_role("button", name="Stop the engine")).to_be_hidden()
    page.locator("#stop-menu > summary").focus()
    page.keyboard.press("Enter")
    button = page.get_by_role("button", name="Stop the engine")
    button.click()
    expect(page.locator("#stop-menu .hold-hint")).to_have_text("Hold for a second and a half.")
    button.press("Enter")
    expect(page.locator("#stop-menu .hold-hint")).to_have_text("Press Enter again to confirm.")
    assert not EngineRun.objects.get().stop_requested
    button.press("Enter")
    expect(page.locator("#controls .outcome")).to_contain_text("Stop: requested at")
    assert EngineRun.objects.get().stop_requested


def test_one_click_and_two_keys_stop_the_desk(page, desk):
    live(page)
    page.click("#kill-menu > summary")
    expect(page.locator("#kill-reason")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#kill-menu .hold-hint")).to_have_text("Press Enter again to confirm.")
    assert not Halt.objects.exists()
    page.keyboard.press("Enter")
    expect(page.locator("#controls")).to_contain_text("KILL SWITCH ON")
    expect(page.locator("#controls .outcome")).to_contain_text("The kill switch is on")
    assert (Halt.objects.get().reason, Halt.objects.get().engaged_by) == ("stopped by hand", "asha")
    assert page.url.endswith("/")


def test_holding_a_button_leaves_every_position_and_each_leg_is_told(page, desk):
    live(page)
    held = a_position(desk.run)
    page.click("#leave-menu > summary")
    box = page.get_by_role("button", name="Square off").bounding_box()
    page.mouse.move(box["x"] + 20, box["y"] + 10)
    page.mouse.down()
    expect(page.locator("#command")).to_contain_text("requested; the engine has not taken it yet", timeout=4_000)
    page.mouse.up()
    commands.obey(desk.run, {"square-off": lambda: None}, at=now())
    expect(page.locator("#command .legs")).to_contain_text("position LONG 20 DEMOOIL ◐ held", timeout=4_000)
    held.delete()
    expect(page.locator("#command")).to_contain_text("✔ done", timeout=4_000)
    assert Command.objects.get().asked_by == "asha"


def test_the_risk_page_follows_what_happens_and_leaves_what_is_being_written(page, desk):
    live(page)
    page.keyboard.press("g")
    page.keyboard.press("r")
    page.wait_for_url("**/risk")
    page.fill("#kill-reason", "half a sen")
    rows.halt(desk.run)
    desk.money(exposure="499000.00")
    expect(page.locator("#risk-state")).to_contain_text("THE KILL SWITCH IS ON", timeout=8_000)
    expect(page.locator("#risk-now")).to_contain_text("₹4,99,000.00")
    expect(page.locator("#kill-reason")).to_have_value("half a sen")
    expect(page.locator("#kill-reason")).to_be_focused()


def test_the_risk_page_of_somebody_who_was_logged_out_asks_to_log_in(page, desk):
    page.goto("/risk")
    page.context.clear_cookies()
    page.wait_for_url("**/login?next=/risk", timeout=8_000)


def test_single_keys_help_and_freeze(page, desk):
    live(page)
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("f")
    expect(page.locator("#stale")).to_contain_text("Frozen")
    desk.money(day="1.00")
    page.wait_for_timeout(600)
    expect(page.locator('[data-bind="pnl.day"]')).to_have_text("▲ +₹1,23,456.50")
    page.keyboard.press("f")
    expect(page.locator('[data-bind="pnl.day"]')).to_have_text("▲ +₹1.00")


def test_single_keys_filter_go_and_change_the_look(page, desk):
    live(page)
    with page.expect_response("**/preferences"):
        page.keyboard.press("t")
    assert page.locator("html").get_attribute("data-theme") == "light"
    with page.expect_response("**/preferences"):
        page.keyboard.press("d")
    page.keyboard.press("/")
    expect(page.locator("#watch-filter")).to_be_focused()
    page.keyboard.type("bank")
    expect(page.locator('tbody[data-rows="watch"] tr')).to_have_count(1)
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("b")
    page.wait_for_url("**/backtests/")
    assert page.locator("html").get_attribute("data-theme") == "light"
    assert page.locator("html").get_attribute("data-density") == "comfortable"


def test_the_palette_goes_to_a_symbol(page, desk):
    live(page)
    page.keyboard.press("Control+k")
    page.keyboard.type("demobank")
    page.keyboard.press("Enter")
    page.wait_for_url("**/?symbol=DEMOBANK")


def test_the_chart_shows_the_symbol_one_clicks(page, desk):
    live(page)
    expect(page.locator("#candles canvas").first).to_be_visible()
    page.locator('tbody[data-rows="watch"] a', has_text="DEMOBANK").click()
    expect(page.locator("#candles-summary")).to_contain_text("DEMOBANK, 5minute: 300 bars")
    expect(page.locator("#candles-legend")).to_contain_text("SMA 20")


def test_silence_is_shown_amber_then_red(page, desk):
    page.route_web_socket("**/ws/live/", one_snapshot_then_silence(desk))
    page.clock.install()
    page.reload()
    live(page)
    page.clock.run_for(8_000)
    expect(page.locator("#stale")).to_contain_text("Data 8 s old")
    expect(page.locator("#stale")).to_have_attribute("data-level", "warn")
    page.clock.run_for(30_000)
    expect(page.locator("#stale")).to_have_attribute("data-level", "bad")
    expect(page.locator("body")).to_have_class(re.compile("is-stale"))


def test_each_figure_has_its_own_age_and_says_old_when_it_is(page, desk):
    page.route_web_socket("**/ws/live/", one_snapshot_then_silence(desk))
    page.clock.install()
    page.reload()
    live(page)
    exposure, charges = (page.locator(f".tile:has(h2:text-is('{name}'))") for name in ("Exposure", "Charges"))
    expect(exposure.locator("time")).to_have_text("12:00:00")
    page.clock.run_for(8_000)
    expect(charges.locator(".as-of")).to_contain_text("⚠ old")
    expect(charges).to_have_class(re.compile("is-old"))
    expect(exposure.locator(".as-of")).to_contain_text("8 s")
    expect(exposure).not_to_have_class(re.compile("is-old"))
    said = page.locator("#stale-said").inner_text()
    page.clock.run_for(20_000)
    expect(exposure.locator(".as-of")).to_contain_text("⚠ old")
    assert page.locator("#stale-said").inner_text() == said, "seconds are not read aloud"


def one_snapshot_then_silence(desk):
    message = {"topic": "live", "v": 5, "epoch": "e1", "sent_at": "2026-11-20T06:30:00Z"}
    body = {**desk.body(), "attention": []}

    def serve(socket):
        socket.on_message(lambda said: socket.send(json.dumps({**message, "body": body})))

    return serve


def test_a_lost_connection_comes_back_by_itself(page, desk):
    tries = []

    def refuse_once(socket):
        tries.append(1)
        if len(tries) == 1:
            socket.close()
        else:
            one_snapshot_then_silence(desk)(socket)

    page.route_web_socket("**/ws/live/", refuse_once)
    page.reload()
    live(page)
    assert len(tries) == 2


def test_filters_swap_the_table_and_keep_the_address(page, desk):
    page.goto("/orders/")
    page.fill("#f-symbol", "nosuch")
    page.keyboard.press("Enter")
    expect(page.locator("#result")).to_contain_text("No order matches")
    assert "symbol=nosuch" in page.url
    page.go_back()
    expect(page.locator("#result")).to_contain_text("903.40")


def test_parameters_follow_the_chosen_strategy(page, desk):
    page.goto("/backtests/")
    expect(page.locator('[name="p.intraday.sma"]')).to_be_visible()
    page.check("#strategy-crossover")
    expect(page.locator('[name="p.crossover.fast"]')).to_be_visible()
    expect(page.locator('[name="p.intraday.sma"]')).to_be_hidden()
    page.locator('[data-add="DEMOLABS"]').click()
    assert "DEMOLABS" in page.input_value("#id_symbols")


def test_everything_works_without_scripts(bare, desk):
    expect(bare.locator('[data-bind="pnl.day"]')).to_have_text("▲ +₹1,23,456.50")
    expect(bare.locator("#curve svg")).to_be_visible()
    bare.locator('button[value="pause"]').click()
    expect(bare.locator(".outcome")).to_contain_text("Pause entries: requested at")
    assert EngineRun.objects.get().entries_paused
    bare.locator("#kill-menu > summary").click()
    bare.locator("#kill-menu input[name=square_off]").check()
    bare.get_by_role("button", name="KILL: send no more entries").click()
    expect(bare.locator(".outcome")).to_contain_text("every position is left")
    bare.goto("/risk")
    bare.fill("#release-kill", "checked")
    bare.fill("#password-kill", PASSWORD)
    bare.get_by_role("button", name="Release the kill switch").click()
    expect(bare.locator("main")).to_contain_text("The kill switch is released.")
    assert Halt.objects.get().released_by == "asha"
    bare.goto("/backtests/")
    expect(bare.locator('[name="p.intraday.sma"]')).to_be_visible()
    bare.locator("#user-menu summary").click()
    bare.get_by_role("button", name="Light").click()
    assert bare.locator("html").get_attribute("data-theme") == "light"


PLACES = [
    "/",
    "/orders/",
    "/positions/",
    "/signals/",
    "/risk",
    "/journal/",
    "/backtests/",
    "/models",
    "/chart/DEMOBANK/",
    "/settings",
    "/login",
]
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]
LOOKS = {  # the cookies of a look, and the rules that depend on it
    "dark": ({"theme": "dark"}, EVERYTHING),
    "light": ({"theme": "light"}, ["color-contrast"]),
    "cvd-comfortable": ({"theme": "light", "palette": "cvd", "density": "comfortable"}, ["color-contrast"]),
}


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_and_pictures_are_kept(page, desk, address, look):
    OUTPUT.mkdir(exist_ok=True)
    cookies, rules = LOOKS[look]
    page.context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
    for place in PLACES:
        page.goto(place)
        if place == "/":
            live(page)
            page.wait_for_selector("#candles canvas")
        page.screenshot(path=OUTPUT / f"{look}-{re.sub(r'[^a-z]', '', place) or 'live'}.png")
        told = violations(page, rules)
        assert told == [], f"{place} {look}: {json.dumps(told, indent=1)}"


TOO_WIDE = """(() => {
  const width = document.documentElement.clientWidth
  if (document.documentElement.scrollWidth <= width) return []
  return [...document.querySelectorAll('body *')]
    .filter(each => each.getBoundingClientRect().right > width && !each.closest('.scroll, .rail, .strip'))
    .map(each => `${each.tagName} ${each.id} ${each.className} ${each.getBoundingClientRect().right}`)
})()"""


def test_a_narrow_screen_never_scrolls_sideways(page, desk):
    for place in PLACES:
        page.goto(place)
        for width in (760, 320, 390):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate(TOO_WIDE) == [], f"{place} at {width}"
        page.screenshot(path=OUTPUT / f"phone-{re.sub(r'[^a-z]', '', place) or 'live'}.png", full_page=True)


def test_nothing_jumps_while_figures_change(page, desk):
    live(page)
    page.wait_for_selector("#candles canvas")
    page.wait_for_timeout(500)
    page.evaluate(
        "window.shift = 0; new PerformanceObserver(list => list.getEntries().forEach(e => { window.shift += e.value }))"
        ".observe({type: 'layout-shift'})"
    )
    for value in ("1.00", "-99999.99", "5555555.55"):
        desk.money(day=value, unrealised=value)
        page.wait_for_timeout(400)
    assert page.evaluate("window.shift") < 0.01
