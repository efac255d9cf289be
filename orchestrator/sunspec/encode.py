"""A command as register writes: models 123 and 124, in the order that devices need.

Settings come first and the point that puts them in force last; what belongs together goes in one FC16, because rates
that are written one by one pass through a window that contradicts itself, and devices refuse that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.drivers.base import Registers, RegisterWrite, WriteGroup
from orchestrator.sunspec.capabilities import PERCENT_SCALES
from orchestrator.sunspec.codec import scale_down
from orchestrator.sunspec.device import CONTROLS, STORAGE, FoundModel, SunSpecDevice
from orchestrator.sunspec.enums import Connection, GridCharging, LimitEnabled, StorageControl
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.registers import read_raw, read_scale, read_value

WRITABLE: Final = frozenset(
    {
        "123.Conn_WinTms",
        "123.Conn_RvrtTms",
        "123.Conn",
        "123.WMaxLimPct",
        "123.WMaxLimPct_WinTms",
        "123.WMaxLimPct_RvrtTms",
        "123.WMaxLimPct_RmpTms",
        "123.WMaxLim_Ena",
        "124.StorCtl_Mod",
        "124.OutWRte",
        "124.InWRte",
        "124.InOutWRte_WinTms",
        "124.InOutWRte_RvrtTms",
        "124.InOutWRte_RmpTms",
        "124.ChaGriSet",
    }
)
"""Every register this driver may ever write. A label on a write is the name of its first register."""

REVERT_MAX_S: Final = 0xFFFE
REFRESH_SHARE: Final = 0.4
"""A group is written again after this share of its revert time: strictly before half of it."""

Value = tuple[str, int]


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
    if controls is None or command.connect is None or not device.capabilities.disconnects:
        return None
    if command.connect and read_raw(registers, controls.address, MODELS[CONTROLS]["Conn"]) == Connection.CONNECT:
        return None
    revert_s = 0 if command.connect or not command.ac_limit_reverts else _revert_s(command)
    values = (
        ("Conn_WinTms", 0),
        ("Conn_RvrtTms", revert_s),
        ("Conn", Connection.CONNECT if command.connect else Connection.DISCONNECT),
    )
    writes = tuple(_writes(device, controls, values))
    return WriteGroup("connect", writes, _refresh_s(device, "123.Conn_RvrtTms", revert_s))


def _ac_limit(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    """Model 123 offsets 5 to 9, Ena last. No limit is 100 % and Ena 0, written only where Ena is not 0 already."""
    controls = device.controls
    if controls is None or not device.capabilities.limits_ac:
        return None
    limited = command.ac_limit_watts is not None
    shown = read_raw(registers, controls.address, MODELS[CONTROLS]["WMaxLim_Ena"])
    if not limited and shown == LimitEnabled.DISABLED:
        return None
    revert_s = _revert_s(command) if limited and command.ac_limit_reverts else 0
    values = (
        ("WMaxLimPct", _limit_raw(device, controls, command.ac_limit_watts, registers)),
        ("WMaxLimPct_WinTms", 0),
        ("WMaxLimPct_RvrtTms", revert_s),
        ("WMaxLimPct_RmpTms", 0),
        ("WMaxLim_Ena", LimitEnabled.ENABLED if limited else LimitEnabled.DISABLED),
    )
    writes = tuple(_writes(device, controls, values))
    return WriteGroup("ac_limit", writes, _refresh_s(device, "123.WMaxLimPct_RvrtTms", revert_s))


def _battery(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    """Model 124: rates and timers in one FC16, with ChaGriSet where it has to change, then StorCtl_Mod."""
    storage, battery = device.storage, command.battery
    if storage is None or battery is None:
        return None
    mode, out_rate, in_rate = _window(device, storage, battery, registers)
    revert_s = _revert_s(command) if mode else 0
    values = [
        ("OutWRte", out_rate),
        ("InWRte", in_rate),
        ("InOutWRte_WinTms", 0),
        ("InOutWRte_RvrtTms", revert_s),
        ("InOutWRte_RmpTms", 0),
        *_grid_charging(device, storage, battery, registers),
    ]
    # Where a device lacks one of these, permission and timer go before the rates that need them.
    settings = reversed(tuple(_writes(device, storage, values)))
    activation = _writes(device, storage, [("StorCtl_Mod", mode)])
    return WriteGroup("battery", (*settings, *activation), _refresh_s(device, "124.InOutWRte_RvrtTms", revert_s))


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
    scale = _percent_scale(device, storage, "InOutWRte_SF", registers)
    full = _percent_raw(100.0, scale)

    def rate(watts: float) -> int:
        return _percent_raw(min(max(100.0 * watts / reference, -100.0), 100.0), scale)

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


def _limit_raw(device: SunSpecDevice, controls: FoundModel, watts: float | None, registers: Registers) -> int:
    """WMaxLimPct for a limit, rounded down: the limit is never exceeded by rounding."""
    scale = _percent_scale(device, controls, "WMaxLimPct_SF", registers)
    if watts is None or not device.ac_reference_watts:
        return _percent_raw(100.0, scale)
    percent = min(100.0 * watts / device.ac_reference_watts, 100.0)
    # Without the hair, 30 % would become 29.99 % where the division leaves 29.999999999999996.
    return math.floor(scale_down(percent, scale) + 1e-9)


def _percent_raw(percent: float, scale: int) -> int:
    return round(scale_down(percent, scale))


def _percent_scale(device: SunSpecDevice, model: FoundModel, name: str, registers: Registers) -> int:
    """The newest scale factor, because some makes change it; what discovery saw where it was not read."""
    scale = read_scale(registers, model.address + MODELS[model.id][name].offset)
    return scale if scale is not None and scale in PERCENT_SCALES else device.scale_factors[f"{model.id}.{name}"]


def _revert_s(command: InverterCommand) -> int:
    return max(1, min(math.ceil(command.valid_for_s), REVERT_MAX_S))


def _refresh_s(device: SunSpecDevice, timer: str, revert_s: int) -> float | None:
    return REFRESH_SHARE * revert_s if revert_s and timer in device.implemented else None


def _writes(device: SunSpecDevice, model: FoundModel, values: Iterable[Value]) -> Iterator[RegisterWrite]:
    """Values of adjacent points joined into one write each, around points that the device does not implement."""
    run: list[Value] = []
    end = 0
    for name, value in values:
        point = MODELS[model.id][name]
        if f"{model.id}.{name}" not in device.implemented:
            continue
        if run and point.offset != end:
            yield _write(model, run)
            run = []
        run.append((name, value))
        end = point.end
    if run:
        yield _write(model, run)


def _write(model: FoundModel, run: list[Value]) -> RegisterWrite:
    points = [MODELS[model.id][name] for name, _ in run]
    for point in points:
        if f"{model.id}.{point.name}" not in WRITABLE:
            raise ValueError(f"{model.id}.{point.name} is not a register this driver may write")
    words = tuple(word for point, (_, value) in zip(points, run, strict=True) for word in point.type.pack(value))
    return RegisterWrite(model.address + points[0].offset, words, f"{model.id}.{points[0].name}")
