"""Laws of the closed loop on random sites of 2 to 12 inverters, weather, loads and limits, in virtual time."""

from __future__ import annotations

import random
from dataclasses import dataclass

import pytest

from orchestrator.simulation.config import BatterySimulation, InverterSimulation
from tests.support.closed_loop import ClosedLoop, Moment
from tests.support.example_site import plant

SITES = 60
PHASE_S = 45
SETTLED_AFTER_S = 6
TOLERANCE_PART_OF_NAMEPLATE = 0.02


@dataclass(frozen=True)
class Phase:
    """A while of constant weather, load and limits, and what was seen in it."""

    export_limit_watts: float | None
    moments: list[Moment]


def random_inverters(dice: random.Random) -> dict[str, InverterSimulation]:
    return {f"i{i}": _random_inverter(dice) for i in range(dice.randint(2, 12))}


def _random_inverter(dice: random.Random) -> InverterSimulation:
    kind = dice.choice(["pv", "hybrid", "hybrid", "battery"])
    rating = dice.choice([3000.0, 5000.0, 8000.0, 10000.0])
    battery = BatterySimulation(
        capacity_wh=dice.choice([5000.0, 10000.0, 20000.0]),
        charge_watts=dice.choice([2500.0, 5000.0]),
        discharge_watts=dice.choice([2500.0, 5000.0]),
        soc_percent=dice.choice([5.0, 30.0, 50.0, 80.0, 99.0, 100.0]),
        grid_charging_allowed=dice.random() < 0.5,
    )
    return InverterSimulation(
        pv_peak_watts=0.0 if kind == "battery" else rating * dice.choice([1.0, 1.2]),
        ac_rating_watts=rating,
        battery=None if kind == "pv" else battery,
    )


def run_random_site(seed: int) -> tuple[ClosedLoop, list[Phase], float]:
    """Four phases on one random site; the loop, the phases and the nameplate."""
    dice = random.Random(seed)
    inverters = random_inverters(dice)
    nameplate = sum(i.ac_rating_watts for i in inverters.values())
    loop = plant(inverters, pv_watts=dict.fromkeys(inverters, 0.0), noise_watts=dice.choice([0.0, 20.0]))
    phases = []
    for _ in range(4):
        for name, inverter in inverters.items():
            loop.site.set_pv_available(name, inverter.pv_peak_watts * dice.choice([0, 0.1, 0.3, 0.6, 1.0]))
        loop.site.set_load(dice.uniform(0.02, 0.8) * nameplate)
        limit = dice.choice([None, 0.0, 0.0, 0.05 * nameplate, 0.3 * nameplate])
        mode = dice.choice([None, "battery_first", "export_first"])
        loop.ask(export_limit_watts=limit, battery_priority_mode=mode, battery_soc_min_percent=10.0)
        phases.append(Phase(limit, loop.run(PHASE_S)))
    return loop, phases, nameplate


def longest_run(flags: list[bool]) -> int:
    longest = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        longest = max(longest, now)
    return longest


@pytest.mark.parametrize("seed", range(SITES))
def test_limits_are_kept_batteries_obey_their_laws_and_energy_balances(seed: int) -> None:
    loop, phases, nameplate = run_random_site(seed)

    for phase in phases:
        if phase.export_limit_watts is not None:
            allowed = phase.export_limit_watts + TOLERANCE_PART_OF_NAMEPLATE * nameplate
            over = [-m.site_watts > allowed for m in phase.moments[SETTLED_AFTER_S:]]
            assert longest_run(over) <= 5
        for moment in phase.moments:
            targets = [c.battery.watts for c in moment.result.commands if c.battery]
            assert not (max(targets, default=0) > 0 > min(targets, default=0))
            for sample in moment.result.snapshot.inverters:
                command = moment.result.command(sample.name)
                if command is None or command.battery is None or sample.battery is None:
                    continue
                soc = sample.battery.soc_percent or 0.0
                assert command.battery.watts <= 0 or soc < 100
                assert command.battery.watts >= 0 or soc > 10
    ac_watts = sum(i.state.ac_watts for i in loop.site.inverters.values())
    assert phases[-1].moments[-1].site_watts == pytest.approx(loop.site.load_watts - ac_watts)
    for inverter in loop.site.inverters.values():
        assert inverter.state.pv_watts - inverter.state.battery_watts - inverter.state.ac_watts >= -1e-6
