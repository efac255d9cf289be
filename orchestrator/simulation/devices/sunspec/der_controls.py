"""Model 704 as a device obeys it: AC limit and set point, each with a value that it reverts to.

The rules, as the specification has them:
- A point that is not in `ALLOWED` is read-only or not implemented: a write to it is ignored without an exception.
- A value outside of its range is refused (exception 3), and with it the whole request.
- A changed limit or set point takes effect when its activation point (WMaxLimPctEna, WSetEna) is written, in the same
  request or later; writing the same activation again is enough, and starts the revert timer anew.
- When the time is over, value and activation become those that were given for it.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.simulation.plant.countdown import Countdown

FULL = 1000
"""100 % with a scale factor of -1."""
WATTS = 1
FLAG = range(2)
TIMES = range(0xFFFFFFFF)
POWERS = range(-1_000_000, 1_000_001)


class DerControls:
    """`limit_percent` is the AC limit in force, `set_watts` the AC power that is set (+ into the grid); None: none."""

    LIMIT: Mapping[str, range] = {
        "WMaxLimPctEna": FLAG,
        "WMaxLimPct": range(FULL + 1),
        "WMaxLimPctRvrt": range(FULL + 1),
        "WMaxLimPctEnaRvrt": FLAG,
        "WMaxLimPctRvrtTms": TIMES,
    }
    SET: Mapping[str, range] = {
        "WSetEna": FLAG,
        "WSetMod": range(WATTS, WATTS + 1),
        "WSet": POWERS,
        "WSetRvrt": POWERS,
        "WSetEnaRvrt": FLAG,
        "WSetRvrtTms": TIMES,
    }

    def __init__(self, *, sets_power: bool) -> None:
        self.allowed: Mapping[str, range] = {**self.LIMIT, **self.SET} if sets_power else self.LIMIT
        self.raw = dict.fromkeys(self.allowed, 0) | {"WMaxLimPct": FULL, "WMaxLimPctRvrt": FULL}
        if sets_power:
            self.raw["WSetMod"] = WATTS
        self.limit_percent: float | None = None
        self.set_watts: float | None = None
        self._limit_revert = Countdown()
        self._set_revert = Countdown()

    @property
    def limit_left_s(self) -> float:
        """WMaxLimPctRvrtRem."""
        return self._limit_revert.left_s or 0.0

    @property
    def set_left_s(self) -> float:
        """WSetRvrtRem."""
        return self._set_revert.left_s or 0.0

    def accepts(self, written: Mapping[str, int]) -> bool:
        """Whether every written value is one the device supports."""
        return all(value in self.allowed[name] for name, value in written.items())

    def write(self, written: Mapping[str, int]) -> None:
        """Take values that `accepts` allowed, and restart the revert timers that they activate."""
        self.raw.update(written)
        if "WMaxLimPctEna" in written:
            self._activate_limit()
            self._limit_revert.start(self.raw["WMaxLimPctRvrtTms"] if self.raw["WMaxLimPctEna"] else 0)
        if "WSetEna" in written:
            self._activate_set_point()
            self._set_revert.start(self.raw["WSetRvrtTms"] if self.raw["WSetEna"] else 0)

    def restart(self) -> None:
        """The board starts anew: no limit, no set point."""
        self.raw |= {name: 0 for name in ("WMaxLimPctEna", "WSetEna") if name in self.allowed}
        self._limit_revert.stop()
        self._set_revert.stop()
        self._activate_limit()
        self.set_watts = None

    def advance(self, dt_s: float) -> bool:
        """Let the timers run for `dt_s`; whether one of them has just reverted something."""
        limit, set_point = self._limit_revert.advance(dt_s), self._set_revert.advance(dt_s)
        if limit:
            self.raw |= {"WMaxLimPct": self.raw["WMaxLimPctRvrt"], "WMaxLimPctEna": self.raw["WMaxLimPctEnaRvrt"]}
            self._activate_limit()
        if set_point:
            self.raw |= {"WSet": self.raw["WSetRvrt"], "WSetEna": self.raw["WSetEnaRvrt"]}
            self._activate_set_point()
        return limit or set_point

    def _activate_limit(self) -> None:
        self.limit_percent = 100.0 * self.raw["WMaxLimPct"] / FULL if self.raw["WMaxLimPctEna"] else None

    def _activate_set_point(self) -> None:
        self.set_watts = float(self.raw["WSet"]) if self.raw["WSetEna"] else None
