"""A step waits as long as a device really takes to go back, and no timer is expected where there is none."""

from __future__ import annotations

import pytest

from orchestrator.commissioning.revert import fallback_of, timing_of
from orchestrator.commissioning.steps import Quantity
from orchestrator.commissioning.trial import Timing
from orchestrator.devices.makes.library import load_profile
from orchestrator.devices.makes.registers import to_words
from orchestrator.devices.profiles.device import ProfileDevice

ASKED = Timing(revert_s=30.0)
KEEP, FALL_BACK = 2506, 2507


def timing(make: str, quantity: Quantity, asked: Timing = ASKED) -> Timing:
    return timing_of(ProfileDevice(load_profile(make)), quantity, asked)


@pytest.mark.parametrize(("asked_s", "really_s"), [(2.0, 60.0), (30.0, 60.0), (60.0, 60.0), (61.0, 120.0)])
def test_a_time_in_whole_minutes_is_waited_for_in_whole_minutes(asked_s: float, really_s: float) -> None:
    assert timing("huawei-luna", Quantity.BATTERY, Timing(revert_s=asked_s)).revert_s == really_s


def test_a_time_that_the_make_takes_as_it_is_told_stays() -> None:
    assert timing("solaredge-storedge", Quantity.BATTERY) == ASKED


def test_a_fixed_time_is_that_of_the_make_and_may_have_been_set_longer_by_the_installer() -> None:
    fixed = timing("kostal-plenticore", Quantity.BATTERY)

    assert (fixed.revert_s, fixed.has_timer) == (30.0, True)
    assert fixed.late_share * fixed.revert_s > 60.0


def test_a_make_without_a_timer_is_known_for_it() -> None:
    assert not timing("goodwe-et", Quantity.BATTERY).has_timer
    assert not timing("huawei-luna", Quantity.AC).has_timer


@pytest.mark.parametrize("make", ["kostal-plenticore", "fronius-gen24", "goodwe-et"])
def test_what_the_models_of_sunspec_do_and_what_cannot_be_asked_waits_as_asked(make: str) -> None:
    assert timing(make, Quantity.AC) == ASKED


def test_a_device_of_the_standard_waits_as_asked() -> None:
    assert timing_of(object(), Quantity.BATTERY, ASKED) == ASKED


def sma(when_silent: int, after_s: int, to_percent: int) -> ProfileDevice:
    """One that was set so."""
    profile = load_profile("sma")
    said = {"limit_when_silent": when_silent, "limit_timeout": after_s, "limit_fallback": 100 * to_percent}
    words = {}
    for name, raw in said.items():
        register = profile.registers[name]
        words |= dict(enumerate(to_words(register, raw, profile.word_order), register.place))
    return ProfileDevice(profile, fixed=words)


def test_what_is_set_in_the_device_is_waited_for() -> None:
    assert timing_of(sma(FALL_BACK, 45, 30), Quantity.AC, ASKED).revert_s == 45.0
    assert not timing_of(sma(KEEP, 45, 30), Quantity.AC, ASKED).has_timer


def test_what_a_device_falls_back_to_is_told_as_the_device_says_it() -> None:
    battery = "battery: to its own default 60 s after the last write"

    assert fallback_of(sma(FALL_BACK, 45, 30)) == f"AC limit: to 30 % 45 s after the last write; {battery}"
    assert fallback_of(sma(KEEP, 45, 30)) == f"AC limit: never by itself: it stays as it was told last; {battery}"
    assert fallback_of(object()) == ""
