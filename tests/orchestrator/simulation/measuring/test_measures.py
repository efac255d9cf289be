"""Measures of a run, on runs that are written down by hand."""

from __future__ import annotations

from math import inf

import pytest
from msgspec.structs import replace

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.simulation import SimulationConfig
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring import measures
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.virtual_site import BATTERY, HYBRID, PV_ONLY, site_config

SITE = SimulationConfig(inverters={"east": HYBRID, "roof": PV_ONLY})
NAMEPLATE_WATTS = 13000.0


def moment(at_s: float, site_watts: float, battery_watts: float = 0.0, **wanted: float) -> Moment:
    """A second in which the roof makes all AC and the hybrid only moves its battery."""
    powers = (
        PowerState(battery_watts=battery_watts, stored_wh=5000.0),
        PowerState(ac_watts=-site_watts, pv_watts=max(-site_watts, 0.0), pv_available_watts=max(-site_watts, 0.0)),
    )
    return Moment(at_s, site_watts, 0.0, powers, SetpointFields(**wanted))


def run(*site_watts: float, **wanted: float) -> Run:
    return Run(SITE, [moment(n, watts, **wanted) for n, watts in enumerate(site_watts, 1)])


def turning(*battery_watts: float) -> Run:
    return Run(SITE, [moment(n, 0.0, watts) for n, watts in enumerate(battery_watts, 1)])


def test_seconds_and_energy_above_a_limit_leave_out_the_tolerance() -> None:
    exporting = run(-1000, -1300, -1300, -1000, -1270, export_limit_watts=1000.0)

    assert measures.seconds_above(exporting) == 3
    assert measures.longest_above_s(exporting) == 2
    assert measures.watt_hours_above(exporting) == pytest.approx((40 + 40 + 10) / 3600)
    assert measures.seconds_above(exporting, tolerance_percent=0.0) == 3
    assert measures.seconds_above(exporting, tolerance_percent=5.0) == 0


def test_each_limit_is_about_its_own_power_and_counts_only_where_somebody_asks() -> None:
    importing = run(5000, 5000, import_limit_watts=4000.0)

    assert measures.seconds_above(importing, "import") == 2
    assert measures.seconds_above(importing, "export") == 0
    assert measures.seconds_above(run(-5000, generation_limit_watts=4000.0), "generation") == 1
    assert measures.seconds_above(run(5000, load_limit_watts=4000.0), "load") == 1


def test_import_and_export_do_not_make_up_for_each_other() -> None:
    mixed = run(1000, -1000, 3000)

    assert measures.mean_import_watts(mixed) == pytest.approx(4000 / 3)
    assert measures.mean_export_watts(mixed) == pytest.approx(1000 / 3)
    assert measures.imported_wh(mixed) == pytest.approx(4000 / 3600)


def test_settling_ends_with_the_last_excursion() -> None:
    assert measures.settling_s(run(900, 500, 300, 100, 90, 110, 100, 100, 100, 100), 50.0) == 3
    assert measures.settling_s(run(100, 100), 50.0) == 0


def test_a_stretch_holds_the_moments_after_its_begin_up_to_its_end() -> None:
    assert [m.at_s for m in run(1, 2, 3, 4).between(1, 3).moments] == [2, 3]


def test_turns_leave_out_rest_and_count_each_way() -> None:
    assert measures.direction_changes(turning(2000, 0, 50, -2000, -1000, 0, 3000)) == 2
    assert measures.direction_changes(turning(2000, 0, 2000)) == 0
    assert measures.direction_changes(turning(2000, -2000), "east") == 1
    assert measures.direction_changes(turning(2000, -2000), "roof") == 0


def test_turns_that_light_and_load_force_are_not_held_against_the_loop() -> None:
    surplus, deficit = (moment(1, 0.0, 2000.0), moment(2, 0.0, -2000.0))
    sunny = replace(surplus, powers=(surplus.powers[0], PowerState(ac_watts=3000, pv_available_watts=3100)))
    dark = replace(deficit, load_watts=3000.0)

    assert measures.unforced_direction_changes(Run(SITE, [sunny, dark])) == 0
    assert measures.unforced_direction_changes(Run(SITE, [sunny, replace(sunny, powers=dark.powers)])) == 1


def test_what_was_curtailed_or_imported_counts_as_far_as_it_could_be_avoided() -> None:
    held_back = PowerState(ac_watts=1940, pv_watts=2000, pv_available_watts=4000)
    second = Moment(1.0, -1940.0, 0.0, (PowerState(stored_wh=10000.0), held_back), SetpointFields())
    limited = replace(second, wanted=SetpointFields(export_limit_watts=1940.0))
    importing = Moment(1.0, 3000.0, 3000.0, (PowerState(stored_wh=5000.0), PowerState()), SetpointFields())

    assert measures.curtailed_wh(Run(SITE, [second])) == pytest.approx(2000 / 3600)
    assert measures.avoidable_curtailed_wh(Run(SITE, [second])) == pytest.approx(2000 / 3600)
    assert measures.avoidable_curtailed_percent(Run(SITE, [second])) == pytest.approx(50)
    assert measures.avoidable_curtailed_wh(Run(SITE, [limited])) == pytest.approx(0)
    assert measures.avoidable_imported_wh(Run(SITE, [importing])) == pytest.approx(3000 / 3600)
    assert measures.avoidable_imported_wh(
        Run(SITE, [replace(importing, powers=(PowerState(), PowerState()))])
    ) == pytest.approx(0)


def test_delivered_export_is_compared_with_what_was_possible() -> None:
    full = PowerState(stored_wh=10000.0)
    roof = PowerState(ac_watts=1500, pv_watts=1546, pv_available_watts=4000)
    half = Moment(1.0, -1500.0, 0.0, (full, roof), SetpointFields(export_limit_watts=3000.0))

    assert measures.delivered_export_percent(Run(SITE, [half])) == pytest.approx(50)
    assert measures.delivered_export_percent(run(1000)) == 100


def test_full_charging_is_reached_when_every_battery_takes_what_it_can() -> None:
    assert measures.seconds_to_charging(turning(1000, 4700, 4800)) == 3
    assert measures.seconds_to_charging(turning(1000, 2500), percent=50.0) == 2
    assert measures.seconds_to_charging(turning(1000)) == inf


def test_command_changes_are_those_that_a_register_shows() -> None:
    def commanded(limit: float | None, watts: float, grid: bool = False, connect: bool | None = None) -> Moment:
        battery = BatteryCommand(BatteryMode.CHARGE, watts, watts, watts, grid_charging=grid)
        command = InverterCommand("east", 60, ac_limit_watts=limit, battery=battery, connect=connect)
        return replace(moment(0, 0.0), commands=(command,))

    first = commanded(1000.0, 500.0)
    for other, changes in [
        (commanded(1000.0, 500.0), 0),
        (commanded(1000.3, 500.3), 0),
        (commanded(1001.0, 500.0), 1),
        (commanded(None, 500.0), 1),
        (commanded(1000.0, 501.0), 1),
        (commanded(1000.0, 500.0, grid=True), 1),
        (commanded(1000.0, 500.0, connect=True), 1),
    ]:
        assert measures.command_changes(Run(SITE, [first, other])) == changes
    assert measures.command_changes(Run(SITE, [first, commanded(None, 0.0)]), "roof") == 0


def test_books_that_do_not_close_are_shown() -> None:
    assert measures.energy_gap_wh(run(500, -500)) == 0
    assert measures.energy_gap_wh(Run(SITE, [replace(moment(1, 500.0), load_watts=3600.0)])) == pytest.approx(1)


def test_soc_is_of_an_inverter_with_a_battery() -> None:
    assert measures.soc_percent(turning(0, 0), "east") == [50, 50]
    with pytest.raises(KeyError):
        measures.soc_percent(turning(0), "roof")
    with pytest.raises(KeyError):
        turning(0).index("nobody")


def test_a_score_has_all_of_them_and_a_run_needs_a_simulation() -> None:
    score = measures.score(run(-2000, 0, 0, export_limit_watts=1000.0))

    assert (score.seconds_above_limits, score.longest_above_limits_s, score.settling_s) == (1, 1, 1)
    assert score.command_changes == score.direction_changes == 0
    assert BATTERY is not None
    with pytest.raises(ValueError, match="simulation"):
        Run.of(site_config().model_copy(update={"simulation": None}), [])
