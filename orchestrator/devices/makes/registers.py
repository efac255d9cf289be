"""The registers of a profile: where each lies, and how its words become a value in its unit and back."""

from __future__ import annotations

import math
import struct
from functools import cached_property
from typing import Annotated, Final, Literal

from pydantic import Field, model_validator

from orchestrator.devices.addresses import Place
from orchestrator.devices.base import Registers
from orchestrator.documents.section import Section

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", description="a name of a-z, 0-9 and '_'")]
WordOrder = Literal["big", "little"]
TypeName = Literal["u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64", "text"]

WORDS_MAX: Final = 125
"""So many words a Modbus request may ask for."""

_WORDS: Final = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4, "i64": 4, "f32": 2, "f64": 4}
_FLOATS: Final = {"f32": ">f", "f64": ">d"}
_NO_FLOAT: Final = float.fromhex("0x1.fffffep+127")
"""SolarEdge says "not supported" with -FLT_MAX: a power of this size is none."""
_LARGEST_FLOAT: Final = float.fromhex("0x1.fffffcp+127")
"""The one before it."""


class SignBits(Section):
    """`sign:` where the sign of a value stands: in bits of another register. While none of them is set, it has its own.

    `plus_bits` and `minus_bits` are sums of powers of two.
    """

    register_: Annotated[Key, Field(alias="register")]
    plus_bits: Annotated[int, Field(ge=1, le=0xFFFF)]
    minus_bits: Annotated[int, Field(ge=1, le=0xFFFF)]


class Register(Section):
    """`registers.<name>:` one value of the device.

    `address` is the 0-based wire address. The value in its unit is raw number x `scale`; `missing` are raw numbers that
    say "not available", `low` and `high` the values that can be true. `values` names raw numbers. `flash` marks a
    setting that the device keeps for good, which wears it out; `renews` one of these that keeps a command alive, and is
    written again as it is; `counts_down` a timer that runs; `read_back` false what cannot be read; `write_single` what
    is taken one word a request (function 6) only; `when_missing` the value where the device says "not available";
    `phase` what is not written to a device of fewer phases; `byte_order` little a text whose second character comes
    first in each word.
    """

    address: Annotated[int, Field(ge=0, le=65535)]
    type: TypeName = "u16"
    words: Annotated[int, Field(ge=1, le=40)] | None = None
    table: Literal["holding", "input"] = "holding"
    unit_id: Annotated[int, Field(ge=1, le=255)] | None = None
    word_order: WordOrder | None = None
    byte_order: WordOrder = "big"
    scale: Annotated[float, Field(ge=1e-9, le=1e6)] = 1.0
    missing: Annotated[tuple[int, ...], Field(strict=False)] = ()
    low: float | None = None
    high: float | None = None
    values: dict[Key, int] = Field(default_factory=dict)
    flash: bool = False
    renews: bool = False
    counts_down: bool = False
    read_back: bool = True
    write_single: bool = False
    when_missing: float | None = None
    sign: SignBits | None = None
    phase: Annotated[int, Field(ge=1, le=3)] | None = None

    @model_validator(mode="after")
    def _text_has_a_length(self) -> Register:
        if (self.type == "text") != (self.words is not None):
            raise ValueError("'words' belongs to a register of the type 'text', and to no other")
        if self.byte_order != "big" and self.type != "text":
            raise ValueError("'byte_order' belongs to a register of the type 'text', and to no other")
        return self

    @cached_property
    def size(self) -> int:
        """How many words it has."""
        return self.words or _WORDS[self.type]

    @cached_property
    def place(self) -> int:
        """The number of its first word's place, see `drivers.places`."""
        return Place(self.address, self.unit_id, self.table == "input").number

    @cached_property
    def end(self) -> int:
        """The place behind it."""
        return self.place + self.size


def read_raw(register: Register, words: Registers, order: WordOrder) -> float | None:
    """The raw number of a register; None where it was not read, or says that there is none."""
    parts = _parts(register, words, order)
    if parts is None or register.type == "text":
        return None
    number = _whole(parts)
    if number in register.missing:
        return None
    if register.type in _FLOATS:
        value = _float(number, _FLOATS[register.type])
        return value if math.isfinite(value) and abs(value) < _NO_FLOAT else None
    bits = 16 * register.size
    if register.type.startswith("i") and number >> (bits - 1):
        number -= 1 << bits
    return None if number in register.missing else number


def read_value(register: Register, words: Registers, order: WordOrder) -> float | None:
    """The value of a register in its unit; None where it was not read, or says that there is none."""
    raw = read_raw(register, words, order)
    if raw is not None:
        return raw * register.scale
    return None if _parts(register, words, order) is None else register.when_missing


def read_text(register: Register, words: Registers, order: WordOrder) -> str:
    """The text of a register, or its number as text; empty where there is none."""
    if register.type != "text":
        raw = read_raw(register, words, order)
        return "" if raw is None else str(raw) if isinstance(raw, int) else f"{raw:g}"
    parts = _parts(register, words, "big")
    if parts is None:
        return ""
    # Some makes put one letter into each register.
    size = 1 if all(word < 0x100 for word in parts) else 2
    data = b"".join(word.to_bytes(size, register.byte_order) for word in parts)
    text = data.split(b"\0", 1)[0].decode("utf-8", "replace")
    return "".join(filter(str.isprintable, text)).strip()


def to_words(register: Register, raw: float, order: WordOrder) -> tuple[int, ...]:
    """A raw number as words, put to the nearest end of the type where it does not fit.

    A float that lies between two is put to the one nearer to 0, so that never more is asked for.
    """
    low, high = raw_range(register)
    within = min(max(raw, low), high)
    number = _float_bits(within, _FLOATS[register.type]) if register.type in _FLOATS else round(within)
    words = tuple((number >> 16 * (register.size - 1 - index)) & 0xFFFF for index in range(register.size))
    return words[::-1] if (register.word_order or order) == "little" else words


def _parts(register: Register, words: Registers, order: WordOrder) -> list[int] | None:
    """Its words, high word first; None where one was not read."""
    parts = [words.get(at) for at in range(register.place, register.end)]
    if (register.word_order or order) == "little" and register.type != "text":
        parts.reverse()
    return None if None in parts else parts  # type: ignore[return-value]


def _whole(parts: list[int]) -> int:
    number = 0
    for word in parts:
        number = number << 16 | word
    return number


def raw_range(register: Register) -> tuple[float, float]:
    """The least and the greatest raw number of its type."""
    if register.type in _FLOATS:
        return -_LARGEST_FLOAT, _LARGEST_FLOAT
    bits = 16 * register.size
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if register.type.startswith("i") else (0, (1 << bits) - 1)


def _float(bits: int, kind: str) -> float:
    return float(struct.unpack(kind, bits.to_bytes(struct.calcsize(kind), "big"))[0])


def _float_bits(value: float, kind: str) -> int:
    """The nearest float of this kind that is not further from 0."""
    bits = int.from_bytes(struct.pack(kind, value), "big")
    return bits - 1 if abs(_float(bits, kind)) > abs(value) else bits
