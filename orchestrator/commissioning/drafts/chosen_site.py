"""The site.yaml of `orchestrator init`: what somebody has chosen, with a comment for each thing that can be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal

from orchestrator.commissioning.drafts.device_lines import address_keys, said_of_itself, serial_key
from orchestrator.commissioning.scan_report import FoundDevice, Kind
from orchestrator.devices.makes.choice import SUNSPEC

Sign = Literal["auto", "import_positive", "export_positive"]

_SIGNS: Final = {
    "auto": "import_positive until the meter proves otherwise; better: write it",
    "import_positive": "it shows a positive power while the site draws from the grid",
    "export_positive": "it shows a positive power while the site feeds into the grid",
}

_HEAD: Final = """\
# Made by `orchestrator init` on {day}. This file describes one site. Whatever stands behind a # is a comment.
# After a change: `orchestrator check FILE` finds mistakes, `orchestrator reload FILE` hands it to the one that runs.
# Every key is explained in docs/configuration.md.

site:
  name: {name}
"""

_NO_METER: Final = """
# THE METER IS MISSING. Without one nothing can be controlled. 192.0.2.1 only stands for its address: write the real
# one, and its driver. docs/meters.md lists them, and says which meter to buy and where it goes.
meter: {driver: sunspec, host: 192.0.2.1, port: 502, unit_id: 200, sign: auto}
"""


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
    """Everything that `init` has asked. `controls` False is shadow mode, where nothing is written to a device."""

    name: str
    inverters: tuple[ChosenInverter, ...]
    meter: ChosenMeter | None = None
    timezone: str = "UTC"
    limits: Limits = field(default_factory=Limits)
    controls: bool = False
    commands_batteries: bool = False
    state_dir: str = "./state"
    served: Served = field(default_factory=Served)


def site_text(site: ChosenSite, *, day: date) -> str:
    """The file, to be checked by whoever writes it: names and the time zone are taken as they are."""
    head = _HEAD.format(day=day.isoformat(), name=json.dumps(site.name, ensure_ascii=False))
    zone = _commented(f"  timezone: {site.timezone}", "for reports and days")
    return "".join(
        (head, zone, *_meter(site.meter), *_inverters(site), *_control(site), *_setpoints(site), *_page(site.served))
    )


def has_battery(device: FoundDevice) -> bool:
    """Whether a battery answered with it."""
    return device.kind is Kind.HYBRID


def _meter(meter: ChosenMeter | None) -> Iterator[str]:
    if meter is None:
        yield _NO_METER
        return
    yield "\n# The meter at the grid connection.\n"
    yield f"# {said_of_itself(meter.device)}\n"
    if meter.device.driver != SUNSPEC:
        yield f"# not yet tried on hardware; what must be set in it: docs/meters.md, {meter.device.driver}\n"
    yield "meter:\n"
    yield f"  driver: {meter.device.driver}\n"
    yield from (f"  {line}\n" for line in _address_lines(meter.device))
    yield _commented(f"  sign: {meter.sign}", _SIGNS[meter.sign])


def _inverters(site: ChosenSite) -> Iterator[str]:
    yield "\n# The inverters. A line `control: false` leaves one alone: it is read, and never written to.\n"
    yield "inverters:\n"
    for inverter in site.inverters:
        yield from _inverter(inverter)


def _inverter(inverter: ChosenInverter) -> Iterator[str]:
    device = inverter.device
    yield f"  # {said_of_itself(device)}\n"
    if device.driver != SUNSPEC:
        yield f"  # not yet tried on hardware; what the installer must switch on: docs/makes/{device.driver}.md\n"
    yield f"  - name: {json.dumps(inverter.name)}\n"
    yield f"    driver: {device.driver}\n"
    yield from (f"    {line}\n" for line in _address_lines(device))
    key = serial_key(device)
    if key is None:
        yield "    # it says no serial number: make sure that it is not one of the others at another unit\n"
    else:
        yield _commented(f"    {key}", "another device at this address is never written to")
    yield from _missing(inverter)


def _missing(inverter: ChosenInverter) -> Iterator[str]:
    """What the device does not say of itself."""
    if inverter.ac_max_watts is not None:
        yield _commented(f"    ac_max_watts: {inverter.ac_max_watts:g}", "its AC rating, which it does not say")
    elif inverter.device.nameplate.ac_max_watts is None:
        yield "    # it does not say its AC rating; write it here: ac_max_watts: 5000\n"
    if inverter.capacity_wh is not None:
        yield _commented(f"    battery: {{capacity_wh: {inverter.capacity_wh:g}}}", "which it does not say")
    elif has_battery(inverter.device) and inverter.device.nameplate.capacity_wh is None:
        yield "    # it does not say the capacity of its battery; write it here: battery: {capacity_wh: 10000}\n"


def _control(site: ChosenSite) -> Iterator[str]:
    yield "\ncontrol:\n"
    shadow = "false: shadow mode, nothing is written to a device"
    yield _commented(f"  enabled: {_word(site.controls)}", shadow)
    yield _commented(f"  battery_power_flow: {_word(site.commands_batteries)}", "true commands the batteries too")
    yield _commented(f"  state_dir: {json.dumps(site.state_dir)}", "what must outlive a restart is kept here")


def _setpoints(site: ChosenSite) -> Iterator[str]:
    limits = site.limits
    rows = (
        ("export_limit_watts", limits.export_watts, "most that may be fed into the grid, in W"),
        ("import_limit_watts", limits.import_watts, "most that may be drawn from the grid, in W"),
        ("battery_soc_min_percent", limits.soc_min_percent, "batteries are not discharged below, in percent"),
    )
    yield "\n# Limits that always hold. A setpoint can make them stricter, and never looser.\n"
    yield "setpoints:\n"
    if all(value is None for _, value, _ in rows):
        yield _commented("  fixed: {}", "none; such as {export_limit_watts: 5000}")
        return
    yield "  fixed:\n"
    for key, value, meaning in rows:
        if value is None:
            yield f"    # {key}: not limited; {meaning}\n"
        else:
            yield _commented(f"    {key}: {value:g}", meaning)


def _page(served: Served) -> Iterator[str]:
    if served != Served():
        yield "\n# Where its page is, which shows what it does and why, and its metrics for Prometheus.\n"
        yield f"metrics: {{host: {json.dumps(served.host)}, port: {served.port}}}\n"


def _address_lines(device: FoundDevice) -> tuple[str, ...]:
    keys = address_keys(device)
    return tuple(keys.split(", ")) if not keys.startswith("serial") else tuple(keys.rsplit(", ", 1))


def _commented(text: str, comment: str) -> str:
    return f"{text:<42}  # {comment}\n"


def _word(switch: bool) -> str:
    return "true" if switch else "false"
