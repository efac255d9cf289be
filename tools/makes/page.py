"""docs/makes.md: a table with a row for each make, and a section for each, out of the profiles."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.devices.makes.fallback import fallbacks
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.makes.schema import Profile, writes_of
from tools.makes.marked import renewed_between, table
from tools.makes.steps import command_rows

PAGE: Final = Path(__file__).parents[2] / "docs/makes.md"
UNTRIED: Final = "not yet tried on hardware"

_COLUMNS: Final = (
    "driver",
    "devices",
    "what is read",
    "AC limit",
    "battery",
    "what it falls back to",
    "kept in flash",
    "from which document",
    "hardware",
)
_MODELS: Final = {
    "1xx": ("SunSpec model 123", "SunSpec model 124"),
    "7xx": ("SunSpec model 704", "SunSpec model 704 (WSet)"),
    None: ("SunSpec model 123 or 704", "SunSpec model 124 or 704"),
}


def renewed(page: str) -> str:
    """The page with the part between the marks made anew. Raises ValueError where a mark is missing."""
    return renewed_between(page, made(), PAGE)


def made() -> str:
    """The table, and what is to be known of each make."""
    profiles = [load_profile(name) for name in profile_names()]
    return "\n".join((*table(_COLUMNS, map(row, profiles)), "", *(line for each in profiles for line in section(each))))


def row(profile: Profile) -> tuple[str, ...]:
    """One make in the order of the columns."""
    return (
        f"[`{profile.name}`](#{profile.name})",
        f"{profile.make}: {profile.devices}",
        ", ".join(_read(profile)),
        _ac_limit(profile),
        _battery(profile),
        "; ".join(_falls_back(profile)),
        _flash(profile),
        "; ".join(document.title for document in profile.documents),
        "tried" if profile.tried_on_hardware else UNTRIED,
    )


def section(profile: Profile) -> Iterator[str]:
    """What the installer has to know, how it is connected, and which registers are written."""
    yield from (f"### `{profile.name}`", "", f"{profile.make}: {profile.devices}.", "")
    yield from (f"- {note}" for note in profile.notes)
    yield from ("", f"Connection, where site.yaml says nothing else: {connection(profile)}.", "", "Documents:", "")
    yield from (f"- {document.title}: {document.covers}" for document in profile.documents)
    yield ""
    rows = command_rows(profile)
    if rows:
        yield from (*table(("command", "registers in the order of writing"), rows), "")


def connection(profile: Profile) -> str:
    """Port, unit and times that a make needs, for people."""
    link = profile.link
    gap = f", {link.min_gap_s:g} s between requests" if link.min_gap_s else ""
    return f"port {link.port}, unit {link.unit_id}, {link.timeout_s:g} s for an answer{gap}"


def _read(profile: Profile) -> Iterator[str]:
    inverter, battery = profile.inverter, profile.battery
    if profile.sunspec is not None:
        yield "[SunSpec](sunspec.md#what-is-read)"
    if inverter is not None:
        yield "AC power"
        yield from ("PV power" for _ in range(inverter.pv_watts is not None))
        yield from ("each string" for _ in range(bool(inverter.string_watts)))
        yield from ("state" for _ in range(inverter.state_register is not None))
        yield from ("AC limit in force" for _ in range(inverter.ac_limit is not None))
    if battery is not None:
        yield "battery power, state of charge"
        yield from ("most it can charge" for _ in range(battery.charge_max_watts is not None))
    if profile.nameplate is not None and profile.nameplate.capacity_wh is not None:
        yield "capacity"
    if profile.meter is not None:
        yield "its meter"


def _ac_limit(profile: Profile) -> str:
    use, own = profile.sunspec, profile.commands.ac_limit
    if own is not None:
        return ", ".join(dict.fromkeys(f"`{write.register_}`" for write in own.set))
    return _MODELS[use.generation][0] if use is not None and use.ac_limit else "**none**"


def _battery(profile: Profile) -> str:
    use, own = profile.sunspec, profile.commands.battery
    if own is not None:
        return f"charge, discharge, {'hold, ' if own.hold else 'hold as a power, '}idle, release"
    if use is None or not use.battery:
        return "**none**"
    return f"{_MODELS[use.generation][1]}: charge, discharge, hold, idle, release"


def _falls_back(profile: Profile) -> Iterator[str]:
    yield from (text.replace("never by itself", "**never by itself**") for text in fallbacks(profile))


def _flash(profile: Profile) -> str:
    names = [write.register_ for write in writes_of(profile) if profile.registers[write.register_].flash]
    if not names:
        return "nothing that is written, as far as known"
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    return f"{listed}; at most {profile.flash_writes_per_day} writes a day"
