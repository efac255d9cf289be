"""docs/meters.md: a table with a row for each meter that can be read, and a section for each make of meters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.makes.schema import Meter, Profile
from tools.makes.marked import renewed_between, table
from tools.makes.page import UNTRIED, connection

PAGE: Final = Path(__file__).parents[2] / "docs/meters.md"

_COLUMNS: Final = ("driver", "meter", "what is read", "read every", "a new value", "its make is told by", "hardware")


def renewed(page: str) -> str:
    """The page with the part between the marks made anew. Raises ValueError where a mark is missing."""
    return renewed_between(page, made(), PAGE)


def made() -> str:
    """The table of all meters, and what is to be known of each make of meters."""
    meters = [load_profile(name) for name in meter_profile_names()]
    behind = [profile for profile in map(load_profile, profile_names()) if profile.meter is not None]
    sections = (line for each in meters for line in _section(each))
    return "\n".join((*table(_COLUMNS, map(row, (*meters, *behind))), "", *sections))


def row(profile: Profile) -> tuple[str, ...]:
    """One meter in the order of the columns."""
    meter = profile.meter
    if meter is None:
        raise ValueError(f"{profile.name} has no meter")
    what = f"{profile.make}: {profile.devices}" if profile.is_meter else f"the meter that it reads: {profile.make}"
    return (
        f"[`{profile.name}`]({f'#{profile.name}' if profile.is_meter else f'makes/{profile.name}.md'})",
        what,
        ", ".join(_read(meter)),
        f"{meter.interval_s or 0.25:g} s",
        "not known" if meter.new_value_s is None else f"every {meter.new_value_s:g} s",
        ", ".join(f"`{identity.register_}`" for identity in profile.identity) or "**nothing**",
        "tried" if profile.tried_on_hardware else UNTRIED,
    )


def _read(meter: Meter) -> Iterator[str]:
    yield "power"
    yield from ("phases" for _ in range(bool(meter.phase_watts)))
    yield from ("voltages" for _ in range(bool(meter.phase_volts)))
    yield from ("both counters" for _ in range(meter.import_wh is not None and meter.export_wh is not None))
    yield from ("frequency" for _ in range(meter.frequency_hz is not None))


def _section(profile: Profile) -> Iterator[str]:
    yield from (f"### `{profile.name}`", "", f"{profile.make}: {profile.devices}.", "")
    yield from (f"- {note}" for note in profile.notes)
    yield from ("", f"Connection, where site.yaml says nothing else: {connection(profile)}.", "", "Sources:", "")
    yield from (f"- {document.title}: {document.covers}" for document in profile.documents)
    yield ""
