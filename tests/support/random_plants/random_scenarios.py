"""Scenarios that nobody wrote: random plants of 2 to 100 inverters, weather, load, limits and faults, from a seed."""

from __future__ import annotations

from random import Random

from orchestrator.config.sections import ControlConfig, FailsafeConfig
from orchestrator.config.simulation import (
    BatterySimulation,
    InverterSimulation,
    LoadSimulation,
    MeterSimulation,
    SunSimulation,
)
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from orchestrator.simulation.measuring.expectations import Expectation
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.scenarios.scenario import InverterSettings, Scenario
from orchestrator.simulation.scenarios.timeline import Acceptance, Event

PHASES = 4
PHASE_S = 45.0
FAULT_FROM_S = 10.0
FAULT_FOR_S = 20.0
SOC_MIN_PERCENT = 10.0
KILLED_FOR_S = 80.0
"""Longer than the revert time, so that what is left behind shows."""

METER_FAULT_FROM_S = 55.0
"""In the second phase, when the plant may be at rest; light, load and setpoint change again at 90 and 135 s."""

RESTLESS_S = 150.0

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
            failsafe=FailsafeConfig(when_lost=dice.choice(["stay", "release"]), ask_meter_after_s=10.0),
            allocation=dice.choice(["capacity", "capacity", "equal_soc", "fewest_units"]),
        ),
        sun=SunSimulation(start_fraction=0.25, cloud_depth=0.7, cloud_period_s=30.0, cloud_contrast=2.0),
        load=LoadSimulation(base_watts=0.1 * nameplate, variation_watts=0.0, noise_watts=dice.choice([0.0, 20.0])),
        meter=MeterSimulation(period_s=dice.choice([0.2, 1.0])),
        inverters=inverters,
        timeline=tuple(events),
        expect=(WHOLE,),
    )


def meter_fault_scenario(seed: int, fault: MeterDefect) -> Scenario:
    """The random plant of this seed, with one fault only: that of its meter, which lasts until the end."""
    scenario = random_scenario(seed)
    happens = Event(at_s=METER_FAULT_FROM_S, meter=fault)
    timeline = sorted([*_without_faults(scenario), happens], key=lambda event: event.at_s)
    return scenario.model_copy(update={"timeline": tuple(timeline), "duration_s": PHASES * PHASE_S})


def restless_scenario(seed: int) -> Scenario:
    """The random plant of this seed without any fault, but under a load that never rests, seen by a meter of its own.

    The load jumps, goes to and fro, or rises and falls steadily; inverters may be slow, and their limits too.
    """
    scenario, dice = random_scenario(seed), Random(f"restless/{seed}")
    lag_s, latency_s = dice.choice([None, 0.8, 3.0]), dice.choice([0.05, 0.3])
    inverters = {
        name: each.model_copy(update={"latency_s": latency_s} | ({"lag_s": lag_s} if lag_s else {}))
        for name, each in scenario.inverters.items()
    }
    nameplate = sum(inverter.ac_rating_watts for inverter in inverters.values())
    ramp = dice.choice([None, None, 0.02, 0.1])
    return scenario.model_copy(
        update={
            "duration_s": RESTLESS_S,
            "timeline": tuple(_restless_load(dice, _without_faults(scenario), nameplate)),
            "inverters": inverters,
            "settings": {
                name: InverterSettings(ramp_watts_per_s=ramp and ramp * each.ac_rating_watts)
                for name, each in inverters.items()
            },
            "load": LoadSimulation(
                base_watts=0.1 * nameplate,
                variation_watts=0.3 * nameplate,
                period_s=dice.choice([20.0, 60.0]),
                appliance_watts=0.2 * nameplate,
                appliance_period_s=dice.choice([3.0, 7.0, 15.0]),
                noise_watts=dice.choice([0.0, 20.0, 0.01 * nameplate]),
            ),
            "meter": MeterSimulation(period_s=dice.choice([0.2, 1.0, 3.0]), latency_s=dice.choice([0.05, 0.2])),
        }
    )


def _without_faults(scenario: Scenario) -> list[Event]:
    return [event for event in scenario.timeline if event.setpoint is not None]


def _restless_load(dice: Random, events: list[Event], nameplate: float) -> list[Event]:
    """The events with a load that changes every second or two; every fourth plant has the one of its weather."""
    kind = dice.choice(["jumps", "to and fro", "ramps", "weather"])
    if kind == "weather":
        return [event.model_copy(update={"load_watts": "weather"}) for event in events if event.at_s < RESTLESS_S]
    load = goal = dice.uniform(0.05, 0.7) * nameplate
    size, rate = dice.uniform(0.02, 0.5) * nameplate, dice.uniform(0.005, 0.2) * nameplate
    pace, beat = dice.choice([1, 1, 2]), dice.choice([1, 2, 3, 5])
    changes = []
    for second in range(1, int(RESTLESS_S), pace):
        if dice.random() < 0.2:
            goal = dice.uniform(0.02, 0.8) * nameplate
        if kind == "jumps":
            load = goal
        elif kind == "to and fro":
            load = size * (0.2 + second // beat % 2)
        else:
            load += max(-rate, min(goal - load, rate))
        changes.append(Event(at_s=float(second), load_watts=load))
    plain = [event.model_copy(update={"load_watts": None}) for event in events if event.at_s < RESTLESS_S]
    return sorted(plain + changes, key=lambda event: event.at_s)


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
        setpoint=SetpointFields(
            export_limit_watts=limit,
            generation_limit_watts=dice.choice([None, None, None, 0.5 * nameplate]),
            battery_priority_mode=dice.choice([None, PriorityMode.BATTERY_FIRST, PriorityMode.EXPORT_FIRST]),
            battery_soc_min_percent=SOC_MIN_PERCENT,
        ),
    )


def _fault(dice: Random, at_s: float, inverters: dict[str, InverterSimulation]) -> list[Event]:
    """One fault that begins at `at_s`, and its end."""
    kind = dice.choice(["none", "inverter", "inverter", "meter", "restart", "battery"])
    name, ends_s = dice.choice(list(inverters)), at_s + FAULT_FOR_S
    if kind == "inverter":
        fault = dice.choice(
            [InverterFault.OFFLINE, InverterFault.SILENT, InverterFault.EXCEPTIONS, InverterFault.RESETTING]
        )
        return [Event(at_s=at_s, inverters={name: fault}), Event(at_s=ends_s, inverters={name: "ok"})]
    if kind == "meter":
        return [Event(at_s=at_s, meter=MeterDefect.SILENT), Event(at_s=ends_s, meter="ok")]
    if kind == "restart":
        return [Event(at_s=at_s, orchestrator="restarted")]
    if kind == "battery" and inverters[name].battery is not None:
        weak = Acceptance(charge_watts=dice.choice([0.0, 800.0]), discharge_watts=dice.choice([0.0, 800.0]))
        return [Event(at_s=at_s, accepts={name: weak}), Event(at_s=ends_s, accepts={name: Acceptance()})]
    return []
