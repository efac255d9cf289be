"""What a scan has found, as records and as a table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.console import JustifyMethod
from rich.table import Table

from orchestrator.commissioning.scan_targets import Endpoint, LineEndpoint, Place
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.makes.schema import Likeness
from orchestrator.devices.profiles.device import ProfileDevice, register_value, total
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.reason import Reason, because
from orchestrator.reason.troubles import say_trouble
from orchestrator.samples import MeterSample, Nameplate

FOLDED: Final = ("device", "models")

LEAST_TOTAL_WH: Final = 1000.0
"""Counters that have hardly run add up by chance: 0 and 0 are 0 in any map."""
TOTAL_OFF_WH: Final = 100.0
"""Counters with two decimals of a kWh, rounded, read one after the other, the large ones as floats of 32 bits."""


class Kind(StrEnum):
    """What a device is for the site."""

    INVERTER = "inverter"
    HYBRID = "hybrid"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device and where it answers. `models` are the ids of its chain, in order, repeated ones too.

    `driver` is what site.yaml has to say for it: that of its make where there is one.
    """

    endpoint: Place
    unit_id: int
    kind: Kind
    nameplate: Nameplate
    models: tuple[int, ...]
    driver: str = SUNSPEC

    @property
    def address(self) -> str:
        """Where it answers, for people."""
        return f"{self.endpoint} unit {self.unit_id}"

    @property
    def title(self) -> str:
        """Maker and model."""
        return f"{self.nameplate.manufacturer} {self.nameplate.model}".strip() or "unnamed device"


@dataclass(frozen=True, slots=True)
class Remark:
    """What some units of one endpoint answered in place of a usable device. `perhaps`: drivers of meters it may be."""

    endpoint: Place
    units: tuple[int, ...]
    what: Reason
    perhaps: tuple[str, ...] = ()

    @property
    def why(self) -> Reason:
        """The same with where it is, for words in any language."""
        if not self.units:
            return because("at_endpoint", where=str(self.endpoint), what=self.what)
        units = ", ".join(map(str, self.units))
        if len(self.units) > 1:
            return because("at_units", where=str(self.endpoint), units=units, what=self.what)
        return because("at_unit", where=str(self.endpoint), units=units, what=self.what)

    def __str__(self) -> str:
        return say_trouble(self.why)


@dataclass(frozen=True, slots=True)
class ScanReport:
    """A whole scan. `again` are devices that were found before at another address, by their serial number."""

    devices: tuple[FoundDevice, ...] = ()
    again: tuple[FoundDevice, ...] = ()
    remarks: tuple[Remark, ...] = ()


def found_device(endpoint: Place, unit_id: int, device: SunSpecDevice) -> FoundDevice:
    """What discovery found at one address."""
    kind = Kind.METER if device.is_meter else Kind.HYBRID if device.has_battery else Kind.INVERTER
    return FoundDevice(endpoint, unit_id, kind, device.nameplate, tuple(model.id for model in device.models))


def found_make(endpoint: Place, unit_id: int, device: ProfileDevice) -> FoundDevice:
    """What the profile of a make discovered at one address: an inverter, or a meter where it is of one."""
    kind = Kind.HYBRID if device.has_battery else Kind.METER if device.profile.is_meter else Kind.INVERTER
    models = () if device.base is None else tuple(model.id for model in device.base.models)
    return FoundDevice(endpoint, unit_id, kind, device.nameplate, models, device.profile.name)


def likeness(device: ProfileDevice, sample: MeterSample) -> Reason | None:
    """What speaks for this meter behind registers that do not say whose they are; None: too little does.

    A grid has 45 to 55 or 55 to 65 Hz; words of another map hardly ever read as that, and as a power beside it.
    """
    hertz, meter = sample.frequency_hz, device.profile.meter
    driver, watts = device.profile.name, sample.site_watts
    if hertz is not None and 45.0 <= hertz <= 65.0:
        return because("like_by_hertz", driver=driver, hertz=hertz, watts=watts)
    return _agreement(device, meter.likeness, watts) if meter and meter.likeness else None


def _agreement(device: ProfileDevice, likeness: Likeness, watts: float) -> Reason | None:
    """What registers had in common when the meter was found, as words of another map hardly ever have."""
    profile, words = device.profile, device.fixed
    whole = register_value(profile, likeness.total, words) if likeness.total else None
    parts = total(profile, likeness.parts, words, {}) if likeness.parts else None
    if whole is not None and parts is not None and whole >= LEAST_TOTAL_WH and abs(whole - parts) <= TOTAL_OFF_WH:
        return because("like_by_counters", driver=profile.name, watts=watts)
    ways = [register_value(profile, name, words) for name in likeness.apart or ()]
    if None not in ways and sum(way == 0 for way in ways) == 1:
        return because("like_by_direction", driver=profile.name, watts=watts)
    return None


def perhaps_a_meter(endpoint: Place, unit_id: int, likenesses: Mapping[str, Reason]) -> Remark:
    """What is said of a unit that does not say what it is: `likenesses` by driver."""
    what = because("perhaps_a_meter", likenesses=tuple(likenesses.values()))
    return Remark(endpoint, (unit_id,), what, tuple(likenesses))


def report(devices: Iterable[FoundDevice], remarks: Iterable[Remark]) -> ScanReport:
    """Everything in the order of addresses, with each device once.

    One that speaks SunSpec at one unit and in its make's own way at another (SMA) is listed in its own way.
    """
    ordered_devices = sorted(devices, key=lambda each: (*_order(each.endpoint), each.unit_id))
    by_make = {_serial_at(device) for device in ordered_devices if device.driver != SUNSPEC}
    first: dict[object, FoundDevice] = {}
    again: list[FoundDevice] = []
    for device in ordered_devices:
        known_by_make = device.driver == SUNSPEC and device.kind is not Kind.METER and _serial_at(device) in by_make
        if known_by_make or first.setdefault(_identity(device), device) is not device:
            again.append(device)
    ordered = sorted(remarks, key=lambda remark: (*_order(remark.endpoint), remark.units))
    return ScanReport(tuple(first.values()), tuple(again), tuple(ordered))


def table(found: ScanReport) -> Table:
    """The devices, one row each. On a narrow terminal the names of devices and the list of models are folded."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    folded = FOLDED if all(isinstance(each.endpoint, Endpoint) for each in found.devices) else ("host", *FOLDED)
    for column in ("host", "port", "unit", "device", "version", "serial", "kind", "driver", "models"):
        justify: JustifyMethod = "right" if column in ("port", "unit") else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column not in folded)
    for each in found.devices:
        plate, where = each.nameplate, each.endpoint
        texts = (each.title, plate.version, plate.serial, each.kind.value, each.driver)
        drawn.add_row(where.host, str(where.port), str(each.unit_id), *map(plain, texts), models_text(each.models))
    return drawn


def models_text(models: Iterable[int]) -> str:
    """Model ids, runs of neighbours joined: `1 103 120-124 160`."""
    runs: list[list[int]] = []
    for model in models:
        if runs and model == runs[-1][-1] + 1:
            runs[-1][1:] = [model]
        else:
            runs.append([model])
    return " ".join("-".join(map(str, run)) for run in runs)


def plain(text: str) -> str:
    """Text of a device as a table of `rich` may show it: no markup, no control characters."""
    return "".join(character if character.isprintable() else "?" for character in text).replace("[", "\\[")


def _identity(device: FoundDevice) -> object:
    """What makes two findings one device. Without a serial number nothing does: it is its address."""
    plate = device.nameplate
    if not plate.serial:
        return device.endpoint, device.unit_id, device.kind
    return plate.manufacturer, plate.model, plate.serial, device.kind


def _serial_at(device: FoundDevice) -> object:
    """Its host and serial number; without one it counts as a device of its own."""
    return (device.endpoint.host, device.nameplate.serial) if device.nameplate.serial else device


def _order(endpoint: Place) -> tuple[int, int, str, int]:
    """Addresses by number, before names."""
    if isinstance(endpoint, LineEndpoint):
        return 10, 0, endpoint.host, endpoint.way.baud_rate
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return 9, 0, endpoint.host, endpoint.port
    return address.version, int(address), "", endpoint.port
