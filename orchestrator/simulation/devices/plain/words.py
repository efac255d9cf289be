"""The types of registers that makes use besides SunSpec, as words. Shares nothing with the drivers' codec."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from orchestrator.simulation.devices.sunspec.words import Words, split


@dataclass(frozen=True, slots=True)
class Plain:
    """A type: its size in words, whether it is signed, a float, or text."""

    words: int
    signed: bool = False
    floating: bool = False
    text: bool = False


U16, I16 = Plain(1), Plain(1, signed=True)
U32, I32 = Plain(2), Plain(2, signed=True)
U64, I64 = Plain(4), Plain(4, signed=True)
F32, F64 = Plain(2, floating=True), Plain(4, floating=True)

_FLOATS = {2: ">f", 4: ">d"}


def text(words: int) -> Plain:
    """Text of up to two characters a word, filled up with NUL."""
    return Plain(words, text=True)


def to_words(kind: Plain, value: float | str, *, little: bool) -> Words:
    """A raw value as words; a number outside of its type is put to the nearest end. `little`: low word first."""
    if isinstance(value, str):
        return split(int.from_bytes(value.encode()[: 2 * kind.words].ljust(2 * kind.words, b"\0"), "big"), kind.words)
    if kind.floating:
        number = int.from_bytes(struct.pack(_FLOATS[kind.words], value), "big")
    else:
        low, high = _range(kind)
        number = min(max(round(value), low), high)
    words = split(number, kind.words)
    return words[::-1] if little else words


def from_words(kind: Plain, words: Words, *, little: bool) -> float:
    """The raw number in `words`."""
    number = 0
    for word in reversed(words) if little else words:
        number = number << 16 | word
    if kind.floating:
        return float(struct.unpack(_FLOATS[kind.words], number.to_bytes(2 * kind.words, "big"))[0])
    return number - (1 << 16 * kind.words) if kind.signed and number >> (16 * kind.words - 1) else number


def _range(kind: Plain) -> tuple[int, int]:
    bits = 16 * kind.words
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if kind.signed else (0, (1 << bits) - 1)
