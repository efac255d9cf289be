"""What the site says of itself: sums over its devices, and means over the time between posts."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

OPERATES_FROM: Final = 0.01
"""Of the rated power: what an inverter draws for itself at night is less."""


class Picture(Struct, frozen=True):
    """The site at one moment; None is unknown. `der_watts` is the AC power of all inverters, generation positive.

    `site_vars` and `der_vars` are the reactive powers, `volts_a` to `volts_c` the voltages of the phases against the
    neutral. `connected`: at least one inverter is on the grid. Energies are in Wh, `least_wh` is left in the batteries.
    """

    site_watts: float | None = None
    der_watts: float | None = None
    frequency_hz: float | None = None
    site_vars: float | None = None
    der_vars: float | None = None
    volts_a: float | None = None
    volts_b: float | None = None
    volts_c: float | None = None
    connected: bool = False
    has_battery: bool = False
    charge_max_watts: float | None = None
    discharge_max_watts: float | None = None
    capacity_wh: float | None = None
    stored_wh: float | None = None
    least_wh: float | None = None
    battery_watts: float | None = None

    @property
    def soc_percent(self) -> float | None:
        """Of all batteries together; None: unknown."""
        if self.stored_wh is None or not self.capacity_wh:
            return None
        return 100 * self.stored_wh / self.capacity_wh

    def operates(self, rated_watts: float) -> bool:
        """Whether the inverters make or draw power worth the name."""
        return abs(self.der_watts or 0.0) >= OPERATES_FROM * rated_watts


MEANS: Final = (
    *("site_watts", "site_vars", "frequency_hz", "volts_a", "volts_b", "volts_c"),
    *("der_watts", "der_vars"),
)


class Mean:
    """Means over the time since the last post, each value weighted by how long it held."""

    def __init__(self) -> None:
        self._sums: dict[str, tuple[float, float]] = {}
        self._last: tuple[float, Picture] | None = None

    def add(self, shown: Picture, now_s: float) -> None:
        """The site looks like this from `now_s` (monotonic) on."""
        if self._last is not None:
            then_s, former = self._last
            for name in MEANS:
                if (value := getattr(former, name)) is not None:
                    total, lasted_s = self._sums.get(name, (0.0, 0.0))
                    self._sums[name] = (total + value * (now_s - then_s), lasted_s + now_s - then_s)
        self._last = (now_s, shown)

    def take(self) -> dict[str, float]:
        """The means so far, and begin anew. What was unknown all the time is missing."""
        means = {name: total / lasted_s for name, (total, lasted_s) in self._sums.items() if lasted_s > 0}
        self._sums = {}
        return means
