"""`driver:` of site.yaml: which names there are, and what a make needs of its connection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.makes.schema import Link, Profile

SUNSPEC: Final = "sunspec"
"""Whatever speaks SunSpec, of any make."""
SITE: Final = "site"
"""A whole site, as an inverter of its portfolio."""
SUM: Final = "sum"
"""The meter of a portfolio: the sum of what the meters of its sites say."""


def known_driver(name: str) -> str:
    """`name`, where there is such a driver. Raises ValueError that names the nearest one, or all."""
    names = (SUNSPEC, "mqtt", SITE, SUM, *profile_names(), *meter_profile_names())
    if name in names:
        return name
    nearest = _nearest_of_its_brand(name, names)
    hint = f"did you mean {nearest!r}?" if nearest else f"there are {', '.join(names)}"
    raise ValueError(f"must be a driver that there is, not {name[:60]!r}; {hint}")


def _nearest_of_its_brand(name: str, names: Sequence[str]) -> str | None:
    """What may have been meant, of the same brand: the registers of another one would be nonsense."""
    brand = get_close_matches(_brand(name.lower()), sorted({_brand(each) for each in names}), n=1, cutoff=0.75)
    of_brand = [each for each in names if _brand(each) in brand]
    return next(iter(get_close_matches(name, of_brand, n=1, cutoff=0.0)), None)


def _brand(name: str) -> str:
    return name.partition("-")[0]


def has_meter(name: str) -> bool:
    """Whether a meter can be read of what this driver speaks to; a driver that is no make may always have one."""
    if name not in profile_names():
        return name != SITE
    profile = load_profile(name)
    return profile.meter is not None or profile.sunspec is not None


def shows_volts(name: str) -> bool:
    """Whether the voltages of the phases are read of the meter of this driver; one that is no make may show them."""
    profile = profile_of(name)
    return profile is None or profile.meter is None or bool(profile.meter.phase_volts)


def shows_phases(name: str) -> bool:
    """Whether the powers of the phases are read of the meter of this driver; one that is no make may show them."""
    profile = profile_of(name)
    return profile is None or profile.meter is None or bool(profile.meter.phase_watts)


def is_meter_only(name: str) -> bool:
    """Whether this driver is that of a make of meters, and so none for an inverter."""
    return name == SUM or name in meter_profile_names()


def takes_ac_limit(name: str) -> bool:
    """Whether the AC power of what this driver speaks to can be limited; a driver that is no make may do it."""
    if name not in profile_names():
        return True
    profile = load_profile(name)
    return profile.commands.ac_limit is not None or (profile.sunspec is not None and profile.sunspec.ac_limit)


def profile_of(driver: object) -> Profile | None:
    """The delivered profile that `driver` names, of an inverter or a meter; None where it names none."""
    if not isinstance(driver, str) or driver not in (*profile_names(), *meter_profile_names()):
        return None
    return load_profile(driver)


def new_value_s(name: str) -> float | None:
    """How often, in seconds, the meter that this driver reads has a new value, where that is known of its make."""
    profile = profile_of(name)
    return None if profile is None or profile.meter is None else profile.meter.new_value_s


def link_defaults(section: Mapping[str, Any]) -> dict[str, Any]:
    """What the make of a section of site.yaml says about port, unit and times; empty where it is no make."""
    profile = profile_of(section.get("driver"))
    return {} if profile is None else link_keys(profile, of_meter="name" not in section)


def link_keys(profile: Profile, *, of_meter: bool) -> dict[str, Any]:
    """What a make says about port, unit and times, as keys of its section."""
    link = profile.link.model_dump(exclude_none=True)
    if not of_meter:
        return {key: value for key, value in link.items() if key in _INVERTER_KEYS}
    defaults = {key: value for key, value in link.items() if key in _METER_KEYS}
    read_often = (
        {} if profile.meter is None or not profile.meter.interval_s else {"interval_s": profile.meter.interval_s}
    )
    return defaults | read_often


def line_defaults(driver: object) -> dict[str, Any]:
    """How a device of a make is set on a serial line when it is delivered; empty where that is not known."""
    profile = profile_of(driver)
    return {} if profile is None else line_settings(profile.link)


def line_settings(link: Link) -> dict[str, Any]:
    """What a make says of its serial line."""
    return {key: value for key in _LINE_KEYS if (value := getattr(link, key)) is not None}


_LINE_KEYS: Final = ("baud_rate", "parity", "stop_bits")
_INVERTER_KEYS: Final = ("port", "unit_id", "timeout_s", "min_gap_s", "write_single", "interval_s")
_METER_KEYS: Final = ("port", "unit_id", "timeout_s", "min_gap_s")
