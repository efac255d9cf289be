"""What the models of a battery say: 124 where it is usable, 713 and 802 beside it or in its place."""

from __future__ import annotations

from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.decoding.plausible import Faults
from orchestrator.devices.sunspec.device import BATTERY, DER_STORAGE, STORAGE, SunSpecDevice
from orchestrator.devices.sunspec.enums import GridCharging
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.samples import BatterySample, ChargeState

_CHA_STATE: Final = MODELS[STORAGE]["ChaState"]
_CHA_ST: Final = MODELS[STORAGE]["ChaSt"]
_CHA_GRI_SET: Final = MODELS[STORAGE]["ChaGriSet"]
_W_CHA_MAX: Final = MODELS[STORAGE]["WChaMax"]
_ENERGY_SOC: Final = MODELS[DER_STORAGE]["SoC"]
_BANK_SOC: Final = MODELS[BATTERY]["SoC"]
_BANK_CHA_ST: Final = MODELS[BATTERY]["ChaSt"]
_CHARGE_STATES: Final[dict[int | None, ChargeState]] = {state.value: state for state in ChargeState}
_GRID_CHARGING: Final[dict[int | None, bool]] = {each.value: each is GridCharging.GRID for each in GridCharging}


def decode_battery(device: SunSpecDevice, watts: float | None, registers: Registers, faults: Faults) -> BatterySample:
    """The battery's sample; `watts` is its power, charging +, not yet compared with its rating."""
    plate = device.nameplate
    soc = _soc_percent(device, registers)
    reference = _reference_watts(device, registers)
    return BatterySample(
        watts=faults.power("battery", watts, _largest_watts(device)),
        soc_percent=faults.within("implausible_soc_percent", soc, 0.0, 100.0),
        charge_max_watts=_lower(reference, plate.charge_max_watts),
        discharge_max_watts=_lower(reference, plate.discharge_max_watts),
        capacity_wh=plate.capacity_wh,
        grid_charging_allowed=_grid_charging_allowed(device, registers),
        state=_charge_state(device, registers),
    )


def _soc_percent(device: SunSpecDevice, registers: Registers) -> float | None:
    """The first of 124 ChaState, 713 SoC and 802 SoC that says anything."""
    soc = None if device.storage is None else read_value(registers, device.storage.address, _CHA_STATE)
    if soc is None and device.energy is not None:
        soc = read_value(registers, device.energy.address, _ENERGY_SOC)
    if soc is None and device.bank is not None:
        soc = read_value(registers, device.bank.address, _BANK_SOC)
    return soc


def _charge_state(device: SunSpecDevice, registers: Registers) -> ChargeState | None:
    """ChaSt of 124, else of 802."""
    raw = None if device.storage is None else read_raw(registers, device.storage.address, _CHA_ST)
    if raw is None and device.bank is not None:
        raw = read_raw(registers, device.bank.address, _BANK_CHA_ST)
    return _CHARGE_STATES.get(raw)


def _grid_charging_allowed(device: SunSpecDevice, registers: Registers) -> bool | None:
    raw = None if device.storage is None else read_raw(registers, device.storage.address, _CHA_GRI_SET)
    return _GRID_CHARGING.get(raw)


def _reference_watts(device: SunSpecDevice, registers: Registers) -> float | None:
    """WChaMax, which is a setting and may change."""
    if device.storage is None:
        return None
    reference = read_value(registers, device.storage.address, _W_CHA_MAX)
    return device.storage_reference_watts if reference is None else reference


def _largest_watts(device: SunSpecDevice) -> float | None:
    """The most that the battery can be meant to take or give, where anything is said about it."""
    if device.storage_reference_watts is not None:
        return device.storage_reference_watts
    plate = device.nameplate
    return max((w for w in (plate.charge_max_watts, plate.discharge_max_watts) if w is not None), default=None)


def _lower(first: float | None, second: float | None) -> float | None:
    if first is None or second is None:
        return second if first is None else first
    return min(first, second)
