"""The tables of docs/makes.md: a row for each make, out of the profiles. What is behind it is in `make_page`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from orchestrator.devices.makes.fallback import fallbacks
from orchestrator.devices.makes.library import load_profile, profile_names
from orchestrator.devices.makes.schema import Profile, writes_of
from tools.makes.marked import renewed_between, table

PAGE: Final = Path(__file__).parents[2] / "docs/makes.md"
ANY: Final = "any make"
"""What the profiles of the standard call their make; they come last."""
UNTRIED: Final = "not yet tried on hardware"

_ABLE: Final = ("device", "driver", "AC limit", "battery", "left alone it goes back")
_KNOWN: Final = ("driver", "what is read", "kept in flash", "doubts", "sources", "hardware")
_MODELS: Final = {
    "1xx": ("SunSpec model 123", "SunSpec model 124"),
    "7xx": ("SunSpec model 704", "SunSpec model 704 (WSet)"),
    None: ("SunSpec model 123 or 704", "SunSpec model 124 or 704"),
}


def renewed(page: str) -> str:
    """The page with the part between the marks made anew. Raises ValueError where a mark is missing."""
    return renewed_between(page, made(), PAGE)


def made() -> str:
    """The tables, by the name of the maker."""
    profiles = sorted(map(load_profile, profile_names()), key=_by_maker)
    able = ("### What each can be told", "", *table(_ABLE, map(able_row, profiles)))
    return "\n".join((*able, "", "### What is known of each", "", *table(_KNOWN, map(known_row, profiles)), ""))


def _by_maker(profile: Profile) -> tuple[bool, str, str]:
    return profile.make == ANY, profile.make.lower(), profile.name


def able_row(profile: Profile) -> tuple[str, ...]:
    """What one make can be told, in the order of the columns."""
    return (
        f"**{profile.make}** {profile.devices}",
        _link(profile),
        _ac_limit(profile),
        _battery(profile),
        "; ".join(falls_back(profile)),
    )


def known_row(profile: Profile) -> tuple[str, ...]:
    """What is known of one make, and from where."""
    own = f"makes/{profile.name}.md"
    return (
        _link(profile),
        ", ".join(what_is_read(profile)),
        kept_in_flash(profile),
        f"[{len(profile.doubts)}]({own}#doubts-and-what-to-try-on-site)" if profile.doubts else "-",
        ", ".join(f"[{n}]({each.url or f'{own}#sources'})" for n, each in enumerate(profile.documents, 1)),
        "tried" if profile.tried_on_hardware else UNTRIED,
    )


def _link(profile: Profile) -> str:
    return f"[`{profile.name}`](makes/{profile.name}.md)"


def connection(profile: Profile) -> str:
    """Port, unit and times that a make needs, for people."""
    link = profile.link
    gap = f", {link.min_gap_s:g} s between requests" if link.min_gap_s else ""
    return f"port {link.port}, unit {link.unit_id}, {link.timeout_s:g} s for an answer{gap}"


def what_is_read(profile: Profile) -> Iterator[str]:
    """In the words of the table; SunSpec is a link from the folder of docs/makes.md."""
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
    if profile.read_only is not None:
        return "**read only**"
    if own is not None:
        return f"charge, discharge, {'hold, ' if own.hold else 'hold as a power, '}idle, release"
    if use is None or not use.battery:
        return "**none**"
    return f"{_MODELS[use.generation][1]}: charge, discharge, hold, idle, release"


def falls_back(profile: Profile) -> Iterator[str]:
    """What it goes back to, with a warning for what never does."""
    yield from (text.replace("never by itself", "**never by itself**") for text in fallbacks(profile))


def kept_in_flash(profile: Profile) -> str:
    """What of all that is written wears the device, and how often that is."""
    names = [write.register_ for write in writes_of(profile) if profile.registers[write.register_].flash]
    if not names:
        return "nothing that is written, as far as known"
    listed = ", ".join(f"`{name}`" for name in dict.fromkeys(names))
    return f"{listed}; at most {profile.flash_writes_per_day} writes a day"
