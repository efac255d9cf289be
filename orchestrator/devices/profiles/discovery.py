"""Finding a device of a make: its SunSpec map where it has one, then who it is and what does not change."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from msgspec import structs

from orchestrator.devices.base import Discovery, ReadRequest, Refused, Role
from orchestrator.devices.capabilities import (
    Capabilities,
    CommandBattery,
    KeepInFlash,
    LimitAcPower,
    ReportStateOfCharge,
)
from orchestrator.devices.flash_budget import budgets
from orchestrator.devices.makes.command_schema import (
    AcLimit,
    BatteryCommands,
    Condition,
    Revert,
    Sum,
    Write,
    writes_of_battery,
    writes_of_limit,
)
from orchestrator.devices.makes.registers import read_text
from orchestrator.devices.makes.schema import Profile
from orchestrator.devices.profiles.device import (
    ProfileDevice,
    holds,
    named,
    raw_of,
    register_value,
    revert_of,
    total,
    without_absent,
)
from orchestrator.devices.profiles.location import located
from orchestrator.devices.profiles.plan import (
    cycle_names,
    fixed_names,
    identity_names,
    meter_names,
    needed_names,
    pieces,
    requests,
)
from orchestrator.devices.sunspec.decoding.plausible import WATTS_MAX
from orchestrator.devices.sunspec.device import DER_CONTROLS, ModuleKind, SunSpecDevice
from orchestrator.devices.sunspec.finding import discovery as sunspec_discovery
from orchestrator.errors import WrongDevice
from orchestrator.reason import Reason, because
from orchestrator.samples import Nameplate


def discover(profile: Profile, role: Role | None) -> Discovery[ProfileDevice]:
    """Raises WrongDevice where the device does not say what a device of this make says."""
    if role == "meter" and profile.meter is None and profile.sunspec is None:
        raise WrongDevice(because("no_meter_of_make", device=profile.name))
    base = None
    if profile.sunspec is not None:  # a meter of its own is not in the SunSpec map
        base = yield from sunspec_discovery.discover(None if profile.meter and role == "meter" else role)
    if base is not None:
        _require_make(profile, base)
        base = _without_battery_input(profile, base)
    # Another make may take long to answer at a unit that it does not have: only once it is known who this is.
    first = identity_names(profile) if profile.units else fixed_names(profile)
    fixed = yield from _read_all(requests(profile, first), profile)
    _require_identity(profile, fixed)
    if profile.units:
        profile = yield from located(profile)
        fixed |= yield from _read_all(requests(profile, set(fixed_names(profile)) - set(first)), profile)
    if role == "meter":
        _require_settings(profile, fixed)
    return _device(profile, base, MappingProxyType(fixed), role)


def _require_settings(profile: Profile, fixed: Mapping[int, int]) -> None:
    """A meter that counts export as import would have the site do the opposite of what is right."""
    for need in profile.meter.needs if profile.meter else ():
        register = profile.registers[need.register_]
        value = register_value(profile, need.register_, fixed)
        if value is None or raw_of(value, register) not in {named(register, each) for each in need.is_}:
            shown = _shown(need.register_, None if value is None else f"{value:g}")
            raise WrongDevice(because("setting_wrong", device=profile.name, shown=shown, because=need.because))


def _require_identity(profile: Profile, fixed: Mapping[int, int]) -> None:
    for identity in profile.identity:
        says = read_text(profile.registers[identity.register_], fixed, profile.word_order)
        name, matches = identity.register_, identity.matches
        if not says and identity.or_register is not None:
            name, matches = identity.or_register, identity.or_matches or ""
            says = read_text(profile.registers[name], fixed, profile.word_order)
        if not re.search(matches, says):
            raise _other_make(profile, _shown(name, repr(says) if says else None))


def _shown(register: str, says: str | None) -> Reason:
    """What a register says; None: it cannot be read."""
    if says is None:
        return because("cannot_be_read", register=register)
    return because("says", register=register, reading=says)


def _other_make(profile: Profile, shown: Reason) -> WrongDevice:
    return WrongDevice(because("other_make", make=profile.make, device=profile.name, shown=shown))


def _require_make(profile: Profile, base: SunSpecDevice) -> None:
    use, plate = profile.sunspec, base.nameplate
    if use is None:
        return
    for what, pattern, says in (("Mn", use.manufacturer, plate.manufacturer), ("Md", use.model, plate.model)):
        if pattern is not None and not re.search(pattern, says):
            raise _other_make(profile, _shown(f"model 1 {what}", repr(says)))
    newer = base.limits_by == DER_CONTROLS or (base.inverter is not None and base.inverter.id > 700)
    if use.generation is not None and (use.generation == "7xx") != newer:
        raise WrongDevice(because("other_generation", device=profile.name, generation=use.generation))


def _without_battery_input(profile: Profile, base: SunSpecDevice) -> SunSpecDevice:
    """The map without PV on the input that is the battery's."""
    number = profile.sunspec.battery_input if profile.sunspec else None
    if number is None or len(base.modules) < number or not base.has_battery:
        return base
    modules = list(base.modules)
    modules[number - 1] = replace(modules[number - 1], kind=ModuleKind.OTHER)
    return replace(base, modules=tuple(modules))


def _read_all(wanted: tuple[ReadRequest, ...], profile: Profile) -> Discovery[dict[int, int]]:
    """The words of these reads. A block that is refused is read register by register; what is refused then is left."""
    words: dict[int, int] = {}
    for request in wanted:
        answer = yield request
        if not isinstance(answer, Refused):
            words |= dict(enumerate(answer, request.address))
            continue
        for part in (piece for piece in pieces(profile, request) if piece != request):
            answer = yield part
            if not isinstance(answer, Refused):
                words |= dict(enumerate(answer, part.address))
    return words


def _device(profile: Profile, base: SunSpecDevice | None, fixed: Mapping[int, int], role: Role | None) -> ProfileDevice:
    battery, commands = profile.battery, profile.commands
    own_battery = battery is not None and _is_present(profile, battery.present, fixed)
    base_battery = base is not None and base.has_battery and battery is None
    battery_commands = commands.battery if own_battery else None
    if battery_commands is not None and not _is_present(profile, battery_commands.present, fixed):
        battery_commands = None
    limit = commands.ac_limit
    limit = limit if limit is not None and _is_present(profile, limit.present, fixed) else None
    own_meter = role == "meter" and profile.meter is not None
    names = meter_names(profile) if role == "meter" else without_absent(profile, fixed, cycle_names(profile))
    device = ProfileDevice(
        profile=profile,
        nameplate=_nameplate(profile, base, fixed),
        base=base,
        has_battery=own_battery or base_battery,
        fixed=fixed,
        names=names,
        reads=requests(profile, names) + (() if base is None or own_meter else base.reads),
        doubtful=not needed_names(profile) <= known_names(profile, fixed) or bool(base and base.doubtful),
    )
    # A limit is a part of the rating: without one, none can be set.
    limit = None if device.rated_watts is None else limit
    capabilities = _capabilities(profile, base, limit, battery_commands, fixed, reports_soc=own_battery or base_battery)
    return replace(device, capabilities=capabilities)


def known_names(profile: Profile, fixed: Mapping[int, int]) -> frozenset[str]:
    """What the device has said about what does not change: at night some say nothing about their battery."""
    return frozenset(name for name in fixed_names(profile) if _is_known(profile, name, fixed))


def _is_known(profile: Profile, name: str, fixed: Mapping[int, int]) -> bool:
    register = profile.registers[name]
    if register.type == "text":
        return bool(read_text(register, fixed, profile.word_order))
    return register_value(profile, name, fixed) is not None


def is_news(device: ProfileDevice, again: ProfileDevice) -> bool:
    """Whether a device that was found again says more, or other things, than before. Measured values do not count."""
    if known_names(device.profile, device.fixed) != known_names(again.profile, again.fixed):
        return True
    if _identity(device) != _identity(again):
        return True
    return replace(again, fixed=device.fixed, nameplate=device.nameplate) != device


def _identity(device: ProfileDevice) -> Nameplate:
    """The nameplate without what is a product of measured values, such as a capacity of ampere-hours and voltage."""
    return structs.replace(device.nameplate, capacity_wh=None)


def _is_present(profile: Profile, condition: Condition | None, fixed: Mapping[int, int]) -> bool:
    return condition is None or holds(profile, condition, fixed) is True


def _capabilities(
    profile: Profile,
    base: SunSpecDevice | None,
    limit: AcLimit | None,
    battery: BatteryCommands | None,
    fixed: Mapping[int, int],
    *,
    reports_soc: bool,
) -> Capabilities:
    """`limit` and `battery` are what the profile commands of this device; the rest may be the standard's."""
    use, standard = profile.sunspec, Capabilities() if base is None else base.capabilities
    standard_limit = standard.limit_ac if use is not None and use.ac_limit else None
    standard_battery = standard.battery if use is not None and use.battery else None
    per_day = profile.flash_writes_per_day

    def reverts(revert: Revert) -> bool:
        return _reverts(revert_of(profile, revert, fixed))

    return Capabilities(
        limit_ac=standard_limit if limit is None else LimitAcPower(reverts=reverts(limit.revert)),
        battery=standard_battery if battery is None else CommandBattery(reverts=reverts(battery.revert)),
        disconnect=None if use is None else standard.disconnect,
        state_of_charge=ReportStateOfCharge() if reports_soc else None,
        flash=None if per_day is None else _flash(profile, per_day),
    )


def _flash(profile: Profile, per_day: int) -> KeepInFlash:
    def wears(writes: Iterable[Write]) -> bool:
        return any(profile.registers[write.register_].flash for write in writes)

    limit, battery = wears(writes_of_limit(profile.commands)), wears(writes_of_battery(profile.commands))
    return KeepInFlash(*budgets(per_day, limit=limit, battery=battery))


def _reverts(revert: Revert) -> bool:
    return revert.after_s is not None or revert.register_ is not None


def _nameplate(profile: Profile, base: SunSpecDevice | None, fixed: Mapping[int, int]) -> Nameplate:
    plate, standard = profile.nameplate, Nameplate() if base is None else base.nameplate
    if plate is None:
        return standard

    def text(name: str | None, otherwise: str) -> str:
        return otherwise if name is None else read_text(profile.registers[name], fixed, profile.word_order)

    def watts(terms: Sum | None, otherwise: float | None) -> float | None:
        stated = otherwise if terms is None else total(profile, terms, fixed, {})
        return stated if stated is not None and 0 < stated <= WATTS_MAX else None

    model = text(plate.model, standard.model)
    return Nameplate(
        manufacturer=standard.manufacturer or plate.manufacturer,
        model=model,
        version=text(plate.version, standard.version),
        serial=text(plate.serial, standard.serial),
        ac_max_watts=watts(
            plate.ac_max_watts, _said_by_model(plate.ac_max_kw_in_model, model) or standard.ac_max_watts
        ),
        charge_max_watts=watts(plate.charge_max_watts, standard.charge_max_watts),
        discharge_max_watts=watts(plate.discharge_max_watts, standard.discharge_max_watts),
        capacity_wh=watts(plate.capacity_wh, standard.capacity_wh),
    )


def _said_by_model(pattern: str | None, model: str) -> float | None:
    """The AC rating in the name of a model, in W; None where it is not in there."""
    found = re.search(pattern, model) if pattern is not None else None
    try:
        return None if found is None else 1000.0 * float(found.group(1))
    except (TypeError, ValueError):
        return None
