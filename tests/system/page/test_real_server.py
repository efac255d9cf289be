"""The page of `orchestrator run` in a browser: real devices on sockets, the real server with its guards."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, TimeoutError, expect

from orchestrator.config.file import load_config
from tests.support.command_line import example_site, orchestrator
from tests.support.page.browser import PHONE, reader, scrolls_sideways, shot, violations
from tests.support.servers.required import PATIENCE_S, wait_until

pytestmark = pytest.mark.long
expect.set_options(timeout=PATIENCE_S * 1000)
PASSWORD = "sunny-day-7"
LOST = "ERR_"  # what the browser itself says once the server is gone


def site_with_a_password(folder: Path) -> tuple[Path, str]:
    path = example_site(folder)
    path.write_text(path.read_text() + f"\npage: {{change_password: {PASSWORD}}}\n")
    metrics = load_config(path).metrics
    assert metrics is not None
    return path, f"http://127.0.0.1:{metrics.port}/"


def test_a_real_plant_is_shown_changed_by_hand_and_missed(browser: Browser, tmp_path: Path) -> None:
    path, url = site_with_a_password(tmp_path)
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: "the page is at" in running.err, "the page")
        with reader(browser, url, expected=LOST) as page:
            values_move(page)
            expect(page.locator(".inverters tbody tr")).to_have_count(3)
            expect(page.locator(".event", has_text="The plant runs normally")).to_have_count(1)
            set_an_export_limit(page, url)
            curves_grow(page, url)
            shot(page, "real-plant-desktop")
            assert violations(page) == []

            running.process.kill()
            expect(page.locator(".link")).to_have_text(re.compile("connection lost since"))


def values_move(page: Page) -> None:
    """What the page shows of a day of a minute and a half is never long the same."""
    value = page.locator(".flow .node.pv .value")
    expect(value).not_to_have_text("")
    first = value.text_content() or ""
    expect(value).not_to_have_text(first)


def set_an_export_limit(page: Page, url: str) -> None:
    page.goto(f"{url}#/change")
    page.locator("main").get_by_role("button", name="Sign in").first.click()
    page.fill("#secret", PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Export limit (kW)").fill("0.25")
    page.get_by_role("button", name="Set", exact=True).click()
    expect(page.locator(".answer").first).to_have_text("The setpoint holds.")
    expect(page.locator("main")).to_contain_text(re.compile(r"In force until .*: Export limit 0.25"))
    page.goto(f"{url}#/")
    expect(page.locator(".limits li", has_text="Export limit")).to_contain_text("set by hand")
    expect(page.locator(".event", has_text="A setpoint was set by hand")).to_contain_text("127.0.0.1")


def curves_grow(page: Page, url: str) -> None:
    def drawn() -> bool:
        """Each reload has a second to draw: the server refuses files to who asks for more than 100 a second."""
        page.reload()
        page.wait_for_selector(".flow .value")
        with contextlib.suppress(TimeoutError):
            page.locator(".plot canvas").first.wait_for(timeout=1000)
        return page.locator(".plot canvas").first.is_visible()

    wait_until(drawn, "the first curve", 4 * PATIENCE_S)


def test_where_reading_needs_a_token_the_page_asks_for_it(browser: Browser, tmp_path: Path) -> None:
    path, url = site_with_a_password(tmp_path)
    token = "a-token-that-reads"
    path.write_text(path.read_text().replace("metrics: {", f"metrics: {{token: {token}, "))
    with orchestrator(tmp_path, "run", str(path), "--demo") as running:
        wait_until(lambda: "the page is at" in running.err, "the page")
        with reader(browser, url, size=PHONE, expected="401") as page:
            expect(page.locator("#secret")).to_be_focused()
            page.fill("#secret", token)
            page.keyboard.press("Enter")
            expect(page.locator(".flow")).to_be_visible()
            expect(page.locator(".verdict")).to_contain_text("Yes")
            assert not scrolls_sideways(page)
            shot(page, "real-plant-phone")
