"""PV and battery power of an inverter, from the DC inputs of model 160 and the totals of its inverter model.

Model 160 counts every input without a sign. Fronius gives a battery two of them, one for charging and one for
discharging; elsewhere a battery shows only as the difference between the PV inputs and the DC total.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from orchestrator.drivers.base import Registers
from orchestrator.sunspec.device import BATTERY_KINDS, MPPT, DcModule, ModuleKind, SunSpecDevice
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.registers import read_raw, read_value
from orchestrator.sunspec.static import module_kind

_DCW: Final = MODELS[MPPT].repeated["DCW"]
_ID_STR: Final = MODELS[MPPT].repeated["IDStr"]

CONVERSION_LOSS_WATTS: Final = 150.0
CONVERSION_LOSS_SHARE: Final = 0.15
"""How far the DC total may lie from AC power and still be the whole DC side, battery included."""

Powers = dict[ModuleKind, list[float | None]]


@dataclass(frozen=True, slots=True)
class Totals:
    """Points W and DCW of the inverter model, in W; None where unknown."""

    ac_watts: float | None
    dc_watts: float | None


def module_powers(device: SunSpecDevice, registers: Registers) -> Powers:
    """DCW of every module, by what hangs on it."""
    powers: Powers = {}
    for module in device.modules:
        kind = _kind(module, registers)
        powers.setdefault(kind, []).append(read_value(registers, module.address, _DCW, module.model_address))
    return powers


def pv_watts(device: SunSpecDevice, powers: Powers, totals: Totals) -> float | None:
    """PV production. With a battery only the PV inputs tell; without one the DC total, or AC power, is PV as well."""
    known = [watts for watts in powers.get(ModuleKind.PV, ()) if watts is not None]
    if has_battery(device):
        if not device.has_pv:
            return 0.0
        return sum(known) if known and ModuleKind.UNKNOWN not in powers else None
    if known:
        return sum(known)
    total = totals.ac_watts if totals.dc_watts is None else totals.dc_watts
    return None if total is None else max(total, 0.0)


def battery_watts(powers: Powers, totals: Totals) -> float | None:
    """Battery power, charging +; None where it cannot be known."""
    if ModuleKind.UNKNOWN in powers:
        return None
    charge, discharge = powers.get(ModuleKind.CHARGE, []), powers.get(ModuleKind.DISCHARGE, [])
    if charge or discharge:
        charging, discharging = _sum(charge), _sum(discharge)
        return None if charging is None or discharging is None else charging - discharging
    return _battery_from_balance(_sum(powers.get(ModuleKind.PV, [])), totals)


def has_battery(device: SunSpecDevice) -> bool:
    """Whether a battery hangs on the DC side: a usable model 124, or modules that are named as the battery's."""
    return device.storage is not None or any(module.kind in BATTERY_KINDS for module in device.modules)


def _kind(module: DcModule, registers: Registers) -> ModuleKind:
    if module.kind is not ModuleKind.UNKNOWN:
        return module.kind
    return module_kind(read_raw(registers, module.address, _ID_STR))


def _sum(values: Iterable[float | None]) -> float | None:
    """The sum, None where one of them is unknown or there are none."""
    values = list(values)
    known = [value for value in values if value is not None]
    return sum(known) if known and len(known) == len(values) else None


def _battery_from_balance(pv: float | None, totals: Totals) -> float | None:
    """PV less the DC total, but only where the DC total agrees with AC power.

    A DC total that counts PV alone would make every battery look idle, and disagrees as soon as the battery works.
    """
    ac, dc = totals.ac_watts, totals.dc_watts
    if pv is None or ac is None or dc is None:
        return None
    loss = CONVERSION_LOSS_WATTS + CONVERSION_LOSS_SHARE * abs(dc)
    return pv - dc if abs(dc - ac) <= loss else None
