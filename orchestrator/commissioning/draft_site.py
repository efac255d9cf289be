"""A first site.yaml out of a scan: in shadow mode, with comments on what to look at before it is used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from orchestrator.commissioning.scan_report import FoundDevice, Kind, ScanReport
from orchestrator.commissioning.scan_targets import LineEndpoint
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.library import load_profile

NAME_MAX: Final = 32
RESERVED: Final = ("meter",)
INVERTERS_MAX: Final = 100

_PLAIN: Final = re.compile(r"(?:(?!\$\{)[ -~])+")
"""What a serial number in the draft may be: printable ASCII in which no environment variable is seen."""

_HEAD: Final = """\
# A draft, made by `orchestrator scan {target}` on {day}. What to do with it:
# 1. Read it: is every inverter here, once, and is the meter the one at the grid connection?
# 2. `orchestrator check` finds mistakes; `orchestrator commission` tries each inverter and the meter's sign.
# 3. Let it run in shadow mode (control.enabled: false: it computes and writes nothing) and compare it with the site.
# 4. Write the limits of the connection below setpoints.fixed. Then set control.enabled: true.
site: {{name: my-site, timezone: UTC}}   # the time zone is for reports, such as Europe/Berlin
"""

_NO_METER: Final = """\
# No meter was found. Without one nothing can be controlled: put its address here (192.0.2.1 stands for it).
# Fronius meters are units 200 to 204 and 240 behind the inverter; SolarEdge meters are in the inverter's own map.
# Some meters do not say what they are (Eastron, Janitza, Siemens): docs/meters.md lists their drivers.
meter: {driver: sunspec, host: 192.0.2.1, port: 502, unit_id: 200, sign: auto}
"""

_TAIL: Final = """
control:
  enabled: false                # shadow mode: nothing is written
  battery_power_flow: false     # true commands the batteries too

setpoints:
  fixed: {}                     # such as {export_limit_watts: 5000}
"""


def draft_site(found: ScanReport, *, target: str, day: date) -> str:
    """A site.yaml that `check` accepts, of the inverters and the meter in `found`; `target` is what was scanned.

    Raises ValueError where no inverter was found: a site has at least one.
    """
    inverters = [device for device in found.devices if device.kind is not Kind.METER]
    if not inverters:
        raise ValueError("no inverter was found")
    parts = [_HEAD.format(target=target, day=day.isoformat()), "\n", *_meter(found.devices), "\ninverters:\n"]
    for index, (name, device) in enumerate(zip(unique_names(inverters), inverters, strict=True)):
        parts.append(_inverter(name, device, commented=index >= INVERTERS_MAX))
    parts.extend(_again(found.again))
    parts.append(_TAIL)
    return "".join(parts)


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


def _meter(devices: Sequence[FoundDevice]) -> Iterator[str]:
    meters = [device for device in devices if device.kind is Kind.METER]
    if not meters:
        yield _NO_METER
        yield from _own_meters(devices)
        return
    yield f"# {_comment(meters[0])}\n"
    yield "# sign: auto takes import as positive until the meter proves otherwise; write the sign once it is known.\n"
    if meters[0].driver != SUNSPEC:
        yield f"# not yet tried on hardware; what must be set in it: docs/meters.md, {meters[0].driver}\n"
    yield f"meter: {{driver: {meters[0].driver}, {_where(meters[0])}, sign: auto}}\n"
    for other in meters[1:]:
        where = _where(other) if other.driver == SUNSPEC else f"driver: {other.driver}, {_where(other)}"
        yield f"# another meter, if this is the one at the grid connection: {where}   # {_comment(other)}\n"


def _own_meters(devices: Iterable[FoundDevice]) -> Iterator[str]:
    """Inverters whose make passes on what a meter of its own says; whether there is one cannot be seen from here."""
    for device in devices:
        if device.driver != SUNSPEC and load_profile(device.driver).meter is not None:
            yield f"# the meter that it reads, if it has one: {{driver: {device.driver}, {_where(device)}}}   "
            yield f"# {_comment(device)}\n"


def _inverter(name: str, device: FoundDevice, *, commented: bool) -> str:
    fields = [f"name: {json.dumps(name)}", f"driver: {device.driver}", _where(device)]
    serial = device.nameplate.serial
    if _PLAIN.fullmatch(serial):
        key = "serial_number" if isinstance(device.endpoint, LineEndpoint) else "serial"
        fields.append(f"{key}: {json.dumps(serial)}")
    notes = [_comment(device)]
    notes.extend(_of_make(device))
    if not serial:
        notes.append("it says no serial number: make sure that it is not one of the others at another unit")
    if commented:
        notes.append(f"more than {INVERTERS_MAX} inverters")
    lines = [f"  # {note}\n" for note in notes]
    return "".join((*lines, "  # " if commented else "  ", f"- {{{', '.join(fields)}}}\n"))


def _of_make(device: FoundDevice) -> Iterator[str]:
    """What to know of its make, and what it does not say about itself."""
    if device.driver == SUNSPEC:
        return
    yield f"not yet tried on hardware; what the installer must switch on: docs/makes/{device.driver}.md"
    if device.nameplate.ac_max_watts is None:
        yield "it does not say its AC rating: add ac_max_watts"
    if device.kind is Kind.HYBRID and device.nameplate.capacity_wh is None:
        yield "it does not say the capacity of its battery: add battery: {capacity_wh: ...}"


def _again(devices: Iterable[FoundDevice]) -> Iterator[str]:
    for device in devices:
        yield f"  # {device.address} is one of the devices above once more: {_comment(device)}\n"


def _where(device: FoundDevice) -> str:
    if isinstance(device.endpoint, LineEndpoint):
        way = device.endpoint.way
        line = f"port: {json.dumps(way.port)}, baud_rate: {way.baud_rate}, parity: {way.parity}"
        return f"serial: {{{line}, stop_bits: {way.stop_bits}}}, unit_id: {device.unit_id}"
    return f"host: {json.dumps(device.endpoint.host)}, port: {device.endpoint.port}, unit_id: {device.unit_id}"


def _comment(device: FoundDevice) -> str:
    """What it says about itself, on one line of characters that YAML takes."""
    plate = device.nameplate
    texts = [f"{device.kind}: {device.title}", plate.version, plate.serial and f"serial {plate.serial}"]
    if plate.ac_max_watts is not None:
        texts.append(f"{plate.ac_max_watts:.0f} W")
    said = ", ".join(text for text in texts if text)
    return "".join(character if character.isascii() and character.isprintable() else "?" for character in said)
