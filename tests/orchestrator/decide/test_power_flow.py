"""The eight rules of the site-level decision, each with its numbers, then its laws."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide.power_flow import BatteryPowerFlow, calculate_battery_power_flow


def flow(**changed: Any) -> BatteryPowerFlow:
    """A 5 kW battery at 50 %, target 80 %, 20 % to 100 %, export limit 5 kW, unless said otherwise."""
    arguments: dict[str, Any] = {
        "solar_watts": 0.0,
        "site_watts": 0.0,
        "battery_soc_percent": 50.0,
        "battery_target_soc_percent": 80.0,
        "battery_soc_min_percent": 20.0,
        "battery_soc_max_percent": 100.0,
        "battery_charge_max_watts": 5000.0,
        "battery_discharge_max_watts": 5000.0,
        "export_limit_watts": 5000.0,
    }
    return calculate_battery_power_flow(**{**arguments, **changed})


def numbers(result: BatteryPowerFlow) -> tuple[float, float, str]:
    return result.target_battery_power_watts, result.target_export_watts, result.battery_mode


def test_battery_first_charges_and_exports_the_rest() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-8000)) == (5000, 3000, "charge")


def test_export_first_exports_and_charges_the_rest() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-8000, battery_priority_mode="export_first")) == (
        3000,
        5000,
        "charge",
    )


def test_present_charging_counts_as_surplus() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-3000, current_battery_power_watts=5000)) == (
        5000,
        3000,
        "charge",
    )


def test_present_discharge_counts_as_deficit() -> None:
    assert numbers(flow(site_watts=440, current_battery_power_watts=-420)) == (-860, 0, "discharge")


def test_a_full_battery_leaves_everything_to_export() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-4000, battery_soc_percent=100)) == (0, 4000, "idle")


def test_a_battery_at_its_target_is_not_charged_while_export_takes_it() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-4000, battery_soc_percent=80)) == (0, 4000, "idle")


def test_what_export_refuses_charges_above_the_target() -> None:
    assert numbers(flow(solar_watts=10000, site_watts=-8000, battery_soc_percent=80)) == (3000, 5000, "charge")


def test_what_export_refuses_does_not_charge_above_the_maximum() -> None:
    result = flow(solar_watts=10000, site_watts=-8000, battery_soc_percent=90, battery_soc_max_percent=90)
    assert numbers(result) == (0, 5000, "idle")


def test_a_deficit_is_discharged_up_to_the_discharge_limit() -> None:
    assert numbers(flow(site_watts=3000)) == (-3000, 0, "discharge")
    assert numbers(flow(site_watts=8000, battery_discharge_max_watts=4000)) == (-4000, 0, "discharge")


def test_an_empty_battery_does_not_discharge() -> None:
    assert numbers(flow(site_watts=3000, battery_soc_percent=20)) == (0, 0, "idle")


def test_an_export_limit_of_zero_does_not_hold_back_the_discharge_for_load() -> None:
    assert numbers(flow(site_watts=2000, export_limit_watts=0)) == (-2000, 0, "discharge")


def test_a_battery_fills_the_gap_to_the_export_target() -> None:
    result = flow(site_watts=-1000, battery_export_target_watts=3000)
    assert numbers(result) == (-2000, 3000, "discharge")


def test_the_export_target_is_held_back_by_the_export_limit() -> None:
    result = flow(site_watts=-1000, export_limit_watts=3000, battery_export_target_watts=5000)
    assert numbers(result) == (-2000, 3000, "discharge")


def test_deficit_and_export_target_add_up() -> None:
    assert numbers(flow(site_watts=3000, battery_export_target_watts=2000)) == (-5000, 2000, "discharge")


def test_surplus_that_reaches_the_export_target_is_not_helped() -> None:
    result = flow(site_watts=-8000, battery_export_target_watts=3000, battery_priority_mode="export_first")
    assert numbers(result) == (3000, 5000, "charge")


def test_an_empty_battery_is_charged_in_spite_of_an_export_target() -> None:
    result = flow(site_watts=-1000, battery_soc_percent=20, battery_export_target_watts=3000)
    assert numbers(result) == (1000, 0, "charge")


def test_unknown_state_of_charge_may_charge_and_discharge() -> None:
    assert numbers(flow(site_watts=-8000, battery_soc_percent=None)) == (5000, 3000, "charge")
    assert numbers(flow(site_watts=3000, battery_soc_percent=None)) == (-3000, 0, "discharge")


@pytest.mark.parametrize(
    ("asked", "watts"),
    [
        ({"site_watts": 3000, "battery_grid_charging_max_watts": 3000}, 3000),
        ({"site_watts": 5000, "battery_grid_charging_max_watts": 2000}, 2000),
        ({"site_watts": 0, "battery_grid_charging_max_watts": 3000}, 3000),
        ({"site_watts": 5000}, 5000),
        ({"site_watts": -8000, "battery_grid_charging_max_watts": 3000}, 5000),
        ({"site_watts": -1000, "battery_grid_charging_max_watts": 3000}, 4000),
        ({"site_watts": 3000, "import_limit_watts": 6000}, 3000),
        ({"site_watts": 6000, "import_limit_watts": 6000}, 0),
        ({"site_watts": 6000, "current_battery_power_watts": 3000, "import_limit_watts": 6000}, 3000),
        ({"site_watts": 1000, "battery_import_target_watts": 4000}, 3000),
        ({"site_watts": 1000, "battery_import_target_watts": 4000, "battery_grid_charging_max_watts": 2000}, 2000),
        ({"site_watts": 5000, "battery_import_target_watts": 4000}, 0),
    ],
)
def test_grid_charging_takes_surplus_and_what_may_be_imported(asked: dict[str, float], watts: float) -> None:
    assert flow(battery_grid_charging_enabled=True, **asked).target_battery_power_watts == watts


def test_grid_charging_with_no_need_is_idle_not_discharge() -> None:
    result = flow(site_watts=3000, battery_soc_percent=80, battery_grid_charging_enabled=True)
    assert numbers(result) == (0, 0, "idle")


@pytest.mark.parametrize("soc", [50, 80])
def test_only_the_deficit_above_the_import_limit_is_discharged_for_while_grid_charging(soc: float) -> None:
    result = flow(site_watts=8000, battery_soc_percent=soc, import_limit_watts=6000, battery_grid_charging_enabled=True)
    assert numbers(result) == (-2000, 0, "discharge")


def test_an_empty_battery_cannot_help_the_import_limit() -> None:
    result = flow(site_watts=8000, battery_soc_percent=20, import_limit_watts=6000, battery_grid_charging_enabled=True)
    assert numbers(result) == (0, 0, "idle")


def test_grid_charging_without_any_limit_known_takes_surplus_only() -> None:
    result = flow(site_watts=-700, battery_charge_max_watts=None, battery_grid_charging_enabled=True)
    assert numbers(result) == (700, 0, "charge")


@pytest.mark.parametrize(("site", "watts"), [(-49, 0), (49, 0), (-50, 50), (50, -50)])
def test_less_than_50_watts_is_idle(site: float, watts: float) -> None:
    assert flow(site_watts=site).target_battery_power_watts == watts


def test_the_pv_ceiling_is_load_charging_and_export_limit() -> None:
    result = flow(solar_watts=14000, site_watts=-8500, export_limit_watts=10000, battery_charge_max_watts=15000)
    assert result.target_solar_watts == 5500 + 8500 + 10000


def test_discharge_never_lowers_the_pv_ceiling() -> None:
    result = flow(solar_watts=470, site_watts=440, export_limit_watts=0, current_battery_power_watts=-420)
    assert result.target_solar_watts == 1330


@pytest.mark.parametrize(("headroom", "ceiling"), [(250, 9750), (None, 9600)])
def test_a_tight_export_limit_counts_only_charging_that_is_seen(headroom: float | None, ceiling: float) -> None:
    result = flow(
        solar_watts=14000,
        site_watts=-8500,
        current_battery_power_watts=4000,
        export_limit_watts=0,
        battery_charge_max_watts=15000,
        battery_acceptance_headroom_watts=headroom,
    )
    assert result.target_solar_watts == ceiling


def test_unlimited_export_has_no_pv_ceiling() -> None:
    assert flow(solar_watts=5000, site_watts=-3000, export_limit_watts=None).target_solar_watts is None


def test_an_unknown_priority_mode_is_refused() -> None:
    with pytest.raises(ValueError, match="battery_priority_mode"):
        flow(battery_priority_mode="grid_first")


@pytest.mark.parametrize(
    ("asked", "given", "taken"),
    [
        (2000, {"site_watts": -6000}, 2000),  # surplus is there; the rest is exported
        (-3000, {"site_watts": -1000}, -3000),  # up to 5 kW may be exported
        (-3000, {"site_watts": -4000}, -1000),
        (-9000, {"site_watts": 2000}, -5000),  # the battery's own limit
        (3000, {"site_watts": 500}, 0),  # from the grid, which nobody has allowed
        (3000, {"site_watts": 500, "battery_grid_charging_enabled": True}, 3000),
        (3000, {"site_watts": 500, "battery_grid_charging_enabled": True, "import_limit_watts": 2000}, 1500),
        (3000, {"site_watts": 500, "battery_grid_charging_enabled": True, "battery_grid_charging_max_watts": 900}, 900),
        (0, {"site_watts": -6000}, 0),
        (0, {"site_watts": 4000}, 0),  # the load is not covered
        (0, {"site_watts": 4000, "import_limit_watts": 1000}, -3000),  # but what the import limit does not allow is
        (2000, {"site_watts": -6000, "battery_soc_percent": 90}, 2000),  # above the target SoC
        (2000, {"site_watts": -6000, "battery_soc_percent": 100}, 0),
        (-2000, {"site_watts": 3000, "battery_soc_percent": 20}, 0),
    ],
)
def test_the_battery_power_that_is_asked_for_is_taken_within_all_limits(
    asked: float, given: dict[str, Any], taken: float
) -> None:
    assert flow(**given, battery_target_watts=asked).target_battery_power_watts == taken


watts = st.floats(-20000, 20000)
magnitude = st.none() | st.floats(0, 20000)
percent = st.none() | st.floats(0, 100)
anything = st.fixed_dictionaries(
    {
        "solar_watts": st.floats(0, 20000),
        "site_watts": watts,
        "battery_soc_percent": percent,
        "battery_target_soc_percent": percent,
        "battery_soc_min_percent": percent,
        "battery_soc_max_percent": percent,
        "battery_charge_max_watts": magnitude,
        "battery_discharge_max_watts": magnitude,
        "export_limit_watts": magnitude,
        "import_limit_watts": magnitude,
        "battery_priority_mode": st.sampled_from([None, "battery_first", "export_first"]),
        "current_battery_power_watts": watts,
        "battery_grid_charging_enabled": st.none() | st.booleans(),
        "battery_grid_charging_max_watts": magnitude,
        "battery_import_target_watts": magnitude,
        "battery_export_target_watts": magnitude,
        "battery_target_watts": st.none() | watts,
    }
)


@given(anything)
def test_the_battery_stays_within_its_power_and_soc_limits(asked: dict[str, Any]) -> None:
    result = calculate_battery_power_flow(**asked)
    target, soc = result.target_battery_power_watts, asked["battery_soc_percent"]

    assert target <= (asked["battery_charge_max_watts"] or 0.0) or asked["battery_charge_max_watts"] is None
    assert -target <= (asked["battery_discharge_max_watts"] or 0.0) or asked["battery_discharge_max_watts"] is None
    if soc is not None:
        maximum = asked["battery_soc_max_percent"]
        assert target <= 0 or soc < (100.0 if maximum is None else maximum)
        assert target >= 0 or soc > (asked["battery_soc_min_percent"] or 0.0)
    assert target == 0 or abs(target) >= 50
    assert abs(target) < 1e6


@given(anything)
def test_discharging_never_exports_beyond_the_limit(asked: dict[str, Any]) -> None:
    result = calculate_battery_power_flow(**asked)
    available = -asked["site_watts"] + asked["current_battery_power_watts"]
    limit = asked["export_limit_watts"]

    if result.target_battery_power_watts < 0 and limit is not None:
        assert available - result.target_battery_power_watts <= max(limit, available) + 1e-6
    assert 0 <= result.target_export_watts <= (limit if limit is not None else 1e9)


@given(anything)
def test_charging_imports_only_when_it_is_enabled_and_within_the_import_limit(asked: dict[str, Any]) -> None:
    target = calculate_battery_power_flow(**asked).target_battery_power_watts
    available = -asked["site_watts"] + asked["current_battery_power_watts"]
    imported = max(target - available, 0.0)

    if target > 0 and not asked["battery_grid_charging_enabled"]:
        assert imported <= 1e-6
    if target > 0 and asked["import_limit_watts"] is not None:
        assert imported <= max(asked["import_limit_watts"], -available) + 1e-6


@given(anything)
def test_the_mode_is_the_sign_of_the_target(asked: dict[str, Any]) -> None:
    result = calculate_battery_power_flow(**asked)
    sign = (result.target_battery_power_watts > 0) - (result.target_battery_power_watts < 0)
    assert result.battery_mode == ("idle", "charge", "discharge")[sign]
