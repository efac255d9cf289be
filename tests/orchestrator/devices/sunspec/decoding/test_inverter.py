"""Registers of an inverter as a sample: signs, unknown values, and nonsense that becomes a named fault."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.devices.sunspec.codec import TYPES
from orchestrator.errors import NonsenseReply
from orchestrator.samples import ChargeState, InverterSample, OperatingState
from tests.orchestrator.devices.sunspec.images import (
    COMMON,
    CONTROLS,
    DRIVER,
    INVERTER,
    MPPT,
    NAMEPLATE,
    STORAGE,
    Image,
    Values,
    changed,
    cycle,
    discovery_of,
    hybrid,
    image_of,
    model_words,
)

PV_STRINGS = ({"ID": 1, "IDStr": "MPPT 1", "DCW": 1500}, {"ID": 2, "IDStr": "MPPT 2", "DCW": 1000})


def sample_of(image: Image) -> InverterSample:
    device = discovery_of(image)
    return DRIVER.decode_inverter(device, "east", cycle(image, device), 12.5)


def simple(*more: list[int], **inverter: Any) -> Image:
    """An inverter with a rating of 5000 W and whatever models follow."""
    return image_of(
        model_words(1, COMMON), model_words(103, changed(INVERTER, **inverter)), model_words(120, NAMEPLATE), *more
    )


def hybrid_with(modules: tuple[Values, ...], **inverter: Any) -> Image:
    return simple(model_words(124, STORAGE), model_words(160, MPPT, modules), **inverter)


def test_a_hybrid_says_its_powers_with_our_signs() -> None:
    sample = sample_of(hybrid())

    assert (sample.name, sample.at_s, sample.faults) == ("east", 12.5, ())
    assert (sample.ac_watts, sample.pv_watts) == (2000, 2500)
    assert sample.battery is not None
    assert sample.battery.watts == 440, "charging is positive"
    assert sample.state is OperatingState.MPPT
    assert sample.battery.state is ChargeState.CHARGING
    assert (sample.ac_limit_controllable, sample.battery_controllable, sample.has_pv) == (True, True, True)


def test_discharging_is_negative() -> None:
    modules = (*PV_STRINGS, {"IDStr": "StCha 3", "DCW": 0}, {"IDStr": "StDisCha 4", "DCW": 700})

    battery = sample_of(hybrid_with(modules)).battery

    assert battery is not None
    assert battery.watts == -700


def test_battery_limits_are_the_lower_of_what_the_models_say() -> None:
    battery = sample_of(hybrid(WChaMax=4500)).battery

    assert battery is not None
    assert (battery.charge_max_watts, battery.discharge_max_watts, battery.capacity_wh) == (4500, 4000, 10000)
    assert battery.soc_percent == 55.5


@pytest.mark.parametrize(("raw", "allowed"), [(0, False), (1, True), (None, None), (7, None)])
def test_grid_charging_is_what_chagriset_says(raw: int | None, allowed: bool | None) -> None:
    battery = sample_of(hybrid(ChaGriSet=raw)).battery

    assert battery is not None
    assert battery.grid_charging_allowed is allowed


@pytest.mark.parametrize("direction", ["StCha 3", "StDisCha 4"])
def test_a_battery_power_of_which_half_is_unknown_is_unknown(direction: str) -> None:
    modules = [{"IDStr": name, "DCW": None if name == direction else 5} for name in ("StCha 3", "StDisCha 4")]

    battery = sample_of(hybrid_with((*PV_STRINGS, *modules))).battery

    assert battery is not None
    assert battery.watts is None


def test_a_battery_that_has_no_module_shows_in_the_balance_of_the_dc_side() -> None:
    charging = sample_of(hybrid_with(PV_STRINGS, W=1900, DCW=2000)).battery
    from_grid = sample_of(hybrid_with(PV_STRINGS, W=-1050, DCW=-1000)).battery

    assert charging is not None
    assert charging.watts == 500
    assert from_grid is not None
    assert from_grid.watts == 3500


def test_a_dc_total_that_counts_pv_only_says_nothing_of_the_battery() -> None:
    battery = sample_of(hybrid_with(PV_STRINGS, W=500, DCW=2500)).battery

    assert battery is not None
    assert battery.watts is None


def test_a_balance_with_an_unknown_string_says_nothing_of_the_battery() -> None:
    battery = sample_of(hybrid_with((PV_STRINGS[0], {"ID": 2, "IDStr": "MPPT 2", "DCW": None}))).battery

    assert battery is not None
    assert battery.watts is None


def test_without_modules_the_battery_power_of_a_hybrid_is_unknown_and_its_pv_too() -> None:
    sample = sample_of(simple(model_words(124, STORAGE)))

    assert sample.pv_watts is None
    assert sample.battery is not None
    assert sample.battery.watts is None
    assert sample.battery.soc_percent == 55.5


def test_a_battery_is_seen_by_its_modules_even_where_it_cannot_be_commanded() -> None:
    modules = (*PV_STRINGS, {"IDStr": "StCha 3", "DCW": 300}, {"IDStr": "StDisCha 4", "DCW": 0})

    sample = sample_of(simple(model_words(160, MPPT, modules)))

    assert sample.battery is not None
    assert (sample.battery.watts, sample.pv_watts) == (300, 2500)
    assert sample.battery.soc_percent is None
    assert not sample.battery_controllable


def test_module_names_that_discovery_missed_are_taken_when_they_come() -> None:
    image = hybrid()
    by_day = dict(image.words)
    for module in discovery_of(image).modules:
        image.words |= dict.fromkeys(range(module.address + 1, module.address + 9), 0)
    by_night = discovery_of(image)

    nameless = DRIVER.decode_inverter(by_night, "x", cycle(image, by_night), 0.0)
    named = DRIVER.decode_inverter(by_night, "x", cycle(Image(by_day), by_night), 0.0)

    assert nameless.battery is not None
    assert (nameless.pv_watts, nameless.battery.watts) == (None, None)
    assert named.battery is not None
    assert (named.pv_watts, named.battery.watts) == (2500, 440)


def test_module_names_that_are_lost_at_night_are_remembered() -> None:
    image = hybrid()
    device = discovery_of(image)
    for module in device.modules:
        image.words |= dict.fromkeys(range(module.address, module.address + 9), 0)

    battery = DRIVER.decode_inverter(device, "x", cycle(image, device), 0.0).battery

    assert battery is not None
    assert battery.watts == 440


def test_a_battery_inverter_has_no_pv() -> None:
    modules = ({"IDStr": "StCha 1", "DCW": 0}, {"IDStr": "StDisCha 2", "DCW": 900})

    sample = sample_of(hybrid_with(modules, W=850, DCW=900))

    assert not sample.has_pv
    assert sample.pv_watts == 0


@pytest.mark.parametrize(("dcw", "watts", "expected"), [(2060, 2000, 2060), (None, 2000, 2000), (None, -30, 0)])
def test_the_pv_power_of_an_inverter_without_modules_is_its_dc_or_ac_power(
    dcw: int | None, watts: int, expected: float
) -> None:
    assert sample_of(simple(DCW=dcw, W=watts)).pv_watts == expected


def test_unused_modules_do_not_count() -> None:
    modules = (*PV_STRINGS, {"ID": 3, "DCW": None})

    assert sample_of(simple(model_words(160, MPPT, modules))).pv_watts == 2500


def test_at_night_everything_is_unknown_and_nothing_is_a_fault() -> None:
    sample = sample_of(simple(**dict.fromkeys(INVERTER)))

    assert (sample.ac_watts, sample.pv_watts, sample.state, sample.faults) == (None, None, None, ())


def test_a_value_whose_scale_factor_is_unknown_is_unknown() -> None:
    image = simple()
    device = discovery_of(image)
    assert device.inverter is not None
    image.words[device.inverter.address + 15] = 77

    assert DRIVER.decode_inverter(device, "x", cycle(image, device), 0.0).ac_watts is None


@pytest.mark.parametrize(("watts", "faults"), [(7500, ()), (-7500, ()), (7501, ("implausible_ac_watts",))])
def test_power_beyond_one_and_a_half_ratings_is_a_named_fault(watts: int, faults: tuple[str, ...]) -> None:
    sample = sample_of(simple(W=watts))

    assert sample.faults == faults
    assert (sample.ac_watts is None) == bool(faults)


def test_a_state_of_charge_beyond_100_percent_is_a_named_fault() -> None:
    sample = sample_of(hybrid(ChaState=10001))

    assert sample.battery is not None
    assert sample.battery.soc_percent is None
    assert sample.faults == ("implausible_soc_percent",)


def test_pv_and_battery_power_beyond_reason_are_named_faults() -> None:
    modules = ({"IDStr": "MPPT", "DCW": 60000}, {"IDStr": "StCha", "DCW": 60000}, {"IDStr": "StDisCha", "DCW": 0})

    sample = sample_of(hybrid_with(modules))

    assert sample.pv_watts is None
    assert sample.battery is not None
    assert sample.battery.watts is None
    assert sample.faults == ("implausible_pv_watts", "implausible_battery_watts")


@pytest.mark.parametrize("state", [0, 7])
def test_a_frame_of_zeros_is_nonsense(state: int) -> None:
    image = hybrid()
    device = discovery_of(image)
    assert device.inverter is not None
    first = device.inverter.address + 2
    image.words |= dict.fromkeys(range(first, first + 36), 0) | {device.inverter.address + 38: state}

    with pytest.raises(NonsenseReply, match="all registers are zero"):
        DRIVER.decode_inverter(device, "x", cycle(image, device), 0.0)


def test_a_vendors_own_state_is_unknown() -> None:
    assert sample_of(simple(St=9)).state is None


def test_a_limit_counts_only_while_it_is_enabled() -> None:
    assert sample_of(simple(model_words(123, changed(CONTROLS, WMaxLimPct=4000)))).ac_limit_watts is None
    enabled = model_words(123, changed(CONTROLS, WMaxLimPct=4000, WMaxLim_Ena=1))
    assert sample_of(simple(enabled)).ac_limit_watts == 2000


def test_a_limit_far_above_the_rating_is_unknown_and_named() -> None:
    sample = sample_of(simple(model_words(123, changed(CONTROLS, WMaxLimPct=65000, WMaxLim_Ena=1))))

    assert sample.ac_limit_watts is None
    assert sample.faults == ("implausible_ac_limit_watts",)


def test_connection_is_what_conn_says_but_not_while_it_feeds_in() -> None:
    def connected(conn: int | None, watts: int) -> bool | None:
        return sample_of(simple(model_words(123, changed(CONTROLS, Conn=conn)), W=watts)).connected

    assert connected(1, 2000) is True
    assert connected(0, 0) is False
    assert connected(0, 2000) is None
    assert connected(None, 0) is None


def test_float_models_are_read_like_integer_ones() -> None:
    floats = {"A": 8.5, "W": 1850.5, "VAr": -120.5, "Hz": 50.0, "DCW": 1900.25, "St": 4}
    image = image_of(model_words(1, COMMON), model_words(113, floats))

    sample = sample_of(image)

    assert (sample.ac_watts, sample.pv_watts, sample.state) == (1850.5, 1900.25, OperatingState.MPPT)
    assert sample.ac_vars == -120.5


def test_a_float_that_is_no_number_is_unknown() -> None:
    image = image_of(model_words(1, COMMON), model_words(113, {"A": 8.5, "W": 1850.5}))
    device = discovery_of(image)
    assert device.inverter is not None
    image.words |= enumerate(TYPES["float32"].pack(None), start=device.inverter.address + 22)

    assert DRIVER.decode_inverter(device, "x", cycle(image, device), 0.0).ac_watts is None


def test_a_meter_has_no_inverter_sample() -> None:
    device = discovery_of(image_of(model_words(1, COMMON), model_words(203, {"W": 1, "W_SF": 0})))

    with pytest.raises(NonsenseReply, match="no inverter model"):
        DRIVER.decode_inverter(device, "x", {}, 0.0)
