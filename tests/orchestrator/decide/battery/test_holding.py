"""While the meter says nothing, batteries store own PV that AC limits refuse, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode
from orchestrator.samples import InverterSample, SiteSnapshot
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import plant

SUN = {"east": 4000.0, "west": 2000.0, "roof": 3000.0}
EXPORTING = {"export_limit_watts": 15000.0, "battery_priority_mode": "export_first"}
NOTHING = {"east": pytest.approx(0, abs=1), "west": pytest.approx(0, abs=1)}


def silent(loop: ClosedLoop, **asked: Any) -> ClosedLoop:
    """Batteries rest while all is exported; then the meter falls silent."""
    loop.ask(**{**EXPORTING, **asked})
    loop.run(30)
    loop.meter_silent = True
    loop.run(15)
    return loop


def held(loop: ClosedLoop) -> dict[str, BatteryCommand]:
    return {c.inverter: c.battery for c in loop.history[-1].commands if c.battery is not None}


def windows(loop: ClosedLoop) -> dict[str, float | None]:
    return {name: battery.high_watts for name, battery in held(loop).items()}


def test_own_pv_that_an_ac_limit_refuses_is_stored() -> None:
    loop = silent(plant(pv_watts=SUN))
    east, west, roof = loop.history[-1].powers

    assert (east.battery_watts, west.battery_watts) == (pytest.approx(4000, abs=50), pytest.approx(2000, abs=50))
    assert [power.ac_watts for power in (east, west, roof)] == [pytest.approx(0, abs=10)] * 3
    assert {(b.mode, b.low_watts, b.grid_charging) for b in held(loop).values()} == {(BatteryMode.HOLD, 0.0, False)}


def test_a_device_that_takes_a_power_and_no_window_goes_on_with_what_it_did() -> None:
    assert [battery.watts for battery in held(silent(plant(pv_watts=SUN))).values()] == [pytest.approx(0, abs=1)] * 2


def test_where_nothing_is_limited_batteries_hold() -> None:
    assert windows(silent(plant(pv_watts=SUN), export_limit_watts=None)) == NOTHING


def test_what_all_may_be_charged_with_holds_for_all_windows_together() -> None:
    found = windows(silent(plant(pv_watts=SUN), battery_charge_max_watts=500.0))

    assert sum(watts or 0.0 for watts in found.values()) == pytest.approx(500)


def test_a_ramp_of_the_site_opens_no_window() -> None:
    assert windows(silent(plant(pv_watts=SUN, ramp_watts_per_s=500.0))) == NOTHING


def test_a_full_battery_is_not_charged() -> None:
    found = windows(silent(plant(pv_watts=SUN), battery_soc_max_percent=40.0))

    assert found == NOTHING


def test_one_that_cannot_be_told_to_charge_from_pv_only_holds() -> None:
    class WithoutPermission(ClosedLoop):
        def seen(self, snapshot: SiteSnapshot) -> SiteSnapshot:
            return replace(snapshot, inverters=tuple(without_permission(each) for each in snapshot.inverters))

    loop = WithoutPermission(plant(pv_watts=SUN).config)
    for name, watts in SUN.items():
        loop.site.set_pv_available(name, watts)

    assert windows(silent(loop)) == NOTHING


def without_permission(sample: InverterSample) -> InverterSample:
    if sample.battery is None:
        return sample
    return replace(sample, battery=replace(sample.battery, grid_charging_allowed=None))


def test_a_battery_that_has_to_rest_before_it_turns_rests_first() -> None:
    loop = plant(pv_watts=SUN, load_watts=12000.0)
    resting = {"idle_between_s": 20.0}
    inverters = [
        each.model_copy(update={"battery": each.battery.model_copy(update=resting)}) for each in loop.config.inverters
    ]
    loop.config = loop.config.model_copy(update={"inverters": tuple(inverters)})
    silent(loop)
    while_resting = windows(loop)
    loop.run(15)

    assert while_resting == NOTHING
    assert windows(loop) == {"east": 5000.0, "west": 4000.0}
