"""One cycle's registers of a make as a sample, by its profile. What cannot be true is None, and named in `faults`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeVar

from orchestrator.drivers.base import Registers
from orchestrator.errors import NonsenseReply
from orchestrator.profiles.device import ProfileDevice, holds, is_true, named, raw_of, register_value, total
from orchestrator.profiles.plan import cycle_names, meter_names, sample_names
from orchestrator.profiles.registers import read_value
from orchestrator.profiles.schema import Sum
from orchestrator.samples import BatterySample, ChargeState, InverterSample, MeterSample, OperatingState
from orchestrator.sunspec import decode as sunspec_decode
from orchestrator.sunspec import decode_meter as sunspec_decode_meter
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.plausible import PV_MARGIN, Faults
from orchestrator.sunspec.registers import read_value as read_point

SMALL_BATTERY_WATTS: Final = 20_000.0
"""A battery's power is compared with its own rating, or with the AC rating; where both are unknown, with this."""

StateT = TypeVar("StateT", OperatingState, ChargeState)
More = Mapping[str, float | None]


def decode_inverter(device: ProfileDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
    """The sample in `registers`. Raises NonsenseReply when none of them was read, or all are zero."""
    base = None
    if device.base is not None:
        base = sunspec_decode.decode_inverter(device.base, name, registers, at_s)
    else:
        _refuse_empty(device, cycle_names(device.profile), registers)
    faults = Faults()
    sample = base or InverterSample(name=name, at_s=at_s)
    sample = _with_own_readings(device, sample, registers, faults)
    return replace(
        sample,
        nameplate=device.nameplate,
        ac_limit_controllable=device.capabilities.limits_ac,
        battery_controllable=device.capabilities.commands_battery,
        faults=(*sample.faults, *faults.names(), *_untrue(device, registers)),
    )


def decode_meter(device: ProfileDevice, registers: Registers, at_s: float) -> MeterSample:
    """The meter's sample, import +: a profile says which way its meter counts. Raises NonsenseReply."""
    profile = device.profile
    meter = profile.meter
    if meter is None:
        if device.base is None:
            raise NonsenseReply(f"{profile.name}: no meter is known of this make")
        return sunspec_decode_meter.decode_meter(device.base, registers, at_s)
    _refuse_empty(device, meter_names(profile), registers)
    site_watts = total(profile, meter.site_watts, registers, {})
    if site_watts is None:
        raise NonsenseReply(f"{profile.name}: the meter shows no power")
    phases = tuple(total(profile, (term,), registers, {}) for term in meter.phase_watts)
    return MeterSample(
        at_s=at_s,
        site_watts=site_watts,
        frequency_hz=register_value(profile, meter.frequency_hz, registers) if meter.frequency_hz else None,
        phase_watts=tuple(watts for watts in phases if watts is not None) if None not in phases else (),
        import_wh=_total(device, meter.import_wh, registers, {}),
        export_wh=_total(device, meter.export_wh, registers, {}),
    )


def _with_own_readings(
    device: ProfileDevice, sample: InverterSample, registers: Registers, faults: Faults
) -> InverterSample:
    """What the profile reads, in place of what the standard's models say."""
    profile, rating = device.profile, device.rated_watts
    more = _base_values(device, sample, registers)
    inverter = profile.inverter
    if inverter is not None:
        pv_watts = _total(device, inverter.pv_watts, registers, more)
        sample = replace(
            sample,
            ac_watts=faults.power("ac", total(profile, inverter.ac_watts, registers, more), rating),
            pv_watts=_not_negative(faults.power("pv", pv_watts, rating, PV_MARGIN)),
            has_pv=inverter.pv_watts is not None,
            string_watts=tuple(_not_negative(_total(device, (t,), registers, more)) for t in inverter.string_watts),
            state=_state(device, OperatingState, inverter.state_register, inverter.state, registers) or sample.state,
            connected=sample.connected if inverter.connected is None else holds(profile, inverter.connected, registers),
            ac_limit_watts=shown_limit_watts(device, registers) if inverter.ac_limit else sample.ac_limit_watts,
        )
    if profile.battery is not None and device.has_battery:
        sample = replace(sample, battery=_battery(device, registers, more, faults))
    return sample


def _base_values(device: ProfileDevice, sample: InverterSample, registers: Registers) -> More:
    """What sums may name of the standard's models, where the make has them."""
    base = device.base
    if base is None:
        return {}
    dc_watts = None
    if base.inverter is not None and "DCW" in MODELS[base.inverter.id].points:
        dc_watts = read_point(registers, base.inverter.address, MODELS[base.inverter.id]["DCW"])
    return {
        "sunspec_ac_watts": sample.ac_watts,
        "sunspec_pv_watts": sample.pv_watts,
        "sunspec_dc_watts": dc_watts,
    }


def _battery(device: ProfileDevice, registers: Registers, more: More, faults: Faults) -> BatterySample | None:
    profile, plate = device.profile, device.nameplate
    battery = profile.battery
    if battery is None:
        return None
    rating = max(plate.charge_max_watts or 0.0, plate.discharge_max_watts or 0.0, device.rated_watts or 0.0)
    watts = faults.power("battery", _total(device, battery.watts, registers, more), rating or SMALL_BATTERY_WATTS)
    soc = read_value(profile.registers[battery.soc_percent], registers, profile.word_order)
    allowed = battery.grid_charging_allowed
    return BatterySample(
        watts=watts,
        soc_percent=faults.within("implausible_soc_percent", soc, 0.0, 100.0),
        charge_max_watts=_lower(plate.charge_max_watts, _total(device, battery.charge_max_watts, registers, more)),
        discharge_max_watts=_lower(
            plate.discharge_max_watts, _total(device, battery.discharge_max_watts, registers, more)
        ),
        capacity_wh=plate.capacity_wh,
        grid_charging_allowed=None if allowed is None else holds(profile, allowed, registers),
        state=_state(device, ChargeState, battery.state_register, battery.state, registers),
    )


def shown_limit_watts(device: ProfileDevice, registers: Registers) -> float | None:
    """The limit in force in W, None where none is enabled or known."""
    profile = device.profile
    shown = profile.inverter.ac_limit if profile.inverter else None
    if shown is None or (shown.enabled is not None and holds(profile, shown.enabled, registers) is not True):
        return None
    if shown.watts is not None:
        return register_value(profile, shown.watts, registers)
    percent = None if shown.percent is None else register_value(profile, shown.percent, registers)
    rating = device.rated_watts
    return None if percent is None or rating is None else percent * rating / 100.0


def _state(
    device: ProfileDevice,
    kind: type[StateT],
    register_name: str | None,
    names: Mapping[str, tuple[int | str, ...]],
    registers: Registers,
) -> StateT | None:
    """The state whose raw numbers the register shows."""
    if register_name is None:
        return None
    register = device.profile.registers[register_name]
    value = register_value(device.profile, register_name, registers)
    if value is None:
        return None
    for name, numbers in names.items():
        if raw_of(value, register) in {named(register, number) for number in numbers}:
            return kind[name.upper()]
    return None


def _untrue(device: ProfileDevice, registers: Registers) -> tuple[str, ...]:
    """Registers of the cycle whose value is outside of what can be true, as names of faults."""
    profile = device.profile
    found = []
    for name in sample_names(profile):
        register = profile.registers[name]
        value = read_value(register, registers, profile.word_order)
        if value is not None and not is_true(register, value):
            found.append(f"implausible_{name}")
    return tuple(found)


def _refuse_empty(device: ProfileDevice, names: tuple[str, ...], registers: Registers) -> None:
    """Some devices answer zeros for a moment: state of charge and state are never zero together with all powers."""
    places = [at for name in names for each in [device.profile.registers[name]] for at in range(each.place, each.end)]
    if not any(at in registers for at in places):
        raise NonsenseReply(f"{device.profile.name}: nothing of it was read")
    if not any(registers.get(at, 0) for at in places):
        raise NonsenseReply(f"{device.profile.name}: all registers are zero")


def _total(device: ProfileDevice, terms: Sum | None, registers: Registers, more: More) -> float | None:
    return None if terms is None else total(device.profile, terms, {**device.fixed, **registers}, more)


def _not_negative(watts: float | None) -> float | None:
    return None if watts is None else max(watts, 0.0)


def _lower(first: float | None, second: float | None) -> float | None:
    return min((value for value in (first, second) if value is not None), default=None)
