"""What a make's profile says of its commands: every key below `commands:`, and what the rest of a profile is made of.

Values are in W, Wh, percent and seconds; battery power is charging +, AC power into the site +, as everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Final

from pydantic import Field

from orchestrator.devices.makes.registers import Key
from orchestrator.documents.section import Section

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


class Condition(Section):
    """True while a register has one of the raw numbers (or names) `is`, or is above `above` in its unit."""

    register_: Annotated[Key, Field(alias="register")]
    is_: Annotated[Numbers, Field(alias="is")] = ()
    above: float | None = None


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


def registers_of(terms: Sum | tuple[str, ...] | None) -> Iterator[str]:
    """The registers that a sum names."""
    for term in terms or ():
        yield from term.removeprefix("-").removesuffix("?").split("*")


def writes_of_limit(commands: Commands) -> Iterator[Write]:
    """Every write that an AC limit can ever ask for."""
    limit = commands.ac_limit
    if limit is not None:
        yield from (*limit.prepare, *limit.set, *limit.clear, *limit.release)


def writes_of_battery(commands: Commands) -> Iterator[Write]:
    """Every write that a command for the battery can ever ask for."""
    battery = commands.battery
    if battery is not None:
        yield from (*battery.prepare, *battery.charge, *battery.discharge)
        yield from (*battery.idle, *battery.hold, *battery.release)
