"""Plants in virtual time whose limits hold on each phase: the laws, for plants and days that nobody has chosen."""

from __future__ import annotations

from itertools import groupby
from random import Random
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.decide.plant.phases import PHASES, phase_parts
from orchestrator.explain.codes import code_path
from orchestrator.samples import MeterSample
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.scenarios.scenario import SCENARIOS, Scenario, load_scenario, moments
from orchestrator.simulation.virtual_time import Moment, VirtualTime

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

BATTERY = {"capacity_wh": 20000.0, "charge_watts": 3000.0, "discharge_watts": 3000.0, "grid_charging_allowed": True}
OBEYED_WITHIN_S = 5
TOLERANCE_PART = 0.02
"""Of nameplate, as for the sum."""
QUICK_SEEDS, SEEDS = range(3), range(3, 40)


def drawn(seed: int) -> Scenario:
    """Two to five inverters on phases of their own, with steps of load, sun and limits."""
    dice = Random(f"phases/{seed}")
    inverters: dict[str, Any] = {}
    settings: dict[str, Any] = {}
    for name in "abcde"[: dice.randint(2, 5)]:
        kind = dice.choice(("pv", "hybrid", "store"))
        soc = {"soc_percent": dice.choice((20.0, 60.0, 90.0))}
        own: dict[str, Any] = {"ac_rating_watts": 4000.0, "pv_peak_watts": 0.0 if kind == "store" else 5000.0}
        inverters[name] = own if kind == "pv" else {**own, "battery": {**BATTERY, **soc}}
        settings[name] = {"phase": dice.choice((None, 1, 2, 3))}
    suns = [name for name in inverters if inverters[name]["pv_peak_watts"]]
    timeline = [
        {
            "at_s": 40.0 * n,
            "load_watts": dice.uniform(200.0, 6000.0),
            "pv_watts": {name: dice.uniform(0.0, 5000.0) for name in suns},
            "setpoint": {
                "export_limit_watts": dice.choice((0.0, 900.0, 3000.0, 6000.0)),
                "import_limit_watts": dice.choice((6000.0, 30000.0)),
            },
        }
        for n in range(3)
    ]
    return Scenario.model_validate(
        {
            "title": "drawn",
            "duration_s": 120.0,
            "inverters": inverters,
            "settings": settings,
            "control": {"battery_power_flow": True, "limits_per_phase": True},
            "load": {"base_watts": 500.0, "phase_parts": [dice.random() + 0.01 for _ in range(PHASES)]},
            "timeline": timeline,
            "expect": [{"measure": "most_export_watts", "at_most": 0.0}],
        }
    )


def longest_s(above: list[bool]) -> int:
    return max((len(list(run)) for is_above, run in groupby(above) if is_above), default=0)


def phase_watts(moment: Moment) -> tuple[float, ...]:
    return moment.phases.watts or (moment.site_watts / PHASES,) * PHASES


def check(seed: int) -> None:
    scenario = drawn(seed)
    config = scenario.site_config()
    run = list(moments(scenario, VirtualTime(config, keep_results=False)))
    tolerance = TOLERANCE_PART * sum(each.ac_rating_watts for each in scenario.inverters.values())
    limits = [moment.wanted.export_limit_watts or 0.0 for moment in run]

    above_sum = [-m.site_watts > limit + tolerance for m, limit in zip(run, limits, strict=True)]
    assert longest_s(above_sum) <= OBEYED_WITHIN_S
    for phase in range(PHASES):
        flows = [phase_watts(moment)[phase] for moment in run]
        above = [-watts > limit / PHASES + tolerance for watts, limit in zip(flows, limits, strict=True)]
        assert longest_s(above) <= OBEYED_WITHIN_S, f"phase {phase + 1}"
        alone = [n for n, each in enumerate(config.inverters) if phase_parts(each)[phase] == 1.0]
        could = [_could_give(scenario, config.inverters[n].name, n, phase, run) for n in alone]
        most = [(m.wanted.import_limit_watts or 0.0) / PHASES for m in run]
        needs = [
            watts > limit + tolerance and any(each[at] for each in could)
            for at, (watts, limit) in enumerate(zip(flows, most, strict=True))
        ]
        assert longest_s(needs) <= OBEYED_WITHIN_S, f"phase {phase + 1}: import"


def _could_give(scenario: Scenario, name: str, number: int, phase: int, run: list[Moment]) -> list[bool]:
    """Whether the battery of an inverter that is on this phase alone could clearly give more, in each moment."""
    battery = scenario.inverters[name].battery
    if battery is None:
        return [False] * len(run)
    rating = scenario.inverters[name].ac_rating_watts
    powers = [moment.powers[number] for moment in run]
    return [
        100.0 * power.stored_wh / battery.capacity_wh > battery.reserve_percent + 1.0
        and -power.battery_watts < 0.9 * battery.discharge_watts
        and power.ac_watts < 0.9 * rating
        for power in powers
    ]


@pytest.mark.parametrize("seed", QUICK_SEEDS)
def test_law_no_phase_is_above_its_limit_and_neither_is_the_sum(seed: int) -> None:
    check(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", SEEDS)
def test_law_no_phase_is_above_its_limit_in_many_plants(seed: int) -> None:
    check(seed)


class WithoutPhases(VirtualTime):
    """A plant whose meter shows nothing of its phases."""

    def _hear(self, name: str, cycle: int) -> None:
        answer = self._network.answer(name, cycle)
        if answer is not None and isinstance(answer.sample, MeterSample):
            answer = replace(answer, sample=replace(answer.sample, phase_watts=()))
        if answer is not None:
            self._tell(answer)


def test_with_a_meter_without_phases_no_phase_exports_more_than_its_limit_without_any_load() -> None:
    scenario = load_scenario(SCENARIOS / "phase_exports_alone.yaml")
    plant = WithoutPhases(scenario.site_config())
    plant.site.set_load(2000.0)
    plant.site.set_pv_available("roof", 4000.0)
    plant.site.set_soc("cellar", 100.0)
    plant.receive(Setpoint("mqtt", SetpointFields(export_limit_watts=1500.0), 0.0))
    run = plant.run(40)[8:]

    assert all(-min(moment.phases.watts) <= 600.0 for moment in run)
    assert all(moment.powers[0].ac_watts <= 600.0 for moment in run)
    assert "phases_unknown" in [code_path(reason) for reason in run[-1].reasons]


def test_in_the_failsafe_and_after_it_each_phase_is_safe_without_any_load() -> None:
    scenario = load_scenario(SCENARIOS / "phase_exports_alone.yaml")
    control = scenario.control.model_copy(
        update={"failsafe": scenario.control.failsafe.model_copy(update={"export_limit_watts": 1500.0})}
    )
    plant = VirtualTime(scenario.model_copy(update={"control": control}).site_config())
    plant.site.set_pv_available("roof", 4000.0)
    plant.receive(Setpoint("mqtt", SetpointFields(export_limit_watts=1500.0), 0.0))
    plant.run(10)
    plant.meter_fault = MeterDefect.SILENT
    silent = plant.run(20)[-1]
    plant.stop()

    limits = {each.inverter: each.ac_limit_watts or 0.0 for each in silent.commands}
    assert silent.mode == "failsafe"
    assert limits["roof"] + limits["cellar"] <= 501.0
    plant.run(5)
    left = {name: unit.inverter.controls.ac_limit_watts or 0.0 for name, unit in plant.site.in_time.items()}
    assert left["roof"] + left["cellar"] <= 501.0
