"""What a utility server is shown of a cycle."""

from __future__ import annotations

from msgspec.structs import replace

from actors.commands.run.csip.picture import picture
from orchestrator.decide.records import CycleResult
from orchestrator.samples import MeterSample
from orchestrator.setpoints.fields import SetpointFields
from tests.support.records.cycles import cycle_result, inverter_sample


def shown(result: CycleResult, meter: MeterSample | None) -> CycleResult:
    return replace(result, snapshot=replace(result.snapshot, meter=meter))


def test_what_the_meter_shows_of_its_phases_is_shown_in_their_order() -> None:
    meter = MeterSample(0.0, 700.0, site_vars=-90.0, phase_volts=(231.0, None, 229.0))
    seen = picture(shown(cycle_result(), meter))

    assert (seen.site_watts, seen.site_vars) == (700.0, -90.0)
    assert (seen.volts_a, seen.volts_b, seen.volts_c) == (231.0, None, 229.0)
    alone = picture(shown(cycle_result(), MeterSample(0.0, 700.0, phase_volts=(231.0,))))
    assert (alone.volts_a, alone.volts_b, alone.volts_c) == (231.0, None, None)
    assert picture(shown(cycle_result(), None)).volts_a is None


def test_reactive_power_of_which_one_inverter_says_nothing_is_not_known() -> None:
    east, west = inverter_sample(ac_vars=100.0), inverter_sample("west", ac_vars=-30.0)

    assert picture(cycle_result(inverters=(east, west))).der_vars == 70.0
    assert picture(cycle_result(inverters=(east, inverter_sample("west")))).der_vars is None


def test_what_must_stay_in_the_batteries_follows_from_their_least_soc() -> None:
    assert picture(cycle_result(limits=SetpointFields(battery_soc_min_percent=20.0))).least_wh == 2000.0
    assert picture(cycle_result()).least_wh == 0.0
