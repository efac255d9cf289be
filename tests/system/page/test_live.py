"""The page lives: it follows the plant, says when it cannot, and leads to every inverter by mouse and by keyboard."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.page.browser import PHONE, reader, scrolls_sideways
from tests.support.page.plant import PagePlant, page_config
from tests.support.page.served import PageServer, served
from tests.support.plants.virtual_site import PV_ONLY
from tests.support.servers.required import PATIENCE_S, wait_until

pytestmark = pytest.mark.long
expect.set_options(timeout=PATIENCE_S * 1000)
LOST = "ERR_"  # what the browser itself says of a connection that is cut


def value(page: Page, node: str) -> float:
    """The number at a node of the picture, in kW."""
    return float(page.text_content(f".flow .node.{node} .value") or "nan")


def test_values_change_when_the_plant_changes(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url) as page:
        expect(page.locator(".flow .line.load")).to_have_attribute("data-flow", "out")

        server.plant.turn(lambda plant: plant.site.set_load(4321.0), 3)
        wait_until(lambda: 4.2 < value(page, "load") < 4.45, "the load on the page")

        server.plant.turn(lambda plant: [plant.site.set_pv_available(n, 0.0) for n in plant.site.inverters], 30)
        wait_until(lambda: value(page, "pv") < 0.05, "night on the page")
        expect(page.locator(".flow .line.battery")).to_have_attribute("data-flow", "in")
        expect(page.locator(".flow")).to_have_attribute("aria-label", re.compile("Batteries .* discharging"))


def test_what_happens_is_told_at_once_and_says_what_to_do(browser: Browser, server: PageServer) -> None:
    def cut(plant: VirtualTime) -> None:
        plant.inverter_faults["west"] = InverterFault.OFFLINE

    def mend(plant: VirtualTime) -> None:
        plant.inverter_faults.clear()

    with reader(browser, server.url) as page:
        expect(page.locator(".notice")).to_have_count(0)

        server.plant.turn(cut, 8)
        expect(page.locator('.notice[data-kind="away"]')).to_contain_text("west")
        event = page.locator(".event", has_text="An inverter does not answer").first
        expect(event).to_contain_text("What to do:")
        expect(page.locator("tr", has=page.locator("th", has_text="west"))).to_contain_text("does not answer")

        server.plant.turn(mend, 8)
        expect(page.locator(".notice")).to_have_count(0)
        expect(page.locator(".event").first).to_contain_text("answers again")
    with reader(browser, f"{server.url}#/events", language="de-DE") as page:
        expect(page.locator(".event").first).to_contain_text("Ein Wechselrichter antwortet wieder")
        expect(page.locator(".event .detail").first).to_have_text("Antwortet wieder")
        expect(page.locator(".event .detail").nth(1)).to_contain_text("die anderen übernehmen seinen Anteil")
        expect(page.locator('.event .detail[lang="en"]')).to_have_count(0)


def test_failsafe_cannot_be_missed(browser: Browser, server: PageServer) -> None:
    def silence(plant: VirtualTime) -> None:
        plant.meter_fault = MeterDefect.SILENT

    with reader(browser, server.url) as page:
        expect(page.locator(".mode")).to_have_text("running")

        server.plant.turn(silence, 12)

        expect(page.locator(".mode")).to_have_text("failsafe")
        expect(page.locator('.notice[data-kind="failsafe"]')).to_contain_text("check the meter")
        expect(page.locator(".flow .line.grid")).to_have_attribute("data-flow", "unknown")


def test_a_lost_connection_is_said_with_its_time_and_mends_by_itself(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url, expected=LOST) as page:
        expect(page.locator(".link")).to_have_text("live")

        server.cut()
        expect(page.locator(".link")).to_have_text(re.compile(r"connection lost since \d\d:\d\d:\d\d"))
        expect(page.locator('.notice[data-kind="lost"]')).to_contain_text("The plant goes on")
        expect(page.locator("body")).to_have_class("stale")

        server.mend()
        server.plant.turn(lambda plant: plant.site.set_load(2500.0), 3)
        expect(page.locator(".link")).to_have_text("live")
        wait_until(lambda: 2.4 < value(page, "load") < 2.6, "what changed meanwhile")


def test_a_plant_that_decides_nothing_any_more_is_not_taken_for_live(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url, clock=True) as page:
        expect(page.locator(".link")).to_have_text("live")
        page.clock.run_for(20_000)
        expect(page.locator('.notice[data-kind="stuck"]')).to_contain_text("No decision since")

        server.plant.step()
        expect(page.locator(".notice")).to_have_count(0)


def test_a_first_visit_fills_by_itself(browser: Browser) -> None:
    plant = PagePlant(page_config())
    with served(plant) as server, reader(browser, server.url) as page:
        expect(page.locator(".missing li")).to_have_count(4)
        expect(page.locator(".setup")).to_contain_text("Is Modbus TCP allowed")
        expect(page.locator(".flow")).to_be_hidden()

        plant.step(3)

        expect(page.locator(".flow")).to_be_visible()
        expect(page.locator(".setup")).to_be_hidden()


def test_an_inverter_is_one_click_away_and_has_an_address(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url) as page:
        page.get_by_role("link", name="east", exact=True).click()  # "east" alone is in "at least", too
        expect(page).to_have_url(f"{server.url}#/inverter/east")
        expect(page.locator("main h2").first).to_be_focused()
        expect(page.locator(".compared")).to_contain_text("AC at most")
        expect(page.locator(".reasons li").first).to_be_visible()

        page.evaluate("history.back()")  # `go_back` waits for a load, which a step within the page is not
        expect(page.locator(".flow")).to_be_visible()
        page.goto(f"{server.url}#/inverter/nobody")
        expect(page.locator("main")).to_contain_text("no inverter named nobody")


def test_everything_is_reached_by_keyboard(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url) as page:
        expect(page.locator(".inverters tbody tr")).to_have_count(3)
        page.keyboard.press("Tab")
        expect(page.locator(".skip")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page.locator("main")).to_be_focused()
        page.keyboard.press("Tab")
        expect(page.get_by_role("link", name="east")).to_be_focused()

        server.plant.step(3)
        expect(page.get_by_role("link", name="east")).to_be_focused()
        page.keyboard.press("Enter")
        expect(page).to_have_url(f"{server.url}#/inverter/east")


def test_the_language_is_that_of_the_reader_and_can_be_chosen(browser: Browser, server: PageServer) -> None:
    with reader(browser, server.url, language="de-AT") as page:
        expect(page.locator("html")).to_have_attribute("lang", "de")
        expect(page.locator(".mode")).to_have_text("läuft")
        expect(page.locator(".reasons li").first).to_have_text(re.compile("Laden|Entladen|Ruhen"))

        page.select_option(".language", "en")
        expect(page.locator(".mode")).to_have_text("running")
        page.reload()
        expect(page.locator("html")).to_have_attribute("lang", "en")


def test_site_yaml_may_name_the_language_and_the_reader_has_the_last_word(browser: Browser, server: PageServer) -> None:
    server.plant.language = "de"
    with reader(browser, server.url) as page:
        expect(page.locator(".mode")).to_have_text("läuft")
        page.select_option(".language", "en")
        page.reload()
        expect(page.locator(".mode")).to_have_text("running")


def test_a_hostile_name_is_shown_and_not_run(browser: Browser) -> None:
    """Names of site.yaml are harmless by rule; the page does not rely on it, nor on what a device says of itself."""
    hostile = "<img src=x onerror=alert(1)>"
    plant = PagePlant(page_config({"roof": PV_ONLY}, name=hostile))
    plant.step(5)
    state = plant.state

    def poisoned(**known: bool) -> dict[str, object]:
        told = state(**known)
        roof = {**told["inverters"]["roof"], "manufacturer": hostile, "faults": [hostile]}
        told["inverters"] = {hostile: roof, "__proto__": roof, "../../x?#": roof}
        told["events"] = [{"time": told["time"], "event": hostile, "subject": hostile, "detail": hostile}]
        return told

    plant.state = poisoned  # type: ignore[assignment, method-assign]
    with served(plant) as server, reader(browser, server.url, size=PHONE) as page:
        expect(page.locator("h1")).to_have_text(hostile)
        expect(page.locator(".event").first).to_contain_text(hostile)
        page.get_by_role("link", name=hostile).nth(1).click()
        expect(page.locator(".facts")).to_contain_text(hostile)
        assert page.locator("img").count() == 0
        assert not scrolls_sideways(page)


def test_curves_go_a_day_and_a_month_back_and_can_be_read_as_a_table(browser: Browser, server: PageServer) -> None:
    server.plant.step(400)
    with reader(browser, server.url) as page:
        expect(page.locator(".plot canvas").first).to_be_visible()
        for name in ("Day", "Month"):
            with page.expect_response(re.compile("history.hours=(24|744)")):
                page.get_by_role("button", name=name, exact=True).click()
            expect(page.get_by_role("button", name=name, exact=True)).to_have_attribute("aria-pressed", "true")
        page.click("summary")
        expect(page.locator(".curves tbody tr").nth(19)).to_be_visible()
        page.get_by_role("button", name=re.compile("^Sun")).click()
        expect(page.get_by_role("button", name=re.compile("^Sun"))).to_have_attribute("aria-pressed", "false")


def test_many_inverters_are_tiles_that_can_be_looked_for(browser: Browser) -> None:
    plant = PagePlant(page_config({f"hall-{n:02}": PV_ONLY for n in range(1, 21)}))
    plant.step(5)
    with served(plant) as server, reader(browser, server.url) as page:
        expect(page.locator(".tile")).to_have_count(20)
        page.fill('input[type="search"]', "hall-1")
        expect(page.locator(".tile")).to_have_count(10)
        page.get_by_role("button", name="Table").click()
        expect(page.locator(".inverters tbody tr")).to_have_count(10)
