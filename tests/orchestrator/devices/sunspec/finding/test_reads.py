"""The plan of one cycle: few requests, values with their scale factors, and a way around what a device refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orchestrator.devices.base import ReadRequest
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.errors import NonsenseReply
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
    cycle,
    discovery_of,
    dump,
    hybrid,
    image_of,
    model_words,
    registers_of,
)


def usual_map(modules: int) -> Image:
    """Models in the order of their numbers; of the modules two are the battery's."""
    fitted = [*[{"ID": 1, "IDStr": "MPPT", "DCW": 500}] * (modules - 2), *MODULES[2:]]
    return image_of(
        model_words(1, COMMON),
        model_words(103, INVERTER),
        model_words(120, NAMEPLATE),
        model_words(121, SETTINGS),
        model_words(122, {}),
        model_words(123, CONTROLS),
        model_words(124, STORAGE),
        model_words(160, changed(MPPT, N=modules), fitted),
    )


def covers(requests: tuple[ReadRequest, ...], address: int, count: int = 1) -> bool:
    return any(r.address <= address and address + count <= r.address + r.count for r in requests)


@pytest.mark.parametrize(("modules", "count"), [(2, 2), (3, 2), (4, 2), (5, 3), (6, 3)])
def test_a_cycle_takes_two_reads_of_at_most_125_words_up_to_four_modules(modules: int, count: int) -> None:
    reads = DRIVER.plan_reads(discovery_of(usual_map(modules)))

    assert len(reads) == count
    assert all(1 <= read.count <= 125 for read in reads)


@pytest.mark.parametrize(("modules", "within"), [(2, True), (3, True), (4, False)])
def test_the_controls_are_read_each_cycle_where_two_reads_reach(modules: int, within: bool) -> None:
    device = discovery_of(usual_map(modules))
    assert device.controls is not None

    assert covers(device.reads, device.controls.address + 2, 22) is within


def test_what_can_be_written_can_be_read_back_in_few_reads() -> None:
    device = discovery_of(hybrid())
    assert device.controls is not None
    assert device.storage is not None

    requests = DRIVER.plan_readback(device)

    assert covers(requests, device.controls.address + 2, 8)
    assert covers(requests, device.storage.address + 5)
    assert covers(requests, device.storage.address + 12, 6)
    assert len(requests) <= 2


def test_values_come_in_one_request_with_their_scale_factors() -> None:
    device = discovery_of(hybrid())
    assert device.inverter is not None
    assert device.storage is not None

    assert covers(device.reads, device.inverter.address + 2, 37)
    assert covers(device.reads, device.storage.address + 2, 24)


def test_many_dc_inputs_of_a_pv_inverter_are_not_worth_more_requests() -> None:
    device = discovery_of(dump("fimer_pvs_day"))

    assert len(device.modules) == 12
    assert len(device.reads) == 2


def test_many_dc_inputs_of_a_hybrid_are_read_in_parts() -> None:
    device = discovery_of(usual_map(12))

    sample = DRIVER.decode_inverter(device, "many", cycle(usual_map(12), device), 0.0)

    assert all(read.count <= 125 for read in device.reads)
    assert sample.pv_watts == 5000


def test_a_meter_takes_one_read() -> None:
    for model_id in (201, 204, 211, 214):
        device = discovery_of(image_of(model_words(1, COMMON), model_words(model_id, {})))

        assert len(DRIVER.plan_reads(device)) == 1


def read_around(image: Image, device: SunSpecDevice) -> tuple[SunSpecDevice, int]:
    """What the actor does: split what is refused until nothing is."""
    rounds = 0
    while refused := [r for r in device.reads if not registers_of(image, [r])]:
        device = DRIVER.without(device, refused[0])
        rounds += 1
    return device, rounds


def test_a_refused_word_that_nobody_wants_costs_nothing_but_splitting() -> None:
    image = hybrid()
    device = discovery_of(image)
    whole = DRIVER.decode_inverter(device, "x", cycle(image, device), 0.0)
    assert device.storage is not None
    del image.words[device.storage.address + 9]  # StorAval

    around, rounds = read_around(image, device)

    assert DRIVER.decode_inverter(around, "x", cycle(image, around), 0.0) == whole
    assert rounds == 2
    assert len(device.reads) == 2, "what discovery found keeps the whole plan"


def test_a_refused_point_is_unknown_and_the_others_are_not() -> None:
    image = hybrid()
    device = discovery_of(image)
    assert device.storage is not None
    del image.words[device.storage.address + 8]  # ChaState

    around, _ = read_around(image, device)
    battery = DRIVER.decode_inverter(around, "x", cycle(image, around), 0.0).battery

    assert battery is not None
    assert (battery.soc_percent, battery.watts, battery.charge_max_watts) == (None, 440, 5000)


def test_an_inverter_whose_every_word_is_refused_has_no_sample() -> None:
    device = discovery_of(hybrid())
    nothing, _ = read_around(Image({}), device)

    assert DRIVER.plan_reads(nothing) == ()
    with pytest.raises(NonsenseReply, match="model 103: nothing of it was read"):
        DRIVER.decode_inverter(nothing, "x", {}, 0.0)


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(40070, 40380), max_size=12))
def test_splitting_ends_and_loses_only_what_is_refused(holes: set[int]) -> None:
    image = hybrid()
    device = discovery_of(image)
    wanted = cycle(image, device)
    image.words = {address: word for address, word in image.words.items() if address not in holes}

    around, rounds = read_around(image, device)

    assert rounds < 60
    assert cycle(image, around).items() <= wanted.items()
    for model, names in ((device.inverter, (14, 15, 38)), (device.storage, (2, 8, 12))):
        assert model is not None
        assert all(covers(around.reads, model.address + n) for n in names if model.address + n not in holes)
