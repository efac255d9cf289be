import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.sunspec.words import (
    ACC32,
    ACC64,
    INT16,
    SCALE,
    TEXT,
    UINT16,
    UINT32,
    encode,
    fitting_scale,
    signed,
)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (INT16, (0x8000,)),
        (UINT16, (0xFFFF,)),
        (SCALE, (0x8000,)),
        (UINT32, (0xFFFF, 0xFFFF)),
        (ACC32, (0, 0)),
        (ACC64, (0, 0, 0, 0)),
        (TEXT[4], (0, 0, 0, 0)),
    ],
)
def test_what_is_missing_has_the_sentinel_of_its_kind(kind, words) -> None:
    assert encode(kind, None) == words


@pytest.mark.parametrize(
    ("kind", "value", "scale", "words"),
    [
        (INT16, -29.3, -2, (0xF48E,)),
        (INT16, 29.3, -2, (0x0B72,)),
        (INT16, -3000, 0, (0xF448,)),
        (UINT16, 12340, 1, (1234,)),
        (UINT32, 0x12345678, 0, (0x1234, 0x5678)),
        (TEXT[4], "SunSpec", 0, (0x5375, 0x6E53, 0x7065, 0x6300)),
    ],
)
def test_values_become_big_endian_words(kind, value, scale, words) -> None:
    assert encode(kind, value, scale) == words


@given(value=st.floats(-1e7, 1e7), scale=st.integers(-3, 3))
def test_no_value_can_look_like_a_missing_one(value: float, scale: int) -> None:
    assert encode(INT16, value, scale) != (0x8000,)
    assert encode(UINT16, value, scale) != (0xFFFF,)


@given(value=st.integers(-0x7FFF, 0x7FFF))
def test_signed_undoes_int16(value: int) -> None:
    assert signed(encode(INT16, value)[0]) == value


@given(largest=st.floats(1, 1e8), finest=st.integers(-2, 0))
def test_a_fitting_scale_holds_the_largest_value_and_is_no_coarser_than_needed(largest: float, finest: int) -> None:
    scale = fitting_scale(largest, finest)

    assert largest / 10.0**scale <= 0x7FFF
    assert scale == finest or largest / 10.0 ** (scale - 1) > 0x7FFF
