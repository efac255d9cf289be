"""A site as one: what it says of itself reads like an inverter, and what it can do counts its own limits alone."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.config.audience import PORTFOLIO
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.devices.mqtt.messages import read_inverter
from orchestrator.portfolio.aggregate import aggregate_payload
from orchestrator.samples import BatterySample, InverterSample, Nameplate
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival
from orchestrator.setpoints.merge import Setpoint, merge
from tests.support.records.cycles import cycle_result, site_config

TIME = "2026-06-01T12:00:00.000Z"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def config(*, grid_charging: bool = False) -> SiteConfig:
    portfolio = {"grid_charging": grid_charging}
    return site_config(
        control={"battery_power_flow": True},
        publish={"mqtt": {"host": "127.0.0.1", "topic": "sites/home", "portfolio": portfolio}},
    )


def hybrid(name: str, soc: float, capacity_wh: float, **values: Any) -> InverterSample:
    battery = BatterySample(500.0, soc, 3000.0, 4000.0, capacity_wh)
    given: dict[str, Any] = {"ac_watts": 1000.0, "pv_watts": 1500.0, "battery": battery, "battery_controllable": True}
    return InverterSample(name, 100.0, nameplate=Nameplate(ac_max_watts=5000.0), **(given | values))


EAST, WEST = hybrid("east", 40.0, 10000.0), hybrid("west", 70.0, 20000.0)


def payload(result: CycleResult | None = None, *, grid_charging: bool = False, **asked: Any) -> dict[str, Any]:
    made = result or cycle_result(-3000.0, limits=SetpointFields(**asked), inverters=(EAST, WEST))
    site = config(grid_charging=grid_charging)
    assert site.publish.portfolio is not None
    return aggregate_payload(site, site.publish.portfolio, made, TIME) or {}


def test_it_is_read_as_the_state_of_an_inverter() -> None:
    said = payload(generation_limit_watts=8000.0)
    sample = read_inverter(Arrival(json.dumps(said).encode(), False, 50.0, NOON), "north")

    assert (sample.ac_watts, sample.pv_watts, sample.ac_limit_watts) == (2000, 3000, 8000)
    assert sample.nameplate.ac_max_watts == 10000
    assert sample.battery_controllable
    assert sample.battery is not None
    assert (sample.battery.watts, sample.battery.soc_percent, sample.battery.capacity_wh) == (1000, 60, 30000)
    assert said["site_watts"] == -3000
    assert said["mode"] == "normal"


@pytest.mark.parametrize(
    ("asked", "grid_charging", "charge", "discharge"),
    [
        ({}, True, 6000, 8000),
        ({}, False, 4000, 8000),  # the surplus: 3000 W exported and 1000 W charged
        ({"battery_charge_max_watts": 2500.0}, True, 2500, 8000),
        ({"battery_soc_max_percent": 60.0}, True, 3000, 8000),
        ({"battery_soc_min_percent": 60.0}, True, 6000, 4000),
        ({"import_limit_watts": 1500.0}, True, 5500, 8000),
        ({"export_limit_watts": 5000.0}, True, 6000, 1000),
        ({"export_limit_watts": 0.0}, True, 6000, 0),
        ({"battery_storage_mode": 0}, True, 0, 0),
        ({"energize": False}, True, 0, 0),
        ({"battery_grid_charging_enabled": False}, True, 4000, 8000),
    ],
)
def test_what_it_can_do_now_counts_its_own_limits(
    asked: dict[str, Any], grid_charging: bool, charge: float, discharge: float
) -> None:
    battery = payload(grid_charging=grid_charging, **asked)["battery"]

    assert (battery["charge_max_watts"], battery["discharge_max_watts"]) == (charge, discharge)


def test_pv_that_a_limit_hides_may_charge() -> None:
    held = replace(EAST, ac_limit_watts=1000.0)
    battery = payload(cycle_result(0.0, limits=SetpointFields(), inverters=(held, WEST)))["battery"]

    assert battery["charge_max_watts"] == 6000


def test_what_the_portfolio_itself_asks_for_is_not_taken_for_what_the_site_can_do() -> None:
    hold = SetpointFields(battery_charge_max_watts=0.0, battery_discharge_max_watts=0.0)
    result = replace(cycle_result(-3000.0, inverters=(EAST, WEST)), envelope=merge((Setpoint(PORTFOLIO, hold),)))
    battery = payload(result, grid_charging=True)["battery"]

    assert (battery["charge_max_watts"], battery["discharge_max_watts"]) == (6000, 8000)


def test_a_site_without_a_meter_says_so_and_offers_nothing() -> None:
    said = payload(replace(cycle_result(None, limits=SetpointFields(), inverters=(EAST, WEST)), mode="failsafe"))

    assert (said["site_watts"], said["mode"]) == (None, "failsafe")
    assert (said["battery"]["charge_max_watts"], said["battery"]["discharge_max_watts"]) == (0, 0)


def test_a_site_that_waits_for_its_devices_says_nothing() -> None:
    assert payload(replace(cycle_result(), mode="waiting")) == {}
