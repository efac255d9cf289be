"""What a running plant tells of itself, kept for a while and then counted."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

from actors.messages import Acknowledged
from actors.meter import NAME as METER
from actors.observer import NoObserver
from orchestrator.decide.records import CycleResult


@dataclass(frozen=True, slots=True)
class Counted:
    """Whole cycles, from one decision to a later one. `reads` and `writes` are those to inverters.

    `decided_s` is the time from the meter sample of a cycle (when its reply came) to the decision, `written_s` to the
    last acknowledged write; only cycles that wrote have one.
    """

    seconds: float
    cycles: int
    reads: int
    writes: int
    faults: int
    decided_s: tuple[float, ...]
    written_s: tuple[float, ...]


class Counting(NoObserver):
    """Observer and listener of a plant. Lists are only appended to, so any thread may add while another one reads.

    `is_running` is set by the first decision that commands all `inverters`.
    """

    def __init__(self, inverters: int) -> None:
        self.is_running = threading.Event()
        self._inverters = inverters
        self._requests: list[tuple[float, str, str | None]] = []
        self._writes: list[float] = []
        self._cycles: list[CycleResult] = []
        self._acknowledged: list[Acknowledged] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:  # noqa: ARG002
        self._requests.append((time.monotonic(), device, error))

    def register_written(self, inverter: str, register: str) -> None:  # noqa: ARG002
        self._writes.append(time.monotonic())

    def tell(self, message: Any) -> None:
        """A message of the site."""
        if isinstance(message, Acknowledged):
            self._acknowledged.append(message)
        elif isinstance(message, CycleResult):
            self._cycles.append(message)
            if message.mode == "normal" and len(message.commands) == self._inverters:
                self.is_running.set()

    def count(self, begin_s: float, end_s: float) -> Counted:
        """What happened between the first and the last decision within `begin_s`..`end_s` (monotonic).

        Raises TimeoutError where there are less than two.
        """
        cycles = [cycle for cycle in self._cycles if begin_s <= cycle.snapshot.at_s <= end_s]
        if len(cycles) < 2:
            raise TimeoutError("the plant made no two decisions in the time of the measurement")
        first_s, last_s = cycles[0].snapshot.at_s, cycles[-1].snapshot.at_s
        requests = [error for at_s, device, error in self._requests if device != METER and first_s < at_s <= last_s]
        writes = sum(first_s < at_s <= last_s for at_s in self._writes)
        refused = sum(error is not None for error in requests)
        return Counted(
            seconds=last_s - first_s,
            cycles=len(cycles) - 1,
            reads=len(requests) - refused - writes,
            writes=writes,
            faults=refused + sum(cycle.mode != "normal" for cycle in cycles),
            decided_s=tuple(cycle.snapshot.at_s - _measured_at_s(cycle) for cycle in cycles),
            written_s=self._written_s(cycles),
        )

    def _written_s(self, cycles: list[CycleResult]) -> tuple[float, ...]:
        last_s: dict[float, float] = {}
        for each in self._acknowledged:
            if each.writes:
                last_s[each.issued_at_s] = max(each.finished_at_s, last_s.get(each.issued_at_s, 0.0))
        return tuple(
            last_s[cycle.snapshot.at_s] - _measured_at_s(cycle) for cycle in cycles if cycle.snapshot.at_s in last_s
        )


def _measured_at_s(cycle: CycleResult) -> float:
    meter = cycle.snapshot.meter
    return cycle.snapshot.at_s if meter is None else meter.changed_at_s
