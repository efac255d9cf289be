"""What is wrong with a plant at each moment of a scenario, and what has just changed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from math import fsum

from orchestrator.simulation.network.virtual import InverterFault
from orchestrator.simulation.scenarios.scenario import Scenario
from orchestrator.simulation.scenarios.timeline import OK, Event
from orchestrator.simulation.virtual_time import Moment

REMEMBERED_S = 60.0
"""For so long after a fault began or ended a battery may still be given its share step by step."""

FALLING_LIGHT_PART_OF_RATING = 0.01
"""Light that falls by more than this part of nameplate a second, all falls added, is a change of its own."""


@dataclass(frozen=True)
class Trouble:
    """All that is wrong at one moment, by inverter: what fault it has, since when something changed there.

    `ignoring` batteries go on with their last command. `unheard` inverters have not answered since the orchestrator
    started. `changed` names what is new since the moment before: load, light, setpoint, fault or restart. The
    meter is silent or not since `meter_since_s`, the orchestrator runs since `started_s`.
    """

    faults: dict[str, InverterFault] = field(default_factory=dict)
    ignoring: frozenset[str] = frozenset()
    since_s: dict[str, float] = field(default_factory=dict)
    unheard: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    silent_meter: bool = False
    meter_since_s: float = 0.0
    started_s: float = 0.0
    at_s: float = 0.0

    def is_new(self, within_s: float) -> bool:
        """Whether some fault began or ended not longer ago."""
        return any(self.at_s - since_s <= within_s for since_s in self.since_s.values())

    def is_recent(self, name: str) -> bool:
        """Whether this inverter has or had a fault a while ago."""
        return self.at_s - self.since_s.get(name, -REMEMBERED_S) < REMEMBERED_S


def troubles(scenario: Scenario, moments: Iterable[Moment]) -> Iterator[Trouble]:
    """For each moment of a scenario what is wrong then."""
    events = sorted(scenario.timeline, key=lambda event: event.at_s)
    small_watts = FALLING_LIGHT_PART_OF_RATING * fsum(i.ac_rating_watts for i in scenario.inverters.values())
    trouble, light_before = Trouble(), [0.0] * len(scenario.inverters)
    for moment in moments:
        trouble = replace(trouble, changed=frozenset(), at_s=moment.at_s)
        while events and events[0].at_s < moment.at_s:
            trouble = _after(trouble, events.pop(0))
        away = {name for name, fault in trouble.faults.items() if fault is not InverterFault.FROZEN}
        unheard = away if "restart" in trouble.changed else trouble.unheard & away
        trouble = replace(trouble, unheard=frozenset(unheard))
        light = [power.pv_available_watts for power in moment.powers]
        if fsum(max(before - now, 0.0) for before, now in zip(light_before, light, strict=True)) > small_watts:
            trouble = replace(trouble, changed=trouble.changed | {"light"})
        light_before = light
        yield trouble


def _after(trouble: Trouble, event: Event) -> Trouble:
    faults = {name: fault for name, fault in trouble.faults.items() if name not in event.inverters}
    faults |= {name: InverterFault(fault) for name, fault in event.inverters.items() if fault != OK}
    ignoring = trouble.ignoring - event.ignores_battery.keys()
    ignoring |= {name for name, ignores in event.ignores_battery.items() if ignores}
    changed = {
        "load": event.load_watts is not None,
        "light": bool(event.pv_watts),
        "setpoint": event.setpoint is not None,
        "restart": event.orchestrator is not None,
        "fault": bool(event.inverters or event.ignores_battery or event.accepts or event.meter or event.orchestrator),
    }
    return replace(
        trouble,
        faults=faults,
        ignoring=ignoring,
        silent_meter=trouble.silent_meter if event.meter is None else event.meter != OK,
        meter_since_s=trouble.meter_since_s if event.meter is None else event.at_s,
        started_s=trouble.started_s if event.orchestrator is None else event.at_s,
        since_s=trouble.since_s | dict.fromkeys([*event.inverters, *event.ignores_battery, *event.accepts], event.at_s),
        changed=trouble.changed | {name for name, is_new in changed.items() if is_new},
    )
