"""A headless Chromium, as a reader of the page has one: what it complains of is kept, and fails the test."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.servers.required import PATIENCE_S, require_server

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
"""It reaches no network but this machine's; as root it has no sandbox of its own."""
SCREENSHOTS = Path(__file__).parents[3] / "build/screenshots"
DESKTOP, PHONE = (1280, 900), (360, 740)


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """The browser of the system. Without one the test skips, or fails where it must be there."""
    path = require_server("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


@contextlib.contextmanager
def reader(
    browser: Browser,
    url: str,
    *,
    size: tuple[int, int] = DESKTOP,
    dark: bool = False,
    language: str = "en-GB",
    expected: str = "",
    clock: bool = False,
) -> Iterator[Page]:
    """A page of the browser that is open at `url`. What it complains of fails, but for what contains `expected`.

    `clock`: the test may move the time of the page (`page.clock`).
    """
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
        locale=language,
        reduced_motion="reduce",
        timezone_id="Europe/Berlin",
    )
    context.set_default_timeout(PATIENCE_S * 1000)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(url.partition("#")[0]) else complaints.append(f"asks {asked.url}"),
    )
    if clock:
        page.clock.install()
    try:
        page.goto(url)
        yield page
        assert [each for each in complaints if not expected or expected not in each] == []
    finally:
        context.close()


def shot(page: Page, name: str) -> None:
    """A picture of the whole page, for people to look at."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png", full_page=True)


def violations(page: Page) -> list[str]:
    """What axe-core finds against WCAG 2.1 AA: the rule, and the elements."""
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
    found: Any = Axe().run(page, options={"runOnly": tags}).response
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes'][:4]]}" for each in found["violations"]]


def scrolls_sideways(page: Page) -> bool:
    """Whether the page is wider than its window."""
    return bool(page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"))
