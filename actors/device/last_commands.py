"""The last commands to the devices when the site's actor is dead: from the main thread, straight to the inverters."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from actors.address import Recipient
from actors.clock import Clock
from actors.messages import Acknowledged, Read, Release, Report
from orchestrator.commands import InverterCommand

CYCLE: Final = -1
"""That of the reading before the last commands: no cycle of a loop has this number."""
READ_SHARE: Final = 0.4
"""The part of the time that devices may take to say what they are; the rest is for writing."""

Reports = Mapping[str, tuple[Report, ...]]


class Overheard:
    """Stands between the inverters and `site`, and remembers what is needed when there is no site any more."""

    def __init__(self, site: Recipient) -> None:
        self._site = site
        self._changed = threading.Condition()
        self._somebody_waits = False
        self._samples: dict[str, Report] = {}
        self._newest: dict[str, Report] = {}
        self._released: set[str] = set()

    def tell(self, message: Any) -> None:
        """Remember `message`, and pass it on. Any thread may call it; of one inverter only one at a time does."""
        match message:
            case Report(sender=name):
                self._newest[name] = message
                if message.sample is not None:
                    self._samples[name] = message
            case Acknowledged(inverter=name, released=True):
                self._released.add(name)
        # Who waits has said so before it looked: either it has seen this, or it is woken. So a report needs no lock.
        if self._somebody_waits:
            with self._changed:
                self._changed.notify_all()
        self._site.tell(message)

    @property
    def has_released(self) -> bool:
        """Whether any device has answered a release."""
        return bool(self._released)

    def forget_released(self) -> None:
        """Whatever was released before, as by a reload, counts no more."""
        self._released.clear()

    def reports(self) -> Reports:
        """Of each inverter the last report with a sample, and the last one, in this order."""
        samples, newest = dict(self._samples), dict(self._newest)
        return {name: (*((samples[name],) if name in samples else ()), report) for name, report in newest.items()}

    def wait_for_reading(self, names: Collection[str], timeout_s: float) -> None:
        """Until each of `names` has answered the last reading, `timeout_s` at most."""
        self._wait(lambda: all(n in self._newest and self._newest[n].cycle == CYCLE for n in names), timeout_s)

    def wait_for_release(self, names: Collection[str], timeout_s: float) -> bool:
        """Until each of `names` has answered its release; False when that is not so after `timeout_s`."""
        return self._wait(lambda: self._released >= set(names), timeout_s)

    def _wait(self, is_over: Callable[[], bool], timeout_s: float) -> bool:
        with self._changed:
            self._somebody_waits = True
            return self._changed.wait_for(is_over, max(timeout_s, 0.0))


def hand_back(
    inverters: Mapping[str, Recipient],
    overheard: Overheard,
    commands: Callable[[Reports, float], Sequence[InverterCommand]],
    clock: Clock,
    deadline_s: float,
) -> bool:
    """Read all `inverters` once more, and have them carry out what `commands` makes of their reports.

    Waits, until `deadline_s` (monotonic) at most; False when not everybody who was told something has answered.
    """
    read_until_s = clock.now_s() + READ_SHARE * (deadline_s - clock.now_s())
    for inverter in inverters.values():
        inverter.tell(Read(CYCLE, until_s=read_until_s))
    overheard.wait_for_reading(inverters.keys(), read_until_s - clock.now_s())
    return tell_last(inverters, overheard, commands(overheard.reports(), clock.now_s()), clock, deadline_s)


def tell_last(
    inverters: Mapping[str, Recipient],
    overheard: Overheard,
    last: Sequence[InverterCommand],
    clock: Clock,
    deadline_s: float,
) -> bool:
    """Have `inverters` carry out their `last` commands. Waits as `hand_back` does."""
    overheard.forget_released()
    for command in last:
        inverters[command.inverter].tell(Release(command, clock.now_s()))
    return overheard.wait_for_release([each.inverter for each in last], deadline_s - clock.now_s())
