"""What a scan has found, as records and as a table."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from rich.table import Table

from orchestrator.samples import Nameplate
from orchestrator.scan_targets import Endpoint
from orchestrator.sunspec.device import SunSpecDevice


class Kind(StrEnum):
    """What a device is for the site."""

    INVERTER = "inverter"
    HYBRID = "hybrid"
    METER = "meter"


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """One device and where it answers. `models` are the ids of its chain, in order, repeated ones too."""

    endpoint: Endpoint
    unit_id: int
    kind: Kind
    nameplate: Nameplate
    models: tuple[int, ...]

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
    """A whole scan. `again` are devices that were found before at another address: the same maker and serial number."""

    devices: tuple[FoundDevice, ...] = ()
    again: tuple[FoundDevice, ...] = ()
    remarks: tuple[Remark, ...] = ()


def found_device(endpoint: Endpoint, unit_id: int, device: SunSpecDevice) -> FoundDevice:
    """What discovery found at one address."""
    kind = Kind.METER if device.is_meter else Kind.HYBRID if device.has_battery else Kind.INVERTER
    return FoundDevice(endpoint, unit_id, kind, device.nameplate, tuple(model.id for model in device.models))


def report(devices: Iterable[FoundDevice], remarks: Iterable[Remark]) -> ScanReport:
    """Everything in the order of addresses, with each device once."""
    first: dict[object, FoundDevice] = {}
    again: list[FoundDevice] = []
    for device in sorted(devices, key=lambda each: (*_order(each.endpoint), each.unit_id)):
        if first.setdefault(_identity(device), device) is not device:
            again.append(device)
    ordered = sorted(remarks, key=lambda remark: (*_order(remark.endpoint), remark.units))
    return ScanReport(tuple(first.values()), tuple(again), tuple(ordered))


def table(found: ScanReport) -> Table:
    """The devices, one row each."""
    drawn = Table(box=None, header_style="bold", pad_edge=False)
    for column in ("host", "port", "unit", "maker", "model", "version", "serial", "kind", "models"):
        drawn.add_column(column, justify="right" if column in ("port", "unit") else "left", overflow="fold")
    for each in found.devices:
        plate, where = each.nameplate, each.endpoint
        texts = (plate.manufacturer, plate.model, plate.version, plate.serial, each.kind.value)
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


def _order(endpoint: Endpoint) -> tuple[int, int, str, int]:
    """Addresses by number, before names."""
    try:
        address = ipaddress.ip_address(endpoint.host)
    except ValueError:
        return 9, 0, endpoint.host, endpoint.port
    return address.version, int(address), "", endpoint.port
