"""How busy the devices of a site keep a serial line, worked out before any of them is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orchestrator.devices.link.line_time import read_s
from orchestrator.devices.link.ways import SerialWay
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.library import load_profile
from orchestrator.devices.profiles.plan import cycle_names, meter_names, requests

SUNSPEC_INVERTER_WORDS: Final = (37, 106)
"""What is read of a SunSpec hybrid in each cycle: models 101 to 103, and 120 to 124 with 160 of three inputs."""
SUNSPEC_METER_WORDS: Final = (53,)
"""What is read of a SunSpec meter: model 203 up to its energies."""
METER_SHARE: Final = 1 / 3
"""The most of its line's time that a meter takes: it rests for twice as long as its last reading took. At 9600 baud it
is still read more often than once a second, and the failsafe begins after 3 s without it."""


METER_RESTS_MOST_S: Final = 0.7
"""A reading that came to nothing has taken long; the next one must come before the failsafe, which begins after 3 s."""


def meter_rest_s(took_s: float) -> float:
    """How long a meter on a line rests after a reading that took so long."""
    return min(took_s * (1.0 / METER_SHARE - 1.0), METER_RESTS_MOST_S)


@dataclass(frozen=True, slots=True)
class OnLine:
    """A device on a line: its driver, whether it is the meter, and its `min_gap_s`."""

    driver: str
    is_meter: bool = False
    min_gap_s: float = 0.0


@dataclass(frozen=True, slots=True)
class LineLoad:
    """The inverters of a line read once take `inverters_s`, the meter read once `meter_s` (0: it is elsewhere).

    With a meter that is read every `meter_interval_s`, at most a third of the time, a cycle of all takes `cycle_s`.
    """

    inverters_s: float
    meter_s: float
    meter_interval_s: float

    @property
    def meter_every_s(self) -> float:
        """How often the meter is read."""
        return max(self.meter_interval_s, self.meter_s / METER_SHARE)

    @property
    def cycle_s(self) -> float:
        """How long it takes until every inverter has been read once, while the meter is read in between."""
        free = 1.0 - self.meter_s / self.meter_every_s if self.meter_s else 1.0
        return self.inverters_s / free if self.inverters_s else self.meter_s


def load_of(way: SerialWay, devices: Iterable[OnLine], meter_interval_s: float) -> LineLoad:
    """The load of one line. The longest gap of its devices counts for all of them."""
    there = tuple(devices)
    gap_s = max((each.min_gap_s for each in there), default=0.0)

    def seconds(is_meter: bool) -> float:
        wanted = [each for each in there if each.is_meter is is_meter]
        return sum(read_s(way, words, gap_s) for each in wanted for words in cycle_words(each.driver, is_meter))

    return LineLoad(seconds(False), seconds(True), meter_interval_s)


def cycle_words(driver: str, is_meter: bool) -> tuple[int, ...]:
    """How many registers each read of a cycle has: as a make's file says, and of SunSpec what is usual."""
    standard = SUNSPEC_METER_WORDS if is_meter else SUNSPEC_INVERTER_WORDS
    if driver == SUNSPEC:
        return standard
    profile = load_profile(driver)
    own = tuple(each.count for each in requests(profile, meter_names(profile) if is_meter else cycle_names(profile)))
    with_standard = profile.sunspec is not None and not (is_meter and own)
    return (*own, *standard) if with_standard else own
