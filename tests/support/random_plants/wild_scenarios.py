"""Scenarios that nobody wrote and nobody would: every setpoint there is, own settings, and several faults at once.

    scenario = wild_scenario(seed)

They begin like those of `random_scenarios`, and differ by what is asked for, by what site.yaml says, and by how often
it changes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from orchestrator.config.sections import BatteryConfig, ControlConfig, FailsafeConfig
from orchestrator.config.simulation import InverterSimulation, LoadSimulation, MeterSimulation
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.scenarios.scenario import InverterSettings, Scenario
from orchestrator.simulation.scenarios.timeline import Acceptance, Event
from tests.support.random_plants.random_scenarios import random_scenario

PHASES = 3
PHASE_S = 50.0
RESTLESS_FROM_S, RESTLESS_TO_S = 15.0, 30.0
"""The part of a phase in which limits and load change every 1 to 5 s; then there is time to come to rest."""

FAULT_FROM_S = (8.0, 20.0)
FAULT_FOR_S = 20.0


@dataclass(frozen=True)
class _Size:
    """What is large and what is small at this plant: `of(0.3)` is 30 % of its nameplate in W."""

    nameplate_watts: float

    def of(self, part: float | None) -> float | None:
        return None if part is None else part * self.nameplate_watts


def wild_scenario(seed: int) -> Scenario:
    """Three phases of 50 s, each with its light, load and setpoint, some restless or with up to three faults."""
    dice = Random(f"wild/{seed}")
    plain = random_scenario(seed)
    slow_s = dice.choice([None, None, None, 1.5, 3.0])
    inverters = {n: i.model_copy(update={"lag_s": slow_s}) if slow_s else i for n, i in plain.inverters.items()}
    size = _Size(sum(inverter.ac_rating_watts for inverter in inverters.values()))
    events: list[Event] = []
    for phase in range(PHASES):
        starts_s = phase * PHASE_S
        begins = _begin(dice, starts_s, inverters, size)
        events += [begins, *_changes(dice, begins, size)]
        for _ in range(dice.choice([0, 1, 1, 2, 3])):
            events += _fault(dice, starts_s + dice.choice(FAULT_FROM_S), inverters)
    return plain.model_copy(
        update={
            "title": f"wild plant {seed}",
            "duration_s": PHASES * PHASE_S,
            "control": _control(dice, size),
            "settings": {name: _settings(dice, each) for name, each in inverters.items()},
            "load": LoadSimulation(noise_watts=dice.choice([0.0, 20.0])),
            "meter": MeterSimulation(period_s=dice.choice([0.2, 1.0, 1.0, 3.0])),
            "inverters": inverters,
            "timeline": tuple(sorted(events, key=lambda event: event.at_s)),
        }
    )


def _control(dice: Random, size: _Size) -> ControlConfig:
    return ControlConfig(
        battery_power_flow=True,
        failsafe=FailsafeConfig(when_lost=dice.choice(["stay", "release"])),
        allocation=dice.choice(["capacity", "capacity", "equal_soc", "fewest_units"]),
        ramp_watts_per_s=size.of(dice.choice([None, None, None, 0.02, 0.1])),
    )


def _settings(dice: Random, inverter: InverterSimulation) -> InverterSettings:
    """What site.yaml says of one inverter: most often nothing."""
    own: dict[str, Any] = {}
    if dice.random() < 0.1:
        own["soc_min_percent"] = dice.choice([20.0, 40.0])
    if dice.random() < 0.1:
        own["soc_max_percent"] = dice.choice([60.0, 90.0])
    if dice.random() < 0.1:
        own["idle_between_s"] = 3.0
    ramp = 0.05 * inverter.ac_rating_watts if dice.random() < 0.1 else None
    battery = BatteryConfig(control=dice.random() > 0.05, **own)
    return InverterSettings(control=dice.random() > 0.05, ramp_watts_per_s=ramp, battery=battery)


def _begin(dice: Random, at_s: float, inverters: dict[str, InverterSimulation], size: _Size) -> Event:
    clouds = dice.random() < 0.2
    return Event(
        at_s=at_s,
        pv_watts={
            name: "weather" if clouds else each.pv_peak_watts * dice.choice([0.0, 0.1, 0.3, 0.6, 1.0])
            for name, each in inverters.items()
        },
        load_watts=size.of(dice.uniform(0.02, 0.8)),
        setpoint=_setpoint(dice, size),
    )


def _setpoint(dice: Random, size: _Size) -> SetpointFields:
    """Some of everything that can be asked for."""

    def seldom(*values: Any, part: float = 0.25) -> Any:
        return dice.choice(values) if dice.random() < part else None

    switched_off = dice.random() < 0.06
    return SetpointFields(
        connect=dice.choice([None, False]) if switched_off else None,
        energize=dice.choice([None, False]) if switched_off else None,
        export_limit_watts=size.of(seldom(0.0, 0.0, 0.05, 0.3, part=0.7)),
        import_limit_watts=size.of(seldom(0.05, 0.2, 0.5, part=0.6)),
        generation_limit_watts=size.of(seldom(0.0, 0.2, 0.5)),
        load_limit_watts=size.of(seldom(0.0, 0.05, 0.2, part=0.4)),
        battery_grid_charging_enabled=dice.choice([None, False, True, True]),
        battery_grid_charging_max_watts=size.of(seldom(0.0, 0.1, 0.3)),
        battery_import_target_watts=size.of(seldom(0.05, 0.3)),
        battery_export_target_watts=size.of(seldom(0.1, 0.3)),
        battery_charge_rate_percent=seldom(0.0, 20.0, 60.0, part=0.15),
        battery_discharge_rate_percent=seldom(0.0, 20.0, 60.0, part=0.15),
        battery_charge_max_watts=size.of(seldom(0.0, 0.1, 0.3, part=0.2)),
        battery_discharge_max_watts=size.of(seldom(0.0, 0.1, 0.3, part=0.2)),
        battery_target_soc_percent=seldom(20.0, 60.0, 90.0),
        battery_soc_min_percent=seldom(10.0, 35.0, part=0.7),
        battery_soc_max_percent=seldom(60.0, 95.0),
        battery_storage_mode=seldom(0, 1, 2, 3, part=0.15),
        battery_priority_mode=dice.choice([None, PriorityMode.BATTERY_FIRST, PriorityMode.EXPORT_FIRST]),
    )


LIMITS = ("export_limit_watts", "import_limit_watts", "generation_limit_watts", "load_limit_watts")


def _changes(dice: Random, begins: Event, size: _Size) -> list[Event]:
    """Limits or load that change every 1 to 5 s for a while; nothing at half of the phases."""
    what = dice.choice(["nothing", "nothing", "limits", "load"])
    assert isinstance(begins.setpoint, SetpointFields)
    events, asked, at_s = [], begins.setpoint, begins.at_s + RESTLESS_FROM_S
    while what != "nothing" and at_s < begins.at_s + RESTLESS_TO_S:
        if what == "load":
            events.append(Event(at_s=at_s, load_watts=size.of(dice.uniform(0.02, 0.8))))
        else:
            limit = dice.choice([name for name in LIMITS if getattr(asked, name) is not None] or ["export_limit_watts"])
            changed: dict[str, Any] = {limit: size.of(dice.choice([0.0, 0.05, 0.2, 0.4, 0.6]))}
            asked = replace(asked, **changed)
            events.append(Event(at_s=at_s, setpoint=asked))
        at_s += dice.choice([1.0, 2.0, 3.0, 5.0])
    return events


def _fault(dice: Random, at_s: float, inverters: dict[str, InverterSimulation]) -> list[Event]:
    """One fault that begins at `at_s`, and its end."""
    name, ends_s = dice.choice(list(inverters)), at_s + FAULT_FOR_S
    kinds = ["inverter", "inverter", "meter", "restart"]
    if inverters[name].battery is not None:
        kinds += ["weak battery", "deaf battery"]
    match dice.choice(kinds):
        case "inverter":
            fault = dice.choice(list(InverterFault))
            return [Event(at_s=at_s, inverters={name: fault}), Event(at_s=ends_s, inverters={name: "ok"})]
        case "meter":
            return [Event(at_s=at_s, meter=MeterDefect.SILENT), Event(at_s=ends_s, meter="ok")]
        case "restart":
            return [Event(at_s=at_s, orchestrator="restarted")]
        case "weak battery":
            weak = Acceptance(charge_watts=dice.choice([0.0, 800.0]), discharge_watts=dice.choice([0.0, 800.0]))
            return [Event(at_s=at_s, accepts={name: weak}), Event(at_s=ends_s, accepts={name: Acceptance()})]
        case _:
            return [
                Event(at_s=at_s, ignores_battery={name: True}),
                Event(at_s=ends_s, ignores_battery={name: False}),
            ]
