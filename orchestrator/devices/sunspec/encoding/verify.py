"""Whether a device took what was written: by the standard it may ignore a write without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.devices.base import Registers, WriteGroup
from orchestrator.devices.sunspec.device import FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.models import MODELS, Point

_TIMER = "RvrtTms"


def verify(device: SunSpecDevice, groups: Iterable[WriteGroup], registers: Registers) -> tuple[str, ...]:
    """The registers that show another value than `groups` wrote, by name ("124.InWRte"): ignored or altered.

    Registers that were not read back are not judged. A revert time may have begun to count down.
    """
    differing = [
        name
        for group in groups
        for name, written, shown in _pairs(device, group, registers)
        if shown != written and not (name.endswith(_TIMER) and 0 < shown < written)
    ]
    return tuple(dict.fromkeys(differing))


def register_name(device: SunSpecDevice, address: int) -> str | None:
    """The name of the point that the register at `address` is part of, None where no model there can be written."""
    found = _point_at(device, address)
    return None if found is None else f"{found[0].id}.{found[1].name}"


def _point_at(device: SunSpecDevice, address: int) -> tuple[FoundModel, Point] | None:
    for model in (device.controls, device.storage, device.der_controls):
        if model is not None and 0 <= address - model.address < 2 + model.length:
            points = MODELS[model.id].points.values()
            return next(((model, p) for p in points if p.offset <= address - model.address < p.end), None)
    return None


def _pairs(device: SunSpecDevice, group: WriteGroup, registers: Registers) -> Iterator[tuple[str, int, int]]:
    """(name, written, shown) of each point, as unsigned numbers of all its words."""
    for write in group.writes:
        written = dict(enumerate(write.values, start=write.address))
        for address in written:
            found = _point_at(device, address)
            if found is None or address != found[0].address + found[1].offset:
                continue
            words = range(address, address + found[1].words)
            if all(at in written and at in registers for at in words):
                yield f"{found[0].id}.{found[1].name}", _number(written, words), _number(registers, words)


def _number(registers: Registers, words: range) -> int:
    number = 0
    for address in words:
        number = number << 16 | registers[address]
    return number
