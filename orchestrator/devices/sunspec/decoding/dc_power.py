"""PV and battery power of an inverter, from its DC inputs (model 160 or 714), its battery's own model and its totals.

Model 160 counts every input without a sign. Fronius gives a battery two of them, one for charging and one for
discharging; elsewhere a battery shows only as the difference between the PV inputs and the DC total. Model 714 types
its ports and signs their power, and model 802 says the battery's power; both count what the battery gives as positive.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.device import BATTERY, BATTERY_KINDS, DER_DC, MPPT, ModuleKind, SunSpecDevice
from orchestrator.devices.sunspec.inputs import input_kind
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_value

CONVERSION_LOSS_WATTS: Final = 150.0
CONVERSION_LOSS_SHARE: Final = 0.15
"""How far the DC total may lie from AC power and still be the whole DC side, battery included."""

_BANK_WATTS: Final = MODELS[BATTERY]["W"]
_INPUT_WATTS: Final = {each: MODELS[each].repeated["DCW"] for each in (MPPT, DER_DC)}
_BATTERY_KINDS: Final = frozenset(BATTERY_KINDS)

Powers = dict[ModuleKind, list[float | None]]


@dataclass(frozen=True, slots=True)
class Totals:
    """Points W and DCW of the inverter model, in W; None where unknown."""

    ac_watts: float | None
    dc_watts: float | None

    @property
    def whole_dc_watts(self) -> float | None:
        """The DC total where it agrees with AC power.

        A DC total that counts PV alone would make every battery look idle, and disagrees as soon as the battery works.
        """
        ac, dc = self.ac_watts, self.dc_watts
        return dc if ac is not None and dc is not None and _are_near(ac, dc) else None


def module_powers(device: SunSpecDevice, registers: Registers) -> Powers:
    """DCW of every input, by what hangs on it."""
    powers: Powers = {}
    for module in device.modules:
        kind = module.kind
        if kind is ModuleKind.UNKNOWN:
            kind = input_kind(module.model_id, module.address, registers)
        watts = read_value(registers, module.address, _INPUT_WATTS[module.model_id], module.model_address)
        powers.setdefault(kind, []).append(watts)
    return powers


def string_watts(powers: Powers) -> tuple[float | None, ...]:
    """Power of each PV input in the order of the map; a PV input that takes a little at night makes nothing."""
    return tuple([None if watts is None else max(watts, 0.0) for watts in powers.get(ModuleKind.PV, ())])


def pv_watts(
    device: SunSpecDevice, powers: Powers, strings: tuple[float | None, ...], totals: Totals, battery: float | None
) -> float | None:
    """PV production. `strings` are the PV inputs, `battery` is the battery's power, charging +.

    With a battery only the PV inputs tell, or what the DC total and the battery leave over. Without one the DC total,
    or AC power, is PV as well.
    """
    known = [watts for watts in strings if watts is not None]
    if device.has_battery:
        if not strings and not device.has_pv:
            return 0.0
        whole = sum(known) if known and ModuleKind.UNKNOWN not in powers else None
        return whole if device.bank is None else _pv_beside_bank(whole, totals, battery)
    if known:
        return sum(known)
    total = totals.ac_watts if totals.dc_watts is None else totals.dc_watts
    return None if total is None else max(total, 0.0)


def battery_watts(device: SunSpecDevice, powers: Powers, totals: Totals, registers: Registers) -> float | None:
    """Battery power, charging +; None where it cannot be known."""
    if ModuleKind.UNKNOWN not in powers and not _BATTERY_KINDS.isdisjoint(powers):
        return _battery_inputs(powers)
    if device.bank is not None:
        return _negated(read_value(registers, device.bank.address, _BANK_WATTS))
    return _battery_from_balance(powers, totals)


def _battery_inputs(powers: Powers) -> float | None:
    if ModuleKind.STORAGE in powers:
        return _negated(_sum(powers[ModuleKind.STORAGE]))
    charging, discharging = _sum(powers.get(ModuleKind.CHARGE, [])), _sum(powers.get(ModuleKind.DISCHARGE, []))
    return None if charging is None or discharging is None else charging - discharging


def _negated(watts: float | None) -> float | None:
    return None if watts is None else 0.0 - watts


def _sum(values: list[float | None]) -> float | None:
    """The sum, None where one of them is unknown or there are none."""
    total = 0.0
    for value in values:
        if value is None:
            return None
        total += value
    return total if values else None


def _pv_beside_bank(strings: float | None, totals: Totals, battery: float | None) -> float | None:
    """PV where model 802 says the battery's power. One of the inputs may be the battery's, under any name (Kostal):
    then the inputs do not agree with what the DC total and the battery leave over, and that is the PV.
    """
    whole = totals.whole_dc_watts
    if whole is None or battery is None:
        return strings
    rest = max(whole + battery, 0.0)
    return strings if strings is not None and _are_near(rest, strings) else rest


def _battery_from_balance(powers: Powers, totals: Totals) -> float | None:
    """PV less the DC total."""
    pv, whole = _sum(powers.get(ModuleKind.PV, [])), totals.whole_dc_watts
    return None if pv is None or whole is None or ModuleKind.UNKNOWN in powers else pv - whole


def _are_near(ac: float, dc: float) -> bool:
    return abs(dc - ac) <= CONVERSION_LOSS_WATTS + CONVERSION_LOSS_SHARE * abs(dc)
