"""A chosen few scenarios in real time, with actors, Modbus and MQTT: what they expect holds as it does in virtual time.

Both must give the same picture: once each phase has settled, the same power at the meter and in the batteries, within
2 % of nameplate. `real_time: true` in its file chooses a scenario.
"""

from __future__ import annotations

from pathlib import Path
from statistics import fmean

import pytest

from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.scenarios.scenario import SCENARIOS, Scenario, load_scenarios, play
from tests.support.plants.real_time import play_in_real_time

SETTLED_AFTER_S = 10.0
LOOK_S = 4.0
TOLERANCE_PART_OF_NAMEPLATE = 0.02

CHOSEN = {name: scenario for name, scenario in load_scenarios(SCENARIOS).items() if scenario.real_time}


def phases(scenario: Scenario) -> list[tuple[float, float]]:
    """From each event of the time line to the next, as far as there is time to settle between them."""
    begins = sorted({event.at_s for event in scenario.timeline})
    ends = [*begins[1:], scenario.duration_s]
    return [(begin, end) for begin, end in zip(begins, ends, strict=True) if end - begin > SETTLED_AFTER_S]


def picture(run: Run, end_s: float) -> dict[str, float]:
    """The mean power at the meter (import +) and of all batteries (charging +) in the last seconds of a phase, in W."""
    last = run.between(end_s - LOOK_S, end_s).moments
    return {
        "site": fmean(m.site_watts for m in last),
        "batteries": fmean(sum(power.battery_watts for power in m.powers) for m in last),
    }


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", CHOSEN)
def test_a_scenario_in_real_time_does_what_it_does_in_virtual_time(name: str, tmp_path: Path) -> None:
    scenario = CHOSEN[name]
    virtual, real = play(scenario), play_in_real_time(scenario, tmp_path)
    tolerance_watts = TOLERANCE_PART_OF_NAMEPLATE * real.nameplate_watts

    broken = [str(outcome) for outcome in scenario.judge(real) if not outcome.holds]
    assert broken == []
    for begin_s, end_s in phases(scenario):
        assert picture(real, end_s) == pytest.approx(picture(virtual, end_s), abs=tolerance_watts), begin_s
