"""What is commanded to a battery and remembered of it: its rest, its return, and whether it may charge from AC."""

from __future__ import annotations

import pytest

from orchestrator.decide.battery.command import command_battery
from orchestrator.decide.following import Following
from orchestrator.decide.memory import BatteryMemory, ControlState, InverterMemory
from orchestrator.decide.plant.units import Unit, see_plant
from orchestrator.samples import BatterySample, InverterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.virtual_site import site_config

CONFIG = site_config()


def unit(
    watts: float,
    memory: InverterMemory,
    *,
    at_s: float = 0.0,
    pv_watts: float = 0.0,
    grid: bool = False,
    wears: bool = False,
) -> Unit:
    battery = BatterySample(watts, 50.0, 5000.0, 5000.0, 10000.0, grid_charging_allowed=grid, grid_charging_wears=wears)
    sample = InverterSample(
        "east",
        at_s,
        ac_watts=pv_watts - watts,
        pv_watts=pv_watts,
        battery=battery,
        nameplate=Nameplate(ac_max_watts=5000.0),
        battery_controllable=True,
    )
    state = ControlState(inverters={"east": memory})
    return see_plant(CONFIG, state, SiteSnapshot(at_s, None, (sample,)), SetpointFields()).units[0]


def commanded(seen: Unit, target: float, now_s: float = 0.0) -> BatteryMemory:
    assert seen.battery is not None
    return command_battery(seen, seen.battery, target, None, following=seen.memory.following, now_s=now_s)[1]


def permission(
    target: float, memory: BatteryMemory, now_s: float, pv_watts: float, grid: bool = False
) -> BatteryMemory:
    return commanded(unit(0.0, InverterMemory(battery=memory), pv_watts=pv_watts, grid=grid), target, now_s)


def test_charging_from_ac_is_allowed_when_own_pv_does_not_suffice() -> None:
    assert permission(3000.0, BatteryMemory(), 0.0, pv_watts=1000.0).grid_charging is True
    assert permission(3000.0, BatteryMemory(), 0.0, pv_watts=4000.0).grid_charging is False
    assert permission(-3000.0, BatteryMemory(), 0.0, pv_watts=0.0).grid_charging is None


def test_the_permission_is_taken_back_after_own_pv_sufficed_for_ten_seconds() -> None:
    memory = permission(3000.0, BatteryMemory(), 0.0, pv_watts=1000.0)
    for now_s in range(1, 11):
        memory = permission(3000.0, memory, float(now_s), pv_watts=4000.0)
        assert memory.grid_charging is True
    assert permission(3000.0, memory, 11.0, pv_watts=4000.0).grid_charging is False


@pytest.mark.parametrize(
    ("import_watts", "wears", "target", "keeps"),
    [(2000.0, False, 0.0, False), (2000.0, False, 3000.0, True), (200.0, False, 0.0, True), (2000.0, True, 0.0, True)],
)
def test_a_battery_that_is_to_stop_drawing_what_is_imported_loses_the_permission_at_once(
    import_watts: float, wears: bool, target: float, keeps: bool
) -> None:
    seen = unit(3000.0, InverterMemory(battery=BatteryMemory(3000.0, grid_charging=True)), wears=wears)
    assert seen.battery is not None
    command, _memory = command_battery(
        seen, seen.battery, target, None, following=Following(), now_s=1.0, import_watts=import_watts
    )

    assert command.grid_charging is keeps


def test_a_permission_that_was_found_is_used_up_in_the_same_way() -> None:
    memory = permission(3000.0, BatteryMemory(), 0.0, pv_watts=4000.0, grid=True)
    assert memory.grid_charging is True
    assert permission(3000.0, memory, 10.0, pv_watts=4000.0, grid=True).grid_charging is False


def test_a_battery_that_comes_back_gets_its_share_in_steps_of_a_tenth_of_its_rating() -> None:
    back = unit(-300.0, InverterMemory(battery=BatteryMemory(easing=True)))
    assert back.battery is not None
    assert (back.battery.charge_max_watts, back.battery.discharge_max_watts) == (500.0, 800.0)

    assert commanded(back, -800.0).easing
    assert not commanded(back, -600.0).easing


@pytest.mark.parametrize(
    ("watts", "over_steps", "rests_since_s"),
    [(1500.0, 0, 10.0), (40.0, 0, 9.0), (-1500.0, 0, 9.0), (1500.0, 2, 9.0)],
    ids=["on its way", "at rest", "turned already", "stubborn"],
)
def test_a_rest_begins_when_the_battery_has_come_to_rest_not_when_it_is_told_to(
    watts: float, over_steps: int, rests_since_s: float
) -> None:
    before = BatteryMemory(target_watts=0.0, direction=1, direction_at_s=9.0)
    seen = unit(watts, InverterMemory(battery=before), at_s=10.0)
    assert seen.battery is not None

    _, after = command_battery(seen, seen.battery, 0.0, None, following=Following(over_steps=over_steps), now_s=10.0)

    assert after.direction_at_s == rests_since_s
