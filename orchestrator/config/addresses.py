"""Mistakes of a site.yaml about where its Modbus devices are: hosts, serial lines, and units.

As all of `checks`, on the plain values of the file.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from orchestrator.config.sections import BY_MQTT, NO_ADDRESS, SerialLine
from orchestrator.devices.makes.choice import SUM, line_defaults, link_defaults
from orchestrator.documents.yaml_text import Finding, KeyPath, key_path_text

UNITS_OF_A_LINE: Final = range(1, 248)
"""0 is a call to all devices at once, which none answers; 248 to 255 are reserved."""
LINE_KEYS: Final = ("baud_rate", "parity", "stop_bits")

Entry = tuple[KeyPath, Mapping[str, Any]]


def address_checks(devices: list[Entry], simulated: Mapping[str, Any]) -> Iterator[Finding]:
    """Every mistake; `devices` are the sections of the meter and of the inverters, `simulated` the virtual ones."""
    modbus = [(path, entry) for path, entry in devices if entry.get("driver") not in (*BY_MQTT, SUM)]
    for check in _CHECKS_OF_ONE:
        for path, entry in modbus:
            yield from check(path, entry)
    yield from _shared(modbus, simulated)
    yield from _lines_agree(modbus)
    yield from _framing_agrees(modbus)


def line_of(entry: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The serial line of a section, None where it has none: a text is a serial number."""
    line = entry.get("serial")
    return line if isinstance(line, Mapping) else None


def _has_address(path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Finding]:
    """Exactly one of host and serial line, and nothing that belongs to the other."""
    line, serial = line_of(entry), entry.get("serial")
    if line is None and entry.get("host") is None:
        if isinstance(serial, str) and serial.startswith("/"):
            yield (*path, "serial"), f"must be a mapping for a serial line: {{port: {serial[:60]}}}"
        else:
            yield (*path, "host"), NO_ADDRESS
    if line is None:
        return
    if entry.get("host") is not None:
        yield (*path, "serial"), "a device is at a host or on a serial line: write one of host and serial, not both"
    elif "port" in entry:
        yield (*path, "port"), "this is a TCP port; the port of a serial line is serial.port"
    if "framing" in entry:
        yield (*path, "framing"), "this is for a host; on a serial line there is one framing only"


def _has_one_serial_number(path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Finding]:
    if isinstance(entry.get("serial"), str) and "serial_number" in entry:
        yield (*path, "serial_number"), "is written twice: serial, as a text, is the serial number too"


def _unit_of_a_line(path: KeyPath, entry: Mapping[str, Any]) -> Iterator[Finding]:
    unit = _with_defaults(entry, "unit_id", 1)
    is_line = line_of(entry) is not None or entry.get("framing") == "rtu"
    if is_line and isinstance(unit, int) and unit not in UNITS_OF_A_LINE:
        least, most = UNITS_OF_A_LINE[0], UNITS_OF_A_LINE[-1]
        yield (*path, "unit_id"), f"must be a whole number from {least} to {most} on a line (got {unit})"


def _shared(devices: list[Entry], simulated: Mapping[str, Any]) -> Iterator[Finding]:
    """Only a meter may share the address of an inverter, which may have it in its map; a simulated one has not."""
    first: dict[tuple[str, str], KeyPath] = {}
    for path, entry in devices:
        place = _place(entry)
        if place is None:
            continue
        key, where, what = place
        unit = str(_with_defaults(entry, "unit_id", 1))
        address = (where.lower() if key == "host" else where, unit)
        behind = first.get(address) == ("meter",) and str(entry.get("name")) not in simulated
        if address in first and not behind:
            taken = key_path_text(first[address])
            at = (*path, "unit_id" if "unit_id" in entry else key)
            yield at, f"{what} and unit_id must be unique; {taken} is at {where} unit {unit} already"
        first[address] = path if behind else first.get(address, path)


def _place(entry: Mapping[str, Any]) -> tuple[str, str, str] | None:
    """The key that says where a device is, what it says, and what to call that; None where it says nothing."""
    line, host = line_of(entry), entry.get("host")
    if line is not None:
        return ("serial", str(line.get("port")), "serial.port") if line.get("port") else None
    if not isinstance(host, str):
        return None
    return "host", f"{host} port {_with_defaults(entry, 'port', 502)}", "host, port"


def _lines_agree(devices: list[Entry]) -> Iterator[Finding]:
    """One line has one speed: who disagrees is heard by nobody."""
    first: dict[str, tuple[KeyPath, Mapping[str, Any]]] = {}
    defaults = {key: SerialLine.model_fields[key].default for key in LINE_KEYS}
    for path, entry in devices:
        written = line_of(entry)
        if written is None or not isinstance(written.get("port"), str):
            continue
        line = defaults | line_defaults(entry.get("driver")) | dict(written)
        other_path, other = first.setdefault(written["port"], (path, line))
        for key in LINE_KEYS:
            own, others = line[key], other[key]
            if own != others:
                there = f"{key_path_text(other_path)}.serial.{key} is {others}"
                yield (*path, "serial", key), f"must be the same for all devices of one line; {there} (got {own})"


def _framing_agrees(devices: list[Entry]) -> Iterator[Finding]:
    first: dict[str, tuple[KeyPath, object]] = {}
    for path, entry in devices:
        place = _place(entry)
        if place is None or place[0] != "host":
            continue
        own = entry.get("framing", "tcp")
        other_path, others = first.setdefault(place[1].lower(), (path, own))
        if own != others:
            there = f"{key_path_text(other_path)}.framing is {others!r}"
            yield (*path, "framing"), f"must be the same for all devices behind one host and port; {there}"


def _with_defaults(entry: Mapping[str, Any], key: str, otherwise: int) -> Any:
    return entry.get(key, link_defaults(entry).get(key, otherwise))


_CHECKS_OF_ONE: tuple[Callable[[KeyPath, Mapping[str, Any]], Iterator[Finding]], ...] = (
    _has_address,
    _has_one_serial_number,
    _unit_of_a_line,
)
