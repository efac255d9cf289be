"""What a German reader gets of what comes as a value: the words of makes, refusals, reloads, connections."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from msgspec import to_builtins
from playwright.sync_api import Browser, Page

from orchestrator.devices.makes.library import load_profile
from orchestrator.reason import Reason, because
from orchestrator.reason.refusals import say_refusal
from tests.support.page.browser import reader, shot
from tests.support.page.plant import PagePlant, page_config
from tests.support.page.served import served

pytestmark = pytest.mark.long
SHOWN = because("says", register="application", reading="1")


def because_of(make: str) -> str:
    meter = load_profile(make).meter
    assert meter is not None
    return meter.needs[0].because


WORDS: dict[str, tuple[Reason, str]] = {
    "make": (
        because("setting_wrong", device="em24", shown=SHOWN, because=because_of("carlo-gavazzi-em24")),
        "Em24: application zeigt 1: nur in Anwendung H zeigt er Einspeisung als negative Leistung; "
        "sie im Menü des Zählers einstellen",
    ),
    "a make of one's own": (
        because("setting_wrong", device="own", shown=SHOWN, because="turn the switch"),
        "Own: application zeigt 1: turn the switch",
    ),
    "words of ours": (
        because("no_modbus", where="plc:502", words="other", words_why=because("other_function", answered=4, asked=3)),
        "Plc:502: Das ist kein Modbus TCP (Funktion 4 antwortet auf Funktion 3): Stimmt „port“?",
    ),
    "words of the system": (
        because("no_connection", where="plc:502", words="Broken pipe"),
        "Plc:502: keine Verbindung (Broken pipe)",
    ),
    "default": (because("export_limit", watts=5000.0, source="default of mqtt"), "Ersatzwert für MQTT"),
}


@pytest.fixture(scope="module")
def page(browser: Browser) -> Iterator[Page]:
    plant = PagePlant(page_config(name="Sonnenhof"))
    plant.step(30)
    for why, _ in WORDS.values():
        plant.tell("meter_trouble", "meter", "in English", because("meter_away", trouble=why))
    with served(plant) as server, reader(browser, server.url, language="de-DE") as opened:
        opened.wait_for_selector(".flow .value")
        yield opened


def asked_of(page: Page, function: str, argument: Any) -> str:
    code = """async ([name, argument]) =>
      (await import(new URL('page/code/reasons.js', document.baseURI)))[name](argument)"""
    said: str = page.evaluate(code, [function, argument])
    return said


@pytest.mark.parametrize("what", WORDS)
def test_a_reason_is_german_to_its_last_fact(page: Page, what: str) -> None:
    why, words = WORDS[what]

    assert words in asked_of(page, "sentenceOf", to_builtins(why))


def test_a_reading_that_is_not_believed_has_a_name(page: Page) -> None:
    assert asked_of(page, "faultOf", "implausible_ac_watts") == "AC-Leistung, die nicht stimmen kann"
    assert asked_of(page, "faultOf", "implausible_dc1_power").startswith("Register „dc1_power“")


def test_the_events_have_no_english_left(page: Page) -> None:
    page.goto(page.url.partition("#")[0] + "#/events")
    page.wait_for_selector(".event")
    shot(page, "events-german")

    assert page.locator("main [lang=en]").count() == 0
    assert "nur in Anwendung H" in page.locator("main").inner_text()


def test_a_refusal_is_said_in_german(page: Page) -> None:
    why = because("pause_lifts_limits", asked=(because("asked_by", field="import_limit_watts", source="fixed"),))
    code = """async ([words, why]) => {
      const { Refused } = await import(new URL('page/code/api.js', document.baseURI));
      const { refusalOf } = await import(new URL('page/code/reasons.js', document.baseURI));
      return [new Refused(409, words, { why }), new Refused(409, words), new TypeError(words)].map(refusalOf);
    }"""
    english = say_refusal(why)

    assert page.evaluate(code, [english, to_builtins(why)]) == [
        "eine Pause höbe auf, was nur gesteuerte Batterien einhalten: Bezugsgrenze (site.yaml)",
        english,
        "der Orchestrator antwortet nicht",
    ]
