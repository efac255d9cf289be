"""What can be asked of a SunSpec device, from the points it implements."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from orchestrator.devices.capabilities import (
    Capabilities,
    CommandBattery,
    Disconnect,
    LimitAcPower,
    ReportStateOfCharge,
)
from orchestrator.devices.sunspec.device import CONTROLS, DER_CONTROLS, STORAGE, SunSpecDevice
from orchestrator.devices.sunspec.enums import ControlModes
from orchestrator.devices.sunspec.percent import PERCENT_SCALES

LIMIT_NEEDS: Final = {
    CONTROLS: ("123.WMaxLimPct", "123.WMaxLim_Ena"),
    DER_CONTROLS: ("704.WMaxLimPct", "704.WMaxLimPctEna"),
}
LIMIT_SCALES: Final = {CONTROLS: "123.WMaxLimPct_SF", DER_CONTROLS: "704.WMaxLimPct_SF"}
SET_NEEDS: Final = ("704.WSetEna", "704.WSetMod", "704.WSet", "704.WSetRvrtTms")
"""A set point without a revert time would hold a battery for ever when the orchestrator is killed."""
SET_SCALES: Final = range(-3, 2)
"""Between mW and 10 W: finer does not fit 32 bits for every power, and coarser is no control."""

LIMIT_REVERTS: Final = {CONTROLS: "123.WMaxLimPct_RvrtTms", DER_CONTROLS: "704.WMaxLimPctRvrtTms"}
BATTERY_REVERTS: Final = {STORAGE: "124.InOutWRte_RvrtTms", DER_CONTROLS: "704.WSetRvrtTms"}


def capabilities(device: SunSpecDevice) -> Capabilities:
    """What can be asked of this device."""
    limits, commands = device.limits_by, device.commands_battery_by
    reports_soc = not device.implemented.isdisjoint(("713.SoC", "802.SoC")) or device.storage is not None
    return Capabilities(
        limit_ac=None if limits is None else LimitAcPower(reverts=LIMIT_REVERTS[limits] in device.implemented),
        battery=None if commands is None else CommandBattery(reverts=BATTERY_REVERTS[commands] in device.implemented),
        disconnect=Disconnect() if "123.Conn" in device.implemented else None,
        state_of_charge=ReportStateOfCharge() if reports_soc else None,
    )


def limits_by(device: SunSpecDevice, references: Mapping[int, float | None]) -> int | None:
    """The model whose WMaxLimPct can be written: implemented, in a scale that can hold 100 %, of a known power.

    `references` are the watts of 100 %, by model. Where both generations can be written, the older one is.
    """
    for model_id in (CONTROLS, DER_CONTROLS):
        implemented = device.implemented.issuperset(LIMIT_NEEDS[model_id])
        fits = device.scale_factors.get(LIMIT_SCALES[model_id]) in PERCENT_SCALES
        if implemented and fits and references[model_id] is not None:
            return model_id
    return None


def commands_battery_by(device: SunSpecDevice, control_modes: int) -> int | None:
    """The model by which the battery is commanded: 124 where it is usable, else 704 WSet where 702 CtrlModes has it.

    WSet is the power of the whole inverter at AC, and so a battery's only where there is no PV behind it: in a hybrid a
    set point would hold PV back, unseen.
    """
    if device.storage is not None:
        return STORAGE
    set_watts = control_modes & ControlModes.SET_WATTS and device.implemented.issuperset(SET_NEEDS)
    fits = device.scale_factors.get("704.WSet_SF") in SET_SCALES
    return DER_CONTROLS if set_watts and fits and device.has_battery and not device.has_pv else None
