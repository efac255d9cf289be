"""The page in every state that a plant may be in: no complaint of the browser, readable by all, and a picture of each.

The pictures are for people to look at: build/screenshots, kept by CI.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Browser, Page

from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.page.browser import DESKTOP, PHONE, reader, scrolls_sideways, shot, violations
from tests.support.page.plant import PagePlant, page_config
from tests.support.page.served import TOKEN, PageServer, served
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY

pytestmark = pytest.mark.long
NOON = 1160
"""Steps until a bright noon of the second day; what came before fills the curves."""


def running(steps: int = NOON, **settings: bool) -> PagePlant:
    plant = PagePlant(page_config(name="Sonnenhof", **settings))
    plant.step(steps)
    return plant


def one_away() -> PagePlant:
    def cut(plant: VirtualTime) -> None:
        plant.inverter_faults["west"] = InverterFault.OFFLINE

    plant = running()
    plant.turn(cut, 12)
    return plant


def failsafe() -> PagePlant:
    def cut(plant: VirtualTime) -> None:
        plant.meter_fault = MeterDefect.SILENT

    plant = running()
    plant.turn(cut, 15)
    return plant


def paused() -> PagePlant:
    plant = running()
    plant.now_is("paused", datetime.now(UTC) + timedelta(hours=2))
    return plant


def released() -> PagePlant:
    plant = running()
    plant.now_is("released")
    return plant


def limited() -> PagePlant:
    plant = running()
    plant.ask_by_hand({"export_limit_watts": 0.0}, datetime.now(UTC) + timedelta(minutes=45))
    plant.step(30)
    return plant


def fifty() -> PagePlant:
    kinds = [HYBRID, PV_ONLY, HYBRID, BATTERY_ONLY, PV_ONLY]

    def cut(plant: VirtualTime) -> None:
        plant.inverter_faults |= {"hall-07": InverterFault.OFFLINE, "hall-23": InverterFault.SILENT}

    plant = PagePlant(page_config({f"hall-{n:02}": kinds[n % 5] for n in range(1, 51)}, name="Solarpark Nord"))
    plant.step(60)
    plant.turn(cut, 12)
    return plant


STATES: dict[str, Callable[[], PagePlant]] = {
    "running": running,
    "night": lambda: running(700),
    "limited": limited,
    "inverter-away": one_away,
    "failsafe": failsafe,
    "shadow": lambda: running(shadow=True),
    "paused": paused,
    "released": released,
    "first-visit": lambda: running(0),
    "fifty": fifty,
}
LOOKS = {"desktop": (DESKTOP, False), "phone": (PHONE, False), "dark": (DESKTOP, True)}


@pytest.mark.parametrize("state", STATES)
def test_the_site_is_readable_in_each_state(browser: Browser, state: str) -> None:
    with served(STATES[state]()) as server:
        for look, (size, dark) in LOOKS.items():
            with reader(browser, server.url, size=size, dark=dark) as page:
                page.wait_for_selector(".setup li" if state == "first-visit" else ".plot canvas")
                judge(page, f"{state}-{look}", look)


@pytest.fixture(scope="module")
def server() -> Iterator[PageServer]:
    with served(one_away()) as running:
        yield running


@pytest.mark.parametrize("state", ["failsafe", "shadow", "first-visit", "inverter-away"])
def test_the_site_is_readable_in_german(browser: Browser, state: str) -> None:
    with served(STATES[state]()) as server, reader(browser, server.url, language="de-DE") as page:
        page.wait_for_selector(".setup li" if state == "first-visit" else ".plot canvas")
        judge(page, f"{state}-desktop-de", "desktop")
        assert page.locator("main [lang=en]:not(option)").count() == 0, "words that nobody has put into German"


@pytest.mark.parametrize("view", ["inverter/east", "inverter/west", "events", "ledger", "change", "change-signed-out"])
@pytest.mark.parametrize("language", ["en-GB", "de-DE"])
def test_every_view_is_readable(browser: Browser, server: PageServer, view: str, language: str) -> None:
    for look, (size, dark) in LOOKS.items():
        with reader(browser, server.url, size=size, dark=dark, language=language) as page:
            page.wait_for_selector(".flow .value")
            if view == "change":
                page.evaluate("token => sessionStorage.setItem('orchestrator.token', token)", TOKEN)
                page.reload()
            page.goto(f"{server.url}#/{view.removesuffix('-signed-out')}")
            page.wait_for_selector(".plot canvas" if view.startswith("inverter") else "main h2")
            judge(page, f"{view.replace('/', '-')}-{look}-{language[:2]}", look)
            assert language == "en-GB" or page.locator("main [lang=en]:not(option)").count() == 0


def judge(page: Page, name: str, look: str) -> None:
    """Keep a picture, and see that everybody can read it. On a phone it is the same page, only narrower."""
    shot(page, name)
    assert not scrolls_sideways(page), look
    if look != "phone":
        assert violations(page) == [], look
