"""Which meters may stand in a new site.yaml: those that were found, those behind inverters, and one that is typed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from orchestrator.commissioning.drafts.chosen_site import Sign
from orchestrator.commissioning.drafts.device_lines import passes_on_a_meter
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.commissioning.scan_targets import Endpoint, split_host
from orchestrator.devices.makes.choice import SUNSPEC, has_meter, is_meter_only, known_driver, profile_of
from orchestrator.errors import UsageError
from orchestrator.samples import Nameplate

SIGNS: Final[tuple[Sign, ...]] = ("auto", "import_positive", "export_positive")
Doing = Literal["draw", "feed", "auto"]
"""What the site does now, as somebody who stands before it knows; `auto` is not known."""
_MQTT: Final = "mqtt"


def meters_among(found: Sequence[FoundDevice]) -> tuple[FoundDevice, ...]:
    """The meters that were found, then those that an inverter may pass on, as meters at its address."""
    meters = [device for device in found if device.kind is Kind.METER]
    meters += [replace(device, kind=Kind.METER) for device in found if passes_on_a_meter(device)]
    return tuple(meters)


def is_behind_an_inverter(meter: FoundDevice) -> bool:
    """Whether it is an inverter's own; whether there is one at all cannot be seen from here."""
    return meter.kind is Kind.METER and not is_meter_only(meter.driver) and meter.driver != SUNSPEC


def typed_meter(address: str, driver: str) -> FoundDevice:
    """A meter at `HOST[:PORT][/UNIT]`; what is not said of port and unit is that of its make. Raises UsageError."""
    place, _, unit = address.strip().partition("/")
    name = driver.strip() or SUNSPEC
    try:
        profile = profile_of(known_driver(name))
    except ValueError as wrong:
        raise UsageError(str(wrong)) from None
    if not has_meter(name) or name == _MQTT:
        raise UsageError(f"{name} reads no meter by Modbus; docs/meters.md lists the drivers that do")
    if unit and not (unit.isascii() and unit.isdecimal() and int(unit) < 256):
        raise UsageError(f"{unit!r} is no unit: say a number from 0 to 255")
    host, port = split_host(place)
    link = profile.link if profile else None
    endpoint = Endpoint(host, port or (link.port if link else 502))
    unit_id = int(unit) if unit else link.unit_id if link else 1
    return FoundDevice(endpoint, unit_id, Kind.METER, Nameplate(manufacturer=name), (), name)


def sign_of(text: str) -> Sign:
    """One of `SIGNS`. Raises UsageError."""
    for sign in SIGNS:
        if text.strip().lower() == sign:
            return sign
    raise UsageError(f"{text!r}: say one of {', '.join(SIGNS)}")


def sign_seen(watts: float, doing: Doing) -> Sign:
    """The sign of a meter that shows `watts` (in its own sign, not 0) while the site draws or feeds."""
    if doing == "auto":
        return "auto"
    return "import_positive" if (watts > 0) == (doing == "draw") else "export_positive"
