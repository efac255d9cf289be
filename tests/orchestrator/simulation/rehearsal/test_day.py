"""A site's day in virtual time, in several ways."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import InverterSimulation, LoadSimulation, SunSimulation
from orchestrator.ledger.excess import Outcome
from orchestrator.simulation.measuring.energy_balance import stored_wh
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import avoidable_curtailed_wh, command_changes, direction_changes
from orchestrator.simulation.rehearsal.day import WAYS, Rehearsed, bucket_s, rehearse
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config

MIDNIGHT = datetime(2026, 6, 1, tzinfo=UTC)


def site(noise_watts: float = 0.0, **fixed: object) -> SiteConfig:
    """The example plant in a sunny afternoon."""
    sun = SunSimulation(start_fraction=0.2, cloud_period_s=60.0)
    config = site_config(EXAMPLE, sun=sun, load=LoadSimulation(base_watts=500.0, noise_watts=noise_watts))
    return SiteConfig.model_validate(config.model_dump() | {"setpoints": {"fixed": fixed}})


def rehearsed(config: SiteConfig, number: int = 0, hours: float = 0.5) -> Rehearsed:
    return rehearse(config, WAYS[number], hours=hours, begin=MIDNIGHT, progress=lambda _: None)


def test_the_curves_cover_the_whole_time_minute_by_minute() -> None:
    trace = rehearsed(site()).trace

    assert trace.at_s == [60.0 * minute + 30 for minute in range(30)]
    assert None not in trace.column("roof.ac_watts")


def test_a_schedule_holds_at_the_hours_of_the_day_that_is_rehearsed() -> None:
    rows = [{"days": "mon", "hours": "00:10-00:20", "fields": {"energize": False}}]
    config = site()
    sections = config.model_dump() | {"setpoints": {"schedules": [{"name": "tariff", "rows": rows}]}}
    watts = rehearsed(SiteConfig.model_validate(sections)).trace.column("roof.ac_watts")

    assert [index for index, each in enumerate(watts) if each is not None and each < 1.0] == list(range(11, 20))


@pytest.mark.no_cover
@pytest.mark.parametrize("number", [0, 2])
def test_a_part_at_a_time_is_the_same_as_all_at_once(number: int) -> None:
    config = site(noise_watts=200.0, export_limit_watts=2000.0)
    ours = rehearsed(config, number, hours=0.25)
    loop = VirtualTime(config, controller=WAYS[number].controller, keep_results=False)
    before_wh = sum(inverter.state.stored_wh for inverter in loop.site.inverters.values())
    run = Run.of(config, loop.run(900))

    assert ours.avoidable_curtailed_wh == pytest.approx(avoidable_curtailed_wh(run))
    assert ours.command_changes == command_changes(run)
    assert ours.direction_changes == direction_changes(run)
    assert ours.balance.pv_wh == pytest.approx(sum(p.pv_watts for m in run.moments for p in m.powers) / 3600)
    assert ours.balance.stored_wh == pytest.approx(stored_wh(run.moments[-1]) - before_wh)
    assert ours.balance.gap_wh == pytest.approx(0, abs=1e-6)


@pytest.mark.long
def test_a_battery_that_rests_for_long_before_it_turns_has_turned() -> None:
    load = LoadSimulation(base_watts=0.0, variation_watts=6000.0, period_s=7200.0, noise_watts=0.0)
    config = site_config({"bat": replace_pv(EXAMPLE["east"])}, load=load)
    control = config.control.model_copy(update={"battery_power_flow": True})
    fixed = {"battery_grid_charging_enabled": True, "import_limit_watts": 3000.0}
    config = SiteConfig.model_validate(config.model_dump() | {"control": control, "setpoints": {"fixed": fixed}})
    ours = rehearsed(config, hours=4.0)
    loop = VirtualTime(config, keep_results=False)
    whole = direction_changes(Run.of(config, loop.run(4 * 3600)))

    assert whole > 0
    assert ours.direction_changes == whole


def replace_pv(inverter: InverterSimulation) -> InverterSimulation:
    """The same without PV."""
    return inverter.model_copy(update={"pv_peak_watts": 0.0})


@pytest.mark.long
@pytest.mark.no_cover
def test_without_control_the_ledger_has_what_the_orchestrator_avoids() -> None:
    config = site(export_limit_watts=1000.0)
    ours, nobody = rehearsed(config, 0), rehearsed(config, 1)

    assert [excess for excess in ours.excesses if excess.duration_s > 5] == []
    assert max(excess.duration_s for excess in nobody.excesses) > 600
    assert nobody.excesses[-1].began_at < MIDNIGHT + timedelta(minutes=30)
    assert all(excess.outcome is not Outcome.OPEN for excess in nobody.excesses)


def test_an_excess_at_the_end_is_not_forgotten() -> None:
    (excess,) = rehearsed(site(generation_limit_watts=0.0), 1, hours=0.1).excesses

    assert excess.outcome is Outcome.UNSEEN
    assert excess.duration_s == pytest.approx(360, abs=5)


def test_progress_is_told_until_all_of_the_time_is_over() -> None:
    told: list[float] = []
    rehearse(site(), WAYS[1], hours=0.5, begin=MIDNIGHT, progress=told.append)

    assert len(told) == 3
    assert sum(told) == pytest.approx(1800)


def test_a_long_time_has_no_more_points_than_a_day() -> None:
    assert [bucket_s(hours) for hours in (0.1, 24.0, 240.0)] == [60, 60, 600]


@pytest.mark.long
@pytest.mark.no_cover
def test_the_same_site_gives_the_same_rehearsal() -> None:
    config = site(export_limit_watts=2000.0)

    assert rehearsed(config, hours=0.2) == rehearsed(config, hours=0.2)
