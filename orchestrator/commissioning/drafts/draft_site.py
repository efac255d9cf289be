"""A first site.yaml out of a scan: in shadow mode, with comments on what to look at before it is used."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Final

from orchestrator.commissioning.drafts.device_lines import (
    address_keys,
    notes_of_make,
    passes_on_a_meter,
    place_keys,
    said_of_itself,
    serial_key,
    unique_names,
)
from orchestrator.commissioning.scan_report import FoundDevice, Kind, Remark, ScanReport
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.documents.section import INVERTERS_MAX

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
    parts = [
        _HEAD.format(target=target, day=day.isoformat()),
        "\n",
        *_meter(found.devices, found.remarks),
        "\ninverters:\n",
    ]
    for index, (name, device) in enumerate(zip(unique_names(inverters), inverters, strict=True)):
        parts.append(_inverter(name, device, commented=index >= INVERTERS_MAX))
    parts.extend(_again(found.again))
    parts.append(_TAIL)
    return "".join(parts)


def _meter(devices: Sequence[FoundDevice], remarks: Iterable[Remark]) -> Iterator[str]:
    meters = [device for device in devices if device.kind is Kind.METER]
    if not meters:
        yield _NO_METER
        yield from _perhaps(remarks)
        yield from _own_meters(devices)
        return
    yield f"# {said_of_itself(meters[0])}\n"
    yield "# sign: auto takes import as positive until the meter proves otherwise; write the sign once it is known.\n"
    if meters[0].driver != SUNSPEC:
        yield f"# not yet tried on hardware; what must be set in it: docs/meters.md, {meters[0].driver}\n"
    yield f"meter: {{driver: {meters[0].driver}, {address_keys(meters[0])}, sign: auto}}\n"
    for other in meters[1:]:
        where = address_keys(other) if other.driver == SUNSPEC else f"driver: {other.driver}, {address_keys(other)}"
        yield f"# another meter, if this is the one at the grid connection: {where}   # {said_of_itself(other)}\n"


def _perhaps(remarks: Iterable[Remark]) -> Iterator[str]:
    """Units that do not say what they are and read like a meter: for people to compare with its display."""
    for remark in remarks:
        for driver in remark.perhaps:
            where = place_keys(remark.endpoint, remark.units[0])
            yield f"# perhaps this one, compare its power with its display: meter: {{driver: {driver}, {where}}}\n"


def _own_meters(devices: Iterable[FoundDevice]) -> Iterator[str]:
    """Inverters whose make passes on what a meter of its own says."""
    for device in filter(passes_on_a_meter, devices):
        yield f"# the meter that it reads, if it has one: {{driver: {device.driver}, {address_keys(device)}}}   "
        yield f"# {said_of_itself(device)}\n"


def _inverter(name: str, device: FoundDevice, *, commented: bool) -> str:
    fields = [f"name: {json.dumps(name)}", f"driver: {device.driver}", address_keys(device)]
    fields += [key] if (key := serial_key(device)) else []
    notes = [said_of_itself(device)]
    notes.extend(notes_of_make(device))
    if not device.nameplate.serial:
        notes.append("it says no serial number: make sure that it is not one of the others at another unit")
    if commented:
        notes.append(f"more than {INVERTERS_MAX} inverters")
    lines = [f"  # {note}\n" for note in notes]
    return "".join((*lines, "  # " if commented else "  ", f"- {{{', '.join(fields)}}}\n"))


def _again(devices: Iterable[FoundDevice]) -> Iterator[str]:
    for device in devices:
        yield f"  # {device.address} is one of the devices above once more: {said_of_itself(device)}\n"
