"""docs/planners.md: what it tells planners to send is taken, and does what the page says."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from jinja2 import Environment

from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.power_flow import calculate_battery_power_flow
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Language
from orchestrator.setpoints.payload import parse_setpoint
from orchestrator.telemetry.records import InverterRecord, SiteRecord

TEXT = (Path(__file__).parents[2] / "docs/planners.md").read_text()
BASE = "site: {name: home}\nmeter: {host: 192.168.1.20}\ninverters:\n  - {name: east, host: 192.168.1.21}\n"
NOON = datetime(2030, 6, 1, 10, 0, tzinfo=UTC)
ASKS_NOTHING = SetpointFields()
PAYLOADS = {"site": SiteRecord, "inverters/east": InverterRecord}


def section(heading: str) -> str:
    return TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]


def blocks(kind: str, heading: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", section(heading), re.DOTALL)


def site(heading: str) -> SiteConfig:
    """The example site with the part of site.yaml that this section shows."""
    (part,) = (text for text in blocks("yaml", heading) if text.startswith("setpoints:"))
    return parse_config(BASE + part, environ={})


def fields_of(message: str) -> SetpointFields:
    return parse_setpoint(message.encode(), source="plan", received_at_s=0.0, wall_now=NOON, validity_s=None).fields


def other_yaml(heading: str) -> Any:
    """What the other program is told, and nothing of site.yaml."""
    (text,) = (text for text in blocks("yaml", heading) if not text.startswith("setpoints:"))
    return yaml.safe_load(text)


def test_each_planner_has_a_source_whose_wishes_end() -> None:
    (emhass,), (evcc,), (s2,) = (site(name).setpoints.mqtt for name in ("EMHASS", "evcc", "S2, or a script"))

    assert (emhass.name, emhass.validity_s) == ("emhass", 900.0)
    assert (evcc.name, evcc.validity_s, evcc.default) == ("evcc", 120.0, ASKS_NOTHING)
    assert (s2.name, s2.default.export_limit_watts) == ("s2", 5000.0)


@pytest.mark.parametrize(
    ("battery_watts", "grid_watts", "number"),
    [(-3000.0, 3500.0, 0), (4000.0, -2500.0, 1), (800.0, 0.0, 2), (0.0, -1000.0, 3), (-2000.0, 0.0, 3)],
)
def test_the_automation_makes_the_messages_of_the_page(battery_watts: float, grid_watts: float, number: int) -> None:
    action = other_yaml("EMHASS")["actions"][0]
    sensors = {"sensor.p_batt_forecast": str(battery_watts), "sensor.p_grid_forecast": str(grid_watts)}
    message = Environment(autoescape=False).from_string(action["data"]["payload"]).render(states=sensors.__getitem__)

    assert json.loads(message) == json.loads(blocks("json", "EMHASS")[number])
    assert fields_of(message) == fields_of(blocks("json", "EMHASS")[number])
    assert action["data"]["topic"] == site("EMHASS").setpoints.mqtt[0].topic


@pytest.mark.parametrize(
    ("number", "load_watts", "battery_watts"),
    [(0, 500.0, 3000.0), (1, 1500.0, -4000.0), (2, 2000.0, -800.0), (3, 700.0, 0.0)],
)
def test_the_messages_of_emhass_do_what_the_page_says(number: int, load_watts: float, battery_watts: float) -> None:
    asked = fields_of(blocks("json", "EMHASS")[number])
    flow = calculate_battery_power_flow(
        solar_watts=0.0,
        site_watts=load_watts,
        battery_soc_percent=50.0,
        battery_target_soc_percent=None,
        battery_soc_min_percent=None,
        battery_soc_max_percent=None,
        battery_charge_max_watts=5000.0,
        battery_discharge_max_watts=min(
            5000.0, 5000.0 if asked.battery_discharge_max_watts is None else asked.battery_discharge_max_watts
        ),
        export_limit_watts=None,
        battery_grid_charging_enabled=asked.battery_grid_charging_enabled,
        battery_grid_charging_max_watts=asked.battery_grid_charging_max_watts,
        battery_export_target_watts=asked.battery_export_target_watts,
    )

    assert flow.target_battery_power_watts == pytest.approx(battery_watts)


def test_the_numbers_of_evcc_are_words_that_are_known() -> None:
    (source,) = site("evcc").setpoints.mqtt
    language = source.language
    asked = {word: said_by(language, word) for word in ("1", "2", "3")}

    assert asked == {
        "1": ASKS_NOTHING,
        "2": SetpointFields(battery_discharge_max_watts=0.0),
        "3": SetpointFields(battery_grid_charging_enabled=True, battery_grid_charging_max_watts=4000.0),
    }


def said_by(language: Language, word: str) -> SetpointFields:
    return language.read(word.encode(), source="evcc", received_at_s=0.0, wall_now=NOON, validity_s=None).fields


def test_what_evcc_reads_is_published_and_where_it_writes_is_heard() -> None:
    config, evcc = site("evcc"), other_yaml("evcc")
    assert config.publish.mqtt is not None
    read = [source for meter in evcc["meters"] for source in _sources(meter) if "jq" in source]
    (battery,) = (meter for meter in evcc["meters"] if meter["name"] == "battery")

    assert len(read) == 4
    for source in read:
        record = PAYLOADS[source["topic"].removeprefix(f"{config.publish.mqtt.topic}/")]
        assert source["jq"].removeprefix(".") in record.__struct_fields__
    assert battery["power"]["scale"] == -1
    assert battery["batterymode"]["set"]["topic"] == config.setpoints.mqtt[0].topic
    assert {
        name for names in evcc["site"]["meters"].values() for name in ([names] if isinstance(names, str) else names)
    } == {meter["name"] for meter in evcc["meters"]}


def _sources(meter: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield from (value for value in meter.values() if isinstance(value, dict))


def test_the_script_makes_the_setpoints_of_the_page() -> None:
    (script,) = blocks("python", "S2, or a script")
    instruction, *messages = blocks("json", "S2, or a script")
    names: dict[str, Any] = {"__name__": "a page"}
    exec(compile(script, "docs/planners.md", "exec"), names)
    made = list(names["setpoints"](json.loads(instruction)))

    assert [start.isoformat() for start, _ in made] == ["2030-06-01T12:00:00+02:00", "2030-06-01T12:15:00+02:00"]
    assert [setpoint for _, setpoint in made] == [json.loads(message) for message in messages]
    assert [fields_of(json.dumps(setpoint)).export_limit_watts for _, setpoint in made] == [2000.0, 0.0]


def test_a_band_that_cannot_be_promised_is_refused_by_the_script() -> None:
    (script,) = blocks("python", "S2, or a script")
    instruction = json.loads(blocks("json", "S2, or a script")[0])
    instruction["power_envelopes"][0]["power_envelope_elements"][0]["lower_limit"] = 500
    names: dict[str, Any] = {"__name__": "a page"}
    exec(compile(script, "docs/planners.md", "exec"), names)

    with pytest.raises(ValueError, match="cannot be promised"):
        list(names["setpoints"](instruction))
