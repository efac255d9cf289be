"""A command as writes to model 704: the AC limit with a revert value of its own, the set point of a battery inverter.

Its activation points come before their settings in the map, so each group is two requests: settings, then activation.
"""

from __future__ import annotations

from typing import Final

from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.devices.base import Registers, RegisterWrite, WriteGroup
from orchestrator.devices.sunspec.codec import scale_down
from orchestrator.devices.sunspec.decoding.dc_power import module_powers
from orchestrator.devices.sunspec.device import DER_CONTROLS, FoundModel, ModuleKind, SunSpecDevice
from orchestrator.devices.sunspec.encoding.writes import Value, refresh_s, renew_s, revert_s, writes
from orchestrator.devices.sunspec.enums import LimitEnabled, SetPointUnit
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.percent import limit_raw, percent_raw, percent_scale
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.samples import seen_ac_part

LIMIT_TIMER: Final = "704.WMaxLimPctRvrtTms"
REVERT_NEEDS: Final = ("704.WMaxLimPctRvrt", "704.WMaxLimPctEnaRvrt", LIMIT_TIMER)
BATTERY_TIMER: Final = "704.WSetRvrtTms"

AS_GOOD_PART: Final = 0.005
"""A set point that differs by less than this part of the rating is not worth a write."""

_POINTS: Final = MODELS[DER_CONTROLS]
_WSET: Final = _POINTS["WSet"].type


def ac_limit(device: SunSpecDevice, command: InverterCommand, registers: Registers) -> WriteGroup | None:
    """WMaxLimPct with its revert value, timer and activation. No limit is Ena 0, written where Ena is not 0 already.

    `ac_limit_after_watts`, where the command has one and the device has such a point, is what the limit reverts to,
    and so a limit also where none is asked for now.
    """
    controls = device.der_controls
    if controls is None:
        return None
    after_watts = command.ac_limit_after_watts if device.implemented.issuperset(REVERT_NEEDS) else None
    enabled = command.ac_limit_watts is not None or after_watts is not None
    if not enabled and read_raw(registers, controls.address, _POINTS["WMaxLimPctEna"]) == LimitEnabled.DISABLED:
        return None
    seconds = revert_s(command) if enabled and (command.ac_limit_reverts or after_watts is not None) else 0
    scale = percent_scale(device, controls, "WMaxLimPct_SF", registers)
    settings = (
        ("WMaxLimPct", limit_raw(device, command.ac_limit_watts, scale)),
        ("WMaxLimPctRvrt", percent_raw(100.0, scale) if after_watts is None else limit_raw(device, after_watts, scale)),
        ("WMaxLimPctEnaRvrt", _enabled(after_watts is not None)),
        ("WMaxLimPctRvrtTms", seconds),
    )
    planned = _settings_first(device, controls, settings, ("WMaxLimPctEna", _enabled(enabled)))
    refresh = refresh_s(device, LIMIT_TIMER, seconds) or (renew_s(command) if enabled else None)
    return WriteGroup("ac_limit", planned, refresh)


def set_point(
    device: SunSpecDevice, command: InverterCommand, battery: BatteryCommand, registers: Registers
) -> WriteGroup | None:
    """WSet in watts at AC, where charging is negative; a released battery is Ena 0. It reverts to no set point."""
    controls = device.der_controls
    if controls is None:
        return None
    watts = _target_watts(battery)
    if watts is None and read_raw(registers, controls.address, _POINTS["WSetEna"]) == LimitEnabled.DISABLED:
        return None
    seconds = 0 if watts is None else revert_s(command)
    settings = (
        ("WSetMod", SetPointUnit.WATTS),
        ("WSet", _set_point_raw(device, controls, watts or 0.0, registers)),
        ("WSetRvrt", 0),
        ("WSetEnaRvrt", LimitEnabled.DISABLED),
        ("WSetRvrtTms", seconds),
    )
    planned = _settings_first(device, controls, settings, ("WSetEna", _enabled(watts is not None)))
    return WriteGroup("battery", planned, refresh_s(device, BATTERY_TIMER, seconds))


def _settings_first(
    device: SunSpecDevice, controls: FoundModel, settings: tuple[Value, ...], activation: Value
) -> tuple[RegisterWrite, ...]:
    return (*writes(device, controls, settings), *writes(device, controls, (activation,)))


def _target_watts(battery: BatteryCommand) -> float | None:
    """One number (charging +) for the window of a command; None where it leaves the battery to itself.

    A set point cannot leave one side open: where only one is given, the command's own target is pinned. Without the
    permission to charge from AC nothing is charged, because there is no PV behind this inverter.
    """
    low, high = battery.low_watts, battery.high_watts
    if low is None and high is None:
        return None
    watts = battery.watts if low is None else max(battery.watts, low)
    watts = watts if high is None else min(watts, high)
    return min(watts, 0.0) if battery.grid_charging is False else watts


def _set_point_raw(device: SunSpecDevice, controls: FoundModel, watts: float, registers: Registers) -> int:
    """WSet for battery power `watts` (charging +). What the device shows is kept where it is as good."""
    scale = device.scale_factors["704.WSet_SF"]
    ac_watts = 0.0 - _within_ratings(device, watts) * _ac_part(device, watts, registers)
    raw = round(min(max(scale_down(ac_watts, scale), _WSET.low), _WSET.high))
    shown: int | None = read_raw(registers, controls.address, _POINTS["WSet"])
    as_good = scale_down(AS_GOOD_PART * (device.rated_watts or 0.0), scale)
    return raw if shown is None or not raw or abs(shown - raw) > as_good else shown


def _within_ratings(device: SunSpecDevice, watts: float) -> float:
    plate = device.nameplate
    if plate.charge_max_watts is not None:
        watts = min(watts, plate.charge_max_watts)
    return watts if plate.discharge_max_watts is None else max(watts, -plate.discharge_max_watts)


def _ac_part(device: SunSpecDevice, watts: float, registers: Registers) -> float:
    """AC power for each watt of the battery, as it is seen now; 1 where it works the other way round, or hardly."""
    batteries = module_powers(device, registers).get(ModuleKind.STORAGE, ())
    given_watts = sum(given or 0.0 for given in batteries)
    inverter = device.inverter
    if inverter is None or given_watts * watts > 0:
        return 1.0
    part = seen_ac_part(read_value(registers, inverter.address, MODELS[inverter.id]["W"]), given_watts)
    return 1.0 if part is None else part


def _enabled(enabled: bool) -> int:
    return LimitEnabled.ENABLED if enabled else LimitEnabled.DISABLED
