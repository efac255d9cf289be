"""One cycle's registers of an inverter as a sample. Signs are turned here and nowhere else: battery watts charging +.

A value that the device does not say is None. A value that cannot be true is None as well, and named in `faults`.
"""

from __future__ import annotations

from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.decoding.battery import decode_battery
from orchestrator.devices.sunspec.decoding.dc_power import Totals, battery_watts, module_powers, pv_watts, string_watts
from orchestrator.devices.sunspec.decoding.plausible import POWER_MARGIN, PV_MARGIN, Faults
from orchestrator.devices.sunspec.device import CONTROLS, DER_AC, DER_CONTROLS, INVERTERS, FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.enums import Connection, GridConnection, LimitEnabled
from orchestrator.devices.sunspec.finding.reads import inverter_block
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.percent import percent_scale
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.errors import NonsenseReply
from orchestrator.reason import because
from orchestrator.samples import InverterSample, OperatingState

FEEDING_IN_WATTS: Final = 50.0

_CONN: Final = MODELS[CONTROLS]["Conn"]
_CONN_ST: Final = MODELS[DER_AC]["ConnSt"]
_LIMIT_POINTS: Final = (MODELS[CONTROLS]["WMaxLim_Ena"], MODELS[CONTROLS]["WMaxLimPct"])
_DER_LIMIT_POINTS: Final = (MODELS[DER_CONTROLS]["WMaxLimPctEna"], MODELS[DER_CONTROLS]["WMaxLimPct"])
_AC_POINTS: Final = {each: MODELS[each]["W"] for each in INVERTERS}
_DC_POINTS: Final = {each: MODELS[each]["DCW"] for each in INVERTERS if each != DER_AC}
_REACTIVE_POINTS: Final = {each: MODELS[each]["Var" if each == DER_AC else "VAr"] for each in INVERTERS}
_STATE_POINTS: Final = {each: MODELS[each]["InvSt" if each == DER_AC else "St"] for each in INVERTERS}
_BLOCKS: Final = {each: inverter_block(FoundModel(each, address=0, length=0)) for each in INVERTERS}
"""Where the measurements of each inverter model begin and end, counted from its id word."""
_STATES: Final[dict[int | None, OperatingState]] = {state.value: state for state in OperatingState}
_CONNECTED: Final[dict[int | None, bool]] = {each.value: each is Connection.CONNECT for each in Connection}
_GRID_CONNECTED: Final[dict[int | None, bool]] = {
    each.value: each is GridConnection.CONNECTED for each in GridConnection
}


def decode_inverter(device: SunSpecDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
    """The sample in `registers`. At night, with every point "not implemented", it is a sample full of None.

    Raises NonsenseReply when the inverter's own registers are missing, or are a frame of zeros.
    """
    inverter = device.inverter
    if inverter is None:
        raise NonsenseReply(because("no_usable_model", models=""))
    _refuse_empty(inverter, registers)
    faults = Faults()
    rating = device.rated_watts
    totals = _totals(inverter, registers, faults, rating)
    powers = module_powers(device, registers)
    battery = battery_watts(device, powers, totals, registers)
    strings = string_watts(powers)
    pv = faults.power("pv", pv_watts(device, powers, strings, totals, battery), rating, PV_MARGIN)
    connected, believed = _connected(device, registers, totals.ac_watts)
    return InverterSample(
        name=name,
        at_s=at_s,
        ac_watts=totals.ac_watts,
        ac_vars=read_value(registers, inverter.address, _REACTIVE_POINTS[inverter.id]),
        pv_watts=pv,
        string_watts=strings,
        battery=decode_battery(device, battery, registers, faults) if device.has_battery else None,
        nameplate=device.nameplate,
        state=_state(inverter, registers),
        connected=connected,
        ac_limit_watts=_ac_limit(device, registers, faults) if believed else None,
        ac_limit_controllable=device.capabilities.limit_ac is not None,
        ac_limit_step_watts=_ac_limit_step(device, registers),
        battery_controllable=device.capabilities.battery is not None,
        disconnectable=device.capabilities.disconnect is not None,
        has_pv=bool(strings) or device.has_pv,
        faults=faults.names(),
    )


def _totals(inverter: FoundModel, registers: Registers, faults: Faults, rating: float | None) -> Totals:
    dc = None if inverter.id == DER_AC else read_value(registers, inverter.address, _DC_POINTS[inverter.id])
    return Totals(
        ac_watts=faults.power("ac", read_value(registers, inverter.address, _AC_POINTS[inverter.id]), rating),
        dc_watts=faults.power("dc", dc, rating, PV_MARGIN),
    )


def _refuse_empty(inverter: FoundModel, registers: Registers) -> None:
    """Some inverters answer zeros for a moment: even the scale factors, which are never all zero in a real frame."""
    state = inverter.address + _STATE_POINTS[inverter.id].offset
    first, end = _BLOCKS[inverter.id]
    block = range(inverter.address + first, inverter.address + end)
    if any(registers.get(address) for address in block if address != state):
        return
    if not any(address in registers for address in block if address != state):
        raise NonsenseReply(because("nothing_read", device=f"model {inverter.id}"))
    if registers.get(state, 0) in (0, OperatingState.FAULT):
        raise NonsenseReply(because("all_zero", device=f"model {inverter.id}"))


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
        return _CONNECTED.get(read_raw(registers, device.controls.address, _CONN))
    if device.inverter is None or device.inverter.id != DER_AC:
        return None
    return _GRID_CONNECTED.get(read_raw(registers, device.inverter.address, _CONN_ST))


def _ac_limit(device: SunSpecDevice, registers: Registers, faults: Faults) -> float | None:
    reference_watts = device.ac_reference_watts
    if reference_watts is None:
        return None
    if device.limits_by == DER_CONTROLS or device.controls is None:
        model, (enabled, percent) = device.der_controls, _DER_LIMIT_POINTS
    else:
        model, (enabled, percent) = device.controls, _LIMIT_POINTS
    if model is None or read_raw(registers, model.address, enabled) != LimitEnabled.ENABLED:
        return None
    value = read_value(registers, model.address, percent)
    watts = None if value is None else value * reference_watts / 100.0
    return faults.within("implausible_ac_limit_watts", watts, 0.0, POWER_MARGIN * reference_watts)


def _ac_limit_step(device: SunSpecDevice, registers: Registers) -> float:
    """What the last digit of WMaxLimPct is worth, in W; 0 where it cannot be limited."""
    model = device.der_controls if device.limits_by == DER_CONTROLS else device.controls
    if device.limits_by is None or model is None or device.ac_reference_watts is None:
        return 0.0
    return device.ac_reference_watts * 10.0 ** percent_scale(device, model, "WMaxLimPct_SF", registers) / 100.0


def _state(inverter: FoundModel, registers: Registers) -> OperatingState | None:
    """St of models 101 to 113. InvSt of 701 has the same states in the same order, counted from 0."""
    raw = read_raw(registers, inverter.address, _STATE_POINTS[inverter.id])
    if raw is not None and inverter.id == DER_AC:
        raw += 1
    return _STATES.get(raw)
