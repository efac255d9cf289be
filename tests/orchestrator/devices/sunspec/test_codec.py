"""The codec table: every value comes back as it went in, and nothing that cannot be true comes back at all."""

from __future__ import annotations

import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.sunspec.codec import TYPES, PointType, pack_string, scale_down, scale_up

WORD = st.integers(0, 0xFFFF)
INTEGERS = [name for name in TYPES if not name.startswith(("float", "string"))]
FLOATS = {"float32": 32, "float64": 64}


def values_of(point_type: PointType) -> st.SearchStrategy[int]:
    return st.integers(int(point_type.low), int(point_type.high))


@pytest.mark.parametrize("name", INTEGERS)
@given(data=st.data())
def test_an_integer_comes_back_as_it_went_in(name: str, data: st.DataObject) -> None:
    point_type = TYPES[name]
    value = data.draw(values_of(point_type))

    words = point_type.pack(value)

    assert len(words) == point_type.words
    assert all(0 <= word <= 0xFFFF for word in words)
    assert point_type.unpack(words) == value


@pytest.mark.parametrize("name", INTEGERS)
@given(data=st.data())
def test_any_words_are_a_value_in_range_or_nothing(name: str, data: st.DataObject) -> None:
    point_type = TYPES[name]
    words = data.draw(st.tuples(*[WORD] * point_type.words))

    value = point_type.unpack(words)

    assert value is None or point_type.low <= value <= point_type.high


@pytest.mark.parametrize("name", FLOATS)
@given(data=st.data())
def test_a_float_comes_back_as_it_went_in(name: str, data: st.DataObject) -> None:
    value = data.draw(st.floats(width=FLOATS[name], allow_nan=False, allow_infinity=False))

    assert TYPES[name].unpack(TYPES[name].pack(value)) == value


@pytest.mark.parametrize("name", FLOATS)
@given(data=st.data())
def test_any_words_are_a_finite_float_or_nothing(name: str, data: st.DataObject) -> None:
    words = data.draw(st.tuples(*[WORD] * TYPES[name].words))

    value = TYPES[name].unpack(words)

    assert value is None or math.isfinite(value)


@given(st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=("Cs", "Z", "C")), max_size=10))
def test_a_text_comes_back_as_it_went_in(text: str) -> None:
    assert TYPES["string"].unpack(pack_string(text, 20)) == (text or None)


@given(st.lists(WORD, min_size=1, max_size=16))
def test_any_words_are_a_text_or_nothing(words: list[int]) -> None:
    text = TYPES["string"].unpack(words)

    assert text is None or (text and "\0" not in text)


@given(WORD)
def test_one_word_means_the_same_alone_and_in_a_sequence(word: int) -> None:
    of_one_word = [each for each in TYPES.values() if each.unpack_word is not None]

    assert {each.name for each in of_one_word} == {each.name for each in TYPES.values() if each.words == 1}
    assert [each.unpack_word(word) for each in of_one_word] == [each.unpack((word,)) for each in of_one_word]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("int16", (0x8000,)),
        ("uint16", (0xFFFF,)),
        ("enum16", (0xFFFF,)),
        ("bitfield16", (0xFFFF,)),
        ("sunssf", (0x8000,)),
        ("acc16", (0,)),
        ("int32", (0x8000, 0)),
        ("uint32", (0xFFFF, 0xFFFF)),
        ("bitfield32", (0xFFFF, 0xFFFF)),
        ("acc32", (0, 0)),
        ("int64", (0x8000, 0, 0, 0)),
        ("uint64", (0xFFFF, 0xFFFF, 0xFFFF, 0xFFFF)),
        ("acc64", (0, 0, 0, 0)),
        ("float32", (0x7FC0, 0)),
        ("float64", (0x7FF8, 0, 0, 0)),
    ],
)
def test_not_implemented_is_unknown_and_unknown_is_written_as_not_implemented(
    name: str, words: tuple[int, ...]
) -> None:
    assert TYPES[name].unpack(words) is None
    assert TYPES[name].pack(None) == words
    assert TYPES[name].not_implemented == words


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize("name", FLOATS)
def test_a_float_that_is_no_number_is_unknown_and_cannot_be_written(name: str, value: float) -> None:
    code = {"float32": ">f", "float64": ">d"}[name]
    words = struct.unpack(f">{TYPES[name].words}H", struct.pack(code, value))

    assert TYPES[name].unpack(words) is None
    with pytest.raises(ValueError, match="does not fit"):
        TYPES[name].pack(value)


@pytest.mark.parametrize("word", [11, 0x7FFF, 0xFFF5, 0x8000])
def test_a_scale_factor_outside_minus_10_to_10_is_unknown(word: int) -> None:
    assert TYPES["sunssf"].unpack((word,)) is None


def test_the_outermost_scale_factors_are_known() -> None:
    assert TYPES["sunssf"].unpack((10,)) == 10
    assert TYPES["sunssf"].unpack((0x10000 - 10,)) == -10


def test_a_bitfield_with_its_top_bit_set_says_nothing() -> None:
    assert TYPES["bitfield16"].unpack((0x8001,)) is None
    assert TYPES["bitfield32"].unpack((0x8000, 1)) is None
    assert TYPES["bitfield16"].unpack((0x7FFF,)) == 0x7FFF


@pytest.mark.parametrize(
    ("name", "value"),
    [("int16", 0x8000), ("int16", -0x8000), ("uint16", -1), ("uint16", 0xFFFF), ("enum16", 0x10000), ("sunssf", 11)],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, value: int) -> None:
    with pytest.raises(ValueError, match=f"{value} does not fit {name}"):
        TYPES[name].pack(value)


def test_a_text_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="does not fit 1 registers"):
        pack_string("abc", 1)


def test_texts_lose_the_padding_of_any_make() -> None:
    assert TYPES["string"].unpack(pack_string("KOSTAL  ", 8)) == "KOSTAL"
    assert TYPES["string"].unpack((0x4142, 0x0043, 0x4400)) == "AB"


@given(st.integers(-32767, 32767), st.integers(-10, 10))
def test_scaling_down_undoes_scaling_up(raw: int, scale: int) -> None:
    assert round(scale_down(scale_up(raw, scale), scale)) == raw


def test_scaling_gives_the_number_that_people_would_write() -> None:
    assert scale_up(26098, -1) == 2609.8
    assert scale_up(3, -1) == 0.3
    assert scale_up(108, 1) == 1080
