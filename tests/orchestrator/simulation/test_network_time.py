"""The loop at the pace of a network: when it decides, and what it sees by then."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from orchestrator import control
from orchestrator.config.sections import ControlConfig, SiteConfig
from orchestrator.config.simulation import LoadSimulation, MeterSimulation
from orchestrator.decide.records import CycleResult
from orchestrator.loop.site_loop import Controller
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.network_time import NetworkTime
from tests.support.plants.virtual_site import PV_ONLY, site_config


class Recorded:
    """Decides as the project does, and notes when, and on which export limit."""

    def __init__(self) -> None:
        self.decisions: list[tuple[float, float | None]] = []

    def __call__(self, *seen: Any) -> CycleResult:
        result = control.step(*seen)
        self.decisions.append((result.snapshot.at_s, result.envelope.fields.export_limit_watts))
        return result


def plant(
    noise_watts: float = 20.0,
    roof_latency_s: float = 0.1,
    meter_period_s: float = 1.0,
    controller: Controller = control.step,
) -> NetworkTime:
    config = site_config(
        {"roof": PV_ONLY.model_copy(update={"latency_s": roof_latency_s}), "shed": PV_ONLY},
        load=LoadSimulation(base_watts=1000.0, variation_watts=0.0, noise_watts=noise_watts),
        meter=MeterSimulation(period_s=meter_period_s),
    )
    loop = NetworkTime(
        config.model_copy(update={"control": ControlConfig(battery_power_flow=True)}), controller=controller
    )
    for name in ("roof", "shed"):
        loop.site.set_pv_available(name, 3000.0)
    return loop


def gaps(times_s: list[float]) -> list[float]:
    return [after - before for before, after in itertools.pairwise(times_s)]


def test_it_decides_when_the_slowest_inverter_has_answered() -> None:
    loop = plant(roof_latency_s=0.2)
    loop.run(5)
    moment = loop.run(1)[0]

    assert moment.result is not None
    oldest, newest = sorted(sample.at_s for sample in moment.result.snapshot.inverters)
    assert newest == moment.result.snapshot.at_s
    assert newest - oldest == pytest.approx(0.15)


def test_an_inverter_that_is_slower_than_the_wait_keeps_nobody_waiting_for_long() -> None:
    loop = plant(roof_latency_s=0.8)
    loop.run(5)
    seen = [m.result for m in loop.run(20)]

    assert all(result is not None and result.snapshot.away == () for result in seen)
    ages_s = [result.at_s - min(s.at_s for s in result.inverters) for result in (r.snapshot for r in seen if r)]
    assert min(ages_s) > 0.1


def test_a_meter_that_shows_nothing_new_though_ac_power_moves_is_looked_at_once_an_interval() -> None:
    loop = plant()
    loop.meter_fault = MeterDefect.FROZEN
    loop.run(20)
    first = loop.history[-1].result
    loop.run(10)
    last = loop.history[-1].result

    assert first is not None
    assert last is not None
    assert (last.snapshot.at_s - first.snapshot.at_s) / (last.cycle - first.cycle) == pytest.approx(1.0)


@pytest.mark.parametrize(("step_watts", "fewest", "most"), [(1000.0, 15, 21), (0.0, 9, 12)])
def test_a_meter_that_measures_often_makes_decisions_half_an_interval_apart_where_it_has_news(
    step_watts: float, fewest: int, most: int
) -> None:
    loads_watts = itertools.cycle((1000.0, 1000.0 + step_watts))

    def decide_and_move_the_load(*seen: Any) -> CycleResult:
        loop.site.set_load(next(loads_watts))
        return control.step(*seen)

    loop = plant(meter_period_s=0.2, controller=decide_and_move_the_load)
    loop.run(5)
    before = loop.history[-1].result
    loop.run(10)
    after = loop.history[-1].result

    assert before is not None
    assert after is not None
    assert fewest <= after.cycle - before.cycle <= most


def with_default(config: SiteConfig, watts: float) -> SiteConfig:
    source = {"name": "mqtt", "host": "127.0.0.1", "topic": "t", "default": {"export_limit_watts": watts}}
    return SiteConfig.model_validate({**config.model_dump(), "setpoints": {"mqtt": (source,)}})


def test_a_setpoint_that_ends_between_two_cycles_uncovers_a_stricter_default_at_once() -> None:
    recorded = Recorded()
    loop = NetworkTime(with_default(plant(noise_watts=0.0).config, 0.0), controller=recorded)
    loop.receive(Setpoint("mqtt", SetpointFields(export_limit_watts=4000.0), 0.0, 8.625))
    loop.run(8)
    assert loop.history[-1].wanted.export_limit_watts == 4000.0
    loop.run(1)

    assert loop.history[-1].wanted.export_limit_watts == 0.0
    assert any(at_s == pytest.approx(8.625) for at_s, _ in recorded.decisions)


def test_limits_that_fall_one_after_the_other_are_decided_on_a_fifth_of_a_second_apart() -> None:
    recorded = Recorded()
    loop = plant(controller=recorded)
    loop.run(5)
    before = len(recorded.decisions)
    for watts in range(1000, 900, -1):
        loop.receive(Setpoint("manual", SetpointFields(export_limit_watts=float(watts))))
    assert len(recorded.decisions) <= before + 1
    loop.run(1)

    times_s = [at_s for at_s, _ in recorded.decisions[before:]]
    assert 2 <= len(times_s) <= 4
    assert min(gaps(times_s)) >= 0.1
    assert recorded.decisions[-1][1] == 901.0


def test_nothing_is_decided_on_what_was_under_way_to_a_killed_orchestrator() -> None:
    loop = plant()
    loop.run(5)
    loop.kill()
    dead = loop.run(5)
    loop.start()
    alive = loop.run(3)

    assert {m.mode for m in dead} == {None}
    assert alive[-1].mode == "normal"


def test_silent_devices_are_known_after_their_time() -> None:
    loop = plant()
    loop.run(5)
    loop.inverter_faults["roof"] = InverterFault.SILENT
    loop.meter_fault = MeterDefect.SILENT
    loop.run(10)
    result = loop.history[-1].result

    assert result is not None
    assert result.snapshot.away == ("roof",)
    assert result.mode == "failsafe"
