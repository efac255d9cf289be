"""How much of a link's time devices get that do not answer, and how long a request may wait for its reply.

Behind one host and port stand several devices, and each request waits for the reply to the one before. A device that
does not answer would take `timeout_s` of the others each time that it is tried. So, while others answer:

- All the dead share one budget: after a try that took d seconds in vain there is none for 9 d, whoever's it would be.
  The one whose last try is the longest ago comes next, but for the meter, which comes every other time. A gateway may
  go on waiting, by its own time-out, for one that was given up here: what the next reply of another is late for that
  is paid for as well.
- A try is short; each fourth one is patient, for a device that has become slow.
- A device that has answered so far is given up after four times its slowest reply, at least 2 s, not after a
  `timeout_s` that may be long.

Where nobody else answers there is nobody to starve, and all of this does not count.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

SHARE: Final = 0.1
"""The part of a link's time that may go into tries in vain."""
SHORT_S: Final = 0.5
PATIENT_S: Final = 2.0
"""How long a short and a patient try wait for the connection and for each reply."""
PATIENT_EVERY: Final = 4
SLOWER_THAN_EVER: Final = 4.0
"""A reply that takes so many times as long as the slowest so far is not waited for."""
LIVING_LEAST_S: Final = 2.0
FADES: Final = 0.98
"""By this factor the slowest reply is forgotten with each reply that is quicker."""
ALIVE_S: Final = 90.0
"""A device that has not been asked for so long counts no more as one that answers."""
STILL_WAITS_S: Final = 5.0
"""A device that has not asked for its turn for so long does not want it any more."""


@dataclass(slots=True)
class _Known:
    """What is known of one device. Times in monotonic seconds."""

    answered_at_s: float | None = None
    slowest_s: float = 0.0
    failures: int = 0
    tried_at_s: float = float("-inf")
    asked_at_s: float = float("-inf")
    spent_s: float = 0.0
    is_first: bool = False

    def is_alive(self, now_s: float) -> bool:
        return self.failures == 0 and self.answered_at_s is not None and now_s - self.answered_at_s <= ALIVE_S

    def waits(self, now_s: float) -> bool:
        return self.failures > 0 and now_s - self.asked_at_s <= STILL_WAITS_S


class Tries:
    """The memory of one link, by the names of its devices. For one thread at a time; `now_s` is monotonic."""

    def __init__(self, *, is_rationed: bool = True) -> None:
        """Not `is_rationed`: everything is allowed, for a scan that asks one after the other."""
        self._is_rationed = is_rationed
        self._devices: dict[str, _Known] = {}
        self._free_at_s = float("-inf")
        self._under_way: str | None = None
        self._given_up: str | None = None
        self._last_tried: str | None = None

    def may_try(self, device: str, now_s: float, *, first: bool = False) -> bool:
        """Whether `device`, which is not connected, may be tried now. Where it may, `tried` has to follow.

        `first`: it has every other try, as the meter has: without it nothing is decided.
        """
        known = self._known(device)
        known.asked_at_s, known.is_first = now_s, first
        is_new = known.failures == 0 and known.answered_at_s is None
        if not is_new and self._others_alive(device, now_s) and not self._is_its_turn(device, known, now_s):
            return False
        known.tried_at_s, known.spent_s, self._under_way = now_s, 0.0, device
        self._last_tried = device
        return True

    def tried(self, device: str, now_s: float, *, found: bool) -> None:
        """A try is over. `found`: the device is connected now; otherwise the time that it took is paid for."""
        known = self._known(device)
        if self._under_way == device:
            self._under_way = None
        if not found:
            known.failures = max(known.failures, 1)
            self._pay(known.spent_s, now_s)
        known.spent_s = 0.0

    def answered(self, device: str, seconds: float, now_s: float) -> None:
        """`device` has answered a request after `seconds`, be it with a refusal."""
        known = self._known(device)
        seconds -= self._behind_a_gateway_s(device, known, seconds, now_s)
        known.answered_at_s, known.failures = now_s, 0
        known.slowest_s = max(seconds, FADES * known.slowest_s)
        known.spent_s += seconds

    def failed(self, device: str, seconds: float, now_s: float) -> None:
        """A request to `device` has ended without an answer after `seconds`."""
        known = self._known(device)
        known.failures += 1
        known.spent_s += seconds
        self._given_up = device
        self._pay(seconds, now_s)

    def patience_s(self, device: str, timeout_s: float, now_s: float) -> float:
        """How long a request to `device` may wait for the connection and for its reply, at most `timeout_s`."""
        if not self._others_alive(device, now_s):
            return timeout_s
        known = self._known(device)
        usual_s = SLOWER_THAN_EVER * known.slowest_s
        if known.is_alive(now_s):
            return min(timeout_s, max(LIVING_LEAST_S, usual_s))
        longest_s = min(timeout_s, max(PATIENT_S, 1.5 * known.slowest_s))
        is_patient = known.failures % PATIENT_EVERY == 0
        return longest_s if is_patient else min(longest_s, max(SHORT_S, usual_s))

    def _behind_a_gateway_s(self, device: str, known: _Known, seconds: float, now_s: float) -> float:
        """How much later than ever a reply came, as a gateway still waited for one that was given up; it is paid."""
        given_up, self._given_up = self._given_up, None
        if given_up in (None, device) or known.answered_at_s is None:
            return 0.0
        late_s = max(seconds - known.slowest_s, 0.0)
        self._free_at_s = max(self._free_at_s, now_s) + (1.0 / SHARE - 1.0) * late_s
        return late_s

    def _known(self, device: str) -> _Known:
        return self._devices.setdefault(device, _Known())

    def _others(self, device: str) -> Iterator[tuple[str, _Known]]:
        return ((name, known) for name, known in self._devices.items() if name != device)

    def _others_alive(self, device: str, now_s: float) -> bool:
        return self._is_rationed and any(known.is_alive(now_s) for _, known in self._others(device))

    def _is_its_turn(self, device: str, known: _Known, now_s: float) -> bool:
        if now_s < self._free_at_s or self._under_way not in (None, device):
            return False
        own = self._order(device, known)
        return all(own <= self._order(name, other) for name, other in self._others(device) if other.waits(now_s))

    def _order(self, device: str, known: _Known) -> tuple[bool, float]:
        """The least comes next: the meter every other time, else the one whose last try is the longest ago."""
        return not (known.is_first and device != self._last_tried), known.tried_at_s

    def _pay(self, seconds: float, now_s: float) -> None:
        self._free_at_s = max(self._free_at_s, now_s + (1.0 / SHARE - 1.0) * seconds)
