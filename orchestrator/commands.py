"""What is asked of one inverter, in watts, and why; a driver turns it into registers.

A battery command is a window, not a number, because that is what every make obeys: battery power (charging +) is kept
between `low_watts` and `high_watts`. Target 3000 W is the window 3000..3000; hold is 0..what it takes now; a side that
is None is left to the device.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct
from msgspec.structs import replace

from orchestrator.reason import Reason


class BatteryMode(StrEnum):
    """What the site wants of a battery."""

    CHARGE = "charge"
    DISCHARGE = "discharge"
    IDLE = "idle"
    HOLD = "hold"
    RELEASE = "release"


class BatteryCommand(Struct, frozen=True):
    """Battery power (charging +, in W) is to stay within low_watts..high_watts; None leaves that side to the device.

    `watts` is the target that the window came from (charging +), for display. `grid_charging` is the permission to
    charge from AC (model 124 ChaGriSet): True allow, False PV only, None put back what was found.
    """

    mode: BatteryMode
    watts: float = 0.0
    low_watts: float | None = None
    high_watts: float | None = None
    grid_charging: bool | None = None

    def __post_init__(self) -> None:
        if self.low_watts is not None and self.high_watts is not None and self.low_watts > self.high_watts:
            raise ValueError(f"battery window is empty: {self.low_watts} W to {self.high_watts} W")

    @classmethod
    def release(cls) -> BatteryCommand:
        """Leave the battery to itself."""
        return cls(BatteryMode.RELEASE)


class InverterCommand(Struct, frozen=True):
    """One command for one inverter.

    `ac_limit_watts` >= 0; None takes the limit away. `connect` None leaves the connection as it is.
    `battery` None: the battery is not ours to command. `valid_for_s` > 0 is how long the command may wait in an inbox,
    and the time after which the device falls back to its own default (revert time); `ac_limit_reverts` False keeps
    the AC limit in force for ever instead. `ac_limit_after_watts` >= 0 is what is safe once the command has expired,
    for devices that can be told what to revert to (model 704); None: no such limit is known. `reasons` says what
    decided, most decisive first. `settings` are the raw numbers of settings, by register, as the device was found.
    `final`: the device is handed back with it. `insists` counts how often an inverter has been told anew that makes
    more than the AC limit that it shows; 0: it obeys.
    """

    inverter: str
    valid_for_s: float
    ac_limit_watts: float | None = None
    ac_limit_reverts: bool = True
    connect: bool | None = None
    battery: BatteryCommand | None = None
    reasons: tuple[Reason, ...] = ()
    ac_limit_after_watts: float | None = None
    settings: tuple[tuple[str, int], ...] = ()
    final: bool = False
    insists: int = 0

    def asks_the_same(self, other: InverterCommand) -> bool:
        """Whether both mean the same to a device; they may have different reasons."""
        return self is other or replace(self, reasons=other.reasons) == other

    def __post_init__(self) -> None:
        if self.ac_limit_watts is not None and not self.ac_limit_watts >= 0:
            raise ValueError(f"AC limit of {self.inverter} must be >= 0 W, not {self.ac_limit_watts}")
        if self.ac_limit_after_watts is not None and not self.ac_limit_after_watts >= 0:
            raise ValueError(f"AC limit of {self.inverter} after it must be >= 0 W, not {self.ac_limit_after_watts}")
        if not self.valid_for_s > 0:
            raise ValueError(f"a command must be valid for a time > 0 s, not {self.valid_for_s}")
