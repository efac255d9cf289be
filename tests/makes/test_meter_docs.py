"""docs/meters.md: every meter of the profiles, examples that are right, and what `check` says of a slow meter."""

from __future__ import annotations

import re

import pytest

from orchestrator.config.file import parse_config
from orchestrator.config.warnings import warnings
from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.mqtt.messages import MeterState
from tools.makes.meters import PAGE, renewed
from tools.makes.page import UNTRIED

TEXT = PAGE.read_text()
BEHIND = tuple(name for name in profile_names() if load_profile(name).meter is not None)


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", TEXT, re.DOTALL)


def test_what_is_made_from_the_profiles_is_up_to_date() -> None:
    assert renewed(TEXT) == TEXT, "run `python -m tools.makes`"


@pytest.mark.parametrize("name", [*meter_profile_names(), *BEHIND])
def test_every_meter_has_a_row(name: str) -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith(f"| [`{name}`]"))

    assert load_profile(name).make in row
    assert (UNTRIED in row) != load_profile(name).tried_on_hardware


@pytest.mark.parametrize("name", meter_profile_names())
def test_every_make_of_meters_has_a_section_with_its_notes_and_sources(name: str) -> None:
    section = TEXT.partition(f"\n### `{name}`\n")[2].partition("\n### ")[0]

    for document in load_profile(name).documents:
        assert f"- {document.title}: {document.covers}\n" in section
    for note in load_profile(name).notes:
        assert f"- {note}\n" in section


def test_every_make_of_meters_was_looked_up_twice() -> None:
    twice = TEXT.partition("\n## What was looked up twice\n")[2].partition("\n## ")[0]

    assert re.findall(r"^\| `([\w-]+)` \|", twice, re.MULTILINE) == list(meter_profile_names())


@pytest.mark.parametrize("text", blocks("yaml"))
def test_every_example_of_a_site_is_fine(text: str) -> None:
    assert parse_config(text, environ={}).meter.driver in (*meter_profile_names(), *BEHIND, "mqtt")


@pytest.mark.parametrize("text", blocks("json"))
def test_every_example_of_a_message_is_taken(text: str) -> None:
    assert MeterState.model_validate_json(text).site_watts


def test_what_check_says_of_a_slow_meter_is_what_the_page_says() -> None:
    slow = next(text for text in blocks("yaml") if "meter: {driver: huawei-luna" in text)
    said = next(text for text in warnings(parse_config(slow, environ={})) if "interval_s" in text)

    assert f"    {said}\n" in TEXT
