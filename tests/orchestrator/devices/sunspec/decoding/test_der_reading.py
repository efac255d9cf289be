"""Devices of the 700 series, and batteries that speak for themselves: what is found and what a sample says."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.devices.base import ReadRequest
from orchestrator.devices.sunspec.device import DER_CONTROLS as MODEL_704
from orchestrator.devices.sunspec.device import STORAGE as MODEL_124
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.errors import NonsenseReply
from orchestrator.samples import BatterySample, ChargeState, InverterSample, OperatingState
from tests.orchestrator.devices.sunspec.foreign import image_of_device_file
from tests.orchestrator.devices.sunspec.images import (
    BANK,
    BATTERY_PORT,
    COMMON,
    CONTROLS,
    DER_AC,
    DER_CAPACITY,
    DER_CONTROLS,
    DRIVER,
    DUMPS,
    INVERTER,
    MPPT,
    NAMEPLATE,
    PV_PORTS,
    SETTINGS,
    STORAGE,
    Image,
    Values,
    changed,
    cycle,
    der,
    discovery_of,
    hybrid,
    image_of,
    model_words,
    registers_of,
)


def sample_of(image: Image) -> InverterSample:
    device = discovery_of(image)
    return DRIVER.decode_inverter(device, "east", cycle(image, device), 12.5)


def battery_of(image: Image) -> BatterySample:
    battery = sample_of(image).battery
    assert battery is not None
    return battery


def test_a_device_that_has_only_the_new_models_is_an_inverter() -> None:
    sample = sample_of(der())

    assert (sample.ac_watts, sample.pv_watts, sample.faults) == (-1940, 0, ())
    assert (sample.state, sample.connected, sample.has_pv) == (OperatingState.MPPT, True, False)
    assert (sample.ac_limit_controllable, sample.battery_controllable) == (True, True)
    assert (sample.nameplate.serial, sample.nameplate.ac_max_watts) == ("SN-1", 5000)


def test_its_battery_is_known_by_its_port_with_our_sign() -> None:
    assert battery_of(der()).watts == 2000, "a battery that takes is positive here and negative there"
    assert battery_of(der(ports=({**BATTERY_PORT, "DCW": 1200},))).watts == -1200


def test_its_battery_has_the_lower_of_rating_and_setting() -> None:
    battery = battery_of(der())

    assert (battery.charge_max_watts, battery.discharge_max_watts, battery.capacity_wh) == (4000, 4600, 10000)
    assert (battery.soc_percent, battery.state, battery.grid_charging_allowed) == (55.5, None, None)


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 2, 0), (1, 0, 2)])
def test_ports_are_told_apart_by_their_type_and_not_by_their_place(order: tuple[int, ...]) -> None:
    ports: tuple[Values, ...] = (BATTERY_PORT, *PV_PORTS)
    sample = sample_of(der(ports=[ports[index] for index in order], W=500))

    assert (sample.pv_watts, sample.string_watts) == (2500, (1500, 1000))
    assert sample.battery is not None
    assert sample.battery.watts == 2000
    assert sample.has_pv


def test_the_battery_of_a_hybrid_is_read_and_left_to_itself() -> None:
    sample = sample_of(der(ports=(BATTERY_PORT, *PV_PORTS)))

    assert not sample.battery_controllable
    assert sample.ac_limit_controllable


def test_a_pv_port_that_takes_a_little_at_night_makes_nothing() -> None:
    sample = sample_of(der(ports=({**PV_PORTS[0], "DCW": -3}, PV_PORTS[1])))

    assert (sample.pv_watts, sample.string_watts) == (1000, (0, 1000))


def test_a_port_whose_power_is_unknown_makes_the_battery_unknown_and_not_idle() -> None:
    assert battery_of(der(ports=({**BATTERY_PORT, "DCW": None},))).watts is None
    assert battery_of(der(ports=(BATTERY_PORT, {**BATTERY_PORT, "DCW": None}))).watts is None


def test_two_batteries_add_up() -> None:
    assert battery_of(der(ports=(BATTERY_PORT, {**BATTERY_PORT, "DCW": 500}))).watts == 1500


def test_a_port_of_another_kind_is_neither_pv_nor_battery() -> None:
    sample = sample_of(der(ports=(BATTERY_PORT, {"PrtTyp": 2, "DCW": -7000})))

    assert sample.battery is not None
    assert sample.battery.watts == 2000
    assert not sample.battery_controllable, "who knows what it is"


def test_ports_without_a_type_say_nothing() -> None:
    sample = sample_of(der(ports=({"DCW": 500}, {"DCW": 400})))

    assert sample.battery is not None, "model 713 says that there is one"
    assert (sample.battery.watts, sample.pv_watts) == (None, None)
    assert not sample.battery_controllable


@pytest.mark.parametrize(
    ("raw", "state"), [(0, OperatingState.OFF), (4, OperatingState.THROTTLED), (7, OperatingState.STANDBY), (8, None)]
)
def test_the_states_are_those_of_the_older_models_counted_from_zero(raw: int, state: OperatingState | None) -> None:
    assert sample_of(der(InvSt=raw)).state is state


@pytest.mark.parametrize(("raw", "connected"), [(0, False), (1, True), (None, None), (9, None)])
def test_the_connection_is_what_connst_says(raw: int | None, connected: bool | None) -> None:
    assert sample_of(der(ConnSt=raw)).connected is connected


def test_a_limit_is_seen_in_watts_of_the_setting() -> None:
    image = der(WMaxLimPctEna=1, WMaxLimPct=300, WMax=4000)

    assert sample_of(image).ac_limit_watts == 1200
    assert sample_of(der(WMaxLimPctEna=0, WMaxLimPct=300)).ac_limit_watts is None


def test_a_frame_of_zeros_is_nonsense() -> None:
    image = der()
    device = discovery_of(image)
    registers = dict.fromkeys(cycle(image, device), 0)

    with pytest.raises(NonsenseReply, match="model 701: all registers are zero"):
        DRIVER.decode_inverter(device, "x", registers, 0.0)


def test_a_device_that_is_off_is_no_nonsense() -> None:
    assert sample_of(der(InvSt=0, W=0)).state is OperatingState.OFF


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"W": 9000}, "implausible_ac_watts"), ({"SoC": 10100}, "implausible_soc_percent")],
)
def test_what_cannot_be_true_is_unknown_and_named(changes: dict[str, Any], fault: str) -> None:
    assert sample_of(der(**changes)).faults == (fault,)


def test_battery_power_far_above_its_rating_is_unknown_and_named() -> None:
    sample = sample_of(der(ports=({**BATTERY_PORT, "DCW": -30000},)))

    assert sample.faults == ("implausible_battery_watts",)


@pytest.mark.parametrize("missing", ["W_SF", "Pct_SF", "DCW_SF"])
def test_a_value_without_its_scale_factor_is_unknown(missing: str) -> None:
    sample = sample_of(der(**{missing: None}))

    assert sample.battery is not None
    values = {"W_SF": sample.ac_watts, "Pct_SF": sample.battery.soc_percent, "DCW_SF": sample.battery.watts}
    assert values.pop(missing) is None
    assert None not in values.values()


def spans(requests: tuple[ReadRequest, ...]) -> list[tuple[int, int]]:
    return [(request.address, request.count) for request in requests]


def test_of_model_701_only_the_span_that_is_wanted_is_read() -> None:
    device = discovery_of(der())

    assert device.inverter is not None
    assert len(device.reads) == 2
    first, last = device.inverter.address + 4, device.inverter.address + 116
    assert any(at <= first and last < at + count for at, count in spans(device.reads))
    assert all(count <= 125 for _, count in spans(device.reads))


def test_what_can_be_written_can_be_read_back() -> None:
    device = discovery_of(der())

    assert device.der_controls is not None
    origin = device.der_controls.address
    assert spans(DRIVER.plan_readback(device)) == [(origin + 14, 42)]


def test_models_of_both_generations_leave_the_older_ones_in_charge() -> None:
    image = hybrid()
    both = image_of(
        *[[*image_words(image, model)] for model in discovery_of(image).models],
        model_words(701, changed(DER_AC, W=77)),
        model_words(702, DER_CAPACITY),
        model_words(704, DER_CONTROLS),
    )
    device = discovery_of(both)

    assert sample_of(both).ac_watts == 2000
    assert (device.limits_by, device.commands_battery_by) == (123, MODEL_124)


def image_words(image: Image, model: Any) -> list[int]:
    return [image.words[model.address + at] for at in range(2 + model.length)]


def test_an_older_model_123_that_cannot_be_used_leaves_the_limit_to_704() -> None:
    image = image_of(
        model_words(1, COMMON),
        model_words(103, INVERTER),
        model_words(120, NAMEPLATE),
        model_words(123, {}),
        model_words(702, changed(DER_CAPACITY, WMax=4000)),
        model_words(704, DER_CONTROLS),
    )
    device = discovery_of(image)

    assert (device.limits_by, device.ac_reference_watts) == (MODEL_704, 4000)


@pytest.mark.parametrize("missing", ["WSet", "WSetEna", "WSetMod", "WSetRvrtTms", "CtrlModes", "WSet_SF"])
def test_a_battery_without_one_of_these_is_not_commanded(missing: str) -> None:
    device = discovery_of(der(**{missing: None}))

    assert device.commands_battery_by is None
    assert not device.capabilities.battery
    assert device.capabilities.state_of_charge


@pytest.mark.parametrize(("modes", "commanded"), [(0, False), (1, False), (2, True), (3, True)])
def test_a_battery_is_commanded_where_the_control_modes_say_so(modes: int, commanded: bool) -> None:
    assert bool(discovery_of(der(CtrlModes=modes)).capabilities.battery) is commanded


@pytest.mark.parametrize(("scale", "usable"), [(-4, False), (-3, True), (1, True), (2, False)])
def test_a_set_point_in_a_strange_scale_is_not_written(scale: int, usable: bool) -> None:
    assert bool(discovery_of(der(WSet_SF=scale)).capabilities.battery) is usable


# Model 802 beside the older models, in the manner of Kostal.


def with_bank(modules: tuple[Values, ...] = (), **changes: Any) -> Image:
    inputs = [model_words(160, MPPT, modules)] if modules else []
    return image_of(
        model_words(1, COMMON),
        model_words(103, changed(INVERTER, **{"W": 3000, "DCW": 3100, **changes})),
        model_words(120, changed(NAMEPLATE, WHRtg=None, MaxChaRte=None, MaxDisChaRte=None)),
        *inputs,
        model_words(802, changed(BANK, **{"W": 700, **changes.get("bank", {})})),
    )


def test_model_802_says_power_charge_state_and_ratings_of_a_battery() -> None:
    battery = battery_of(with_bank())

    assert battery.watts == -700, "it discharges"
    assert (battery.soc_percent, battery.state) == (42, ChargeState.DISCHARGING)
    assert (battery.charge_max_watts, battery.capacity_wh) == (3000, 5000)
    assert not sample_of(with_bank()).battery_controllable


def test_beside_a_battery_pv_is_what_the_dc_total_leaves() -> None:
    assert sample_of(with_bank()).pv_watts == 2400


@pytest.mark.parametrize("name", ["DC 3", "Battery", None])
def test_an_input_that_is_the_batterys_is_not_counted_as_pv_whatever_its_name(name: str | None) -> None:
    inputs = ({"IDStr": "DC 1", "DCW": 1400}, {"IDStr": "DC 2", "DCW": 1000}, {"IDStr": name, "DCW": 700})

    assert sample_of(with_bank(inputs)).pv_watts == 2400


def test_inputs_that_agree_with_the_balance_are_the_pv() -> None:
    inputs = ({"IDStr": "DC 1", "DCW": 1400}, {"IDStr": "DC 2", "DCW": 1030})

    assert sample_of(with_bank(inputs)).pv_watts == 2430


def test_where_the_dc_total_disagrees_with_ac_the_inputs_are_all_there_is() -> None:
    inputs = ({"IDStr": "DC 1", "DCW": 1400}, {"IDStr": "DC 2", "DCW": 1000})

    assert sample_of(with_bank(inputs, DCW=1000)).pv_watts == 2400
    assert sample_of(with_bank(DCW=1000)).pv_watts is None


def test_one_of_two_batteries_says_nothing_of_both() -> None:
    image = image_of(model_words(1, COMMON), model_words(103, INVERTER), model_words(802, BANK), model_words(802, BANK))

    assert sample_of(image).battery is None


def test_a_model_802_that_says_nothing_is_no_battery() -> None:
    image = image_of(model_words(1, COMMON), model_words(103, INVERTER), model_words(802, {"LocRemCtl": 0}))

    assert sample_of(image).battery is None


def test_model_124_speaks_before_713_and_802() -> None:
    image = image_of(
        model_words(1, COMMON),
        model_words(103, INVERTER),
        model_words(124, changed(STORAGE, ChaState=2000, ChaSt=6)),
        model_words(713, {"SoC": 50, "Pct_SF": 0}),
        model_words(802, BANK),
    )

    assert (battery_of(image).soc_percent, battery_of(image).state) == (20, ChargeState.HOLDING)


# Looking again


def look_again(device: SunSpecDevice, image: Image) -> SunSpecDevice:
    return discovery_of(image, DRIVER.look_again(device))


NIGHT: dict[str, Any] = dict.fromkeys(("W", "SoC", "WHRtg", "WMaxLimPct", "WSet", "WMaxRtg", "WMax", "CtrlModes"))


def test_a_device_found_at_night_is_found_anew_by_day() -> None:
    night = discovery_of(der(**NIGHT))
    assert not night.capabilities.limit_ac

    day = look_again(night, der())

    assert day == discovery_of(der())
    assert day.capabilities.battery


def test_while_nothing_changes_the_same_device_comes_back_after_a_read_for_each_doubtful_model() -> None:
    image = der(**NIGHT)
    device = discovery_of(image)
    image.reads = 0

    assert look_again(device, image) is device
    assert image.reads == len(device.doubtful) == 3


def test_a_device_that_was_known_whole_is_not_read() -> None:
    image = hybrid()
    device = discovery_of(image)
    image.reads = 0

    assert look_again(device, image) is device
    assert (device.doubtful, image.reads) == ((), 0)


def test_at_night_an_older_pv_inverter_is_doubtful_as_well() -> None:
    models = (model_words(1, COMMON), model_words(103, INVERTER), model_words(120, NAMEPLATE))
    night = image_of(*models, model_words(121, SETTINGS), model_words(123, {}))
    day = image_of(*models, model_words(121, SETTINGS), model_words(123, CONTROLS))

    assert look_again(discovery_of(night), day).capabilities.limit_ac


# A synthetic device of the pysunspec2 package


def test_the_1547_device_of_pysunspec2_is_known_whole() -> None:
    image = image_of_device_file(DUMPS / "pysunspec2_device_1547.json")
    device = discovery_of(image)
    sample = sample_of(image)

    assert [model.id for model in device.models] == [1, *range(701, 714)]
    assert (sample.ac_watts, sample.state, sample.battery) == (9800, None, None)
    assert (sample.nameplate.ac_max_watts, sample.nameplate.serial) == (10000, "sn-123456789")
    assert not sample.battery_controllable
    assert registers_of(image, DRIVER.plan_readback(device))
