"""Reads what can be written of one device, often enough to know whether what was written is still in force."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from actors.clock import Clock
from actors.device.session import DeviceSession
from orchestrator.devices.base import ReadRequest

LOOK_EVERY_S = 2.5
"""One look that is older than this is renewed in each cycle: several take turns, and a cycle has hardly more reads."""
LOOK_AT_LATEST_S = 3.5
"""No look gets older than this and a cycle: what a device has lost is known, and written again, within 5 s."""


@dataclass(slots=True)
class _Look:
    """The words of one read, and when they were read."""

    words: dict[int, int] = field(default_factory=dict)
    at_s: float = float("-inf")


class ControlReader:
    """Belongs to one inverter actor. What the plan of a cycle reads anyway is not read a second time."""

    def __init__(self, session: DeviceSession, clock: Clock) -> None:
        self._session = session
        self._clock = clock
        self._looks: dict[ReadRequest, _Look] = {}
        self._touched: set[int] = set()
        self._planned: tuple[Any, tuple[ReadRequest, ...]] = (None, ())

    def forget(self) -> None:
        """The device was away: nothing that was read of it counts any more."""
        self._looks.clear()
        self._touched.clear()

    def touch(self, addresses: Iterable[int]) -> None:
        """These were written: they are read with the next cycle, whenever they were read before."""
        self._touched.update(addresses)

    def look(self, cycle_words: dict[int, int]) -> tuple[dict[int, int], float | None]:
        """The words that can be written and are not among `cycle_words`, and when the oldest of them were read.

        None where those of the cycle are all. What the device refuses to show is left out. Raises LinkError.
        """
        now_s = self._clock.now_s()
        beside = [request for request in self._plan() if not _is_in(request, cycle_words)]
        self._looks = {request: self._looks.get(request, _Look()) for request in beside}
        for request in self._due(now_s):
            self._looks[request] = _Look(self._session.read_more(request), now_s)
        self._touched.clear()
        words = {at: word for look in self._looks.values() for at, word in look.words.items()}
        return words, min((look.at_s for look in self._looks.values()), default=None)

    def _plan(self) -> tuple[ReadRequest, ...]:
        """The reads of all that can be written, planned anew only where the device is another."""
        device, plan = self._planned
        if device is not self._session.device:
            device = self._session.device
            plan = self._session.driver.plan_readback(device)
            self._planned = device, plan
        return plan

    def _due(self, now_s: float) -> list[ReadRequest]:
        """What was written, what has not been looked at for too long, and else one whose turn it is."""
        oldest_first = sorted(self._looks, key=lambda request: self._looks[request].at_s)
        due = [r for r in oldest_first if self._is_touched(r) or now_s - self._looks[r].at_s >= LOOK_AT_LATEST_S]
        if not due:
            due = [r for r in oldest_first[:1] if now_s - self._looks[r].at_s >= LOOK_EVERY_S]
        return due

    def _is_touched(self, request: ReadRequest) -> bool:
        return not self._touched.isdisjoint(_addresses(request))


def _is_in(request: ReadRequest, words: dict[int, int]) -> bool:
    return words.keys() >= _addresses(request)


@cache
def _addresses(request: ReadRequest) -> frozenset[int]:
    return frozenset(range(request.address, request.address + request.count))
