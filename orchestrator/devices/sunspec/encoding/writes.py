"""What this driver may ever write, and how values of points become register writes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Final

from orchestrator.commands import InverterCommand
from orchestrator.devices.base import RegisterWrite
from orchestrator.devices.sunspec.device import FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.models import MODELS

WRITABLE: Final = frozenset(
    {
        "123.Conn_WinTms",
        "123.Conn_RvrtTms",
        "123.Conn",
        "123.WMaxLimPct",
        "123.WMaxLimPct_WinTms",
        "123.WMaxLimPct_RvrtTms",
        "123.WMaxLimPct_RmpTms",
        "123.WMaxLim_Ena",
        "124.StorCtl_Mod",
        "124.OutWRte",
        "124.InWRte",
        "124.InOutWRte_WinTms",
        "124.InOutWRte_RvrtTms",
        "124.InOutWRte_RmpTms",
        "124.ChaGriSet",
        "704.WMaxLimPctEna",
        "704.WMaxLimPct",
        "704.WMaxLimPctRvrt",
        "704.WMaxLimPctEnaRvrt",
        "704.WMaxLimPctRvrtTms",
        "704.WSetEna",
        "704.WSetMod",
        "704.WSet",
        "704.WSetRvrt",
        "704.WSetEnaRvrt",
        "704.WSetRvrtTms",
    }
)
"""Every register this driver may ever write. A label on a write is the name of its first register."""

REVERT_MAX_S: Final = 0xFFFE
REFRESH_SHARE: Final = 0.4
"""A group is written again after this share of its revert time: strictly before half of it."""
RENEW_SHARE: Final = 0.8
"""What has no revert time is written again after this share of the time that it would have had: once in each."""

Value = tuple[str, int]


def revert_s(command: InverterCommand) -> int:
    """The revert time that is written for a command: whole seconds, never 0, which would be "never"."""
    return max(1, min(math.ceil(command.valid_for_s), REVERT_MAX_S))


def refresh_s(device: SunSpecDevice, timer: str, seconds: int) -> float | None:
    """How often a group with this revert time is written again; None where there is no such timer, or it is 0."""
    return REFRESH_SHARE * seconds if seconds and timer in device.implemented else None


def renew_s(command: InverterCommand) -> float:
    """How often a limit without a revert time is written again: devices lose what they were told."""
    return RENEW_SHARE * command.valid_for_s


def writes(device: SunSpecDevice, model: FoundModel, values: Iterable[Value]) -> Iterator[RegisterWrite]:
    """Values of adjacent points joined into one write each, around points that the device does not implement.

    Raises ValueError for a point that is not on `WRITABLE`.
    """
    run: list[Value] = []
    end = 0
    for name, value in values:
        point = MODELS[model.id][name]
        if f"{model.id}.{name}" not in device.implemented:
            continue
        if run and point.offset != end:
            yield _write(model, run)
            run = []
        run.append((name, value))
        end = point.end
    if run:
        yield _write(model, run)


def _write(model: FoundModel, run: list[Value]) -> RegisterWrite:
    points = [MODELS[model.id][name] for name, _ in run]
    for point in points:
        if f"{model.id}.{point.name}" not in WRITABLE:
            raise ValueError(f"{model.id}.{point.name} is not a register this driver may write")
    words = tuple(word for point, (_, value) in zip(points, run, strict=True) for word in point.type.pack(value))
    return RegisterWrite(model.address + points[0].offset, words, f"{model.id}.{points[0].name}")
