"""Whether a device took what was written: by the standard it may ignore a write without saying so."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from orchestrator.drivers.base import Registers, WriteGroup
from orchestrator.sunspec.device import SunSpecDevice
from orchestrator.sunspec.models import MODELS

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
    """The name of the register at `address`, None where it belongs to no model that can be written."""
    for model in (device.controls, device.storage):
        if model is not None and 0 <= address - model.address < 2 + model.length:
            points = MODELS[model.id].points.values()
            return next((f"{model.id}.{p.name}" for p in points if p.offset == address - model.address), None)
    return None


def _pairs(device: SunSpecDevice, group: WriteGroup, registers: Registers) -> Iterator[tuple[str, int, int]]:
    for write in group.writes:
        for address, written in enumerate(write.values, start=write.address):
            shown, name = registers.get(address), register_name(device, address)
            if shown is not None and name is not None:
                yield name, written, shown
