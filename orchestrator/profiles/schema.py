"""A make as a file: every key of a profile is a field here. `profile_file.load_profile` reads and checks one.

Values are in W, Wh, percent and seconds; battery power is charging +, AC power into the site +, as everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from orchestrator.config_base import Name, Percent, Port, Section, UnitId
from orchestrator.profiles.registers import Key, Register, WordOrder

Line = Annotated[str, Field(min_length=1, max_length=400, description="one line of text")]
Lines = Annotated[tuple[Line, ...], Field(strict=False)]
Term = Annotated[
    str,
    Field(
        pattern=r"^-?[a-z][a-z0-9_]*(\*[a-z][a-z0-9_]*)?\??$",
        description="a register, 'a*b' for a product, '-' in front to subtract, '?' behind what may be missing",
    ),
]
Sum = Annotated[tuple[Term, ...], Field(strict=False, min_length=1)]
Numbers = Annotated[tuple[int | Key, ...], Field(strict=False)]
Seconds = Annotated[float, Field(gt=0, le=86400)]

AC_DRAW: Final = "ac_draw_per_phase_watts"
SYMBOLS: Final = (
    "watts",
    "minus_watts",
    "charge_watts",
    "discharge_watts",
    "most_charge_watts",
    "charge_max_watts",
    "discharge_max_watts",
    "ac_max_watts",
    "limit_watts",
    "limit_percent",
    "revert_s",
    AC_DRAW,
)
"""What a write may say in place of a number, see `encode.Symbols`."""

BASE_VALUES: Final = ("sunspec_ac_watts", "sunspec_pv_watts", "sunspec_dc_watts")
"""What a sum may name beside registers, where the make speaks SunSpec as well."""


class Document(Section):
    """`documents[]:` where the facts are from."""

    title: Line
    covers: Line


class Link(Section):
    """`link:` what the make needs of the connection; these are defaults of the keys of the same names in site.yaml."""

    port: Port = 502
    unit_id: UnitId = 1
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    min_gap_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    write_single: bool = False
    interval_s: Annotated[float, Field(gt=0, le=60)] | None = None


class SunSpecUse(Section):
    """`sunspec:` what of the standard is used. `ac_limit` and `battery`: whether its models 123, 124, 704 are written.

    `manufacturer` and `model` are patterns of what model 1 must say. `write_single`: its controls
    take one register a request (function 6). `battery_input` is the number (from 1) of the input of model 160 that is
    the battery's and has no sign; battery power is then the other inputs less the DC total.
    """

    ac_limit: bool = True
    battery: bool = True
    write_single: bool = False
    battery_input: Annotated[int, Field(ge=1, le=20)] | None = None
    manufacturer: Line | None = None
    model: Line | None = None
    generation: Literal["1xx", "7xx"] | None = None


class Condition(Section):
    """True while a register has one of the raw numbers (or names) `is`, or is above `above` in its unit."""

    register_: Annotated[Key, Field(alias="register")]
    is_: Annotated[Numbers, Field(alias="is")] = ()
    above: float | None = None


class Identity(Section):
    """`identity[]:` what a register must say for the device to be of this make: a pattern of its text or number."""

    register_: Annotated[Key, Field(alias="register")]
    matches: Line


class Nameplate(Section):
    """`nameplate:` what the device says of itself. `manufacturer` is a text, the others are registers."""

    manufacturer: Line
    model: Key | None = None
    version: Key | None = None
    serial: Key | None = None
    ac_max_watts: Sum | None = None
    charge_max_watts: Sum | None = None
    discharge_max_watts: Sum | None = None
    capacity_wh: Sum | None = None


class ShownLimit(Section):
    """`inverter.ac_limit:` how the device shows the limit in force: in W or in % of its rating, while `enabled`."""

    watts: Key | None = None
    percent: Key | None = None
    enabled: Condition | None = None


class Inverter(Section):
    """`inverter:` what is read of it in each cycle."""

    ac_watts: Sum
    pv_watts: Sum | None = None
    string_watts: Annotated[tuple[Term, ...], Field(strict=False)] = ()
    state: dict[str, Numbers] = Field(default_factory=dict)
    state_register: Key | None = None
    connected: Condition | None = None
    ac_limit: ShownLimit | None = None


class Battery(Section):
    """`battery:` what is read of it in each cycle. `present`: there is a battery at all (looked at when found)."""

    present: Condition | None = None
    watts: Sum
    soc_percent: Key
    charge_max_watts: Sum | None = None
    discharge_max_watts: Sum | None = None
    grid_charging_allowed: Condition | None = None
    state: dict[str, Numbers] = Field(default_factory=dict)
    state_register: Key | None = None


class Meter(Section):
    """`meter:` a meter that the device reads and passes on. `site_watts` import +."""

    site_watts: Sum
    phase_watts: Annotated[tuple[Term, ...], Field(strict=False)] = ()
    import_wh: Sum | None = None
    export_wh: Sum | None = None
    frequency_hz: Key | None = None


class ByPermission(Section):
    """A value that depends on whether the battery may charge from AC."""

    grid: int | Key
    pv: int | Key


class Write(Section):
    """One step of a command: `register` is written `to` a number in its unit, one of its `values`, or a symbol."""

    register_: Annotated[Key, Field(alias="register")]
    to: int | float | str | ByPermission


Writes = Annotated[tuple[Write, ...], Field(strict=False)]


class Revert(Section):
    """What the device falls back to by itself: `after_s` of silence, or the time that `register` was told (in s).

    Nothing of both: what was written holds until something else is written.
    """

    after_s: Seconds | None = None
    register_: Annotated[Key | None, Field(alias="register")] = None


class AcLimit(Section):
    """`commands.ac_limit:` in writing order. `prepare` are settings that are only written where they differ.

    `present`: the device can be limited at all (looked at when found).
    """

    present: Condition | None = None
    prepare: Writes = ()
    set: Writes
    clear: Writes
    revert: Revert = Revert()
    least_percent: Percent = 0.0


class BatteryCommands(Section):
    """`commands.battery:` what the make calls charge, discharge, hold, idle and release, each in writing order.

    `hold` keeps the battery from discharging and lets it charge; a make without it is pinned to a power instead.
    `prepare` are settings that are only written where the device shows another value, before all but `release`.
    `present`: the battery can be commanded at all (looked at when found). A make that takes power at AC in place of
    battery power says the register that counts its `phases`, and the `efficiency_percent` between the two.
    """

    present: Condition | None = None

    prepare: Writes = ()
    charge: Writes
    discharge: Writes
    idle: Writes
    hold: Writes = ()
    release: Writes
    revert: Revert = Revert()
    reaction_s: Seconds = 10.0
    efficiency_percent: Annotated[float, Field(ge=50, le=100)] = 100.0
    phases: Key | None = None


class Commands(Section):
    """`commands:` what can be asked of the device."""

    ac_limit: AcLimit | None = None
    battery: BatteryCommands | None = None


class Profile(Section):
    """A whole profile."""

    name: Name
    make: Line
    devices: Line
    documents: Annotated[tuple[Document, ...], Field(strict=False, min_length=1)]
    tried_on_hardware: bool = False
    notes: Lines = ()
    link: Link = Link()
    word_order: WordOrder = "big"
    read_gap_words: Annotated[int, Field(ge=0, le=100)] = 0
    flash_writes_per_day: Annotated[int, Field(ge=1, le=10000)] | None = None
    sunspec: SunSpecUse | None = None
    identity: Annotated[tuple[Identity, ...], Field(strict=False)] = ()
    registers: dict[Key, Register] = Field(default_factory=dict)
    nameplate: Nameplate | None = None
    inverter: Inverter | None = None
    battery: Battery | None = None
    meter: Meter | None = None
    commands: Commands = Commands()

    @model_validator(mode="after")
    def _holds_together(self) -> Profile:
        """Raises ValueError with the first thing that does not fit."""
        for check in (
            _unknown_registers,
            _shared_places,
            _unknown_values,
            _flash_budget,
            _commanded_twice,
            _missing_parts,
        ):
            for problem in check(self):
                raise ValueError(problem)
        return self


def registers_of(terms: Sum | tuple[str, ...] | None) -> Iterator[str]:
    """The registers that a sum names."""
    for term in terms or ():
        yield from term.removeprefix("-").removesuffix("?").split("*")


def writes_of(profile: Profile) -> Iterator[Write]:
    """Every write that a profile can ever ask for."""
    limit, battery = profile.commands.ac_limit, profile.commands.battery
    if limit is not None:
        yield from (*limit.prepare, *limit.set, *limit.clear)
    if battery is not None:
        yield from (*battery.prepare, *battery.charge, *battery.discharge)
        yield from (*battery.idle, *battery.hold, *battery.release)


def _named(value: object, field: str = "") -> Iterator[str]:
    """Every name of a register in a section of readings."""
    if isinstance(value, Condition | Identity | Write):
        yield value.register_
    elif isinstance(value, Revert):
        yield from () if value.register_ is None else (value.register_,)
    elif isinstance(value, Section):
        for name in type(value).model_fields:
            if name not in ("manufacturer", "state", "notes"):
                yield from _named(getattr(value, name), name)
    elif isinstance(value, tuple):
        for item in value:
            yield from _named(item, field)
    elif isinstance(value, str):
        yield from registers_of((value,))


def _unknown_registers(profile: Profile) -> Iterator[str]:
    known = {*profile.registers, *(BASE_VALUES if profile.sunspec else ())}
    parts = (profile.identity, profile.nameplate, profile.inverter, profile.battery, profile.meter, profile.commands)
    for part in parts:
        for name in _named(part):
            if name not in known:
                yield f"{name!r} is not one of the registers of this profile"


def _shared_places(profile: Profile) -> Iterator[str]:
    taken: dict[int, str] = {}
    for name, register in profile.registers.items():
        for place in range(register.place, register.end):
            if place in taken:
                yield f"the registers {taken[place]!r} and {name!r} share a word"
            taken[place] = name


def _unknown_values(profile: Profile) -> Iterator[str]:
    for write in writes_of(profile):
        register = profile.registers[write.register_]
        for value in (write.to.grid, write.to.pv) if isinstance(write.to, ByPermission) else (write.to,):
            if isinstance(value, str) and value not in register.values and value not in SYMBOLS:
                yield f"{value!r} is neither one of the values of {write.register_!r} nor one of {', '.join(SYMBOLS)}"
        if register.table == "input" or register.type == "text":
            yield f"the register {write.register_!r} cannot be written"


def _ac_draw(profile: Profile) -> Iterator[str]:
    asked = any(write.to == AC_DRAW for write in writes_of(profile))
    battery, inverter = profile.commands.battery, profile.inverter
    if asked and (battery is None or battery.phases is None):
        yield f"{AC_DRAW!r} needs 'phases'"
    if asked and not set(registers_of(inverter.pv_watts if inverter else None)).isdisjoint(BASE_VALUES):
        yield f"{AC_DRAW!r} needs PV from registers of the profile"


def _flash_budget(profile: Profile) -> Iterator[str]:
    in_flash = sorted({write.register_ for write in writes_of(profile) if profile.registers[write.register_].flash})
    if in_flash and profile.flash_writes_per_day is None:
        yield f"{in_flash[0]!r} is kept in flash: 'flash_writes_per_day' must say how often it may be written"


def _commanded_twice(profile: Profile) -> Iterator[str]:
    use, commands = profile.sunspec, profile.commands
    if use is not None and use.ac_limit and commands.ac_limit is not None:
        yield "the AC limit is commanded twice: 'sunspec.ac_limit' has to be false"
    if use is not None and use.battery and commands.battery is not None:
        yield "the battery is commanded twice: 'sunspec.battery' has to be false"


def _missing_parts(profile: Profile) -> Iterator[str]:
    if profile.sunspec is None and (profile.inverter is None or profile.nameplate is None):
        yield "a profile without 'sunspec' needs 'nameplate' and 'inverter'"
    for pattern in (identity.matches for identity in profile.identity):
        try:
            re.compile(pattern)
        except re.error as error:
            yield f"{pattern!r} is not a pattern: {error}"
