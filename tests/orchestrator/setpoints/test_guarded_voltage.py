"""Plants in virtual time behind a line with a resistance: the voltage guard keeps their inverters on the grid."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from orchestrator.explain.codes import code_path
from orchestrator.ledger.excess import Excess, LedgerState, observe
from orchestrator.samples import MeterSample
from orchestrator.simulation.scenarios.scenario import SCENARIOS, load_scenario, moments
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from orchestrator.telemetry.payloads import limits_payload

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

SCENARIO = load_scenario(SCENARIOS / "voltage_guard.yaml")


def played(*, guarded: bool, seconds: float) -> list[Moment]:
    timeline = [each for each in SCENARIO.timeline if each.at_s < seconds]
    own = {"timeline": tuple(timeline), "duration_s": seconds}
    scenario = SCENARIO.model_copy(update=own if guarded else {**own, "voltage_guard": None})
    return list(moments(scenario, VirtualTime(scenario.site_config())))


def test_without_the_guard_the_inverters_leave_the_grid() -> None:
    run = played(guarded=False, seconds=460)

    assert run[-1].trips >= 2
    assert max(max(moment.phases.volts) for moment in run) > 258.0


def test_the_limit_is_published_with_its_source_and_counted_in_the_ledger() -> None:
    state, told = LedgerState(), list[Excess]()
    for moment in played(guarded=True, seconds=460):
        assert moment.result is not None
        state, news = observe(state, moment.result, datetime(2030, 1, 1, tzinfo=UTC) + timedelta(seconds=moment.at_s))
        told += news

    assert moment.trips == 0
    entry = limits_payload(moment.result.envelope, "")["export_limit_watts"]
    assert (entry["source"], "is_default" in entry) == ("voltage_guard", False)
    assert "voltage_holds_export" in [code_path(reason) for reason in moment.reasons]
    assert {(each.limit, each.source) for each in told} == {("export", "voltage_guard")}


class Blind(VirtualTime):
    """A plant whose meter shows what `volts` says in place of the voltages."""

    volts: tuple[float | None, ...] | None = None

    def _hear(self, name: str, cycle: int) -> None:
        answer = self._network.answer(name, cycle)
        if answer is not None and isinstance(answer.sample, MeterSample) and self.volts is not None:
            answer = replace(answer, sample=replace(answer.sample, phase_volts=self.volts))
        if answer is not None:
            self._tell(answer)


def limits(run: list[Moment]) -> list[float | None]:
    return [moment.wanted.export_limit_watts for moment in run]


def test_a_voltage_that_is_gone_holds_the_limit_and_then_its_default() -> None:
    plant = Blind(SCENARIO.site_config())
    plant.site.set_load(500.0)
    for name in SCENARIO.inverters:
        plant.site.set_pv_available(name, 6000.0)
    before = plant.run(20)
    plant.volts = ()
    blind = plant.run(60)

    held = limits(before)[-1]
    assert held is not None
    assert held > 1000.0
    assert set(limits(blind[:28])) == {held}
    assert set(limits(blind[31:])) == {0.0}
    assert "voltage_unknown" in [code_path(reason) for reason in blind[-1].reasons]
    assert blind[-1].result is not None
    assert blind[-1].result.envelope.fresh == {"voltage_guard": False}
    assert all(moment.site_watts > -200.0 for moment in blind[37:])
    plant.volts = None
    back = limits(plant.run(20))
    assert back[-1] is not None
    assert 0.0 < back[-1] <= 120.0 * 25  # by the ramp of 60 % of 12 kW a minute


def test_one_phase_that_is_gone_lets_nothing_rise() -> None:
    plant = Blind(SCENARIO.site_config())
    plant.site.set_load(500.0)
    plant.volts = (247.0, 247.0, 247.0)
    plant.run(10)
    plant.volts = (247.0, None, 247.0)
    run = limits(plant.run(25))

    assert len(set(run)) == 1
