"""Points out of registers: raw or scaled, None where the device does not say."""

from __future__ import annotations

from typing import Any

from orchestrator.drivers.base import Registers
from orchestrator.sunspec.codec import TYPES, scale_up
from orchestrator.sunspec.models import Point

_scale_factor = TYPES["sunssf"].unpack


def read_raw(registers: Registers, origin: int, point: Point) -> Any:
    """The unscaled value of a point; `origin` is the address of its model id word (or of its module's first word).

    None where a word was not read, or the device says "not implemented".
    """
    address = origin + point.offset
    if point.words == 1:
        word = registers.get(address)
        return None if word is None else point.type.unpack((word,))
    words = [registers.get(at) for at in range(address, address + point.words)]
    return None if None in words else point.type.unpack(words)  # type: ignore[arg-type]


def read_scale(registers: Registers, address: int) -> int | None:
    """The scale factor at `address`, None where it is not implemented or not within -10..10."""
    word = registers.get(address)
    scale: int | None = None if word is None else _scale_factor((word,))
    return scale


def read_value(registers: Registers, origin: int, point: Point, scale_origin: int | None = None) -> float | None:
    """The value of a number point in its unit. Unknown (None) as well where its scale factor is not implemented.

    `scale_origin` is the address of the model id word, for a point in a module; otherwise it is `origin`.
    """
    raw: float | None = read_raw(registers, origin, point)
    if raw is None or point.scale_offset is None:
        return raw
    scale = read_scale(registers, (origin if scale_origin is None else scale_origin) + point.scale_offset)
    return None if scale is None else scale_up(raw, scale)
