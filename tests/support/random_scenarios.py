"""Scenarios that nobody wrote: random plants of 2 to 100 inverters, weather, load, limits and faults, from a seed."""

from __future__ import annotations

from random import Random

from orchestrator.config import ControlConfig, FailsafeConfig, SetpointValues
from orchestrator.simulation.config import (
    BatterySimulation,
    InverterSimulation,
    LoadSimulation,
    MeterSimulation,
    SunSimulation,
)
from orchestrator.simulation.expectations import Expectation
from orchestrator.simulation.scenario import Scenario
from orchestrator.simulation.timeline import Acceptance, Event

PHASES = 4
PHASE_S = 45.0
FAULT_FROM_S = 10.0
FAULT_FOR_S = 20.0
SOC_MIN_PERCENT = 10.0
KILLED_FOR_S = 80.0
"""Longer than the revert time, so that what is left behind shows."""

WHOLE = Expectation(measure="energy_gap_wh", at_most=1e-3)


def random_scenario(seed: int) -> Scenario:
    """Phases of 45 s, each with light, load and setpoint of its own, from the second on with a fault in the middle.

    Every fifth plant is left by its orchestrator at the end.
    """
    dice = Random(seed)
    inverters = _inverters(dice)
    nameplate = sum(inverter.ac_rating_watts for inverter in inverters.values())
    events = []
    for phase in range(PHASES):
        starts_s = phase * PHASE_S
        events.append(_conditions(dice, starts_s, inverters, nameplate))
        if phase:
            events += _fault(dice, starts_s + FAULT_FROM_S, inverters)
    duration_s = PHASES * PHASE_S
    if seed % 5 == 0:
        events.append(Event(at_s=duration_s, orchestrator="killed"))
        duration_s += KILLED_FOR_S
    return Scenario(
        title=f"random plant {seed}",
        duration_s=duration_s,
        seed=seed,
        control=ControlConfig(
            battery_power_flow=True,
            failsafe=FailsafeConfig(when_lost=dice.choice(["stay", "release"])),
            allocation=dice.choice(["capacity", "capacity", "equal_soc", "fewest_units"]),
        ),
        sun=SunSimulation(start_fraction=0.25, cloud_depth=0.7, cloud_period_s=30.0, cloud_contrast=2.0),
        load=LoadSimulation(base_watts=0.1 * nameplate, variation_watts=0.0, noise_watts=dice.choice([0.0, 20.0])),
        meter=MeterSimulation(period_s=dice.choice([0.2, 1.0])),
        inverters=inverters,
        timeline=tuple(events),
        expect=(WHOLE,),
    )


def _inverters(dice: Random) -> dict[str, InverterSimulation]:
    most = dice.choices([12, 40, 100], weights=[90, 8, 2])[0]
    return {f"i{n}": _inverter(dice) for n in range(dice.randint(2, most))}


def _inverter(dice: Random) -> InverterSimulation:
    kind = dice.choice(["pv", "hybrid", "hybrid", "battery"])
    rating = dice.choice([3000.0, 5000.0, 8000.0, 10000.0])
    battery = BatterySimulation(
        capacity_wh=dice.choice([5000.0, 10000.0, 20000.0]),
        charge_watts=dice.choice([2500.0, 5000.0]),
        discharge_watts=dice.choice([2500.0, 5000.0]),
        soc_percent=dice.choice([5.0, 30.0, 50.0, 80.0, 99.0, 100.0]),
        grid_charging_allowed=dice.random() < 0.5,
        temperature_celsius=dice.choice([20.0, 20.0, 20.0, 4.0]),
    )
    return InverterSimulation(
        pv_peak_watts=0.0 if kind == "battery" else rating * dice.choice([1.0, 1.2]),
        ac_rating_watts=rating,
        latency_s=dice.choice([0.05, 0.05, 0.15]),
        jitter_s=dice.choice([0.0, 0.05]),
        lag_s=dice.choice([0.4, 0.8, 0.8]),
        battery=None if kind == "pv" else battery,
    )


def _conditions(dice: Random, at_s: float, inverters: dict[str, InverterSimulation], nameplate: float) -> Event:
    clouds = dice.random() < 0.25
    limit = dice.choice([None, 0.0, 0.0, 0.05 * nameplate, 0.3 * nameplate])
    return Event(
        at_s=at_s,
        pv_watts={
            name: "weather" if clouds else inverter.pv_peak_watts * dice.choice([0.0, 0.1, 0.3, 0.6, 1.0])
            for name, inverter in inverters.items()
        },
        load_watts=dice.uniform(0.02, 0.8) * nameplate,
        setpoint=SetpointValues(
            export_limit_watts=limit,
            generation_limit_watts=dice.choice([None, None, None, 0.5 * nameplate]),
            battery_priority_mode=dice.choice([None, "battery_first", "export_first"]),
            battery_soc_min_percent=SOC_MIN_PERCENT,
        ),
    )


def _fault(dice: Random, at_s: float, inverters: dict[str, InverterSimulation]) -> list[Event]:
    """One fault that begins at `at_s`, and its end."""
    kind = dice.choice(["none", "inverter", "inverter", "meter", "restart", "battery"])
    name, ends_s = dice.choice(list(inverters)), at_s + FAULT_FOR_S
    if kind == "inverter":
        fault = dice.choice(["offline", "silent", "exceptions", "resetting"])
        return [Event(at_s=at_s, inverters={name: fault}), Event(at_s=ends_s, inverters={name: "ok"})]
    if kind == "meter":
        return [Event(at_s=at_s, meter="silent"), Event(at_s=ends_s, meter="ok")]
    if kind == "restart":
        return [Event(at_s=at_s, orchestrator="restarted")]
    if kind == "battery" and inverters[name].battery is not None:
        weak = Acceptance(charge_watts=dice.choice([0.0, 800.0]), discharge_watts=dice.choice([0.0, 800.0]))
        return [Event(at_s=at_s, accepts={name: weak}), Event(at_s=ends_s, accepts={name: Acceptance()})]
    return []
