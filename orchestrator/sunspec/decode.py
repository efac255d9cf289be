"""One cycle's registers of an inverter as a sample. Signs are turned here and nowhere else: battery watts charging +.

A value that the device does not say is None. A value that cannot be true is None as well, and named in `faults`.
"""

from __future__ import annotations

from typing import Final

from orchestrator.drivers.base import Registers
from orchestrator.errors import NonsenseReply
from orchestrator.samples import InverterSample, OperatingState
from orchestrator.sunspec.dc_power import Totals, battery_watts, module_powers, pv_watts, string_watts
from orchestrator.sunspec.decode_battery import decode_battery
from orchestrator.sunspec.device import CONTROLS, DER_AC, DER_CONTROLS, FoundModel, SunSpecDevice
from orchestrator.sunspec.enums import Connection, GridConnection, LimitEnabled
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.plausible import PV_MARGIN, Faults
from orchestrator.sunspec.reads import inverter_block
from orchestrator.sunspec.registers import read_raw, read_value

FEEDING_IN_WATTS: Final = 50.0

_CONTROLS: Final = MODELS[CONTROLS]
_DER_CONTROLS: Final = MODELS[DER_CONTROLS]
_STATE_POINTS: Final = {DER_AC: "InvSt"}
_STATES: Final = frozenset(OperatingState)


def decode_inverter(device: SunSpecDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
    """The sample in `registers`. At night, with every point "not implemented", it is a sample full of None.

    Raises NonsenseReply when the inverter's own registers are missing, or are a frame of zeros.
    """
    inverter = device.inverter
    if inverter is None:
        raise NonsenseReply("this device has no inverter model")
    _refuse_empty(inverter, registers)
    faults = Faults()
    rating = device.rated_watts
    totals = _totals(inverter, registers, faults, rating)
    powers = module_powers(device, registers)
    battery = battery_watts(device, powers, totals, registers)
    pv = faults.power("pv", pv_watts(device, powers, totals, battery), rating, PV_MARGIN)
    connected, believed = _connected(device, registers, totals.ac_watts)
    return InverterSample(
        name=name,
        at_s=at_s,
        ac_watts=totals.ac_watts,
        pv_watts=pv,
        string_watts=string_watts(powers),
        battery=decode_battery(device, battery, registers, faults) if device.has_battery else None,
        nameplate=device.nameplate,
        state=_state(inverter, registers),
        connected=connected,
        ac_limit_watts=_ac_limit(device, registers) if believed else None,
        ac_limit_controllable=device.capabilities.limits_ac,
        battery_controllable=device.capabilities.commands_battery,
        has_pv=device.has_pv,
        faults=faults.names(),
    )


def _totals(inverter: FoundModel, registers: Registers, faults: Faults, rating: float | None) -> Totals:
    layout = MODELS[inverter.id]
    dc = None if inverter.id == DER_AC else read_value(registers, inverter.address, layout["DCW"])
    return Totals(
        ac_watts=faults.power("ac", read_value(registers, inverter.address, layout["W"]), rating),
        dc_watts=faults.power("dc", dc, rating, PV_MARGIN),
    )


def _refuse_empty(inverter: FoundModel, registers: Registers) -> None:
    """Some inverters answer zeros for a moment: even the scale factors, which are never all zero in a real frame."""
    state = inverter.address + MODELS[inverter.id][_STATE_POINTS.get(inverter.id, "St")].offset
    first, end = inverter_block(inverter)
    block = [address for address in range(first, end) if address != state]
    if not any(address in registers for address in block):
        raise NonsenseReply(f"model {inverter.id} was not read")
    state_word = registers.get(state, 0)
    if state_word in (0, OperatingState.FAULT) and not any(registers.get(address, 0) for address in block):
        raise NonsenseReply(f"model {inverter.id} is all zeros")


def _connected(device: SunSpecDevice, registers: Registers, ac_watts: float | None) -> tuple[bool | None, bool]:
    """Conn of model 123, else ConnSt of 701; and whether the controls are to be believed.

    An SMA says "disconnected", and limited to 0, while it feeds in.
    """
    says = _says_connected(device, registers)
    if says is False and ac_watts is not None and ac_watts > FEEDING_IN_WATTS:
        return None, False
    return says, True


def _says_connected(device: SunSpecDevice, registers: Registers) -> bool | None:
    if device.controls is not None:
        raw = read_raw(registers, device.controls.address, _CONTROLS["Conn"])
        return None if raw not in _CONNECTIONS else raw == Connection.CONNECT
    if device.inverter is None or device.inverter.id != DER_AC:
        return None
    raw = read_raw(registers, device.inverter.address, MODELS[DER_AC]["ConnSt"])
    return None if raw not in _GRID_CONNECTIONS else raw == GridConnection.CONNECTED


def _ac_limit(device: SunSpecDevice, registers: Registers) -> float | None:
    if device.ac_reference_watts is None:
        return None
    if device.limits_by == DER_CONTROLS or device.controls is None:
        model, enabled, percent = device.der_controls, _DER_CONTROLS["WMaxLimPctEna"], _DER_CONTROLS["WMaxLimPct"]
    else:
        model, enabled, percent = device.controls, _CONTROLS["WMaxLim_Ena"], _CONTROLS["WMaxLimPct"]
    if model is None or read_raw(registers, model.address, enabled) != LimitEnabled.ENABLED:
        return None
    value = read_value(registers, model.address, percent)
    return None if value is None else value * device.ac_reference_watts / 100.0


def _state(inverter: FoundModel, registers: Registers) -> OperatingState | None:
    """St of models 101 to 113. InvSt of 701 has the same states in the same order, counted from 0."""
    layout = MODELS[inverter.id]
    raw = read_raw(registers, inverter.address, layout[_STATE_POINTS.get(inverter.id, "St")])
    if raw is not None and inverter.id == DER_AC:
        raw += 1
    return OperatingState(raw) if raw in _STATES else None


_CONNECTIONS: Final = frozenset(Connection)
_GRID_CONNECTIONS: Final = frozenset(GridConnection)
