"""What the models of a battery say: 124 where it is usable, 713 and 802 beside it or in its place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from orchestrator.drivers.base import Registers
from orchestrator.samples import BatterySample, ChargeState
from orchestrator.sunspec.device import BATTERY, DER_STORAGE, STORAGE, FoundModel, SunSpecDevice
from orchestrator.sunspec.enums import GridCharging
from orchestrator.sunspec.models import MODELS, Point
from orchestrator.sunspec.plausible import Faults
from orchestrator.sunspec.registers import read_raw, read_value

_STORAGE: Final = MODELS[STORAGE]
_CHARGE_STATES: Final = frozenset(ChargeState)
_GRID_CHARGING: Final = frozenset(GridCharging)


def decode_battery(device: SunSpecDevice, watts: float | None, registers: Registers, faults: Faults) -> BatterySample:
    """The battery's sample; `watts` is its power, charging +, not yet compared with its rating."""
    plate = device.nameplate
    soc = _first(registers, _soc_points(device))
    state = _first(registers, _state_points(device))
    reference = _reference_watts(device, registers)
    grid_charging = (
        None if device.storage is None else read_raw(registers, device.storage.address, _STORAGE["ChaGriSet"])
    )
    return BatterySample(
        watts=faults.power("battery", watts, _largest_watts(device)),
        soc_percent=faults.within("implausible_soc_percent", soc, 0.0, 100.0),
        charge_max_watts=_lower(reference, plate.charge_max_watts),
        discharge_max_watts=_lower(reference, plate.discharge_max_watts),
        capacity_wh=plate.capacity_wh,
        grid_charging_allowed=None if grid_charging not in _GRID_CHARGING else grid_charging == GridCharging.GRID,
        state=ChargeState(int(state)) if state in _CHARGE_STATES else None,
    )


def _soc_points(device: SunSpecDevice) -> Iterator[tuple[FoundModel | None, Point]]:
    yield device.storage, _STORAGE["ChaState"]
    yield device.energy, MODELS[DER_STORAGE]["SoC"]
    yield device.bank, MODELS[BATTERY]["SoC"]


def _state_points(device: SunSpecDevice) -> Iterator[tuple[FoundModel | None, Point]]:
    yield device.storage, _STORAGE["ChaSt"]
    yield device.bank, MODELS[BATTERY]["ChaSt"]


def _first(registers: Registers, points: Iterator[tuple[FoundModel | None, Point]]) -> float | None:
    """The value of the first of `points` that says anything."""
    for model, point in points:
        value = None if model is None else read_value(registers, model.address, point)
        if value is not None:
            return value
    return None


def _reference_watts(device: SunSpecDevice, registers: Registers) -> float | None:
    """WChaMax, which is a setting and may change."""
    if device.storage is None:
        return None
    reference = read_value(registers, device.storage.address, _STORAGE["WChaMax"])
    return device.storage_reference_watts if reference is None else reference


def _largest_watts(device: SunSpecDevice) -> float | None:
    """The most that the battery can be meant to take or give, where anything is said of it."""
    if device.storage_reference_watts is not None:
        return device.storage_reference_watts
    plate = device.nameplate
    return max((w for w in (plate.charge_max_watts, plate.discharge_max_watts) if w is not None), default=None)


def _lower(first: float | None, second: float | None) -> float | None:
    return min((value for value in (first, second) if value is not None), default=None)
