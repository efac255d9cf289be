"""A make as a file: every key of a profile is a field here. `file.parse_profile` reads and checks one.

Values are in W, Wh, percent and seconds; battery power is charging +, AC power into the site +, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from orchestrator.devices.link.ways import Parity
from orchestrator.devices.makes.registers import WORDS_MAX, Key, Register, WordOrder
from orchestrator.documents.section import Name, Port, Section, UnitId

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
Number = Annotated[int | Key, Field(description="a whole number, or the name of one of the register's values")]
Numbers = Annotated[tuple[Number, ...], Field(strict=False)]
Seconds = Annotated[float, Field(gt=0, le=86400)]

AC_DRAW: Final = ("ac_draw_l1_watts", "ac_draw_l2_watts", "ac_draw_l3_watts")
AC_FEED: Final = "ac_feed_watts"
AC_TAKE: Final = "ac_draw_watts"
BY_AC: Final = (*AC_DRAW, AC_FEED, AC_TAKE)
"""Battery power as it shows at AC: what each phase draws from the AC input, and what the inverter feeds or draws in
all."""
REVERT: Final = "revert_s"
AFTER: Final = "after_percent"
"""What an AC limit gives way to when nobody renews it: a make that is told this always has a time-out."""
LIMIT_SYMBOLS: Final = ("limit_watts", "limit_percent", AFTER, "ac_max_watts", REVERT)
BATTERY_SYMBOLS: Final = (
    "watts",
    "minus_watts",
    "charge_watts",
    "discharge_watts",
    "most_charge_watts",
    "charge_max_watts",
    "discharge_max_watts",
    REVERT,
    *BY_AC,
)
"""What a write may say in place of a number, see `steps.Symbols`: for the AC limit, and for the battery."""
SYMBOLS: Final = tuple(dict.fromkeys((*BATTERY_SYMBOLS, *LIMIT_SYMBOLS)))

BASE_VALUES: Final = ("sunspec_ac_watts", "sunspec_pv_watts", "sunspec_dc_watts")
"""What a sum may name besides registers, where the make speaks SunSpec as well."""


class Document(Section):
    """`documents[]:` where the facts are from, and where it can be read."""

    title: Line
    covers: Line
    url: Annotated[str, Field(pattern=r"^https://\S+$", description="a link, https://...")] | None = None


class Link(Section):
    """`link:` what the make needs of the connection; these are defaults of the keys of the same names in site.yaml.

    `baud_rate`, `parity` and `stop_bits` are what it is delivered with on a serial line.
    """

    port: Port = 502
    unit_id: UnitId = 1
    timeout_s: Annotated[float, Field(gt=0, le=30)] = 1.0
    min_gap_s: Annotated[float, Field(ge=0, le=5)] = 0.0
    write_single: bool = False
    interval_s: Annotated[float, Field(gt=0, le=60)] | None = None
    baud_rate: Annotated[int, Field(ge=300, le=1_000_000)] | None = None
    parity: Parity | None = None
    stop_bits: Literal[1, 2] | None = None


class SunSpecUse(Section):
    """`sunspec:` what of the standard is used. `ac_limit` and `battery`: whether its models 123, 124, 704 are written.

    `manufacturer` and `model` are patterns of what model 1 must say. `write_single`: its controls
    take one register a request (function 6). `battery_input` is the number (from 1) of the input of model 160 that is
    the battery's and has no sign; battery power is then the other inputs less the DC total. `battery_step_watts`: its
    battery is told whole multiples of this only, towards 0. `limit_stays_enabled`: no limit is 100 %, enabled as ever.
    """

    ac_limit: bool = True
    battery: bool = True
    write_single: bool = False
    battery_input: Annotated[int, Field(ge=1, le=20)] | None = None
    battery_step_watts: Annotated[int, Field(ge=1, le=1000)] = 1
    limit_stays_enabled: bool = False
    manufacturer: Line | None = None
    model: Line | None = None
    generation: Literal["1xx", "7xx"] | None = None


class Unit(Section):
    """`units[]:` registers at `unit_id` lie at one of `others` on some models: where `probe` has a value.

    `name` is what site.yaml calls it, to say where it is.
    """

    name: Key
    unit_id: UnitId
    others: Annotated[tuple[UnitId, ...], Field(strict=False, min_length=1)]
    probe: Key


class Condition(Section):
    """True while a register has one of the raw numbers (or names) `is`, or is above `above` in its unit."""

    register_: Annotated[Key, Field(alias="register")]
    is_: Annotated[Numbers, Field(alias="is")] = ()
    above: float | None = None


class Identity(Section):
    """`identity[]:` what a register must say for the device to be of this make: a pattern of its text or number.

    Where it says nothing, `or_register` must match `or_matches`.
    """

    register_: Annotated[Key, Field(alias="register")]
    matches: Line
    or_register: Key | None = None
    or_matches: Line | None = None


class Nameplate(Section):
    """`nameplate:` what the device says about itself. `manufacturer` is a text, the others are registers.

    `ac_max_kw_in_model` is a pattern whose first group is the AC rating in kW, for makes that say it in the model only.
    """

    manufacturer: Line
    model: Key | None = None
    version: Key | None = None
    serial: Key | None = None
    ac_max_watts: Sum | None = None
    ac_max_kw_in_model: Line | None = None
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


class BatteryPart(Section):
    """`battery.parts[]:` one of several batteries, read where it says a `capacity_wh` (looked at when found)."""

    capacity_wh: Key
    watts: Key
    soc_percent: Key


class Battery(Section):
    """`battery:` what is read of it in each cycle. `present`: there is a battery at all (looked at when found).

    `or_watts` is its power where `watts` is not known. At or below `soc_min_percent`, a setting of the device, the
    battery is said to give nothing. With several `parts` the state of charge is that of all, by their capacity, and
    while the power of one is unknown, that of all is.
    """

    present: Condition | None = None
    watts: Sum
    or_watts: Sum | None = None
    soc_percent: Key
    soc_min_percent: Key | None = None
    parts: Annotated[tuple[BatteryPart, ...], Field(strict=False)] = ()
    charge_max_watts: Sum | None = None
    discharge_max_watts: Sum | None = None
    grid_charging_allowed: Condition | None = None
    state: dict[str, Numbers] = Field(default_factory=dict)
    state_register: Key | None = None


class MeterNeed(Section):
    """`meter.needs[]:` a setting without which the meter must not be believed; `because` tells the installer."""

    register_: Annotated[Key, Field(alias="register")]
    is_: Annotated[Numbers, Field(alias="is", min_length=1)]
    because: Line


class Meter(Section):
    """`meter:` a meter, or one that the device reads and passes on. `site_watts` import +.

    `needs` are looked at when it is found; while `valid` does not hold what it shows is no measurement. It is read
    every `interval_s` where site.yaml says nothing else, and has a new value once in `new_value_s`.
    """

    site_watts: Sum
    phase_watts: Annotated[tuple[Term | Sum, ...], Field(strict=False)] = ()
    import_wh: Sum | None = None
    export_wh: Sum | None = None
    frequency_hz: Key | None = None
    valid: Condition | None = None
    needs: Annotated[tuple[MeterNeed, ...], Field(strict=False)] = ()
    interval_s: Annotated[float, Field(gt=0, le=60)] | None = None
    new_value_s: Annotated[float, Field(gt=0, le=60)] | None = None


class ByPermission(Section):
    """A value that depends on whether the battery may charge from AC."""

    grid: Number
    pv: Number


class AsFound(Section):
    """What the register was found in, as far as it is one of `found`; else `otherwise`."""

    found: Annotated[tuple[Number, ...], Field(strict=False, min_length=1)]
    otherwise: Number


class Write(Section):
    """One step of a command: `register` is written `to` a number in its unit, one of its `values`, or a symbol.

    Where the device shows that `only_while` does not hold, the step is left out.
    """

    register_: Annotated[Key, Field(alias="register")]
    to: Annotated[
        int | float | str | ByPermission | AsFound,
        Field(
            description="a number, a name of a value, a symbol such as 'watts', or a mapping with grid and pv, "
            "or with found and otherwise"
        ),
    ]
    only_while: Condition | None = None


Writes = Annotated[tuple[Write, ...], Field(strict=False)]


class Revert(Section):
    """What the device falls back to by itself: `after_s` of silence, or the time that `register` was told (in s).

    Nothing of both: what was written holds until something else is written. `told_by` is a setting of the device that
    says the time in place of `after_s`, `only_while` one without which it never falls back, `falls_to` one that says to
    what (in percent of the rating); all are read when it is found.
    """

    after_s: Seconds | None = None
    register_: Annotated[Key | None, Field(alias="register")] = None
    told_by: Key | None = None
    only_while: Condition | None = None
    falls_to: Key | None = None


class AcLimit(Section):
    """`commands.ac_limit:` in writing order. `prepare` are settings that are only written where they differ.

    `present`: the device can be limited at all (looked at when found). `release` follows `clear` when the device is
    handed back without a limit.
    """

    present: Condition | None = None
    prepare: Writes = ()
    set: Writes
    clear: Writes
    release: Writes = ()
    revert: Revert = Revert()


class BatteryCommands(Section):
    """`commands.battery:` what the make calls charge, discharge, hold, idle and release, each in writing order.

    `hold` keeps the battery from discharging and lets it charge; a make without it is pinned to a power instead.
    `prepare` are settings that are only written where the device shows another value, before all but `release`.
    `present`: the battery can be commanded at all (looked at when found). A make that takes power at AC in place of
    battery power says the register that counts its `phases`, the `efficiency_percent` between the two, and what hangs
    on each phase of its AC output (`ac_out_watts`); while that is not known it gets `hold`. `keeps_limits` false: when
    commanded it keeps neither what the battery takes and gives at most nor `battery.soc_min_percent`, so we do.
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
    ac_out_watts: Annotated[tuple[Term, ...], Field(strict=False, max_length=3)] = ()
    keeps_limits: bool = True


class Commands(Section):
    """`commands:` what can be asked of the device."""

    ac_limit: AcLimit | None = None
    battery: BatteryCommands | None = None


class Profile(Section):
    """A whole profile. `like` is a delivered one whose keys hold where this one has none.

    `read_only` says why nothing of the make is commanded, `seen_on` are models that the sources name, `switch_on` is
    what the installer has to do in the device, `doubts` what is not sure, and what to try on site.
    """

    name: Name
    like: Name | None = None
    make: Line
    devices: Line
    documents: Annotated[tuple[Document, ...], Field(strict=False, min_length=1)]
    tried_on_hardware: bool = False
    read_only: Line | None = None
    seen_on: Line | None = None
    switch_on: Lines = ()
    notes: Lines = ()
    doubts: Lines = ()
    link: Link = Link()
    word_order: WordOrder = "big"
    read_gap_words: Annotated[int, Field(ge=0, le=100)] = 0
    read_words_max: Annotated[int, Field(ge=1, le=WORDS_MAX)] = WORDS_MAX
    flash_writes_per_day: Annotated[int, Field(ge=1, le=10000)] | None = None
    sunspec: SunSpecUse | None = None
    identity: Annotated[tuple[Identity, ...], Field(strict=False)] = ()
    units: Annotated[tuple[Unit, ...], Field(strict=False)] = ()
    registers: dict[Key, Register] = Field(default_factory=dict)
    nameplate: Nameplate | None = None
    inverter: Inverter | None = None
    battery: Battery | None = None
    meter: Meter | None = None
    commands: Commands = Commands()

    @property
    def is_meter(self) -> bool:
        """Whether this is a meter and nothing else."""
        others = (self.inverter, self.sunspec, self.battery, self.commands.ac_limit, self.commands.battery)
        return self.meter is not None and all(other is None for other in others)


def registers_of(terms: Sum | tuple[str, ...] | None) -> Iterator[str]:
    """The registers that a sum names."""
    for term in terms or ():
        yield from term.removeprefix("-").removesuffix("?").split("*")


def sums_of_phases(meter: Meter) -> Iterator[Sum]:
    """The power of each phase that the meter shows."""
    return ((each,) if isinstance(each, str) else each for each in meter.phase_watts)


def writes_of(profile: Profile) -> Iterator[Write]:
    """Every write that a profile can ever ask for."""
    yield from writes_of_limit(profile)
    yield from writes_of_battery(profile)


def writes_of_limit(profile: Profile) -> Iterator[Write]:
    """Every write that an AC limit can ever ask for."""
    limit = profile.commands.ac_limit
    if limit is not None:
        yield from (*limit.prepare, *limit.set, *limit.clear, *limit.release)


def writes_of_battery(profile: Profile) -> Iterator[Write]:
    """Every write that a command for the battery can ever ask for."""
    battery = profile.commands.battery
    if battery is not None:
        yield from (*battery.prepare, *battery.charge, *battery.discharge)
        yield from (*battery.idle, *battery.hold, *battery.release)
