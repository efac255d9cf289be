"""Values that a device obeys only for a while: each lapses when nobody writes it again in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from orchestrator.simulation.plant.countdown import Countdown


class LapsingValues:
    """Values by name, each in force until `lasts_s` after it was last written."""

    def __init__(self, names: Iterable[str], lasts_s: float) -> None:
        self._lasts_s = lasts_s
        self._timers = {name: Countdown() for name in names}
        self._values: dict[str, float] = {}

    def __contains__(self, name: object) -> bool:
        """Whether a value of this name belongs here, in force or not."""
        return name in self._timers

    @property
    def in_force(self) -> Mapping[str, float]:
        """All values that are in force."""
        return self._values

    def get(self, name: str) -> float | None:
        """The value in force; None while there is none."""
        return self._values.get(name)

    def together(self, *names: str) -> Mapping[str, float] | None:
        """The values of all these names; None while one of them is not in force."""
        present = {name: self._values[name] for name in names if name in self._values}
        return present if len(present) == len(names) else None

    def write(self, written: Mapping[str, float]) -> None:
        """Take values, and restart their time."""
        for name, value in written.items():
            self._values[name] = value
            self._timers[name].start(self._lasts_s)

    def clear(self) -> None:
        """None of them is in force any more."""
        self._values.clear()
        for timer in self._timers.values():
            timer.stop()

    def advance(self, dt_s: float) -> None:
        """Let `dt_s` pass."""
        for name, timer in self._timers.items():
            if timer.advance(dt_s):
                del self._values[name]
