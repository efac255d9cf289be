"""What people hear of once, when it begins: a fault of the meter, a battery that does not follow."""

from __future__ import annotations

from orchestrator.cycle import CycleResult
from orchestrator.decide.memory import MeterFault
from orchestrator.explain.words import FAULT_WORDS
from orchestrator.loop.messages import Event

METER = "meter"
METER_REVERSED = "meter_reversed"


class News:
    """Compares each decision with the one before."""

    def __init__(self) -> None:
        self._meter_fault: MeterFault | None = None
        self._not_following: frozenset[str] = frozenset()

    def of(self, result: CycleResult) -> list[Event]:
        """What has begun with this decision."""
        fault, names = result.meter_fault, frozenset(result.not_following)
        events = []
        if fault is not None and fault != self._meter_fault:
            events.append(Event(f"meter_{fault}", METER, f"{FAULT_WORDS[fault]}: failsafe"))
        for name in sorted(names - self._not_following):
            events.append(Event("battery_not_following", name, "its battery has not followed its command for 30 s"))
        self._meter_fault, self._not_following = fault, names
        return events
