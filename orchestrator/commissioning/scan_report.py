"""What a scan has found, as records and as a table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from rich.console import JustifyMethod
from rich.table import Table

from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.devices.makes.choice import SUNSPEC
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.samples import Nameplate

FOLDED: Final = ("device", "models")


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

    endpoint: Endpoint
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
    """What some units of one endpoint answered in place of a usable device."""

    endpoint: Endpoint
    units: tuple[int, ...]
    text: str

    def __str__(self) -> str:
        plural = "s" if len(self.units) > 1 else ""
        units = f" unit{plural} {', '.join(map(str, self.units))}" if self.units else ""
        return f"{self.endpoint}{units}: {self.text}"


@dataclass(frozen=True, slots=True)
class ScanReport:
    """A whole scan. `again` are devices that were found before at another address, by their serial number."""

    devices: tuple[FoundDevice, ...] = ()
    again: tuple[FoundDevice, ...] = ()
    remarks: tuple[Remark, ...] = ()


def found_device(endpoint: Endpoint, unit_id: int, device: SunSpecDevice) -> FoundDevice:
    """What discovery found at one address."""
    kind = Kind.METER if device.is_meter else Kind.HYBRID if device.has_battery else Kind.INVERTER
    return FoundDevice(endpoint, unit_id, kind, device.nameplate, tuple(model.id for model in device.models))


def found_make(endpoint: Endpoint, unit_id: int, device: ProfileDevice) -> FoundDevice:
    """What the profile of a make discovered at one address: an inverter, or a meter where it is of one."""
    kind = Kind.HYBRID if device.has_battery else Kind.METER if device.profile.is_meter else Kind.INVERTER
    models = () if device.base is None else tuple(model.id for model in device.base.models)
    return FoundDevice(endpoint, unit_id, kind, device.nameplate, models, device.profile.name)


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
    for column in ("host", "port", "unit", "device", "version", "serial", "kind", "driver", "models"):
        justify: JustifyMethod = "right" if column in ("port", "unit") else "left"
        drawn.add_column(column, justify=justify, overflow="fold", no_wrap=column not in FOLDED)
    for each in found.devices:
        plate, where = each.nameplate, each.endpoint
        texts = (each.title, plate.version, plate.serial, each.kind.value, each.driver)
        drawn.add_row(where.host, str(where.port), str(each.unit_id), *map(_plain, texts), models_text(each.models))
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


def _plain(text: str) -> str:
    """Text of a device as a table may show it: no markup, no control characters."""
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


def _order(endpoint: Endpoint) -> tuple[int, int, str, int]:
    """Addresses by number, before names."""
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return 9, 0, endpoint.host, endpoint.port
    return address.version, int(address), "", endpoint.port
