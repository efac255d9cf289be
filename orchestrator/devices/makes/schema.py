"""A make as a file: every key of a profile is a field here. `file.parse_profile` reads and checks one.

Values are in W, Wh, percent and seconds; battery power is charging +, AC power into the site +, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final, Literal

from pydantic import Field

from orchestrator.devices.link.ways import Parity
from orchestrator.devices.makes.command_schema import (
    Commands,
    Condition,
    Line,
    Lines,
    Numbers,
    Sum,
    Term,
    Write,
    writes_of_battery,
    writes_of_limit,
)
from orchestrator.devices.makes.registers import WORDS_MAX, Key, Register, WordOrder
from orchestrator.documents.section import Name, Port, Section, UnitId

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


class Likeness(Section):
    """`meter.likeness:` what registers have in common in such a meter, where it shows no frequency: for a scan.

    `total` is what `parts` come to; of the two that are `apart` one is 0, and the other is not.
    """

    total: Key | None = None
    parts: Sum | None = None
    apart: Annotated[tuple[Key, Key], Field(strict=False)] | None = None


class Meter(Section):
    """`meter:` a meter, or one that the device reads and passes on. `site_watts` import +.

    `needs` are looked at when it is found; while `valid` does not hold what it shows is no measurement. `likeness` is
    what a scan may suggest it by. It is read every `interval_s` where site.yaml says nothing else, and has a new value
    once in `new_value_s`.
    """

    site_watts: Sum
    phase_watts: Annotated[tuple[Term | Sum, ...], Field(strict=False)] = ()
    phase_volts: Annotated[tuple[Key, ...], Field(strict=False, max_length=3)] = ()
    import_wh: Sum | None = None
    export_wh: Sum | None = None
    frequency_hz: Key | None = None
    valid: Condition | None = None
    needs: Annotated[tuple[MeterNeed, ...], Field(strict=False)] = ()
    likeness: Likeness | None = None
    interval_s: Annotated[float, Field(gt=0, le=60)] | None = None
    new_value_s: Annotated[float, Field(gt=0, le=60)] | None = None


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


def sums_of_phases(meter: Meter) -> Iterator[Sum]:
    """The power of each phase that the meter shows."""
    return ((each,) if isinstance(each, str) else each for each in meter.phase_watts)


def writes_of(profile: Profile) -> Iterator[Write]:
    """Every write that a profile can ever ask for."""
    yield from writes_of_limit(profile.commands)
    yield from writes_of_battery(profile.commands)
