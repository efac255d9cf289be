"""What holds for every meter of the profiles, whatever words come from its address."""

from __future__ import annotations

from math import isfinite

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.makes.library import load_profile, meter_profile_names, profile_names
from orchestrator.devices.makes.schema import MeterNeed, Profile
from orchestrator.devices.profiles import decode
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.profiles.discovery import discover
from orchestrator.devices.profiles.plan import fixed_names, meter_names, requests
from orchestrator.devices.sunspec.decoding.plausible import WATTS_MAX
from orchestrator.errors import DeviceError, NonsenseReply

ALL = {name: load_profile(name) for name in (*meter_profile_names(), *profile_names())}
METERS = {name: profile for name, profile in ALL.items() if profile.meter is not None}
WORDS = st.integers(0, 0xFFFF) | st.sampled_from([0, 0x7FFF, 0x7FC0, 0x7FF8, 0x8000, 0xFFFF, 0xFF7F])


def places(profile: Profile, names: tuple[str, ...]) -> list[int]:
    planned = requests(profile, names)
    return [at for request in planned for at in range(request.address, request.address + request.count)]


@pytest.mark.parametrize("name", METERS)
@given(data=st.data())
def test_any_words_are_a_power_that_can_be_or_nonsense(name: str, data: st.DataObject) -> None:
    profile = METERS[name]
    at = places(profile, meter_names(profile))
    words = data.draw(st.lists(WORDS | st.none(), min_size=len(at), max_size=len(at)))
    registers = {place: word for place, word in zip(at, words, strict=True) if word is not None}
    try:
        sample = decode.decode_meter(ProfileDevice(profile), registers, 1.0)
    except NonsenseReply:
        return

    assert isfinite(sample.site_watts)
    assert abs(sample.site_watts) <= WATTS_MAX
    assert len(sample.phase_watts) in (0, 3)
    assert all(wh is None or wh >= 0 for wh in (sample.import_wh, sample.export_wh))
    assert sample.frequency_hz is None or 0 <= sample.frequency_hz <= 655.35


def needs_of(name: str) -> tuple[MeterNeed, ...]:
    meter = METERS[name].meter
    return () if meter is None else meter.needs


@pytest.mark.parametrize("name", [name for name in METERS if needs_of(name)])
@given(setting=st.integers(0, 0xFFFF))
def test_a_meter_is_taken_only_where_its_settings_are_such_that_it_shows_export(name: str, setting: int) -> None:
    profile = METERS[name]
    (need,) = needs_of(name)
    register = profile.registers[need.register_]
    right = {register.values.get(str(each), each) for each in need.is_}
    known = {register.place: setting, profile.registers["model"].place: MODELS[name]}

    refusal = refused(profile, known)

    assert (refusal == "") == (setting in right)
    assert refusal == "" or need.because in refusal
    assert set(fixed_names(profile)) >= {need.register_}


def refused(profile: Profile, known: dict[int, int]) -> str:
    """Why a device with these words, and other ones elsewhere, is refused as a meter; empty where it is taken."""
    steps = discover(profile, "meter")
    answer: tuple[int, ...] | None = None
    try:
        while True:
            request = next(steps) if answer is None else steps.send(answer)
            answer = tuple(known.get(at, 0x3030) for at in range(request.address, request.address + request.count))
    except StopIteration:
        return ""
    except DeviceError as trouble:
        return str(trouble)


MODELS = {"carlo-gavazzi-em24": 72, "carlo-gavazzi-em24-e1": 1650, "carlo-gavazzi-em340": 340}
