"""One cycle's registers of an inverter as a sample. Signs are turned here and nowhere else: battery watts charging +.

A value that the device does not say is None. A value that cannot be true is None as well, and named in `faults`.
"""

from __future__ import annotations

from typing import Final

from orchestrator.drivers.base import Registers
from orchestrator.errors import NonsenseReply
from orchestrator.samples import BatterySample, ChargeState, InverterSample, OperatingState
from orchestrator.sunspec.dc_power import Totals, battery_watts, has_battery, module_powers, pv_watts
from orchestrator.sunspec.device import CONTROLS, STORAGE, FoundModel, SunSpecDevice
from orchestrator.sunspec.enums import Connection, GridCharging, LimitEnabled
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.registers import read_raw, read_value

POWER_MARGIN: Final = 1.5
"""AC or battery power beyond this multiple of the rating is no measurement."""
PV_MARGIN: Final = 3.0
"""PV may well exceed the AC rating: oversized fields, and what goes into the battery."""
WATTS_MAX: Final = 1e8
"""The bound where there is no rating to compare with."""
FEEDING_IN_WATTS: Final = 50.0

_CONTROLS: Final = MODELS[CONTROLS]
_STORAGE: Final = MODELS[STORAGE]


def decode_inverter(device: SunSpecDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
    """The sample in `registers`. At night, with every point "not implemented", it is a sample full of None.

    Raises NonsenseReply when the inverter's own registers are missing, or are a frame of zeros.
    """
    inverter = device.inverter
    if inverter is None:
        raise NonsenseReply("this device has no inverter model")
    layout = MODELS[inverter.id]
    _refuse_empty(inverter, registers)
    faults = _Faults()
    rating = device.rated_watts
    totals = Totals(
        ac_watts=faults.power("ac", read_value(registers, inverter.address, layout["W"]), rating),
        dc_watts=faults.power("dc", read_value(registers, inverter.address, layout["DCW"]), rating, PV_MARGIN),
    )
    powers = module_powers(device, registers)
    pv = faults.power("pv", pv_watts(device, powers, totals), rating, PV_MARGIN)
    connected = _connected(device, registers, totals.ac_watts)
    return InverterSample(
        name=name,
        at_s=at_s,
        ac_watts=totals.ac_watts,
        pv_watts=pv,
        battery=_battery(device, battery_watts(powers, totals), registers, faults) if has_battery(device) else None,
        nameplate=device.nameplate,
        state=_state(read_raw(registers, inverter.address, layout["St"])),
        connected=connected,
        ac_limit_watts=_ac_limit(device, registers) if connected is not None else None,
        ac_limit_controllable=device.capabilities.limits_ac,
        battery_controllable=device.capabilities.commands_battery,
        has_pv=device.has_pv,
        faults=faults.names(),
    )


class _Faults:
    """Collects the names of readings that were refused."""

    def __init__(self) -> None:
        self._names: list[str] = []

    def names(self) -> tuple[str, ...]:
        return tuple(self._names)

    def power(self, name: str, watts: float | None, rating: float | None, margin: float = POWER_MARGIN) -> float | None:
        """`watts`, or None and a fault where it is beyond all that the rating allows."""
        limit = WATTS_MAX if rating is None else margin * rating
        return self.within(f"implausible_{name}_watts", watts, -limit, limit)

    def within(self, fault: str, value: float | None, low: float, high: float) -> float | None:
        """`value`, or None and the fault where it is outside low..high."""
        if value is None or low <= value <= high:
            return value
        self._names.append(fault)
        return None


def _refuse_empty(inverter: FoundModel, registers: Registers) -> None:
    """Some inverters answer zeros for a moment: even the scale factors, which are never all zero in a real frame."""
    layout = MODELS[inverter.id]
    state = inverter.address + layout["St"].offset
    block = range(inverter.address + layout["A"].offset, state)
    if not any(address in registers for address in block):
        raise NonsenseReply(f"model {inverter.id} was not read")
    state_word = registers.get(state, 0)
    if state_word in (0, OperatingState.FAULT) and not any(registers.get(address, 0) for address in block):
        raise NonsenseReply(f"model {inverter.id} is all zeros")


def _battery(device: SunSpecDevice, watts: float | None, registers: Registers, faults: _Faults) -> BatterySample:
    watts = faults.power("battery", watts, device.storage_reference_watts)
    if device.storage is None:
        return BatterySample(watts=watts)
    origin = device.storage.address
    reference = read_value(registers, origin, _STORAGE["WChaMax"])
    if reference is None:
        reference = device.storage_reference_watts
    soc = read_value(registers, origin, _STORAGE["ChaState"])
    plate = device.nameplate
    return BatterySample(
        watts=watts,
        soc_percent=faults.within("implausible_soc_percent", soc, 0.0, 100.0),
        charge_max_watts=_lower(reference, plate.charge_max_watts),
        discharge_max_watts=_lower(reference, plate.discharge_max_watts),
        capacity_wh=plate.capacity_wh,
        grid_charging_allowed=_grid_charging_allowed(read_raw(registers, origin, _STORAGE["ChaGriSet"])),
        state=_charge_state(read_raw(registers, origin, _STORAGE["ChaSt"])),
    )


def _connected(device: SunSpecDevice, registers: Registers, ac_watts: float | None) -> bool | None:
    """Conn of model 123. Not believed where it says "disconnected" of an inverter that feeds in (an SMA does)."""
    raw = None if device.controls is None else read_raw(registers, device.controls.address, _CONTROLS["Conn"])
    if raw == Connection.CONNECT:
        return True
    feeding_in = ac_watts is not None and ac_watts > FEEDING_IN_WATTS
    return False if raw == Connection.DISCONNECT and not feeding_in else None


def _ac_limit(device: SunSpecDevice, registers: Registers) -> float | None:
    if device.controls is None or device.ac_reference_watts is None:
        return None
    origin = device.controls.address
    if read_raw(registers, origin, _CONTROLS["WMaxLim_Ena"]) != LimitEnabled.ENABLED:
        return None
    percent = read_value(registers, origin, _CONTROLS["WMaxLimPct"])
    return None if percent is None else percent * device.ac_reference_watts / 100.0


def _state(raw: int | None) -> OperatingState | None:
    return OperatingState(raw) if raw in _STATES else None


def _charge_state(raw: int | None) -> ChargeState | None:
    return ChargeState(raw) if raw in _CHARGE_STATES else None


def _grid_charging_allowed(raw: int | None) -> bool | None:
    return None if raw not in _GRID_CHARGING else raw == GridCharging.GRID


def _lower(first: float | None, second: float | None) -> float | None:
    return min((value for value in (first, second) if value is not None), default=None)


_STATES: Final = frozenset(OperatingState)
_CHARGE_STATES: Final = frozenset(ChargeState)
_GRID_CHARGING: Final = frozenset(GridCharging)
