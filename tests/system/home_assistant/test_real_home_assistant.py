"""The plant in a real Home Assistant: it appears by itself, shows what is, takes what is entered, and goes again."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orchestrator.config.sections import SiteConfig
from tests.support.plants.running_plant import RunningPlant, below, running_plant
from tests.support.servers.required import wait_until
from tests.system.home_assistant.server import HomeAssistant, home_assistant, require_home_assistant

pytestmark = pytest.mark.long

SUN = {"east": 3000.0, "west": 2000.0, "roof": 5000.0}
ENERGY_PREFERENCES: dict[str, Any] = {
    "energy_sources": [
        {
            "type": "grid",
            "flow_from": [
                {
                    "stat_energy_from": "sensor.test_grid_import",
                    "stat_cost": None,
                    "entity_energy_price": None,
                    "number_energy_price": None,
                }
            ],
            "flow_to": [
                {
                    "stat_energy_to": "sensor.test_grid_export",
                    "stat_compensation": None,
                    "entity_energy_price": None,
                    "number_energy_price": None,
                }
            ],
            "cost_adjustment_day": 0,
        },
        {"type": "solar", "stat_energy_from": "sensor.test_pv_energy", "config_entry_solar_forecast": None},
        {
            "type": "battery",
            "stat_energy_from": "sensor.test_battery_discharged",
            "stat_energy_to": "sensor.test_battery_charged",
        },
    ]
}


def served(config: SiteConfig) -> SiteConfig:
    """The same site, told to Home Assistant."""
    sections = config.model_dump()
    sections["publish"]["mqtt"]["home_assistant"] = {}
    return SiteConfig.model_validate(sections)


class Home:
    """The plant, and the Home Assistant that shows it."""

    def __init__(self, plant: RunningPlant, server: HomeAssistant) -> None:
        self.plant = plant
        self.server = server
        self.config = served(plant.config)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """The module has one, and its tests go on from each other: it is costly to start."""
    require_home_assistant()
    folder = tmp_path_factory.mktemp("home-assistant")
    with (
        running_plant(folder, prepare=lambda eyes: eyes.set(pv_watts=SUN, load_watts=1000.0)) as plant,
        home_assistant(folder / "home", plant.broker) as server,
    ):
        home = Home(plant, server)
        plant.system.reload(home.config)
        wait_until(lambda: server.number("sensor.test_grid_power") is not None, "the first value")
        yield home


def test_the_energy_dashboard_accepts_grid_solar_and_battery(home: Home) -> None:
    energies = ("grid_import", "grid_export", "pv_energy", "battery_charged", "battery_discharged")
    for name in energies:
        wait_until(lambda name=name: home.server.number(f"sensor.test_{name}") is not None, f"{name} in Wh")
        attributes = home.server.states()[f"sensor.test_{name}"]["attributes"]
        assert (attributes["unit_of_measurement"], attributes["device_class"]) == ("Wh", "energy")
        assert attributes["state_class"] == "total_increasing"

    home.server.ask(type="energy/save_prefs", **ENERGY_PREFERENCES)
    for name in energies:
        home.server.add_an_hour(f"sensor.test_{name}")
    wait_until(lambda: issues(home.server) == [], "an energy dashboard without a complaint")


def issues(server: HomeAssistant) -> list[str]:
    """What its energy dashboard finds wrong."""
    verdict = server.ask(type="energy/validate")
    return [issue["type"] for source in verdict["energy_sources"] for issue in source]


def test_every_entity_has_a_value_or_is_plainly_not_set(home: Home) -> None:
    home.plant.next_results(2)
    wait_until(lambda: home.server.number("sensor.test_east_battery_soc") is not None, "the SoC of east")
    ours = {name: state for name, state in home.server.states().items() if ".test_" in name}
    unknown = {name for name, state in ours.items() if state["state"] in ("unknown", "unavailable")}

    numbers_and_buttons = {name for name in ours if name.startswith(("number.", "button."))}
    may_be_empty = ("_limit", "_limit_asked_for", "_in_force", "_power_asked_for")
    assert {name for name in unknown - numbers_and_buttons if not name.endswith(may_be_empty)} == set()
    assert ours["sensor.test_grid_power"]["attributes"]["unit_of_measurement"] == "W"
    assert ours["sensor.test_mode"]["state"] == "normal"
    assert ours["select.test_priority"]["state"] == "not set"
    assert ours["switch.test_standstill"]["state"] == "off"
    assert not [name for name in ours if name.startswith("sensor.test_roof_battery")], "it has no battery"
    for name, state in sorted(ours.items()):
        print(f"{name:55} {state['state']:>12} {state['attributes'].get('unit_of_measurement', '')}")


def test_a_number_that_is_entered_there_changes_the_plant_until_it_is_cleared(home: Home) -> None:
    home.plant.set(load_watts=0.0, soc_percent={"east": 100.0, "west": 100.0})
    wait_until(lambda: home.plant.look()["export"] > 4000, "much export")

    home.server.call("number/set_value", "number.test_export_limit", value=1500)

    wait_until(lambda: home.plant.look()["export"] < 1600, "the export limit that was entered")
    home.plant.see({"export": below(1600)})
    wait_until(lambda: home.server.number("number.test_export_limit") == 1500, "the number as it holds")
    wait_until(lambda: home.server.number("sensor.test_export_limit_in_force") == 1500, "the limit in force")
    assert home.plant.results[-1].envelope.source("export_limit_watts") == "home_assistant"

    home.server.call("button/press", "button.test_export_limit_clear")

    wait_until(lambda: home.server.state("number.test_export_limit") == "unknown", "a number that is not set")
    wait_until(lambda: home.plant.look()["export"] > 4000, "much export again")


def test_words_are_entered_by_select_and_switch(home: Home) -> None:
    home.server.call("select/select_option", "select.test_priority", option="export first")
    wait_until(lambda: home.plant.results[-1].envelope.fields.battery_priority_mode == "export_first", "the priority")
    wait_until(lambda: home.server.state("select.test_priority") == "export first", "the priority as it holds")

    home.server.call("switch/turn_on", "switch.test_standstill")
    wait_until(lambda: home.plant.look()["generation"] < 50, "a plant that stands still")
    wait_until(lambda: home.server.state("switch.test_standstill") == "on", "the switch as it is")

    home.server.call("switch/turn_off", "switch.test_standstill")
    home.server.call("select/select_option", "select.test_priority", option="not set")
    wait_until(lambda: home.plant.look()["generation"] > 1000, "a plant that runs again")
    wait_until(lambda: home.server.state("select.test_priority") == "not set", "a priority that is not set")


def test_an_inverter_that_leaves_site_yaml_disappears_and_comes_again(home: Home) -> None:
    without = tuple(each for each in home.config.inverters if each.name != "west")
    assert "sensor.test_west_ac_power" in home.server.states()

    home.plant.system.reload(home.config.model_copy(update={"inverters": without}))
    wait_until(lambda: not [name for name in home.server.states() if "test_west" in name], "no entity of west")
    assert "sensor.test_east_ac_power" in home.server.states()

    home.plant.system.reload(home.config)
    wait_until(lambda: home.server.number("sensor.test_west_battery_soc") is not None, "west again")


def test_all_of_it_is_there_again_after_a_restart_of_home_assistant(home: Home) -> None:
    home.server.call("number/set_value", "number.test_import_limit", value=9000)
    wait_until(lambda: home.server.number("number.test_import_limit") == 9000, "the number as it holds")

    home.server.stop()
    home.server.start()

    wait_until(lambda: home.server.number("sensor.test_west_battery_soc") is not None, "the SoC of west")
    wait_until(lambda: home.server.number("sensor.test_pv_energy") is not None, "energy")
    wait_until(lambda: home.server.number("number.test_import_limit") == 9000, "what was entered before")


def test_nothing_of_ours_is_complained_about(home: Home) -> None:
    """Last but one: it sees all that the others did."""
    complaints = [line for line in home.server.troubles() if "mqtt" in line.lower() or "test_" in line]

    assert complaints == []


def test_all_of_it_is_unavailable_once_the_plant_has_stopped(home: Home) -> None:
    home.plant.stop()

    wait_until(lambda: home.server.state("sensor.test_grid_power") == "unavailable", "a plant that is away")
    assert home.server.state("number.test_export_limit") == "unavailable"
