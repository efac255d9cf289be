"""The site.yaml of `orchestrator init`: what somebody has chosen, with a comment for each thing that can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from itertools import chain
from typing import Final, Literal

from orchestrator.commissioning.drafts.comments import Commented, Language
from orchestrator.commissioning.drafts.device_lines import address_keys, said_of_itself, serial_key
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.devices.makes.choice import SUNSPEC

Sign = Literal["auto", "import_positive", "export_positive"]

_NO_METER: Final = "meter: {driver: sunspec, host: 192.0.2.1, port: 502, unit_id: 200, sign: auto}\n"


@dataclass(frozen=True, slots=True)
class ChosenInverter:
    """One inverter of the site, and what it does not say about itself: rating in W, capacity in Wh."""

    name: str
    device: FoundDevice
    ac_max_watts: float | None = None
    capacity_wh: float | None = None


@dataclass(frozen=True, slots=True)
class ChosenMeter:
    """The meter at the grid connection. `driver` is not that of the device where an inverter passes a meter on."""

    device: FoundDevice
    sign: Sign = "auto"


@dataclass(frozen=True, slots=True)
class Limits:
    """What always holds, in W and percent; None: there is no such limit."""

    export_watts: float | None = None
    import_watts: float | None = None
    soc_min_percent: float | None = None


@dataclass(frozen=True, slots=True)
class Served:
    """Where the page is served; without words that is where a site serves it when nobody says where."""

    host: str = "127.0.0.1"
    port: int = 9464


@dataclass(frozen=True, slots=True)
class ChosenSite:
    """Everything that `init` has asked. `controls` False is shadow mode, where nothing is written to a device.

    `language` is that of the comments.
    """

    name: str
    inverters: tuple[ChosenInverter, ...]
    meter: ChosenMeter | None = None
    timezone: str = "UTC"
    limits: Limits = field(default_factory=Limits)
    controls: bool = False
    commands_batteries: bool = False
    state_dir: str = "./state"
    served: Served = field(default_factory=Served)
    language: Language = "en"


def site_text(site: ChosenSite, *, day: date) -> str:
    """The file, to be checked by whoever writes it: names and the time zone are taken as they are."""
    said = Commented(site.language)
    parts = (
        _head(site, said, day),
        _meter(site.meter, said),
        _inverters(site, said),
        _control(site, said),
        _setpoints(site, said),
        _page(site.served, said),
    )
    return "".join(chain.from_iterable(parts))


def _head(site: ChosenSite, said: Commented, day: date) -> Iterator[str]:
    yield said.line("made", day=day.isoformat())
    yield said.line("changed")
    yield said.line("keys")
    yield f"\nsite:\n  name: {json.dumps(site.name, ensure_ascii=False)}\n"
    yield said.behind(f"  timezone: {site.timezone}", "timezone")


def has_battery(device: FoundDevice) -> bool:
    """Whether a battery answered with it."""
    return device.kind is Kind.HYBRID


def _meter(meter: ChosenMeter | None, said: Commented) -> Iterator[str]:
    yield "\n"
    if meter is None:
        yield from (said.line("meter_missing"), said.line("meter_which"), _NO_METER)
        return
    yield said.line("meter")
    yield f"# {said_of_itself(meter.device, said)}\n"
    if meter.device.driver != SUNSPEC:
        yield said.line("meter_untried", driver=meter.device.driver)
    yield "meter:\n"
    yield f"  driver: {meter.device.driver}\n"
    yield from (f"  {line}\n" for line in _address_lines(meter.device))
    yield said.behind(f"  sign: {meter.sign}", f"sign_{meter.sign}")


def _inverters(site: ChosenSite, said: Commented) -> Iterator[str]:
    yield f"\n{said.line('inverters')}inverters:\n"
    for inverter in site.inverters:
        yield from _inverter(inverter, said)


def _inverter(inverter: ChosenInverter, said: Commented) -> Iterator[str]:
    device = inverter.device
    yield f"  # {said_of_itself(device, said)}\n"
    if device.driver != SUNSPEC:
        yield said.line("inverter_untried", "  ", driver=device.driver)
    yield f"  - name: {json.dumps(inverter.name)}\n"
    yield f"    driver: {device.driver}\n"
    yield from (f"    {line}\n" for line in _address_lines(device))
    key = serial_key(device)
    if key is None:
        yield said.line("no_serial", "    ")
    else:
        yield said.behind(f"    {key}", "serial_counts")
    yield from _missing(inverter, said)


def _missing(inverter: ChosenInverter, said: Commented) -> Iterator[str]:
    """What the device does not say of itself."""
    if inverter.ac_max_watts is not None:
        yield said.behind(f"    ac_max_watts: {inverter.ac_max_watts:g}", "rating")
    elif inverter.device.nameplate.ac_max_watts is None:
        yield said.line("no_rating", "    ")
    if inverter.capacity_wh is not None:
        yield said.behind(f"    battery: {{capacity_wh: {inverter.capacity_wh:g}}}", "capacity")
    elif has_battery(inverter.device) and inverter.device.nameplate.capacity_wh is None:
        yield said.line("no_capacity", "    ")


def _control(site: ChosenSite, said: Commented) -> Iterator[str]:
    yield "\ncontrol:\n"
    yield said.behind(f"  enabled: {_word(site.controls)}", "enabled")
    yield said.behind(f"  battery_power_flow: {_word(site.commands_batteries)}", "battery_power_flow")
    yield said.behind(f"  state_dir: {json.dumps(site.state_dir)}", "state_dir")


def _setpoints(site: ChosenSite, said: Commented) -> Iterator[str]:
    limits = site.limits
    rows = (
        ("export_limit_watts", limits.export_watts, "export"),
        ("import_limit_watts", limits.import_watts, "import"),
        ("battery_soc_min_percent", limits.soc_min_percent, "soc_min"),
    )
    yield f"\n{said.line('limits')}setpoints:\n"
    if all(value is None for _, value, _ in rows):
        yield said.behind("  fixed: {}", "no_limits")
        return
    yield "  fixed:\n"
    for key, value, meaning in rows:
        if value is None:
            yield said.line("no_limit", "    ", key=key, meaning=said.say(meaning))
        else:
            yield said.behind(f"    {key}: {value:g}", meaning)


def _page(served: Served, said: Commented) -> Iterator[str]:
    if served != Served():
        yield f"\n{said.line('page')}"
        yield f"metrics: {{host: {json.dumps(served.host)}, port: {served.port}}}\n"


def _address_lines(device: FoundDevice) -> tuple[str, ...]:
    keys = address_keys(device)
    return tuple(keys.split(", ")) if not keys.startswith("serial") else tuple(keys.rsplit(", ", 1))


def _word(switch: bool) -> str:
    return "true" if switch else "false"
