"""A command as register writes: models 123 and 124 here, 704 in `encode_der`, in the order that devices need.

Settings come first and the point that puts them in force last; what belongs together goes in one FC16, because rates
that are written one by one pass through a window that contradicts itself, and devices refuse that.
"""

from __future__ import annotations

from collections.abc import Iterator

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.devices.base import Registers, WriteGroup
from orchestrator.devices.sunspec.device import CONTROLS, DER_CONTROLS, STORAGE, FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.encoding import der as encode_der
from orchestrator.devices.sunspec.encoding.writes import Value, refresh_s, renew_s, revert_s, writes
from orchestrator.devices.sunspec.enums import Connection, GridCharging, LimitEnabled, StorageControl
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.percent import limit_raw, percent_raw, percent_scale
from orchestrator.devices.sunspec.registers import read_raw, read_value


def encode(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> tuple[WriteGroup, ...]:
    """The groups "connect", "ac_limit" and "battery" that `command` needs, each in writing order.

    Left out: what the device cannot do, a connection or a missing limit that the registers already show, and
    everything that the command leaves alone.
    """
    groups = (
        _connect(device, command, registers),
        _ac_limit(device, command, registers),
        _battery(device, command, registers),
    )
    return tuple(group for group in groups if group is not None)


def _connect(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    """Model 123 offsets 2 to 4. "Disconnect" is refreshed; "connect" is the device's own default and needs no timer."""
    controls = device.controls
    if controls is None or command.connect is None or not device.capabilities.disconnect:
        return None
    if command.connect and read_raw(registers, controls.address, MODELS[CONTROLS]["Conn"]) == Connection.CONNECT:
        return None
    seconds = 0 if command.connect or not command.ac_limit_reverts else revert_s(command)
    values = (
        ("Conn_WinTms", 0),
        ("Conn_RvrtTms", seconds),
        ("Conn", Connection.CONNECT if command.connect else Connection.DISCONNECT),
    )
    refresh = refresh_s(device, "123.Conn_RvrtTms", seconds) or (None if command.connect else renew_s(command))
    return WriteGroup("connect", tuple(writes(device, controls, values)), refresh)


def _ac_limit(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    if device.limits_by == DER_CONTROLS:
        return encode_der.ac_limit(device, command, registers)
    return _immediate_limit(device, command, registers) if device.limits_by == CONTROLS else None


def _immediate_limit(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    """Model 123 offsets 5 to 9, Ena last. No limit is 100 % and Ena 0, written only where Ena is not 0 already."""
    controls = device.controls
    if controls is None:
        return None
    limited = command.ac_limit_watts is not None
    shown = read_raw(registers, controls.address, MODELS[CONTROLS]["WMaxLim_Ena"])
    if not limited and shown == LimitEnabled.DISABLED:
        return None
    seconds = revert_s(command) if limited and command.ac_limit_reverts else 0
    scale = percent_scale(device, controls, "WMaxLimPct_SF", registers)
    values = (
        ("WMaxLimPct", limit_raw(device, command.ac_limit_watts, scale)),
        ("WMaxLimPct_WinTms", 0),
        ("WMaxLimPct_RvrtTms", seconds),
        ("WMaxLimPct_RmpTms", 0),
        ("WMaxLim_Ena", LimitEnabled.ENABLED if limited else LimitEnabled.DISABLED),
    )
    refresh = refresh_s(device, "123.WMaxLimPct_RvrtTms", seconds) or (renew_s(command) if limited else None)
    return WriteGroup("ac_limit", tuple(writes(device, controls, values)), refresh)


def _battery(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    if command.battery is None:
        return None
    if device.commands_battery_by == DER_CONTROLS:
        return encode_der.set_point(device, command, command.battery, registers)
    return _storage_window(device, command, command.battery, registers)


def _storage_window(
    device: SunSpecDevice, command: InverterCommand, battery: BatteryCommand, registers: Registers
) -> WriteGroup | None:
    """Model 124: rates and timers in one FC16, with ChaGriSet where it has to change, then StorCtl_Mod."""
    storage = device.storage
    if storage is None:
        return None
    mode, out_rate, in_rate = _window(device, storage, battery, registers)
    seconds = revert_s(command) if mode else 0
    values = [
        ("OutWRte", out_rate),
        ("InWRte", in_rate),
        ("InOutWRte_WinTms", 0),
        ("InOutWRte_RvrtTms", seconds),
        ("InOutWRte_RmpTms", 0),
        *_grid_charging(device, storage, battery, registers),
    ]
    # Where a device lacks one of these, permission and timer go before the rates that need them.
    settings = reversed(tuple(writes(device, storage, values)))
    activation = writes(device, storage, [("StorCtl_Mod", mode)])
    return WriteGroup("battery", (*settings, *activation), refresh_s(device, "124.InOutWRte_RvrtTms", seconds))


def _window(
    device: SunSpecDevice, storage: FoundModel, battery: BatteryCommand, registers: Registers
) -> tuple[StorageControl, int, int]:
    """StorCtl_Mod, OutWRte and InWRte (raw) that keep the battery within low_watts..high_watts, charging +.

    -InWRte <= OutWRte holds for every pair, the free side being at 100 %: so it is valid whatever the mode is while
    it is written. Both sides are rounded alike, so that a pinned battery gets one number.
    """
    reference = read_value(registers, storage.address, MODELS[STORAGE]["WChaMax"])
    if not reference or reference < 0:
        reference = device.storage_reference_watts or 0.0
    scale = percent_scale(device, storage, "InOutWRte_SF", registers)
    full = percent_raw(100.0, scale)

    def rate(watts: float) -> int:
        return percent_raw(min(max(100.0 * watts / reference, -100.0), 100.0), scale)

    mode = StorageControl.NONE
    if battery.high_watts is not None:
        mode |= StorageControl.CHARGE
    if battery.low_watts is not None:
        mode |= StorageControl.DISCHARGE
    in_rate = full if battery.high_watts is None else rate(battery.high_watts)
    out_rate = full if battery.low_watts is None else -rate(battery.low_watts)
    return mode, out_rate, in_rate


def _grid_charging(
    device: SunSpecDevice, storage: FoundModel, battery: BatteryCommand, registers: Registers
) -> Iterator[Value]:
    """ChaGriSet, only where it differs: a GEN24 was seen to fault on it, and it may be kept in flash."""
    wanted = device.found_grid_charging
    if battery.grid_charging is not None:
        wanted = GridCharging.GRID if battery.grid_charging else GridCharging.PV
    shown = read_raw(registers, storage.address, MODELS[STORAGE]["ChaGriSet"])
    if wanted is not None and shown is not None and shown != wanted:
        yield "ChaGriSet", wanted
