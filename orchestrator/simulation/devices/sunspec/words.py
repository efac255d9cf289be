"""The kinds of SunSpec points: how a value becomes 16-bit words, and which words say "not implemented".

This is the simulator's own codec. It shares nothing with the driver, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from dataclasses import dataclass

Words = tuple[int, ...]
Value = float | str | None


@dataclass(frozen=True, slots=True)
class Kind:
    """A type of point: its size in words, its range, and the number that stands for "not implemented"."""

    words: int
    low: int
    high: int
    missing: int


UINT16 = Kind(1, 0, 0xFFFE, 0xFFFF)
INT16 = Kind(1, -0x7FFF, 0x7FFF, 0x8000)
UINT32 = Kind(2, 0, 0xFFFFFFFE, 0xFFFFFFFF)
INT32 = Kind(2, -0x7FFFFFFF, 0x7FFFFFFF, 0x80000000)
UINT64 = Kind(4, 0, 0xFFFFFFFFFFFFFFFE, 0xFFFFFFFFFFFFFFFF)
ACC32 = Kind(2, 0, 0xFFFFFFFF, 0)
ACC64 = Kind(4, 0, 0xFFFFFFFFFFFFFFFF, 0)
ENUM16 = UINT16
BITS16 = UINT16
BITS32 = UINT32
COUNT = UINT16
SCALE = Kind(1, -10, 10, 0x8000)
PAD = Kind(1, 0, 0, 0x8000)
TEXT = {length: Kind(length, 0, 0, 0) for length in (4, 8, 16, 32)}
"""Strings by their length in words; all NUL where not implemented."""


def encode(kind: Kind, value: Value, scale: int = 0) -> Words:
    """`value` as words, divided by 10^scale and rounded. None is "not implemented"; a range never overflows."""
    if isinstance(value, str):
        data = value.encode()[: 2 * kind.words].ljust(2 * kind.words, b"\0")
        return split(int.from_bytes(data, "big"), kind.words)
    if value is None:
        return split(kind.missing, kind.words)
    raw = round(value / 10**scale) if scale >= 0 else round(value * 10**-scale)
    return split(min(max(raw, kind.low), kind.high), kind.words)


def split(number: int, words: int) -> Words:
    """A whole number, in two's complement where it is negative, as big-endian words."""
    return tuple((number >> 16 * (words - 1 - index)) & 0xFFFF for index in range(words))


def signed(word: int) -> int:
    """A 16-bit word read as int16."""
    return word - 0x10000 if word & 0x8000 else word


def whole(kind: Kind, words: Words) -> int:
    """The number in `words`, signed where the kind is."""
    number = 0
    for word in words:
        number = number << 16 | word
    return number - (1 << 16 * kind.words) if kind.low < 0 and number > kind.high else number


def fitting_scale(largest: float, finest: int, highest: int = 0x7FFF) -> int:
    """The smallest scale factor from `finest` on with which `largest` still fits below `highest`."""
    scale = finest
    while largest / 10.0**scale > highest:
        scale += 1
    return scale
