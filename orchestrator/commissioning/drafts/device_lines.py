"""How a device that was found stands in a site.yaml: its name, its keys, and the comment above them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.commissioning.drafts.comments import Commented
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.commissioning.scan_targets import LineEndpoint, Place
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.library import load_profile

NAME_MAX: Final = 32
RESERVED: Final = ("meter",)
_IN_ENGLISH: Final = Commented("en")

_PLAIN: Final = re.compile(r"(?:(?!\$\{)[ -~])+")
"""What a serial number in the file may be: printable ASCII in which no environment variable is seen."""


def unique_names(devices: Iterable[FoundDevice]) -> tuple[str, ...]:
    """A name for each out of maker and model, with -2, -3 and so on behind those that are taken."""
    taken: set[str] = set(RESERVED)
    names: list[str] = []
    for device in devices:
        words = re.sub(r"[^a-z0-9]+", "-", device.title.lower()).strip("-") or "inverter"
        name, number = words[:NAME_MAX].strip("-"), 1
        while name in taken:
            number += 1
            suffix = f"-{number}"
            name = words[: NAME_MAX - len(suffix)].rstrip("-") + suffix
        taken.add(name)
        names.append(name)
    return tuple(names)


def address_keys(device: FoundDevice) -> str:
    """The keys that say where it is, as they stand in a mapping on one line."""
    return place_keys(device.endpoint, device.unit_id)


def place_keys(endpoint: Place, unit_id: int) -> str:
    """The same for a unit somewhere."""
    if isinstance(endpoint, LineEndpoint):
        way = endpoint.way
        line = f"port: {json.dumps(way.port)}, baud_rate: {way.baud_rate}, parity: {way.parity}"
        return f"serial: {{{line}, stop_bits: {way.stop_bits}}}, unit_id: {unit_id}"
    return f"host: {json.dumps(endpoint.host)}, port: {endpoint.port}, unit_id: {unit_id}"


def serial_key(device: FoundDevice) -> str | None:
    """The key that says its serial number; None where it says none, or none that YAML takes as it is."""
    serial = device.nameplate.serial
    if not _PLAIN.fullmatch(serial):
        return None
    key = "serial_number" if isinstance(device.endpoint, LineEndpoint) else "serial"
    return f"{key}: {json.dumps(serial)}"


def said_of_itself(device: FoundDevice, comments: Commented = _IN_ENGLISH) -> str:
    """What it says about itself, on one line of characters that YAML takes."""
    plate = device.nameplate
    texts = [device.title, plate.version, plate.serial and comments.say("serial", serial=plate.serial)]
    if plate.ac_max_watts is not None:
        texts.append(f"{plate.ac_max_watts:.0f} W")
    said = ", ".join(text for text in texts if text)
    plain = "".join(character if character.isascii() and character.isprintable() else "?" for character in said)
    return f"{comments.say(f'kind_{device.kind}')}: {plain}"


def notes_of_make(device: FoundDevice) -> Iterator[str]:
    """What to know of its make, and what it does not say about itself."""
    if device.driver == SUNSPEC:
        return
    yield f"not yet tried on hardware; what the installer must switch on: docs/makes/{device.driver}.md"
    if device.nameplate.ac_max_watts is None:
        yield "it does not say its AC rating: add ac_max_watts"
    if device.kind is Kind.HYBRID and device.nameplate.capacity_wh is None:
        yield "it does not say the capacity of its battery: add battery: {capacity_wh: ...}"


def passes_on_a_meter(device: FoundDevice) -> bool:
    """Whether its make passes on what a meter of its own says; whether there is one cannot be seen from here."""
    return device.driver != SUNSPEC and device.kind is not Kind.METER and load_profile(device.driver).meter is not None
