"""Settings keep what they allow, in their own units."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import U32


def limits() -> Settings:
    return Settings(
        [
            Setting("percent", 10, Between(0, 100), 40, gain=0.1),
            Setting("mode", 11, {1, 3}, 1),
            Setting("watts", 12, Between(0, 9000), 9000, U32),
        ]
    )


def test_settings_are_registers_in_raw_words() -> None:
    device = PlainDevice(limits().cells())

    assert device.read(10, 4) == (400, 1, 0, 9000)


def test_what_is_taken_is_shown() -> None:
    settings = limits()
    settings.take({"percent": 12.5})
    settings["mode"] = 3

    assert PlainDevice(settings.cells()).read(10, 2) == (125, 3)
    assert (settings["percent"], settings["mode"], settings["watts"]) == (12.5, 3, 9000)


@pytest.mark.parametrize(
    ("written", "accepted"),
    [
        ({"percent": 100}, True),
        ({"percent": 100.1}, False),
        ({"mode": 2}, False),
        ({"mode": 3, "watts": 9001}, False),
        ({"mode": 3, "watts": 0}, True),
        ({}, True),
    ],
)
def test_one_value_that_is_not_allowed_refuses_all(written: dict[str, float], accepted: object) -> None:
    assert limits().accepts(written) == accepted


@given(low=st.integers(-1000, 1000), width=st.integers(0, 1000), number=st.floats(allow_nan=True, allow_infinity=True))
def test_between_is_both_ends_and_what_lies_between(low: int, width: int, number: float) -> None:
    between = Between(low, low + width)

    assert low in between
    assert low + width in between
    assert (number in between) == (not math.isnan(number) and low <= number <= low + width)
    assert "5" not in between
