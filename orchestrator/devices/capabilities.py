"""What can be asked of a device: one small type for each capability. The site asks for these, never for a make."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimitAcPower:
    """Its AC output can be held below a number of watts. `reverts`: it lets go by itself when nobody refreshes it."""

    reverts: bool


@dataclass(frozen=True, slots=True)
class CommandBattery:
    """Its battery can be told what to take or give. `reverts`: it is its own again when nobody refreshes it."""

    reverts: bool


@dataclass(frozen=True, slots=True)
class Disconnect:
    """It can be taken off the grid and put back."""


@dataclass(frozen=True, slots=True)
class ReportStateOfCharge:
    """It says how full its battery is."""


@dataclass(frozen=True, slots=True)
class KeepInFlash:
    """Some of its settings are kept permanently, and may be written so often a day: the AC limit, and the battery's.

    Each has a budget of its own, so that neither can use up what the other needs.
    """

    limit_per_day: int
    battery_per_day: int


@dataclass(frozen=True, slots=True)
class Capabilities:
    """The capabilities of one device; None is one that it does not have."""

    limit_ac: LimitAcPower | None = None
    battery: CommandBattery | None = None
    disconnect: Disconnect | None = None
    state_of_charge: ReportStateOfCharge | None = None
    flash: KeepInFlash | None = None

    @property
    def reverts_by_itself(self) -> bool:
        """Whether every power that can be commanded, and there is one, goes back to the device's own default."""
        powers = [power for power in (self.limit_ac, self.battery) if power is not None]
        return bool(powers) and all(power.reverts for power in powers)
