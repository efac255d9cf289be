"""The descriptions for Home Assistant: one topic for each entity, with what its energy dashboard asks for."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from orchestrator.telemetry.home_assistant.discovery import Described, descriptions

SITE = Described("homeassistant", "site/home", "Home", "0.1.0", ("east", "roof"), frozenset({"east"}))
NODE = "orchestrator_site_home"


def described(site: Described = SITE) -> dict[str, dict[str, Any]]:
    """The descriptions by component and object, such as `sensor/grid_power`."""
    found = {}
    for topic, payload in descriptions(site).items():
        match = re.fullmatch(r"homeassistant/(\w+)/[A-Za-z0-9_-]+/([A-Za-z0-9_-]+)/config", topic)
        assert match, topic
        found["/".join(match.groups())] = payload
    return found


def test_ids_and_topics_are_unique() -> None:
    ids = [payload["unique_id"] for payload in described().values()]

    assert len(set(ids)) == len(ids) == len(descriptions(SITE))


@pytest.mark.parametrize("name", ["grid_import", "grid_export", "pv_energy", "battery_charged", "battery_discharged"])
def test_energy_is_what_the_energy_dashboard_accepts(name: str) -> None:
    sensor = described()[f"sensor/{name}"]

    assert sensor["device_class"] == "energy"
    assert sensor["state_class"] == "total_increasing"
    assert sensor["unit_of_measurement"] == "Wh"


def test_an_entity_is_available_while_the_plant_is_online_and_its_inverter_answers() -> None:
    entities = described()

    assert entities["sensor/grid_power"]["availability"] == [{"topic": "site/home/status"}]
    topics = [each["topic"] for each in entities["sensor/inverter_east_ac_power"]["availability"]]
    assert topics == ["site/home/status", "site/home/inverters/east"]
    assert entities["sensor/inverter_east_pv_energy"]["availability"] == [{"topic": "site/home/status"}]


def test_batteries_are_described_where_there_are_any() -> None:
    entities = described()

    assert "sensor/inverter_east_battery_soc" in entities
    assert "sensor/inverter_roof_battery_soc" not in entities
    assert "number/battery_soc_min_percent" in entities
    without = described(replace(SITE, batteries=frozenset()))
    assert [name for name in without if "battery" in name] == []


def test_a_number_has_its_range_and_a_button_that_takes_it_away() -> None:
    entities = described()
    number, button = entities["number/export_limit_watts"], entities["button/export_limit_watts_clear"]

    assert (number["min"], number["max"], number["unit_of_measurement"]) == (0, 1_000_000_000, "W")
    assert number["command_topic"] == button["command_topic"] == "site/home/home_assistant/set/export_limit_watts"
    assert button["payload_press"] == "not set"


def test_choices_have_not_set_as_the_first_word() -> None:
    select = described()["select/battery_grid_charging_enabled"]

    assert select["options"] == ["not set", "allowed", "forbidden"]


def test_devices_are_the_site_and_its_inverters() -> None:
    entities = described()

    assert entities["sensor/grid_power"]["device"]["identifiers"] == [NODE]
    inverter = entities["sensor/inverter_east_ac_power"]["device"]
    assert (inverter["name"], inverter["via_device"]) == ("Home east", NODE)


def test_no_key_is_sent_that_some_version_warns_of() -> None:
    """`object_id` is deprecated since 2025.10, `default_entity_id` is not known before."""
    assert [name for name, entity in described().items() if {"object_id", "default_entity_id"} & entity.keys()] == []


def test_topics_that_look_alike_are_plants_of_their_own() -> None:
    nodes = {replace(SITE, topic=topic).node for topic in ("site/home", "site-home", "Site/Home", "söte/home")}

    assert len(nodes) == 4
    assert all(re.fullmatch(r"[a-z0-9_-]+", node) for node in nodes)
