"""What people change over the page: signed in, with an end, and said in plain words when it is refused."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.support.page.browser import reader, shot, violations
from tests.support.page.plant import PagePlant, page_config
from tests.support.page.served import PASSWORD, PageServer, served
from tests.support.servers.required import PATIENCE_S

pytestmark = pytest.mark.long
expect.set_options(timeout=PATIENCE_S * 1000)
REFUSED = "401"  # the browser notes each answer that refuses


def sign_in(page: Page, secret: str = PASSWORD) -> None:
    page.locator("main").get_by_role("button", name="Sign in").first.click()
    page.fill("#secret", secret)
    page.keyboard.press("Enter")


def test_without_a_password_the_page_says_how_to_allow_changes(browser: Browser) -> None:
    plant = PagePlant(page_config(), may_change=False)
    plant.step(5)
    with served(plant) as server, reader(browser, f"{server.url}#/change") as page:
        expect(page.locator("pre")).to_contain_text("change_password_file")
        expect(page.get_by_role("button", name="Sign in")).to_be_hidden()
        expect(page.get_by_role("button", name="Set", exact=True)).to_be_hidden()


def test_a_wrong_password_is_refused_and_the_right_one_opens(browser: Browser, server: PageServer) -> None:
    with reader(browser, f"{server.url}#/change", expected=REFUSED) as page:
        sign_in(page, "wrong")
        expect(page.locator("dialog .answer")).to_contain_text("Not accepted")
        shot(page, "sign-in-desktop")
        assert violations(page) == []

        page.fill("#secret", PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_role("button", name="Set", exact=True)).to_be_visible()
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_role("button", name="Set", exact=True)).to_be_hidden()


def test_a_setpoint_by_hand_has_an_end_and_can_be_withdrawn(browser: Browser, server: PageServer) -> None:
    with reader(browser, f"{server.url}#/change") as page:
        sign_in(page)
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.locator(".setpoint .answer")).to_have_text("Fill in at least one field.")

        page.get_by_label("Export limit (kW)").fill("1.5")
        page.locator("#setpoint-length").select_option("four")
        page.get_by_role("button", name="Set", exact=True).click()
        expect(page.locator(".answer").first).to_have_text("The setpoint holds.")
        expect(page.locator("main")).to_contain_text(re.compile(r"In force until .*: Export limit 1.50"))
        assert server.plant.history[-1].envelope.fields.export_limit_watts == 1500.0

        page.goto(f"{server.url}#/")
        expect(page.locator(".limits li", has_text="Export limit")).to_contain_text(re.compile("set by hand.*4 h left"))
        page.goto(f"{server.url}#/change")
        page.get_by_role("button", name="Withdraw it").click()
        expect(page.locator(".answer").first).to_have_text("Withdrawn.")
        assert server.plant.history[-1].envelope.fields.export_limit_watts == 5000.0


def test_a_pause_and_a_release_are_seen_everywhere_and_end(browser: Browser, server: PageServer) -> None:
    with reader(browser, f"{server.url}#/change") as page:
        sign_in(page)
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.locator(".mode")).to_have_text("paused")
        expect(page.locator('.notice[data-kind="paused"]')).to_be_visible()
        page.get_by_role("button", name="End the pause").click()
        expect(page.locator(".mode")).to_have_text("running")

        page.get_by_role("button", name="Release all devices").click()
        page.get_by_role("dialog").get_by_role("button", name="Cancel").click()
        page.get_by_role("button", name="Release all devices").click()
        page.get_by_role("dialog").get_by_role("button", name="Release all devices").click()
        expect(page.locator('.notice[data-kind="released"]')).to_contain_text("not controlled")
        page.get_by_role("button", name="Resume control").click()
        expect(page.locator(".notice")).to_have_count(0)

        page.get_by_role("button", name="Reload").click()
        expect(page.locator(".answer").first).to_contain_text("control.interval_s: 1 -> 2")
        done = [(method, what) for method, what, _ in server.plant.asked]
        assert done == [
            ("POST", "pause"),
            ("DELETE", "pause"),
            ("POST", "release"),
            ("POST", "resume"),
            ("POST", "reload"),
        ]


def test_a_token_that_is_no_longer_good_asks_again(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url, expected=REFUSED) as page:
        page.evaluate("sessionStorage.setItem('orchestrator.token', 'of yesterday')")
        page.goto(f"{server.url}#/change")
        page.reload()
        page.get_by_role("button", name="Pause", exact=True).click()
        expect(page.locator("#secret")).to_be_focused()
        expect(page.locator(".answer").first).to_contain_text("Refused")
        assert server.plant.asked == []
