"""Mistakes of a site.yaml that no value shows alone: two inverters of one name, a minimum above its maximum.

The checks work on the plain values of the file, so that they speak even where other values are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.config.sections import MQTT_DRIVER
from orchestrator.devices.makes.choice import has_meter, is_meter_only, link_defaults
from orchestrator.documents.yaml_text import Finding, KeyPath, key_path_text

RESERVED_SOURCES = ("fixed", "page", "manual")
RESERVED_INVERTERS = ("meter",)
PUBLISHED = ("status", "site", "limits", "events", "rejected")


def cross_checks(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Every mistake between the values of a file."""
    for check in _CHECKS:
        yield from check(data)


def _section(data: object, *keys: str) -> Mapping[str, Any]:
    for key in keys:
        data = data.get(key) if isinstance(data, Mapping) else None
    return data if isinstance(data, Mapping) else {}


def _entries(data: Mapping[str, Any], *keys: str) -> Iterator[tuple[KeyPath, Mapping[str, Any]]]:
    """The mappings of a list, or the one mapping that stands in its place, with their paths."""
    value = _section(data, *keys[:-1]).get(keys[-1])
    if isinstance(value, Mapping):
        yield keys, value
    for index, entry in enumerate(value if isinstance(value, list) else ()):
        if isinstance(entry, Mapping):
            yield (*keys, index), entry


def _timezone(data: Mapping[str, Any]) -> Iterator[Finding]:
    zone = _section(data, "site").get("timezone", "UTC")
    if not isinstance(zone, str):
        return
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError; "America" is a directory
        message = f"must be the name of a time zone, such as 'Europe/Berlin' or 'UTC' (got the text {zone[:60]!r})"
        yield ("site", "timezone"), message


def _inverter_names(data: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _names(_entries(data, "inverters"), RESERVED_INVERTERS, None)


def _source_names(data: Mapping[str, Any]) -> Iterator[Finding]:
    yield from _names(_entries(data, "setpoints", "mqtt"), RESERVED_SOURCES, "mqtt")


def _names(
    entries: Iterator[tuple[KeyPath, Mapping[str, Any]]], reserved: tuple[str, ...], default: str | None
) -> Iterator[Finding]:
    first: dict[str, KeyPath] = {}
    for path, entry in entries:
        name = entry.get("name", default)
        if not isinstance(name, str):
            continue
        where = (*path, "name")
        if name in reserved:
            yield where, f"the name {name!r} is reserved; take another one"
        elif name in first:
            yield where, f"must be unique; {key_path_text(first[name])} is called {name!r} already"
        else:
            first[name] = path


def _meter_of_make(data: Mapping[str, Any]) -> Iterator[Finding]:
    driver = _section(data, "meter").get("driver")
    if isinstance(driver, str) and not has_meter(driver):
        yield ("meter", "driver"), f"no meter is known of {driver!r}"


def _inverters_of_make(data: Mapping[str, Any]) -> Iterator[Finding]:
    for path, entry in _entries(data, "inverters"):
        driver = entry.get("driver")
        if isinstance(driver, str) and is_meter_only(driver):
            yield (*path, "driver"), f"{driver!r} is a meter; it may stand below 'meter' only"


def _addresses(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Only a meter may share the address of an inverter, which may have it in its map; a simulated one has not."""
    first: dict[tuple[str, str, str], KeyPath] = {}
    simulated = _section(data, "simulation", "inverters")
    for path, entry in (*_entries(data, "meter"), *_entries(data, "inverters")):
        host = entry.get("host")
        if not isinstance(host, str) or entry.get("driver") == MQTT_DRIVER:
            continue
        make = link_defaults(entry)
        port, unit = (entry.get(key, make.get(key, value)) for key, value in (("port", 502), ("unit_id", 1)))
        address = (host.lower(), str(port), str(unit))
        behind = first.get(address) == ("meter",) and str(entry.get("name")) not in simulated
        if address in first and not behind:
            taken = key_path_text(first[address])
            where = (*path, "unit_id" if "unit_id" in entry else "host")
            yield where, f"host, port and unit_id must be unique; {taken} is at {host} port {port} unit {unit} already"
        first[address] = path if behind else first.get(address, path)


def _device_topics(data: Mapping[str, Any]) -> Iterator[Finding]:
    """One topic is one device, and what is sent to a device must not come back as its state, or as another's."""
    first: dict[tuple[str, str, str], KeyPath] = {}
    for path, entry in (*_entries(data, "meter"), *_entries(data, "inverters")):
        for key, topic in _topics_of(entry) if entry.get("driver") == MQTT_DRIVER else ():
            where = (*path, key if key in entry else "topic")
            address = (str(entry.get("host")), str(entry.get("port", 1883)), topic)
            if address in first:
                yield where, f"must be a topic of its own; {key_path_text(first[address])} is at {topic!r} already"
            first.setdefault(address, where)


def _topics_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    state = entry.get("topic")
    if isinstance(state, str):
        yield "topic", state
        commands = entry.get("command_topic", f"{state}/command")
        if isinstance(commands, str):
            yield "command_topic", commands


def _soc_ranges(data: Mapping[str, Any]) -> Iterator[Finding]:
    for path, inverter in _entries(data, "inverters"):
        yield from _ordered((*path, "battery"), _section(inverter, "battery"), "soc_min_percent", "soc_max_percent")
    wanted = ("battery_soc_min_percent", "battery_soc_max_percent")
    yield from _ordered(("setpoints", "fixed"), _section(data, "setpoints", "fixed"), *wanted)
    for path, source in _entries(data, "setpoints", "mqtt"):
        yield from _ordered((*path, "default"), _section(source, "default"), *wanted)


def _ordered(path: KeyPath, values: Mapping[str, Any], low: str, high: str) -> Iterator[Finding]:
    least, most = values.get(low), values.get(high)
    if isinstance(least, int | float) and isinstance(most, int | float) and least >= most:
        yield (*path, low), f"must be below {high}, which is {most} (got {least})"


def _topics(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A setpoint topic that we publish on ourselves would feed our own words back to us."""
    published = _section(data, "publish", "mqtt").get("topic")
    if not isinstance(published, str):
        return
    for path, source in _entries(data, "setpoints", "mqtt"):
        topic = source.get("topic")
        if isinstance(topic, str) and _is_published(topic, published):
            yield (
                (*path, "topic"),
                f"must not be a topic that is published under publish.mqtt.topic, {published!r} (got {topic!r})",
            )


def _is_published(topic: str, base: str) -> bool:
    below = topic.removeprefix(f"{base}/")
    return below != topic and (below in PUBLISHED or below.startswith("inverters/"))


def _simulated(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A simulated inverter that is not in `inverters:` would never be read."""
    names = [entry.get("name") for _, entry in _entries(data, "inverters")]
    by_mqtt = [entry.get("name") for _, entry in _entries(data, "inverters") if entry.get("driver") == MQTT_DRIVER]
    for name in _section(data, "simulation", "inverters"):
        if name in by_mqtt:
            yield ("simulation", "inverters", name), f"{name!r} has driver 'mqtt'; only Modbus devices are simulated"
        elif name not in names:
            yield ("simulation", "inverters", name), f"there is no inverter called {name!r} under 'inverters'"


def _certificate(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A certificate without its key serves nothing, and would be served unencrypted by mistake."""
    metrics, pair = _section(data, "metrics"), ("certificate_file", "key_file")
    written = [key for key in pair if metrics.get(key) is not None]
    if len(written) == 1:
        missing = next(key for key in pair if key not in written)
        yield ("metrics", written[0]), f"needs {missing} beside it"


_CHECKS: tuple[Callable[[Mapping[str, Any]], Iterator[Finding]], ...] = (
    _timezone,
    _inverter_names,
    _source_names,
    _meter_of_make,
    _inverters_of_make,
    _addresses,
    _device_topics,
    _soc_ranges,
    _topics,
    _simulated,
    _certificate,
)
