"""What can be asked of a SunSpec device, from the points it implements."""

from __future__ import annotations

from typing import Final

from orchestrator.drivers.base import Capabilities
from orchestrator.sunspec.device import SunSpecDevice

PERCENT_SCALES: Final = range(-2, 3)
"""The scale factors at which 100 % fits 16 bits and is a whole number; with any other a percent is not written."""

AC_REVERT: Final = "123.WMaxLimPct_RvrtTms"
BATTERY_REVERT: Final = "124.InOutWRte_RvrtTms"


def capabilities(device: SunSpecDevice) -> Capabilities:
    """What can be asked of this device. `reverts_by_itself`: every power that can be commanded has a revert time."""
    commands_battery = device.storage is not None
    limits_ac = _limits_ac(device)
    reverts = [name for able, name in ((limits_ac, AC_REVERT), (commands_battery, BATTERY_REVERT)) if able]
    return Capabilities(
        limits_ac=limits_ac,
        disconnects="123.Conn" in device.implemented,
        commands_battery=commands_battery,
        reports_soc=commands_battery,
        reverts_by_itself=bool(reverts) and device.implemented.issuperset(reverts),
    )


def _limits_ac(device: SunSpecDevice) -> bool:
    """Whether WMaxLimPct can be written: implemented, in a scale that can hold 100 %, of a known number of watts."""
    return (
        device.implemented.issuperset(("123.WMaxLimPct", "123.WMaxLim_Ena"))
        and device.scale_factors.get("123.WMaxLimPct_SF") in PERCENT_SCALES
        and device.ac_reference_watts is not None
    )
