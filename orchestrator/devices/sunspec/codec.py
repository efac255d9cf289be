"""The point types of SunSpec: one table from type name to words, unpacking, packing and the "not implemented" value.

Words are unsigned 16-bit, high word first. `None` is a point that is not implemented, or not known at the moment.
Source: SunSpec Device Information Model Specification 1.2.1, chapter 6.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

Value = int | float | str
Words = tuple[int, ...]

SCALE_MIN: Final = -10
SCALE_MAX: Final = 10
_POWERS: Final = tuple(10.0**exponent for exponent in range(SCALE_MAX + 1))


@dataclass(frozen=True, slots=True)
class PointType:
    """How one type lies in registers.

    `words` is 0 for strings, whose length each point gives. `unpack` gives None for "not implemented" and for what
    cannot be true (a scale factor of 11, an infinite float). `unpack_word` does the same for the only word of a type
    of one word; other types have none. `pack` writes None as "not implemented" and raises ValueError for a value
    outside `low`..`high`.
    """

    name: str
    words: int
    unpack: Callable[[Sequence[int]], Any]
    pack: Callable[[Any], Words]
    not_implemented: Words
    low: float = 0
    high: float = 0
    unpack_word: Callable[[int], Any] | None = None


def _to_words(raw: int, words: int) -> Words:
    return tuple(raw >> shift & 0xFFFF for shift in range(16 * (words - 1), -1, -16))


def _integer(
    name: str, words: int, sentinel: int, *, low: int, high: int, signed: bool = False, bounded: bool = False
) -> PointType:
    """An integer type. `sentinel` is unsigned; `bounded`: a value outside low..high reads as not implemented."""
    modulus = 1 << 16 * words
    first_negative = modulus >> 1 if signed else modulus

    def meaning(raw: int) -> int | None:
        if raw == sentinel:
            return None
        value = raw if raw < first_negative else raw - modulus
        return None if bounded and not low <= value <= high else value

    def unpack(registers: Sequence[int]) -> int | None:
        raw = 0
        for word in registers:
            raw = raw << 16 | word
        return meaning(raw)

    def pack(value: int | None) -> Words:
        if value is None:
            return _to_words(sentinel, words)
        if not low <= value <= high:
            raise ValueError(f"{value} does not fit {name} ({low} to {high})")
        return _to_words(value % modulus, words)

    not_implemented = _to_words(sentinel, words)
    return PointType(name, words, unpack, pack, not_implemented, low, high, meaning if words == 1 else None)


def _signed(words: int) -> PointType:
    limit = (1 << 16 * words - 1) - 1
    return _integer(f"int{16 * words}", words, limit + 1, low=-limit, high=limit, signed=True)


def _unsigned(name: str, words: int) -> PointType:
    sentinel = (1 << 16 * words) - 1
    return _integer(name, words, sentinel, low=0, high=sentinel - 1)


def _accumulator(words: int) -> PointType:
    return _integer(f"acc{16 * words}", words, 0, low=1, high=(1 << 16 * words) - 1)


def _bitfield(words: int) -> PointType:
    """With its top bit set all bits of a bitfield are to be ignored, not only for the sentinel."""
    sentinel = (1 << 16 * words) - 1
    return _integer(f"bitfield{16 * words}", words, sentinel, low=0, high=sentinel >> 1, bounded=True)


def _float(name: str, words: int, code: str, not_a_number: int) -> PointType:
    high = struct.unpack(">f", b"\x7f\x7f\xff\xff")[0] if words == 2 else math.nextafter(math.inf, 0)
    layout = struct.Struct(f">{words}H")
    value_layout = struct.Struct(f">{code}")
    sentinel = _to_words(not_a_number, words)

    def unpack(registers: Sequence[int]) -> float | None:
        value: float = value_layout.unpack(layout.pack(*registers))[0]
        return value if math.isfinite(value) else None

    def pack(value: float | None) -> Words:
        if value is None:
            return sentinel
        if not -high <= value <= high:
            raise ValueError(f"{value} does not fit {name} ({-high} to {high})")
        return layout.unpack(value_layout.pack(value))

    return PointType(name, words, unpack, pack, sentinel, -high, high)


def _unpack_string(registers: Sequence[int]) -> str | None:
    data = struct.pack(f">{len(registers)}H", *registers)
    # NUL ends it, some makes pad with spaces, and a broken character must not cost us the device.
    text = data.split(b"\0", 1)[0].decode("utf-8", errors="replace").strip()
    return text or None


def pack_string(text: str | None, words: int) -> Words:
    """A text as `words` registers, padded with NUL. Raises ValueError when it is too long."""
    data = (text or "").encode()
    if len(data) > 2 * words:
        raise ValueError(f"{text!r} does not fit {words} registers")
    return struct.unpack(f">{words}H", data.ljust(2 * words, b"\0"))


def _pack_string(text: str | None) -> Words:
    return pack_string(text, (len((text or "").encode()) + 1) // 2)


TYPES: Final[dict[str, PointType]] = {
    point_type.name: point_type
    for point_type in (
        _signed(1),
        _signed(2),
        _signed(4),
        _unsigned("uint16", 1),
        _unsigned("uint32", 2),
        _unsigned("uint64", 4),
        _unsigned("enum16", 1),
        _unsigned("enum32", 2),
        _accumulator(1),
        _accumulator(2),
        _accumulator(4),
        _bitfield(1),
        _bitfield(2),
        _float("float32", 2, "f", 0x7FC00000),
        _float("float64", 4, "d", 0x7FF8 << 48),
        _integer("sunssf", 1, 0x8000, low=SCALE_MIN, high=SCALE_MAX, signed=True, bounded=True),
        PointType("string", 0, _unpack_string, _pack_string, ()),
    )
}
"""Every type that the models use, by its SunSpec name."""


def scale_up(raw: float, scale: int) -> float:
    """The value that `raw` stands for: raw x 10^scale, with scale within -10..10.

    It divides by a whole power of ten where it can, so that 26098 at -1 is 2609.8 and not its neighbour.
    """
    return raw * _POWERS[scale] if scale >= 0 else raw / _POWERS[-scale]


def scale_down(value: float, scale: int) -> float:
    """The unrounded raw number for `value`: value / 10^scale, with scale within -10..10."""
    return value / _POWERS[scale] if scale >= 0 else value * _POWERS[-scale]
