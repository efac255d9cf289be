"""One cycle's registers of a make as a sample, by its profile. What cannot be true is None, and named in `faults`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, TypeVar

from msgspec.structs import replace

from orchestrator.devices.base import Registers
from orchestrator.devices.makes.command_schema import Condition, Sum
from orchestrator.devices.makes.registers import read_value
from orchestrator.devices.makes.schema import Battery, Inverter, Meter, Profile, sums_of_phases
from orchestrator.devices.profiles.device import (
    ProfileDevice,
    holds,
    is_true,
    limit_wears_flash,
    named,
    raw_of,
    register_value,
    soc_percent,
    total,
    with_whole_power,
)
from orchestrator.devices.profiles.found import found_settings, is_empty
from orchestrator.devices.profiles.plan import cycle_names, sample_names
from orchestrator.devices.sunspec.decoding import inverter as sunspec_decode
from orchestrator.devices.sunspec.decoding import meter as sunspec_decode_meter
from orchestrator.devices.sunspec.decoding.plausible import POWER_MARGIN, PV_MARGIN, WATTS_MAX, Faults
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_value as read_point
from orchestrator.errors import NonsenseReply
from orchestrator.reason import Reason, because
from orchestrator.samples import BatterySample, ChargeState, InverterSample, MeterSample, OperatingState, known_volts

SMALL_BATTERY_WATTS: Final = 20_000.0
"""A battery's power is compared with its own rating, or with the AC rating; where both are unknown, with this."""

ALL_ZERO: Final = "all_zero_registers"
"""The fault of a make whose own registers are all zero, while its SunSpec models answer."""

StateT = TypeVar("StateT", OperatingState, ChargeState)
More = Mapping[str, float | None]


def decode_inverter(device: ProfileDevice, name: str, registers: Registers, at_s: float) -> InverterSample:
    """The sample in `registers`. Raises NonsenseReply when none of them was read, or all are zero."""
    faults = Faults()
    zeros: frozenset[int] = frozenset()
    if device.base is not None:
        sample = _without_full_limit(device, sunspec_decode.decode_inverter(device.base, name, registers, at_s))
        zeros = _all_zero(device, registers)
        registers = {at: word for at, word in registers.items() if at not in zeros} if zeros else registers
    else:
        _refuse_empty(device, cycle_names(device.profile), registers)
        sample = InverterSample(name=name, at_s=at_s)
    sample = _with_own_readings(device, sample, with_whole_power(device, registers), faults)
    return replace(
        sample,
        nameplate=device.nameplate,
        ac_limit_controllable=device.capabilities.limit_ac is not None,
        ac_limit_wears=limit_wears_flash(device.profile),
        battery_controllable=device.capabilities.battery is not None,
        disconnectable=device.capabilities.disconnect is not None,
        faults=(*sample.faults, *((ALL_ZERO,) if zeros else ()), *faults.names(), *_untrue(device, registers)),
        settings=found_settings(device.profile, registers),
    )


def _without_full_limit(device: ProfileDevice, sample: InverterSample) -> InverterSample:
    """For a make that keeps its limit enabled: 100 % is none, and not what an installer has derated it to."""
    use, limit_watts, rating = device.profile.sunspec, sample.ac_limit_watts, device.rated_watts
    is_full = limit_watts is not None and rating is not None and limit_watts >= rating
    return replace(sample, ac_limit_watts=None) if use and use.limit_stays_enabled and is_full else sample


def decode_meter(device: ProfileDevice, registers: Registers, at_s: float) -> MeterSample:
    """The meter's sample, import +: a profile says which way its meter counts. Raises NonsenseReply."""
    profile = device.profile
    meter = profile.meter
    if meter is None:
        if device.base is None:
            raise NonsenseReply(because("no_meter_of_make", device=profile.name))
        return sunspec_decode_meter.decode_meter(device.base, registers, at_s)
    frequency_hz = register_value(profile, meter.frequency_hz, registers) if meter.frequency_hz else None
    phases = tuple(total(profile, terms, registers, {}) for terms in sums_of_phases(meter))
    return MeterSample(
        at_s=at_s,
        site_watts=_site_watts(profile, meter, registers, frequency_hz),
        frequency_hz=frequency_hz,
        phase_watts=tuple(watts for watts in phases if watts is not None) if None not in phases else (),
        phase_volts=known_volts([register_value(profile, name, registers) for name in meter.phase_volts]),
        import_wh=_total(device, meter.import_wh, registers, {}),
        export_wh=_total(device, meter.export_wh, registers, {}),
    )


def _site_watts(profile: Profile, meter: Meter, registers: Registers, frequency_hz: float | None) -> float:
    """Power at the meter. 0 W alone is believed: it is what a site without export has."""
    if meter.valid is not None and holds(profile, meter.valid, registers) is not True:
        shown = _shown(profile, meter.valid, registers)
        raise NonsenseReply(because("meter_at_rest", device=profile.name, shown=shown))
    if meter.frequency_hz is not None and frequency_hz is None:
        _refuse_other_frequency(profile, meter.frequency_hz, registers)
    site_watts = total(profile, meter.site_watts, registers, {})
    if site_watts is None:
        raise NonsenseReply(because("meter_without_power", device=profile.name))
    if abs(site_watts) > WATTS_MAX:
        raise NonsenseReply(because("power_beyond_reason", device=profile.name, watts=site_watts))
    if site_watts == 0 and frequency_hz == 0:
        raise NonsenseReply(because("meter_asleep", device=profile.name))
    return site_watts


def _shown(profile: Profile, condition: Condition, registers: Registers) -> Reason:
    value = register_value(profile, condition.register_, registers)
    if value is None:
        return because("cannot_be_read", register=condition.register_)
    return because("says", register=condition.register_, reading=f"{value:g}")


def _refuse_other_frequency(profile: Profile, name: str, registers: Registers) -> None:
    """No grid has it, so these are registers of something else."""
    value = read_value(profile.registers[name], registers, profile.word_order)
    if value:
        raise NonsenseReply(because("no_grid_frequency", device=profile.name, hertz=value))


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
            string_watts=_string_watts(device, inverter, registers, more, faults),
            state=_state(device, OperatingState, inverter.state_register, inverter.state, registers) or sample.state,
            connected=sample.connected if inverter.connected is None else holds(profile, inverter.connected, registers),
            ac_limit_watts=_limit(device, registers, faults) if inverter.ac_limit else sample.ac_limit_watts,
        )
    if profile.battery is not None:
        battery = _battery(device, profile.battery, registers, more, faults) if device.has_battery else None
        sample = replace(sample, battery=battery)
    return sample


def _string_watts(
    device: ProfileDevice, inverter: Inverter, registers: Registers, more: More, faults: Faults
) -> tuple[float | None, ...]:
    """Each PV input by itself."""
    watts = (_total(device, (term,), registers, more) for term in inverter.string_watts)
    return tuple(_not_negative(faults.power("string", each, device.rated_watts, PV_MARGIN)) for each in watts)


def _limit(device: ProfileDevice, registers: Registers, faults: Faults) -> float | None:
    shown = shown_limit_watts(device, registers)
    most = WATTS_MAX if device.rated_watts is None else POWER_MARGIN * device.rated_watts
    return faults.within("implausible_ac_limit_watts", shown, 0.0, most)


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


def _battery(
    device: ProfileDevice, battery: Battery, registers: Registers, more: More, faults: Faults
) -> BatterySample:
    profile, plate = device.profile, device.nameplate
    charge_max, discharge_max = (
        faults.power(name, _total(device, terms, registers, more), device.rated_watts, PV_MARGIN)
        for name, terms in (("charge_max", battery.charge_max_watts), ("discharge_max", battery.discharge_max_watts))
    )
    rating = max(plate.charge_max_watts or 0.0, plate.discharge_max_watts or 0.0, device.rated_watts or 0.0)
    said_watts = _total(device, battery.watts, registers, more)
    if said_watts is None:
        said_watts = _total(device, battery.or_watts, registers, more)
    watts = faults.power("battery", said_watts, rating or SMALL_BATTERY_WATTS)
    soc = soc_percent(device, registers)
    allowed = battery.grid_charging_allowed
    least_discharge = _lower(plate.discharge_max_watts, discharge_max)
    return BatterySample(
        watts=watts,
        soc_percent=faults.within("implausible_soc_percent", soc, *_soc_range(profile, battery)),
        charge_max_watts=_not_negative(_lower(plate.charge_max_watts, charge_max)),
        discharge_max_watts=0.0 if is_empty(profile, registers) else _not_negative(least_discharge),
        capacity_wh=plate.capacity_wh,
        grid_charging_allowed=None if allowed is None else holds(profile, allowed, registers),
        grid_charging_wears=allowed is not None and profile.registers[allowed.register_].flash,
        takes_window=False,
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
    """Registers of the cycle whose value is outside of what can be true, as names of faults.

    The state of charge has a name of its own, the same for all makes.
    """
    profile = device.profile
    soc = profile.battery.soc_percent if profile.battery and device.has_battery else None
    found = []
    for name in (name for name in sample_names(profile) if name != soc):
        register = profile.registers[name]
        value = read_value(register, registers, profile.word_order)
        if value is not None and not is_true(register, value):
            found.append(f"implausible_{name}")
    return tuple(found)


def _refuse_empty(device: ProfileDevice, names: tuple[str, ...], registers: Registers) -> None:
    """Some devices answer zeros for a moment: state of charge and state are never zero together with all powers."""
    places = _places(device, names)
    if not any(at in registers for at in places):
        raise NonsenseReply(because("nothing_read", device=device.profile.name))
    if not any(registers.get(at, 0) for at in places):
        raise NonsenseReply(because("all_zero", device=device.profile.name))


def _all_zero(device: ProfileDevice, registers: Registers) -> frozenset[int]:
    """The make's own registers where all of them are zero; what its SunSpec models say counts all the same."""
    own = _places(device, cycle_names(device.profile)) & registers.keys()
    return own if device.has_battery and not any(registers[at] for at in own) else frozenset()


def _places(device: ProfileDevice, names: tuple[str, ...]) -> frozenset[int]:
    registers = (device.profile.registers[name] for name in names)
    return frozenset(at for register in registers for at in range(register.place, register.end))


def _soc_range(profile: Profile, battery: Battery) -> tuple[float, float]:
    register = profile.registers[battery.soc_percent]
    return max(register.low or 0.0, 0.0), min(100.0 if register.high is None else register.high, 100.0)


def _total(device: ProfileDevice, terms: Sum | None, registers: Registers, more: More) -> float | None:
    return None if terms is None else total(device.profile, terms, registers, more)


def _not_negative(watts: float | None) -> float | None:
    return None if watts is None else max(watts, 0.0)


def _lower(first: float | None, second: float | None) -> float | None:
    return min((value for value in (first, second) if value is not None), default=None)
