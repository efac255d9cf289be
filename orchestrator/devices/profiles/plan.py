"""Which registers are read together: as few requests as the make's holes and the 125 words of a request allow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from orchestrator.devices.addresses import place_of
from orchestrator.devices.base import ReadRequest
from orchestrator.devices.makes.command_schema import registers_of
from orchestrator.devices.makes.registers import Register
from orchestrator.devices.makes.schema import BASE_VALUES, Profile, sums_of_phases, writes_of
from orchestrator.devices.profiles.device import ProfileDevice


def requests(profile: Profile, names: Iterable[str], *, gap_words: int | None = None) -> tuple[ReadRequest, ...]:
    """Reads that cover these registers, joined over at most `gap_words` (None: the profile's `read_gap_words`).

    None is longer than the profile's `read_words_max`.
    """
    gap = profile.read_gap_words if gap_words is None else gap_words
    spans = sorted({(register.place, register.end) for register in _registers(profile, names)})
    joined: list[tuple[int, int]] = []
    for first, end in spans:
        start, before = joined[-1] if joined else (first, first)
        is_near = bool(joined) and first - before <= gap and are_in_one_table(start, first)
        if is_near and end - start <= profile.read_words_max:
            joined[-1] = (start, max(before, end))
        else:
            joined.append((first, end))
    return tuple(ReadRequest(first, end - first) for first, end in joined)


def are_in_one_table(first: int, second: int) -> bool:
    """Whether two places are of one unit and one table: the last register of one lies beside the first of another."""
    return place_of(first)._replace(address=0) == place_of(second)._replace(address=0)


def pieces(profile: Profile, request: ReadRequest) -> tuple[ReadRequest, ...]:
    """The registers inside a request, one read each."""
    inside = range(request.address, request.address + request.count)
    spans = sorted({(each.place, each.end) for each in profile.registers.values() if each.place in inside})
    return tuple(ReadRequest(first, end - first) for first, end in spans)


def parts(profile: Profile, names: Iterable[str], refused: ReadRequest) -> tuple[ReadRequest, ...]:
    """The registers `names` inside of a refused read: neighbours together, then each alone, in the end none."""
    inside = range(refused.address, refused.address + refused.count)
    wanted = [name for name in names if profile.registers[name].place in inside]
    for finer in (requests(profile, wanted, gap_words=0), tuple(dict.fromkeys(_alone(profile, wanted)))):
        if finer != (refused,):
            return finer
    return ()


def _alone(profile: Profile, names: Iterable[str]) -> Iterator[ReadRequest]:
    return (ReadRequest(register.place, register.end - register.place) for register in _registers(profile, names))


def without(device: ProfileDevice, refused: ReadRequest) -> ProfileDevice:
    """The device with a refused read planned in single registers; one that is refused alone is left out."""
    wanted = {device.profile.registers[name].place for name in device.names}
    parts = tuple(part for part in pieces(device.profile, refused) if part.address in wanted and part != refused)
    reads = tuple(new for read in device.reads for new in (parts if read == refused else (read,)))
    return replace(device, reads=reads)


def identity_names(profile: Profile) -> list[str]:
    """What says whether the device is of this make."""
    names = [identity.register_ for identity in profile.identity]
    return names + [identity.or_register for identity in profile.identity if identity.or_register is not None]


def fixed_names(profile: Profile) -> tuple[str, ...]:
    """What does not change: read when the device is found."""
    plate, battery = profile.nameplate, profile.battery
    names = identity_names(profile)
    if plate is not None:
        names += [name for name in (plate.model, plate.version, plate.serial) if name is not None]
        for terms in (plate.ac_max_watts, plate.charge_max_watts, plate.discharge_max_watts, plate.capacity_wh):
            names += registers_of(terms)
    names += [part.capacity_wh for part in battery.parts] if battery is not None else []
    limit, command = profile.commands.ac_limit, profile.commands.battery
    present = [part.present for part in (battery, limit, command) if part is not None]
    names += [condition.register_ for condition in present if condition is not None]
    for revert in (part.revert for part in (limit, command) if part is not None):
        names += [revert.told_by] if revert.told_by else []
        names += [revert.only_while.register_] if revert.only_while else []
        names += [revert.falls_to] if revert.falls_to else []
    if command is not None and command.phases is not None:
        names.append(command.phases)
    names += [need.register_ for need in (profile.meter.needs if profile.meter else ())]
    return tuple(dict.fromkeys([*names, *_likeness_names(profile)]))


def needed_names(profile: Profile) -> frozenset[str]:
    """What a device must have said that is found as a whole: all but what a sum of its nameplate says may be missing.

    So with the further ones of several batteries, too, and with what a scan compares.
    """
    plate, battery = profile.nameplate, profile.battery
    sums = () if plate is None else (plate.charge_max_watts, plate.discharge_max_watts, plate.capacity_wh)
    missing = {name for terms in sums for term in terms or () if term.endswith("?") for name in registers_of((term,))}
    missing |= {part.capacity_wh for part in battery.parts[1:]} if battery is not None else set()
    missing |= set(_likeness_names(profile)) - set(identity_names(profile))
    return frozenset(fixed_names(profile)) - missing


def sample_names(profile: Profile) -> tuple[str, ...]:
    """What a sample of the inverter is made of, and what says whether a step of a command is of use."""
    names = [*_inverter_names(profile), *_battery_names(profile)]
    names += [write.only_while.register_ for write in writes_of(profile) if write.only_while is not None]
    return tuple(dict.fromkeys(name for name in names if name not in BASE_VALUES))


def cycle_names(profile: Profile) -> tuple[str, ...]:
    """What is read in each cycle: what can be written is read back after a write, and now and then."""
    written = written_names(profile)
    return tuple(name for name in sample_names(profile) if name not in written)


def meter_names(profile: Profile) -> tuple[str, ...]:
    """What is read in each cycle of a meter."""
    meter = profile.meter
    if meter is None:
        return ()
    names = list(registers_of(meter.site_watts))
    names += [name for terms in sums_of_phases(meter) for name in registers_of(terms)]
    names += meter.phase_volts
    names += [*registers_of(meter.import_wh), *registers_of(meter.export_wh)]
    names += [meter.valid.register_] if meter.valid else []
    return tuple(dict.fromkeys([*names, *([meter.frequency_hz] if meter.frequency_hz else [])]))


def written_names(profile: Profile) -> tuple[str, ...]:
    """Every register that can be written and read back."""
    names = dict.fromkeys(write.register_ for write in writes_of(profile))
    return tuple(name for name in names if profile.registers[name].read_back)


def _likeness_names(profile: Profile) -> tuple[str, ...]:
    """What a scan compares, as it was when the meter was found."""
    likeness = profile.meter.likeness if profile.meter else None
    if likeness is None:
        return ()
    total = () if likeness.total is None else (likeness.total,)
    return (*total, *registers_of(likeness.parts), *(likeness.apart or ()))


def _inverter_names(profile: Profile) -> list[str]:
    inverter = profile.inverter
    if inverter is None:
        return []
    names = [*registers_of(inverter.ac_watts), *registers_of(inverter.pv_watts), *registers_of(inverter.string_watts)]
    shown = inverter.ac_limit
    optional = [inverter.state_register, *((shown.watts, shown.percent) if shown else ())]
    conditions = [inverter.connected, shown.enabled if shown else None]
    names += [name for name in optional if name is not None]
    return names + [condition.register_ for condition in conditions if condition is not None]


def _battery_names(profile: Profile) -> list[str]:
    battery = profile.battery
    if battery is None:
        return []
    names = [*registers_of(battery.watts), *registers_of(battery.or_watts), battery.soc_percent]
    signs = (profile.registers[name].sign for name in registers_of(battery.or_watts))
    names += [sign.register_ for sign in signs if sign is not None]
    names += [battery.soc_min_percent] if battery.soc_min_percent else []
    names += [name for part in battery.parts for name in (part.watts, part.soc_percent)]
    names += registers_of(profile.commands.battery.ac_out_watts) if profile.commands.battery else ()
    names += [*registers_of(battery.charge_max_watts), *registers_of(battery.discharge_max_watts)]
    if battery.grid_charging_allowed is not None:
        names.append(battery.grid_charging_allowed.register_)
    return [*names, *([battery.state_register] if battery.state_register else [])]


def _registers(profile: Profile, names: Iterable[str]) -> Iterable[Register]:
    return (profile.registers[name] for name in names)
