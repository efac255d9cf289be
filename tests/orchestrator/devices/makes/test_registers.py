"""Registers of a profile: words to values and back, for every type and both word orders."""

from __future__ import annotations

import math
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.makes.registers import (
    Register,
    WordOrder,
    raw_range,
    read_raw,
    read_text,
    read_value,
    to_words,
)

WHOLE = ("u16", "i16", "u32", "i32", "u64", "i64")
ORDERS: tuple[WordOrder, ...] = ("big", "little")
AT = 100

types = st.sampled_from(WHOLE)
orders = st.sampled_from(ORDERS)


def register(**keys: Any) -> Register:
    return Register.model_validate({"address": AT, **keys})


def put(words: tuple[int, ...]) -> dict[int, int]:
    return dict(enumerate(words, AT))


def float_words(value: float) -> tuple[int, ...]:
    return struct.unpack(">HH", struct.pack(">f", value))


@given(types, orders, st.data())
def test_a_whole_number_that_fits_is_read_as_it_was_written(kind: str, order: WordOrder, data: st.DataObject) -> None:
    it = register(type=kind)
    low, high = raw_range(it)
    raw = data.draw(st.integers(int(low), int(high)))
    words = to_words(it, raw, order)

    assert len(words) == it.size
    assert all(0 <= word <= 0xFFFF for word in words)
    assert read_raw(it, put(words), order) == raw


@given(types, orders, st.integers(-(10**30), 10**30) | st.floats(allow_nan=False))
def test_a_number_that_does_not_fit_is_put_to_its_end(kind: str, order: WordOrder, raw: float) -> None:
    it = register(type=kind)
    low, high = raw_range(it)
    back = read_raw(it, put(to_words(it, raw, order)), order)

    assert back == (low if raw <= low else high if raw >= high else round(raw))


@given(orders, st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_float_is_read_as_it_was_written(order: WordOrder, value: float) -> None:
    it = register(type="f32")
    low, high = raw_range(it)
    back = read_raw(it, put(to_words(it, value, order)), order)

    assert back == min(max(value, low), high)


@given(st.floats(allow_nan=False))
def test_a_float_is_never_written_further_from_zero(value: float) -> None:
    it = register(type="f32")
    back = read_raw(it, put(to_words(it, value, "big")), "big")

    assert back is not None
    assert abs(back) <= abs(value)
    assert back == 0 or math.copysign(1.0, back) == math.copysign(1.0, value)
    if 1e-30 < abs(value) < 1e30:
        assert back == pytest.approx(value, rel=2**-22)


@given(orders, st.floats(-1e30, 1e30))
def test_a_long_float_keeps_all_its_digits(order: WordOrder, value: float) -> None:
    it = register(type="f64")
    words = to_words(it, value, order)

    assert len(words) == it.size == 4
    assert read_raw(it, put(words), order) == value
    assert read_raw(it, put((0x7FF8, 0, 0, 0)), "big") is None


def test_a_text_may_have_the_second_character_of_each_word_first() -> None:
    it = register(type="text", words=3, byte_order="little")

    assert read_text(it, put((0x5053, 0x4D45, 0x002D)), "little") == "SPEM-"
    assert read_text(register(type="text", words=3), put((0x5350, 0x454D, 0x2D00)), "little") == "SPEM-"


def test_the_low_word_comes_first_where_the_profile_or_the_register_says_so() -> None:
    assert to_words(register(type="u32"), 0x12345678, "big") == (0x1234, 0x5678)
    assert to_words(register(type="u32"), 0x12345678, "little") == (0x5678, 0x1234)
    assert to_words(register(type="u32", word_order="big"), 0x12345678, "little") == (0x1234, 0x5678)
    assert to_words(register(type="i64"), -2, "little") == (0xFFFE, 0xFFFF, 0xFFFF, 0xFFFF)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, -3.4028234663852886e38, 3.4028234663852886e38])
def test_what_a_float_says_when_there_is_none_is_unknown(value: float) -> None:
    assert read_raw(register(type="f32"), put(float_words(value)), "big") is None


@pytest.mark.parametrize(
    ("kind", "missing", "words"),
    [
        ("u16", 0xFFFF, (0xFFFF,)),
        ("i16", 0x8000, (0x8000,)),
        ("i16", -32768, (0x8000,)),
        ("i32", -1, (0xFFFF, 0xFFFF)),
        ("i32", 0xFFFFFFFF, (0xFFFF, 0xFFFF)),
        ("u32", 16777213, (0x00FF, 0xFFFD)),
        ("f32", 0x447A0000, float_words(1000.0)),
    ],
)
def test_a_sentinel_is_unknown_with_and_without_its_sign(kind: str, missing: int, words: tuple[int, ...]) -> None:
    assert read_raw(register(type=kind, missing=[missing]), put(words), "big") is None
    assert read_raw(register(type=kind), put(words), "big") is not None


@given(st.integers(0, 0xFFFF), st.sampled_from([0.01, 0.1, 1.0, 10.0, 60.0, 100.0]))
def test_a_value_is_its_raw_number_times_its_scale(raw: int, scale: float) -> None:
    it = register(scale=scale)

    assert read_value(it, {AT: raw}, "big") == raw * scale


@pytest.mark.parametrize("kind", ["u32", "f32", "u64"])
def test_a_value_of_which_a_word_was_not_read_is_unknown(kind: str) -> None:
    it = register(type=kind)
    words = put(to_words(it, 12, "big"))
    del words[AT + 1]

    assert read_raw(it, words, "big") is None
    assert read_value(it, {}, "big") is None


@given(st.text(st.characters(codec="ascii", categories=["L", "N", "P"]), max_size=12))
def test_a_text_is_read_up_to_its_end_in_any_word_order(text: str) -> None:
    it = register(type="text", words=8)
    data = text.encode().ljust(16, b"\0")
    words = put(struct.unpack(">8H", data))

    assert read_text(it, words, "big") == read_text(it, words, "little") == text
    assert read_raw(it, words, "big") is None


def test_a_text_is_one_line_without_what_cannot_be_shown() -> None:
    words = put(struct.unpack(">8H", b" A\nB\x1b[2J\xff7\0 rest".ljust(16, b"\0")))

    assert read_text(register(type="text", words=8), words, "big") == "AB[2J\N{REPLACEMENT CHARACTER}7"


@given(st.integers(0, 2**32 - 1))
def test_a_number_as_text_has_all_its_digits(serial: int) -> None:
    it = register(type="u32")

    assert read_text(it, put(to_words(it, serial, "big")), "big") == str(serial)


def test_what_was_not_read_is_no_text() -> None:
    assert read_text(register(type="text", words=2), {AT: 0x4142}, "big") == ""
    assert read_text(register(missing=[0xFFFF]), {AT: 0xFFFF}, "big") == ""
