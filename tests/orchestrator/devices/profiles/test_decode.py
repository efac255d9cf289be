"""Words of a cycle as a sample: what cannot be true is unknown and named, for every make."""

from __future__ import annotations

import math
import time
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from orchestrator.devices.makes.file import parse_profile
from orchestrator.devices.makes.registers import Register, read_value, to_words
from orchestrator.errors import NonsenseReply
from orchestrator.samples import ChargeState, InverterSample, Nameplate, OperatingState
from tests.orchestrator.devices.profiles.makes import (
    DRIVERS,
    NAMES,
    cycle_of_make,
    device_of_make,
    found,
    image_of,
    words_of,
)
from tests.orchestrator.devices.profiles.mutants import bounds_of, check_mutants, numbers

OWN_READINGS = [name for name in NAMES if DRIVERS[name].profile.inverter]
OWN_BATTERY = [name for name in NAMES if DRIVERS[name].profile.battery]
WITHOUT_SUNSPEC = [name for name in OWN_READINGS if DRIVERS[name].profile.sunspec is None]
WITH_METER = [name for name in NAMES if DRIVERS[name].profile.meter]
Words = dict[int, int]
SECONDS_MOST = 240.0


def register(name: str, key: str) -> Register:
    return DRIVERS[name].profile.registers[key]


def with_value(name: str, words: Words, key: str, raw: float) -> Words:
    """The words with another raw number in one register."""
    it = register(name, key)
    return words | dict(enumerate(to_words(it, raw, DRIVERS[name].profile.word_order), it.place))


def sample(name: str, words: Words, **changes: Any) -> InverterSample:
    device = replace(device_of_make(name), **changes)
    return DRIVERS[name].decode_inverter(device, "x", words, 7.0)


def cycle(name: str) -> Words:
    return dict(cycle_of_make(name))


@pytest.mark.parametrize("name", NAMES)
def test_a_sound_cycle_is_a_sample_without_faults(name: str) -> None:
    read = sample(name, cycle(name))

    assert (read.name, read.at_s, read.faults) == ("x", 7.0, ())
    assert read.ac_watts is not None
    assert read.battery is not None
    assert read.battery.watts is not None
    assert read.battery.soc_percent == pytest.approx(50.0, abs=1.0)
    assert read.nameplate == device_of_make(name).nameplate


@pytest.mark.parametrize("name", WITHOUT_SUNSPEC)
def test_a_frame_of_zeros_is_nonsense(name: str) -> None:
    with pytest.raises(NonsenseReply, match="zero"):
        sample(name, dict.fromkeys(cycle(name), 0))


@pytest.mark.parametrize("name", WITHOUT_SUNSPEC)
def test_a_cycle_of_which_nothing_was_read_is_nonsense(name: str) -> None:
    with pytest.raises(NonsenseReply, match="read"):
        sample(name, {})


@pytest.mark.parametrize("name", [name for name in OWN_READINGS if DRIVERS[name].profile.sunspec])
def test_zeros_of_a_makes_own_registers_are_unknown_and_named(name: str) -> None:
    words = cycle(name)
    own = {at for it in DRIVERS[name].profile.registers.values() for at in range(it.place, it.end)}
    read = sample(name, words | dict.fromkeys(own & words.keys(), 0))

    assert read.faults == ("all_zero_registers",)
    assert read.battery is not None
    assert (read.battery.watts, read.battery.soc_percent, read.pv_watts) == (None, None, None)


@pytest.mark.parametrize("name", OWN_BATTERY)
@pytest.mark.parametrize("raw", [0xFFFF, 1001 * 65, 101e6])
def test_a_state_of_charge_beyond_100_is_unknown_and_named_once(name: str, raw: float) -> None:
    key = DRIVERS[name].profile.battery.soc_percent  # type: ignore[union-attr]
    read = sample(name, with_value(name, cycle(name), key, raw))
    sentinel = read_value(register(name, key), with_value(name, {}, key, raw), DRIVERS[name].profile.word_order) is None

    assert read.battery is not None
    assert read.battery.soc_percent is None
    assert read.faults == (() if sentinel else ("implausible_soc_percent",))


@pytest.mark.parametrize("name", OWN_READINGS)
def test_a_jump_far_above_the_nameplate_is_unknown_and_named(name: str) -> None:
    profile = DRIVERS[name].profile
    assert profile.battery is not None
    keys = [term.strip("-?") for term in profile.battery.watts]
    watts = 32_000.0
    read = sample(name, with_value(name, cycle(name), keys[0], watts / register(name, keys[0]).scale))

    assert read.battery is not None
    assert read.battery.watts is None
    assert "implausible_battery_watts" in read.faults


@pytest.mark.parametrize("name", OWN_READINGS)
def test_a_night_of_sentinels_is_unknown_and_no_value(name: str) -> None:
    words = cycle(name)
    profile = DRIVERS[name].profile
    for key, it in profile.registers.items():
        missing = it.missing or ((0x7FC00000,) if it.type == "f32" else ())
        if missing and it.place in words:
            bits = missing[0] & (1 << 16 * it.size) - 1
            plain = it.model_copy(update={"type": {1: "u16", 2: "u32", 4: "u64"}[it.size]})
            words |= dict(enumerate(to_words(plain, bits, profile.word_order), it.place))
            assert read_value(it, words, profile.word_order) == it.when_missing, key
    try:
        read = sample(name, words)
    except NonsenseReply:
        return
    assert read.battery is not None
    assert read.battery.soc_percent is None
    if profile.registers[profile.battery.soc_percent].type == "f32":  # type: ignore[union-attr]
        assert read.battery.watts is None or name == "kostal-plenticore"


def test_a_value_outside_of_what_can_be_true_is_named_after_its_register() -> None:
    read = sample("sma", with_value("sma", cycle("sma"), "dc1_power", -2000))

    assert read.pv_watts is None
    assert read.faults == ("implausible_dc1_power",)


def test_a_string_that_cannot_be_true_is_unknown() -> None:
    name = "huawei-luna"
    words = with_value(name, with_value(name, cycle(name), "pv1_voltage", 30_000), "pv1_current", 30_000)
    read = sample(name, words)

    assert read.string_watts[0] is None
    assert read.string_watts[1] is not None
    assert read.faults == ("implausible_string_watts",)


@pytest.mark.parametrize(("raw", "shown"), [(4000, 4000.0), (0, 0.0), (4_000_000, None), (0xFFFFFFFF, None)])
def test_a_limit_that_is_shown_is_believed_within_reason(raw: int, shown: float | None) -> None:
    name = "huawei-luna"
    read = sample(name, with_value(name, cycle(name), "fixed_derating", raw))

    assert read.ac_limit_watts == shown
    assert read.faults == (("implausible_ac_limit_watts",) if raw == 4_000_000 else ())


def test_a_limit_counts_only_while_it_is_enabled() -> None:
    name = "solaredge-storedge"
    words = with_value(name, cycle(name), "active_power_limit", 50.0)

    assert sample(name, with_value(name, words, "power_control", 1)).ac_limit_watts == 3000.0
    assert sample(name, with_value(name, words, "power_control", 0)).ac_limit_watts is None


def test_no_value_of_a_cycle_is_taken_from_what_was_read_when_the_device_was_found() -> None:
    name = "victron-gx"
    device = device_of_make(name)
    voltage = register(name, "battery_voltage").place
    words = cycle(name)
    assert voltage in device.fixed
    del words[voltage]
    read = sample(name, words)

    assert read.battery is not None
    assert read.battery.charge_max_watts is None


def test_a_battery_that_is_not_present_is_no_battery_even_where_the_sunspec_map_has_one() -> None:
    name = "kostal-plenticore"
    image = image_of(name)
    image.words[register(name, "battery_type").place] = 0
    device = found(name, image)

    assert device.base is not None
    assert device.base.has_battery
    assert not device.has_battery
    assert not device.capabilities.battery
    assert sample(name, cycle(name), **vars_of(device)).battery is None


def vars_of(device: Any) -> dict[str, Any]:
    return {key: getattr(device, key) for key in ("has_battery", "capabilities", "reads")}


def working(name: str, words: Words) -> Words:
    """The words of a meter that measures, where the make says whether it does."""
    meter = DRIVERS[name].profile.meter
    valid = meter.valid if meter else None
    if valid is None:
        return words
    numbers = [register(name, valid.register_).values.get(str(each), each) for each in valid.is_]
    return with_value(name, words, valid.register_, float(numbers[0]))


@pytest.mark.parametrize("name", WITH_METER)
def test_a_meter_at_exactly_0_watts_is_believed(name: str) -> None:
    image = image_of(name)
    profile = DRIVERS[name].profile
    meter = profile.meter
    assert meter is not None
    device = found(name, image, "meter")
    words = words_of(image, DRIVERS[name].plan_reads(device))
    for term in meter.site_watts:
        words = with_value(name, words, term.strip("-?"), 0)
    words = working(name, words)

    assert DRIVERS[name].decode_meter(device, words, 1.0).site_watts == 0.0


@pytest.mark.parametrize("name", WITH_METER)
def test_the_meter_of_a_make_is_import_positive(name: str) -> None:
    meter = DRIVERS[name].profile.meter
    assert meter is not None
    words: dict[int, int] = {}
    plus = [term for term in meter.site_watts if not term.startswith("-")]
    counted = plus or list(meter.site_watts)
    for term in meter.site_watts:
        key = term.strip("-?")
        watts = 1500.0 / len(counted) / DRIVERS[name].profile.registers[key].scale if term in counted else 0.0
        words = with_value(name, words, key, watts if plus else -watts)
    words = working(name, words)

    assert DRIVERS[name].decode_meter(device_of_make(name), words, 1.0).site_watts == 1500.0


def test_a_meter_without_power_without_grid_or_beyond_reason_is_nonsense() -> None:
    name = "goodwe-et"
    driver, device = DRIVERS[name], device_of_make(name)
    asleep = with_value(name, with_value(name, {}, "own_meter_power", 0), "frequency", 0)
    for words in ({}, asleep, with_value(name, {}, "own_meter_power", 0x7FFFFFFF)):
        with pytest.raises(NonsenseReply):
            driver.decode_meter(device, words, 1.0)
    with pytest.raises(NonsenseReply, match="meter says"):
        DRIVERS["sungrow-sh"].decode_meter(
            device_of_make("sungrow-sh"), with_value("sungrow-sh", {}, "own_meter_power", 2e9), 1.0
        )


def test_a_make_without_a_meter_says_so() -> None:
    with pytest.raises(NonsenseReply, match="no meter"):
        DRIVERS["victron-gx"].decode_meter(device_of_make("victron-gx"), cycle("victron-gx"), 1.0)


SMALL = """
name: small
make: Small
devices: one
documents: [{title: "a list", covers: "all"}]
registers: {power: {address: 1, type: i16}, other: {address: 2, type: i16, missing: [-32768]}}
nameplate: {manufacturer: Small}
inverter: {ac_watts: [power, "-other?"], connected: {register: other, above: 3}}
"""


@settings(max_examples=50)
@given(st.integers(-32768, 32767), st.integers(-32768, 32767))
def test_a_sum_leaves_out_what_may_be_missing(power: int, other: int) -> None:
    profile = parse_profile(SMALL, "small.yaml")
    driver = type(DRIVERS["sma"])(profile)
    device = replace(device_of_make("sma"), profile=profile, nameplate=Nameplate(), has_battery=False)
    if power == other == 0:
        return
    read = driver.decode_inverter(device, "x", {1: power & 0xFFFF, 2: other & 0xFFFF}, 1.0)

    assert read.ac_watts == (power if other == -32768 else power - other)
    assert read.connected == (None if other == -32768 else other > 3)


def test_a_third_input_counts_and_one_without_light_is_nothing() -> None:
    words = with_value("sma", cycle("sma"), "dc3_power", 700)
    without = sample("sma", with_value("sma", words, "dc1_power", -0x80000000))
    read = sample("sma", words)

    assert read.string_watts[2] == 700
    assert without.string_watts[0] == 0
    assert read.pv_watts is not None
    assert without.pv_watts == pytest.approx(read.pv_watts - (read.string_watts[0] or 0.0))


@pytest.mark.parametrize(
    ("numbers_of_state", "state"),
    [
        ((0x0306, 0x0307, 0x0308, 0x030C), OperatingState.OFF),
        ((0x0401, 0x0402, 0x0403, 0x0404, 0x0405), OperatingState.MPPT),
    ],
)
def test_states_of_huawei_that_newer_documents_name_are_known(
    numbers_of_state: tuple[int, ...], state: OperatingState
) -> None:
    said = DRIVERS["huawei-luna"].profile.inverter
    assert said is not None
    assert said.state_register is not None
    read = {
        number: with_value("huawei-luna", cycle("huawei-luna"), said.state_register, number)
        for number in numbers_of_state
    }

    assert {sample("huawei-luna", words).state for words in read.values()} == {state}


def test_a_goodwe_battery_in_mode_5_is_there_and_rests() -> None:
    read = sample("goodwe-et", with_value("goodwe-et", cycle("goodwe-et"), "battery_mode", 5))

    assert read.battery is not None
    assert read.battery.state is ChargeState.HOLDING


@settings(max_examples=100)
@given(st.sampled_from(NAMES), st.data())
def test_mutated_words_are_a_sample_within_its_bounds_or_nonsense(name: str, data: st.DataObject) -> None:
    words = cycle(name)
    places = st.sampled_from(sorted(words))
    telling = st.sampled_from([0, 1, 100, 0x7FFF, 0x8000, 0xFFFF, 0x7FC0, 0xFF80, 0x7F80, 0xFF7F])
    words |= data.draw(st.dictionaries(places, telling | st.integers(0, 0xFFFF), max_size=30))
    for place in data.draw(st.sets(places, max_size=10)):
        del words[place]
    try:
        read = sample(name, words)
    except NonsenseReply:
        return
    assert all(math.isfinite(number) for number in numbers(to_builtins(read)))
    assert bounds_of(device_of_make(name), read) == []


def test_some_hundred_mutated_makes_are_samples_or_named_faults() -> None:
    taken_for = check_mutants(range(400))

    assert taken_for.keys() <= {"inverter", "meter", "nonsense", "wrong_device", "refused"}
    assert min(taken_for["inverter"], taken_for["wrong_device"], taken_for["nonsense"]) > 10


@pytest.mark.long
@pytest.mark.timeout(5 * SECONDS_MOST)
def test_a_hundred_thousand_mutated_makes_are_samples_or_named_faults_in_time() -> None:
    began_s = time.process_time()

    taken_for = check_mutants(range(1000, 101_000))

    assert sum(taken_for.values()) == 100_000
    assert time.process_time() - began_s < SECONDS_MOST
