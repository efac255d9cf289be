"""Models 123 and 124 as the device obeys them: what may be written, when it takes effect, when it reverts.

The rules, as the specification and the field have them:
- A point that is not in `ALLOWED` is read-only or not implemented: a write to it is ignored without an exception.
- A value outside of its range is refused (exception 3), and with it the whole request.
- A changed limit or rate takes effect when its activation point (WMaxLim_Ena, StorCtl_Mod) is written, in the same
  request or later; writing the same activation again is enough.
- Random windows and ramp times are not supported: only 0 is accepted.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.simulation.devices.sunspec.words import signed
from orchestrator.simulation.plant.countdown import Countdown

FULL_RATE = 10000
"""100 % with a scale factor of -2, which both models use here."""
TIMES = range(0xFFFF)
FLAG = range(2)
ONLY_ZERO = range(1)


class ImmediateControls:
    """Model 123: connection and AC limit. `limit_percent` is the limit in force (None: none)."""

    ALLOWED: Mapping[str, range] = {
        "Conn_WinTms": ONLY_ZERO,
        "Conn_RvrtTms": TIMES,
        "Conn": FLAG,
        "WMaxLimPct": range(FULL_RATE + 1),
        "WMaxLimPct_WinTms": ONLY_ZERO,
        "WMaxLimPct_RvrtTms": TIMES,
        "WMaxLimPct_RmpTms": ONLY_ZERO,
        "WMaxLim_Ena": FLAG,
    }

    def __init__(self) -> None:
        self.raw = dict.fromkeys(self.ALLOWED, 0) | {"Conn": 1, "WMaxLimPct": FULL_RATE}
        self.limit_percent: float | None = None
        self._connect_revert = Countdown()
        self._limit_revert = Countdown()

    @property
    def connected(self) -> bool:
        """Whether AC may flow at all."""
        return self.raw["Conn"] == 1

    def accepts(self, written: Mapping[str, int]) -> bool:
        """Whether every written value is one the device supports."""
        return all(word in self.ALLOWED[name] for name, word in written.items())

    def write(self, written: Mapping[str, int]) -> None:
        """Take words that `accepts` allowed, and restart the revert timers that they activate."""
        self.raw.update(written)
        if "Conn" in written:
            self._connect_revert.start(self.raw["Conn_RvrtTms"])
        if "WMaxLim_Ena" in written:
            self._activate_limit()

    def restart(self) -> None:
        """The board starts anew: no limit, as when it came from the factory. The connection stays as it was."""
        self.raw |= {"WMaxLim_Ena": 0, "WMaxLimPct": FULL_RATE, "WMaxLimPct_RvrtTms": 0}
        self._activate_limit()

    def heard(self) -> None:
        """Restart the running timers."""
        self._connect_revert.restart()
        self._limit_revert.restart()

    def advance(self, dt_s: float) -> bool:
        """Let the timers run for `dt_s`; whether one of them has just reverted something."""
        reconnects, unlimits = self._connect_revert.advance(dt_s), self._limit_revert.advance(dt_s)
        if reconnects:
            self.raw["Conn"] = 1
        if unlimits:
            self.raw["WMaxLim_Ena"] = 0
            self.limit_percent = None
        return reconnects or unlimits

    def _activate_limit(self) -> None:
        enabled = self.raw["WMaxLim_Ena"] == 1
        self.limit_percent = 100.0 * self.raw["WMaxLimPct"] / FULL_RATE if enabled else None
        self._limit_revert.start(self.raw["WMaxLimPct_RvrtTms"] if enabled else 0)


class StorageControls:
    """Model 124: the window of battery power. The window in force is `low_percent`..`high_percent` of WChaMax.

    Charging is positive, so low = -OutWRte (bit 1 of StorCtl_Mod) and high = +InWRte (bit 0); None is a side that is
    left to the device.
    """

    RATES = range(-FULL_RATE, FULL_RATE + 1)
    ALLOWED: Mapping[str, range] = {
        "StorCtl_Mod": range(4),
        "MinRsvPct": range(FULL_RATE + 1),
        "OutWRte": RATES,
        "InWRte": RATES,
        "InOutWRte_WinTms": ONLY_ZERO,
        "InOutWRte_RvrtTms": TIMES,
        "InOutWRte_RmpTms": ONLY_ZERO,
        "ChaGriSet": FLAG,
    }
    REFRESHING = frozenset({"StorCtl_Mod", "OutWRte", "InWRte", "InOutWRte_RvrtTms"})
    ACTIVATING: frozenset[str] = frozenset({"StorCtl_Mod"})
    """The points whose writing puts the window in force."""

    def __init__(self, reserve_percent: float, grid_charging_allowed: bool) -> None:
        self.raw = dict.fromkeys(self.ALLOWED, 0) | {
            "OutWRte": FULL_RATE,
            "InWRte": FULL_RATE,
            "MinRsvPct": round(FULL_RATE * reserve_percent / 100),
            "ChaGriSet": int(grid_charging_allowed),
        }
        self.low_percent: float | None = None
        self.high_percent: float | None = None
        self._revert = Countdown()

    @property
    def reserve_percent(self) -> float:
        """The SoC at which discharging stops."""
        return 100.0 * self.raw["MinRsvPct"] / FULL_RATE

    @property
    def grid_charging(self) -> bool:
        """Whether the battery may charge from AC."""
        return self.raw["ChaGriSet"] == 1

    def accepts(self, written: Mapping[str, int]) -> bool:
        """Whether every value is supported, and the window does not contradict itself (-InWRte > OutWRte, Mod 3)."""
        return self.are_supported(written) and not self.contradicts(written)

    def are_supported(self, written: Mapping[str, int]) -> bool:
        """Whether every value is in its range."""
        return all(value in self.ALLOWED[name] for name, value in _numbers(written).items())

    def contradicts(self, written: Mapping[str, int]) -> bool:
        """Whether no power would be inside the window that these words make."""
        after = self.raw | _numbers(written)
        return after["StorCtl_Mod"] == 3 and -after["InWRte"] > after["OutWRte"]

    def heeded(self, written: Mapping[str, int]) -> Mapping[str, int]:
        """What of accepted words is taken."""
        return written

    def write(self, written: Mapping[str, int]) -> None:
        """Take words that `accepts` allowed. Any write of the window restarts its revert timer."""
        self.raw.update(_numbers(written))
        if self.ACTIVATING & written.keys():
            self._activate_window()
        if self.REFRESHING & written.keys():
            self._revert.start(self.raw.get("InOutWRte_RvrtTms", 0) if self.raw["StorCtl_Mod"] else 0)

    def restart(self) -> None:
        """The board starts anew: the battery has its own default. The permission to charge from AC is kept."""
        self._revert.stop()
        self.raw.update({"StorCtl_Mod": 0, "OutWRte": FULL_RATE, "InWRte": FULL_RATE})
        self._activate_window()

    def advance(self, dt_s: float) -> bool:
        """Let the timer run for `dt_s`; whether the battery has just gone back to its own default."""
        if not self._revert.advance(dt_s):
            return False
        self.restart()
        return True

    def _activate_window(self) -> None:
        mode = self.raw["StorCtl_Mod"]
        self.high_percent = 100.0 * self.raw["InWRte"] / FULL_RATE if mode & 1 else None
        self.low_percent = -100.0 * self.raw["OutWRte"] / FULL_RATE if mode & 2 else None


def _numbers(written: Mapping[str, int]) -> dict[str, int]:
    """Written words as numbers: the two rates are signed."""
    return {name: signed(word) if name in ("OutWRte", "InWRte") else word for name, word in written.items()}
