"""Points out of registers: raw or scaled, None where the device does not say."""

from __future__ import annotations

from typing import Any, Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.codec import SCALE_MAX, SCALE_MIN, TYPES, scale_up
from orchestrator.devices.sunspec.models import Point

_SCALE_FACTORS: Final[dict[int | None, int]] = {
    TYPES["sunssf"].pack(scale)[0]: scale for scale in range(SCALE_MIN, SCALE_MAX + 1)
}
"""What each word of a scale factor means: looked up with every value, and so not unpacked each time."""


def read_raw(registers: Registers, origin: int, point: Point) -> Any:
    """The unscaled value of a point; `origin` is the address of its model id word (or of its module's first word).

    None where a word was not read, or the device says "not implemented".
    """
    address = origin + point.offset
    unpack_word = point.type.unpack_word
    if unpack_word is not None:
        word = registers.get(address)
        return None if word is None else unpack_word(word)
    words = [registers.get(at) for at in range(address, address + point.words)]
    return None if None in words else point.type.unpack(words)  # type: ignore[arg-type]


def read_scale(registers: Registers, address: int) -> int | None:
    """The scale factor at `address`, None where it is not implemented or not within -10..10."""
    return _SCALE_FACTORS.get(registers.get(address))


def read_value(registers: Registers, origin: int, point: Point, scale_origin: int | None = None) -> float | None:
    """The value of a number point in its unit. Unknown (None) as well where its scale factor is not implemented.

    `scale_origin` is the address of the model id word, for a point in a module; otherwise it is `origin`.
    """
    unpack_word = point.type.unpack_word
    raw: float | None
    if unpack_word is None:
        raw = read_raw(registers, origin, point)
    else:  # as `read_raw` does: most points are such, and they are most of the time of decoding
        word = registers.get(origin + point.offset)
        raw = None if word is None else unpack_word(word)
    if raw is None or point.scale_offset is None:
        return raw
    word = registers.get((origin if scale_origin is None else scale_origin) + point.scale_offset)
    scale = _SCALE_FACTORS.get(word)
    return None if scale is None else scale_up(raw, scale)
