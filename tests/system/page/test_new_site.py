"""From nothing to shadow mode in a browser: the set-up page against virtual devices of several makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.config.file import load_config
from orchestrator.config.sections import MeterConfig
from orchestrator.simulation.server import RunningSite
from tests.support.command_line import Running, orchestrator
from tests.support.page.browser import DESKTOP, PHONE, reader, scrolls_sideways, shot, violations
from tests.support.servers.networks import NETWORK, network_of_makes, writes_of
from tests.support.servers.required import PATIENCE_S, free_port, wait_until

pytestmark = pytest.mark.long
expect.set_options(timeout=PATIENCE_S * 1000)
MAKES = ("kostal-plenticore", "huawei-luna", "goodwe-et", "solis-hybrid")
REFUSED = "Failed to load resource"  # the browser notes each answer that refuses, and the end of the set-up
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/#token=[\w-]+")


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSite]:
    with network_of_makes(MAKES) as running:
        running.call(lambda virtual: virtual.set_load(3000.0))
        yield running
        assert set(writes_of(running).values()) == {0}


def options(site: RunningSite, folder: Path) -> tuple[str, ...]:
    assert isinstance(site.config.meter, MeterConfig)
    search = ("--ports", str(site.config.meter.port), "--units", "1,71,200,247", "--timeout", "3")
    return ("init", str(folder / "site.yaml"), "--page", "--listen", f"127.0.0.1:{free_port()}", *search)


def address(running: Running) -> str:
    wait_until(lambda: ADDRESS.search(running.err) is not None, "the address of the page")
    found = ADDRESS.search(running.err)
    assert found is not None
    return found[0]


def look_well(page: Page, name: str) -> None:
    """Nothing for axe to find, nothing beside the window, and a picture."""
    shot(page, name)
    assert violations(page) == []
    assert not scrolls_sideways(page)


def search(page: Page) -> None:
    page.locator("#target").fill("192.168.1.0/99")
    page.keyboard.press("Enter")
    expect(page.locator("#target")).to_have_attribute("aria-invalid", "true")
    page.locator("#target").fill(NETWORK)
    page.keyboard.press("Enter")
    expect(page.locator("progress")).to_be_visible()
    expect(page.locator(".found li")).to_have_count(5)
    expect(page.locator("progress")).to_be_hidden()


def forward(page: Page, label: str = "Next") -> None:
    page.get_by_role("button", name=label, exact=True).click()


def test_from_nothing_to_shadow_mode(browser: Browser, site: RunningSite, tmp_path: Path) -> None:
    with (
        orchestrator(tmp_path, *options(site, tmp_path)) as running,
        reader(browser, address(running), size=DESKTOP, expected=REFUSED) as page,
    ):
        search(page)
        assert "token" not in page.url
        look_well(page, "new-site-find-desktop")
        forward(page)

        page.locator("#inverter-0-name").fill("House")
        page.get_by_label("GoodWe").uncheck()
        forward(page)
        expect(page.locator("#inverter-0-name")).to_be_focused()
        expect(page.get_by_role("alert")).to_contain_text("This name cannot be used")
        page.locator("#inverter-0-name").fill("house")
        page.locator("#inverter-3-rating").fill("5")
        page.locator("#inverter-3-capacity").fill("10")
        look_well(page, "new-site-inverters-desktop")
        forward(page)

        expect(page.locator(".card.step")).to_contain_text(re.compile(r"It shows \+\d"))
        page.get_by_label("It draws from the grid").check()
        look_well(page, "new-site-meter-desktop")
        forward(page)

        page.get_by_label(re.compile("fed into the grid")).fill("3")
        look_well(page, "new-site-limits-desktop")
        forward(page)
        page.get_by_label("What is it called?").fill("Hof 7")
        page.get_by_label("Time zone").fill("Europe/Berlin")
        look_well(page, "new-site-site-desktop")
        forward(page)

        expect(page.locator("pre.text")).to_contain_text("export_limit_watts: 3000")
        look_well(page, "new-site-file-desktop")
        assert list(tmp_path.glob("site.yaml*")) == []
        page.get_by_role("button", name="Write the file").click()
        expect(page.locator(".answer", has_text="Written")).to_be_visible()
        look_well(page, "new-site-written-desktop")
        says_what_was_chosen(tmp_path / "site.yaml")

    with (
        orchestrator(tmp_path, *options(site, tmp_path)) as running,
        reader(browser, address(running), expected=REFUSED) as page,
    ):
        start_anew_over_the_old_one(page)
        expect(page.locator(".mode")).to_have_text("shadow mode")
        expect(page.locator(".inverters tbody tr")).to_have_count(4)
        shot(page, "new-site-runs-desktop")
        assert (tmp_path / "site.yaml.old").exists()


def start_anew_over_the_old_one(page: Page) -> None:
    """Everything as it is proposed; the old file is replaced only after a word."""
    search(page)
    for _ in range(5):
        forward(page)
    page.get_by_role("button", name="Write the file").click()
    expect(page.get_by_role("alert")).to_contain_text("exists")
    page.get_by_label(re.compile("Replace it")).check()
    page.get_by_role("button", name="Write the file").click()
    page.get_by_role("button", name="Start in shadow mode").click()


def says_what_was_chosen(file: Path) -> None:
    config = load_config(file)
    assert [each.name for each in config.inverters] == ["house", "huawei-sun2000-5ktl-m1", "solis-12549"]
    assert (config.site.name, config.site.timezone) == ("Hof 7", "Europe/Berlin")
    assert isinstance(config.meter, MeterConfig)
    assert (config.meter.unit_id, config.meter.sign) == (200, "import_positive")
    assert not config.control.enabled
    assert config.inverters[2].ac_max_watts == 5000
    assert config.inverters[2].battery.capacity_wh == 10000
    assert config.setpoints.fixed.asked() == {"export_limit_watts": 3000, "battery_soc_min_percent": 10}


def test_on_a_phone_in_the_dark_in_german_and_by_keyboard_alone(
    browser: Browser, site: RunningSite, tmp_path: Path
) -> None:
    with (
        orchestrator(tmp_path, *options(site, tmp_path)) as running,
        reader(browser, address(running), size=PHONE, dark=True, language="de-DE", expected=REFUSED) as page,
    ):
        search(page)
        for name in ("find", "inverters", "meter", "limits", "site", "file"):
            if name == "meter":
                expect(page.locator(".card.step")).to_contain_text("Er zeigt jetzt +")
            if name == "file":
                expect(page.locator("pre.text")).to_contain_text("export_limit_watts: 0")
            look_well(page, f"new-site-{name}-phone-dark-de")
            if name != "file":
                press(page, "Weiter")
        press(page, "Datei schreiben")
        expect(page.locator(".answer", has_text="Geschrieben")).to_be_visible()
        assert (tmp_path / "site.yaml").exists()


def press(page: Page, label: str) -> None:
    """Walk there with the tabulator, and press Enter."""
    button = page.get_by_role("button", name=label, exact=True)
    for _ in range(60):
        if button.evaluate("(node) => node === document.activeElement"):
            page.keyboard.press("Enter")
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"{label!r} cannot be reached by keyboard")


def test_where_nothing_is_found_the_page_says_what_to_look_at(browser: Browser, tmp_path: Path) -> None:
    place = ("--page", "--listen", f"127.0.0.1:{free_port()}")
    with (
        orchestrator(tmp_path, "init", str(tmp_path / "site.yaml"), *place) as running,
        reader(browser, f"{address(running).partition('#')[0]}", expected=REFUSED) as page,
    ):
        page.get_by_label("Token").fill("a-guess")
        page.keyboard.press("Enter")
        expect(page.get_by_role("alert")).to_contain_text("not the token")
        look_well(page, "new-site-token-desktop")
        page.get_by_label("Token").fill(address(running))
        page.keyboard.press("Enter")
        page.locator("#target").fill("127.0.0.1:1")
        page.keyboard.press("Enter")
        expect(page.get_by_text("Is Modbus TCP switched on")).to_be_visible()
        look_well(page, "new-site-nothing-desktop")
        expect(page.get_by_role("button", name="Next")).to_be_disabled()
