"""Registers of real devices (see tests/fixtures/dumps/SOURCES.md) are decoded right."""

from __future__ import annotations

import pytest

from orchestrator.devices.sunspec.inputs import module_kind
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.loop import meter_sign
from orchestrator.samples import InverterSample, OperatingState
from tests.orchestrator.devices.sunspec.images import (
    COMMON,
    DRIVER,
    Image,
    cycle,
    discovery_of,
    dump,
    fragment,
    image_of,
    model_words,
)


def sample_of(image: Image) -> InverterSample:
    device = discovery_of(image)
    return DRIVER.decode_inverter(device, "real", cycle(image, device), 0.0)


def test_an_sma_by_day() -> None:
    sample = sample_of(dump("sma_sb36_day"))

    assert (sample.nameplate.manufacturer, sample.nameplate.model) == ("SMA", "SB3.6-1AV-41")
    assert (sample.nameplate.version, sample.nameplate.ac_max_watts) == ("4.00.75.R", 3680)
    assert (sample.ac_watts, sample.pv_watts, sample.state) == (1080, 1080, OperatingState.MPPT)
    assert sample.faults == ()


def test_a_pv_only_sma_that_publishes_model_124_has_no_battery() -> None:
    sample = sample_of(dump("sma_sb36_day"))

    assert 124 in [model.id for model in discovery_of(dump("sma_sb36_day")).models]
    assert sample.battery is None
    assert not sample.battery_controllable


def test_an_sma_that_says_disconnected_and_limited_to_0_while_it_feeds_in_is_not_believed() -> None:
    sample = sample_of(dump("sma_sb36_day"))

    assert (sample.connected, sample.ac_limit_watts) == (None, None)


def test_an_sma_at_night_is_unknown_and_no_fault() -> None:
    image = dump("sma_sb36_night")
    sample = sample_of(image)

    assert (sample.ac_watts, sample.pv_watts, sample.state, sample.faults) == (None, None, None, ())
    assert sample.nameplate.version == "4.01.15.R"
    assert len(discovery_of(image).models) == len(discovery_of(dump("sma_sb36_day")).models)


def test_an_sma_at_night_is_found_in_spite_of_the_words_that_it_refuses() -> None:
    image = dump("sma_sb36_night")

    discovery_of(image)

    assert image.refusals > 0
    assert image.reads <= 30


def test_a_fimer_by_day() -> None:
    sample = sample_of(dump("fimer_pvs_day"))

    assert (sample.nameplate.manufacturer, sample.nameplate.ac_max_watts) == ("FIMER", 185000)
    assert (sample.ac_watts, sample.pv_watts) == (141380, 144410)
    assert (sample.state, sample.connected, sample.ac_limit_watts) == (OperatingState.MPPT, True, None)
    assert sample.battery is None


def test_a_fimer_has_its_vendor_models_in_the_chain() -> None:
    device = discovery_of(dump("fimer_pvs_day"))

    assert [model.id for model in device.models[-3:]] == [160, 65230, 65232]
    assert device.capabilities.limit_ac
    assert device.capabilities.reverts_by_itself


@pytest.mark.parametrize("name", ["sma_sb36_day", "sma_sb36_night", "fimer_pvs_day"])
def test_real_inverters_are_read_in_two_requests_a_cycle(name: str) -> None:
    image = dump(name)
    device = discovery_of(image)
    image.reads = image.refusals = 0

    cycle(image, device)

    assert (image.reads, image.refusals) == (2, 0)


def test_the_charging_module_of_a_gen24() -> None:
    origin, words = fragment("fronius_gen24_160_header")
    _, module = fragment("fronius_gen24_160_module3_charging")
    words |= module
    mppt, address = MODELS[160], min(module)

    assert read_raw(words, origin, mppt["N"]) == 4
    assert origin + mppt.module_offset(2) == address
    assert read_raw(words, address, mppt.repeated["IDStr"]) == "StCha 3"
    assert module_kind("StCha 3").value == "charge"
    assert read_value(words, address, mppt.repeated["DCA"], origin) == 6.1079
    assert read_value(words, address, mppt.repeated["DCV"], origin) == 427.23
    assert read_value(words, address, mppt.repeated["DCW"], origin) == 2609.8
    assert read_value(words, address, mppt.repeated["Tmp"], origin) is None


def with_header(model_id: int, name: str) -> Image:
    """A map whose second model is a fragment of a real one."""
    model = model_words(model_id, {})
    origin, words = fragment(name)
    for address, word in words.items():
        model[address - origin] = word
    return image_of(model_words(1, COMMON), model)


def test_a_solaredge_that_produces() -> None:
    sample = sample_of(with_header(103, "solaredge_103_producing"))

    assert (sample.ac_watts, sample.pv_watts, sample.state) == (5520, 5604, OperatingState.MPPT)


def test_a_fronius_meter_counts_import_as_positive() -> None:
    image = with_header(213, "fronius_meter_213_first_68_words")
    device = discovery_of(image)

    sample = DRIVER.decode_meter(device, cycle(image, device), 0.0)

    assert sample.site_watts == pytest.approx(23.6, abs=0.01)
    assert sample.phase_watts == pytest.approx((249.1, -59.8, -165.6), abs=0.01)
    assert (sample.frequency_hz, sample.export_wh) == (pytest.approx(49.9), 6898977)


def test_a_solaredge_meter_counts_export_as_positive() -> None:
    image = with_header(203, "solaredge_meter_t0_first_53_words")
    device = discovery_of(image)

    raw = DRIVER.decode_meter(device, cycle(image, device), 0.0)
    sample = meter_sign.oriented(meter_sign.initial("export_positive"), raw)

    assert (raw.site_watts, raw.phase_watts) == (-91, (1032, -123, -1000))
    assert (sample.site_watts, sample.phase_watts) == (91, (-1032, 123, 1000))
    assert sample.export_wh == 21267458
