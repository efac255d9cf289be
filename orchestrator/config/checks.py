"""Mistakes of a site.yaml that no value shows alone: two inverters of one name, a minimum above its maximum.

The checks work on the plain values of the file, so that they speak even where other values are wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

from orchestrator.config.addresses import address_checks
from orchestrator.config.audience import AGGREGATE, HOME_ASSISTANT, PORTFOLIO, SHORTEST_PASSWORD, SHORTEST_TOKEN
from orchestrator.config.sections import BY_MQTT
from orchestrator.config.sources.csip_aus import CSIP_AUS
from orchestrator.devices.makes.choice import SITE, SUM, has_meter, is_meter_only, shows_phases, shows_volts
from orchestrator.documents.section import INVERTERS_MAX
from orchestrator.documents.yaml_text import Finding, KeyPath, key_path_text
from orchestrator.setpoints.voltage_guard import VOLTAGE_GUARD

RESERVED_SOURCES = ("fixed", "page", "manual", VOLTAGE_GUARD)
RESERVED_INVERTERS = ("meter",)
PUBLISHED = ("status", "site", "limits", "events", "rejected")
OF_HOME_ASSISTANT = ("energy", HOME_ASSISTANT)
"""Published as well where Home Assistant is served."""
BY_TABLE = ("schedules", "price_files", "modbus_contacts")
"""Lists of sources below `setpoints`, besides `mqtt`."""


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
    publish = _section(data, "publish", "mqtt")
    served = [name for name in (HOME_ASSISTANT, PORTFOLIO) if isinstance(publish.get(name), Mapping)]
    reserved = (*RESERVED_SOURCES, *served)
    others = chain.from_iterable(_entries(data, "setpoints", key) for key in BY_TABLE)
    named = (each for each in others if "name" in each[1])
    utility = ((path, {"name": CSIP_AUS, **entry}) for path, entry in _entries(data, "setpoints", "csip_aus"))
    yield from _names(chain(_entries(data, "setpoints", "mqtt"), named, utility), reserved, "mqtt")


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


def _sites(data: Mapping[str, Any]) -> Iterator[Finding]:
    """Only sites have meters that can be summed, and only sites may be more than a few hundred."""
    entries = list(_entries(data, "inverters"))
    others = [path for path, entry in entries if entry.get("driver") != SITE]
    if _section(data, "meter").get("driver") == SUM and others:
        yield (*others[0], "driver"), f"must be {SITE!r} where meter.driver is {SUM!r}: others have no meter to sum"
    if len(others) > INVERTERS_MAX:
        yield ("inverters",), f"must have at most {INVERTERS_MAX} entries that are no sites (got {len(others)})"


def _meter_without_volts(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A guard that never sees a voltage would hold its default for ever."""
    meter = _section(data, "meter")
    driver = meter.get("driver")
    has_guard = isinstance(_section(data, "setpoints").get(VOLTAGE_GUARD), Mapping)
    if has_guard and isinstance(driver, str) and "profile" not in meter and not shows_volts(driver):
        yield ("setpoints", VOLTAGE_GUARD), f"needs the voltages of the phases, which no meter of {driver!r} shows here"


def _phases(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A phase belongs to an inverter with one; where limits hold on each phase it must be known of everybody."""
    control = _section(data, "control")
    counts = control.get("limits_per_phase") is True
    for path, entry in _entries(data, "inverters"):
        phases, phase = entry.get("phases"), entry.get("phase")
        if phase is not None and phases == 3:
            yield (*path, "phase"), "is for an inverter with one phase; this one has phases: 3"
        elif counts and phase is None and phases != 3:
            need = "control.limits_per_phase needs it of each inverter: 1, 2 or 3, the one of the meter that it is on"
            more = "" if phases == 1 else "; or phases: 3"
            yield (*path, "phase"), f"this key is missing; {need}{more}"
    if counts:
        yield from _meter_without_phases(data)
    elif any(watts is not None for watts in _section(data, "control", "phase_limits").values()):
        yield ("control", "phase_limits"), "does nothing without limits_per_phase: true"


def _meter_without_phases(data: Mapping[str, Any]) -> Iterator[Finding]:
    meter = _section(data, "meter")
    driver = meter.get("driver")
    if isinstance(driver, str) and "profile" not in meter and not shows_phases(driver):
        message = f"needs the powers of the phases, which no meter of {driver!r} shows here"
        yield ("control", "limits_per_phase"), message


def _addresses(data: Mapping[str, Any]) -> Iterator[Finding]:
    devices = [*_entries(data, "meter"), *(each for each in _entries(data, "inverters") if len(each[0]) > 1)]
    yield from address_checks(devices, _section(data, "simulation", "inverters"))


def _device_topics(data: Mapping[str, Any]) -> Iterator[Finding]:
    """One topic is one device, and what is sent to a device must not come back as its state, or as another's."""
    first: dict[tuple[str, str, str], KeyPath] = {}
    for path, entry in (*_entries(data, "meter"), *_entries(data, "inverters")):
        for key, topic in _topics_of(entry) if entry.get("driver") in BY_MQTT else ():
            where = (*path, key if key in entry else "topic")
            address = (str(entry.get("host")), str(entry.get("port", 1883)), topic)
            if address in first:
                yield where, f"must be a topic of its own; {key_path_text(first[address])} is at {topic!r} already"
            first.setdefault(address, where)


def _topics_of(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    state = entry.get("topic")
    if isinstance(state, str):
        state = f"{state}/{AGGREGATE}" if entry.get("driver") == SITE else state
        yield "topic", state
        commands = entry.get("command_topic", f"{state}/command")
        if isinstance(commands, str):
            yield "command_topic", commands


def _soc_ranges(data: Mapping[str, Any]) -> Iterator[Finding]:
    for path, inverter in _entries(data, "inverters"):
        yield from _ordered((*path, "battery"), _section(inverter, "battery"), "soc_min_percent", "soc_max_percent")
    wanted = ("battery_soc_min_percent", "battery_soc_max_percent")
    yield from _ordered(("setpoints", "fixed"), _section(data, "setpoints", "fixed"), *wanted)
    for path, source in chain.from_iterable(
        _entries(data, "setpoints", key) for key in ("mqtt", "csip_aus", *BY_TABLE)
    ):
        yield from _ordered((*path, "default"), _section(source, "default"), *wanted)
        for rows in (("rows",), ("prices",), ("contact", "rows")):
            for row_path, row in _entries(source, *rows):
                yield from _ordered((*path, *row_path, "fields"), _section(row, "fields"), *wanted)


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


def _discovery_topics(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What Home Assistant reads as descriptions of entities must not be mixed with what the plant says."""
    published = _section(data, "publish", "mqtt")
    topic, served = published.get("topic"), published.get(HOME_ASSISTANT)
    prefix = served.get("prefix", "homeassistant") if isinstance(served, Mapping) else None
    if isinstance(topic, str) and isinstance(prefix, str) and f"{topic}/".startswith(f"{prefix}/"):
        path = ("publish", "mqtt", "topic")
        yield (
            path,
            f"must not lie below home_assistant.prefix, {prefix!r}: only descriptions stand there (got {topic!r})",
        )


def _is_published(topic: str, base: str) -> bool:
    below = topic.removeprefix(f"{base}/")
    ours = (*PUBLISHED, *OF_HOME_ASSISTANT, AGGREGATE)
    below_ours = ("inverters/", f"{HOME_ASSISTANT}/", f"{AGGREGATE}/")
    return below != topic and (below in ours or below.startswith(below_ours))


def _simulated(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A simulated inverter that is not in `inverters:` would never be read."""
    names = [entry.get("name") for _, entry in _entries(data, "inverters")]
    entries = [entry for _, entry in _entries(data, "inverters")]
    by_mqtt = {str(each.get("name")): each["driver"] for each in entries if each.get("driver") in BY_MQTT}
    for name in _section(data, "simulation", "inverters"):
        if name in by_mqtt:
            message = f"{name!r} has driver {by_mqtt[name]!r}; only Modbus devices are simulated"
            yield ("simulation", "inverters", name), message
        elif name not in names:
            yield ("simulation", "inverters", name), f"there is no inverter called {name!r} under 'inverters'"


def _certificate(data: Mapping[str, Any]) -> Iterator[Finding]:
    """A certificate without its key serves nothing, and would be served unencrypted by mistake."""
    metrics, pair = _section(data, "metrics"), ("certificate_file", "key_file")
    written = [key for key in pair if metrics.get(key) is not None]
    if len(written) == 1:
        missing = next(key for key in pair if key not in written)
        yield ("metrics", written[0]), f"needs {missing} beside it"


def _change_secrets(data: Mapping[str, Any]) -> Iterator[Finding]:
    """What changes the plant must not be guessed."""
    page = _section(data, "page")
    for key, least in (("change_token", SHORTEST_TOKEN), ("change_password", SHORTEST_PASSWORD)):
        secret = page.get(key)
        if isinstance(secret, str) and len(secret) < least:
            yield ("page", key), f"must have at least {least} characters; `openssl rand -hex 24` makes one"


_CHECKS: tuple[Callable[[Mapping[str, Any]], Iterator[Finding]], ...] = (
    _timezone,
    _inverter_names,
    _source_names,
    _meter_of_make,
    _inverters_of_make,
    _sites,
    _meter_without_volts,
    _phases,
    _addresses,
    _device_topics,
    _soc_ranges,
    _topics,
    _discovery_topics,
    _simulated,
    _certificate,
    _change_secrets,
)
