"""Discovery walks real and broken chains: a device, or an error that says what is wrong."""

from __future__ import annotations

import pytest

from orchestrator.devices.base import ReadRequest
from orchestrator.devices.capabilities import CommandBattery, LimitAcPower
from orchestrator.devices.sunspec.device import ModuleKind
from orchestrator.devices.sunspec.enums import GridCharging
from orchestrator.errors import NonsenseReply, RequestRefused, WrongDevice
from tests.orchestrator.devices.sunspec.images import (
    COMMON,
    CONTROLS,
    DRIVER,
    INVERTER,
    MODULES,
    MPPT,
    NAMEPLATE,
    SETTINGS,
    STORAGE,
    Image,
    changed,
    discovery_of,
    hybrid,
    image_of,
    model_words,
)

ONE = model_words(1, COMMON)
INVERTER_103 = model_words(103, INVERTER)


def ids(image: Image) -> list[int]:
    return [model.id for model in discovery_of(image).models]


@pytest.mark.parametrize("base", [40000, 0, 50000])
def test_the_map_is_found_at_each_of_its_places(base: int) -> None:
    device = discovery_of(image_of(ONE, INVERTER_103, base=base))

    assert device.base == base
    assert [(model.id, model.address) for model in device.models] == [(1, base + 2), (103, base + 70)]


def test_a_place_with_other_words_is_passed_over() -> None:
    image = image_of(ONE, INVERTER_103, base=0)
    image.words |= dict.fromkeys(range(40000, 40200), 7)

    assert discovery_of(image).base == 0


def test_a_hybrid_is_known_with_its_ratings_battery_and_dc_inputs() -> None:
    device = discovery_of(hybrid())

    assert DRIVER.nameplate(device) == device.nameplate
    assert (device.nameplate.manufacturer, device.nameplate.serial) == ("Maker", "SN-1")
    assert (device.nameplate.ac_max_watts, device.nameplate.capacity_wh) == (5000, 10000)
    assert (device.nameplate.charge_max_watts, device.nameplate.discharge_max_watts) == (5000, 4000)
    assert device.storage_reference_watts == 10240
    assert device.found_grid_charging is GridCharging.PV
    assert device.scale_factors["124.InOutWRte_SF"] == -2
    assert [module.kind for module in device.modules] == [
        ModuleKind.PV,
        ModuleKind.PV,
        ModuleKind.CHARGE,
        ModuleKind.DISCHARGE,
    ]
    assert device.has_pv
    assert not device.is_meter


def test_a_hybrid_can_be_limited_disconnected_and_its_battery_commanded() -> None:
    able = DRIVER.capabilities(discovery_of(hybrid()))

    assert able.limit_ac == LimitAcPower(reverts=True)
    assert able.battery == CommandBattery(reverts=True)
    assert able.disconnect
    assert able.state_of_charge
    assert able.reverts_by_itself


def test_a_device_without_a_revert_time_does_not_revert_by_itself() -> None:
    assert not discovery_of(hybrid(InOutWRte_RvrtTms=None)).capabilities.reverts_by_itself
    assert not discovery_of(hybrid(WMaxLimPct_RvrtTms=None)).capabilities.reverts_by_itself


def test_a_usual_map_is_found_in_a_third_of_the_requests_that_one_per_header_and_model_would_take() -> None:
    image = hybrid()

    discovery_of(image)

    assert image.reads <= 9


def test_large_reads_that_are_refused_are_done_in_small_ones() -> None:
    image = hybrid()

    class Small(Image):
        def answer(self, request: ReadRequest) -> tuple[int, ...]:  # type: ignore[override]
            return super().answer(request) if request.count <= 90 else super().answer(ReadRequest(0, 1))  # type: ignore[return-value]

    assert discovery_of(Small(image.words)) == discovery_of(image)


@pytest.mark.parametrize("length", [65, 66])
def test_model_1_may_have_its_pad_word_or_not(length: int) -> None:
    one = ONE[: 2 + length]
    one[1] = length

    assert ids(image_of(one, INVERTER_103)) == [1, 103]


def test_the_models_may_come_in_any_order_with_unknown_ones_between() -> None:
    vendor = [64001, 3, 1, 2, 3]
    image = image_of(ONE, vendor, model_words(124, STORAGE), vendor, model_words(123, CONTROLS), INVERTER_103)
    device = discovery_of(image)

    assert [model.id for model in device.models] == [1, 64001, 124, 64001, 123, 103]
    assert device.storage is not None
    assert device.controls is not None


def test_a_second_model_1_begins_another_device() -> None:
    meter = model_words(203, {"W": 5, "W_SF": 0})

    device = discovery_of(image_of(ONE, INVERTER_103, model_words(1, changed(COMMON, SN="OTHER")), meter))

    assert [model.id for model in device.models] == [1, 103]
    assert device.nameplate.serial == "SN-1"
    assert device.meter is None


def test_of_repeated_models_the_first_counts_but_every_160() -> None:
    first, second = model_words(160, MPPT, MODULES[:2]), model_words(160, MPPT, MODULES[2:])
    other = model_words(120, changed(NAMEPLATE, WRtg=1))

    device = discovery_of(image_of(ONE, INVERTER_103, model_words(120, NAMEPLATE), other, first, second))

    assert device.nameplate.ac_max_watts == 5000
    assert [m.kind.value for m in device.modules] == ["pv", "pv", "charge", "discharge"]
    assert len({module.model_address for module in device.modules}) == 2


@pytest.mark.parametrize("end", [(), (0xFFFF,), (0xFFFF, 0), (0, 0, 0, 0)])
def test_a_chain_may_end_in_a_refusal_a_lone_marker_or_zeros(end: tuple[int, ...]) -> None:
    assert ids(image_of(ONE, INVERTER_103, end=end)) == [1, 103]


def test_a_chain_that_runs_past_the_last_address_ends_there() -> None:
    assert ids(image_of(ONE, INVERTER_103, [64001, 0xFFF0])) == [1, 103, 64001]


def test_a_chain_without_end_is_given_up() -> None:
    with pytest.raises(WrongDevice, match="no end: more than 100 models"):
        discovery_of(image_of(ONE, INVERTER_103, *[[64001, 0]] * 200))


def test_a_model_1_of_another_length_is_named() -> None:
    one = [1, 15, *ONE[2:17]]

    with pytest.raises(WrongDevice, match="model 1 at 40002 says that it has 15 words"):
        discovery_of(image_of(one, INVERTER_103))


def test_a_device_without_a_map_is_named() -> None:
    with pytest.raises(WrongDevice, match="no SunSpec map at 40000, 0, 50000"):
        discovery_of(Image({}))


def test_a_map_without_inverter_and_meter_says_what_it_has() -> None:
    with pytest.raises(WrongDevice, match="models found: 1, 701"):
        discovery_of(image_of(ONE, [701, 2, 0, 0]))


@pytest.mark.parametrize("code", [4, 6, 11])
def test_a_device_that_is_busy_is_not_called_wrong(code: int) -> None:
    with pytest.raises(RequestRefused, match=f"exception {code}") as refusal:
        discovery_of(Image({}, code=code))

    assert refusal.value.code == code


def test_a_device_that_gets_busy_in_the_chain_is_not_taken_for_half_of_itself() -> None:
    image = hybrid()
    image.words = {address: word for address, word in image.words.items() if address < 40240}
    image.code = 6

    with pytest.raises(RequestRefused):
        discovery_of(image)


def test_an_answer_of_the_wrong_length_is_nonsense() -> None:
    steps = DRIVER.discover()
    next(steps)

    with pytest.raises(NonsenseReply, match="40000: 1 words instead of 125"):
        steps.send((1,))


def test_a_hole_in_a_model_costs_only_the_points_in_it() -> None:
    image = hybrid()
    controls = discovery_of(image).controls
    assert controls is not None
    del image.words[controls.address + 8]  # WMaxLimPct_RmpTms

    device = discovery_of(image)

    assert "123.WMaxLimPct_RmpTms" not in device.implemented
    assert "123.WMaxLim_Ena" in device.implemented
    assert device.storage is not None


@pytest.mark.parametrize("model_id", [123, 124])
def test_a_model_that_we_write_to_must_have_exactly_its_length(model_id: int) -> None:
    raw = model_words(model_id, CONTROLS | STORAGE)
    longer = [*raw, 0]
    longer[1] += 1

    device = discovery_of(image_of(ONE, INVERTER_103, longer))

    assert device.controls is None
    assert device.storage is None


def test_a_model_that_is_too_short_is_not_used() -> None:
    short = model_words(120, NAMEPLATE)[:20]
    short[1] = 18

    assert discovery_of(image_of(ONE, INVERTER_103, short)).nameplate.ac_max_watts is None


@pytest.mark.parametrize("missing", ["WChaMax", "ChaState", "OutWRte", "InWRte", "StorCtl_Mod", "InOutWRte_SF"])
def test_a_model_124_without_one_of_its_points_is_no_battery(missing: str) -> None:
    device = discovery_of(hybrid(**{missing: None}))

    assert device.storage is None
    assert not device.capabilities.battery


def test_a_model_124_of_no_power_is_no_battery() -> None:
    assert discovery_of(hybrid(WChaMax=0)).storage is None


@pytest.mark.parametrize(("scale", "usable"), [(-3, False), (-2, True), (0, True), (2, True), (3, False)])
def test_a_scale_that_cannot_hold_100_percent_is_not_used(scale: int, usable: bool) -> None:
    device = discovery_of(hybrid(InOutWRte_SF=scale, WMaxLimPct_SF=scale))

    assert bool(device.capabilities.battery) is usable
    assert bool(device.capabilities.limit_ac) is usable


def test_without_model_121_the_limit_is_a_percentage_of_the_rating() -> None:
    device = discovery_of(image_of(ONE, INVERTER_103, model_words(120, NAMEPLATE), model_words(123, CONTROLS)))

    assert device.ac_reference_watts == 5000
    assert device.capabilities.limit_ac


def test_without_any_rating_ac_power_cannot_be_limited() -> None:
    device = discovery_of(image_of(ONE, INVERTER_103, model_words(123, CONTROLS)))

    assert not device.capabilities.limit_ac


def test_a_rating_of_zero_says_nothing() -> None:
    device = discovery_of(hybrid(MaxChaRte=0, WHRtg=0))

    assert device.nameplate.charge_max_watts is None
    assert device.nameplate.capacity_wh is None


def test_the_setting_wmax_lowers_the_power_and_is_what_percent_means() -> None:
    device = discovery_of(
        image_of(ONE, INVERTER_103, model_words(120, NAMEPLATE), model_words(121, changed(SETTINGS, WMax=3000)))
    )

    assert (device.rated_watts, device.nameplate.ac_max_watts, device.ac_reference_watts) == (5000, 3000, 3000)


def test_a_battery_inverter_without_pv_is_known_by_its_modules() -> None:
    image = image_of(ONE, INVERTER_103, model_words(124, STORAGE), model_words(160, MPPT, MODULES[2:]))

    assert not discovery_of(image).has_pv


def test_n_larger_than_the_model_counts_only_what_is_there() -> None:
    image = image_of(ONE, INVERTER_103, model_words(160, changed(MPPT, N=40), MODULES[:2]))

    assert len(discovery_of(image).modules) == 2


def test_a_meter_is_a_meter() -> None:
    assert discovery_of(image_of(ONE, model_words(203, {"W": 5, "W_SF": 0}))).is_meter
