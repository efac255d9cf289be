"""Meters: their values, and which way they count."""

from __future__ import annotations

import pytest

from orchestrator.errors import NonsenseReply
from orchestrator.samples import MeterSample
from tests.orchestrator.devices.sunspec.images import COMMON, DRIVER, cycle, discovery_of, image_of, model_words

METER = {"W": -91, "WphA": 1032, "WphB": -123, "WphC": -1000, "W_SF": 0, "Hz": 4999, "Hz_SF": -2} | {
    "TotWhExp": 21267458,
    "TotWhImp": 18090016,
    "TotWh_SF": 0,
}


def sample_of(model_id: int, values: dict[str, float | int | None]) -> MeterSample:
    image = image_of(model_words(1, COMMON), model_words(model_id, values))
    device = discovery_of(image)
    return DRIVER.decode_meter(device, cycle(image, device), 7.0)


@pytest.mark.parametrize("model_id", [201, 202, 203, 204])
def test_an_integer_meter_says_power_phases_frequency_and_counters(model_id: int) -> None:
    assert sample_of(model_id, METER) == MeterSample(
        at_s=7.0,
        changed_at_s=7.0,
        site_watts=-91,
        frequency_hz=49.99,
        phase_watts=(1032, -123, -1000),
        import_wh=18090016,
        export_wh=21267458,
    )


@pytest.mark.parametrize("model_id", [211, 212, 213, 214])
def test_a_float_meter_says_the_same(model_id: int) -> None:
    sample = sample_of(model_id, {"W": 23.5, "Hz": 50.0, "WphA": 23.5, "VAR": -12.0, "TotWhImp": 1000.0})

    assert sample.site_vars == -12.0
    assert (sample.site_watts, sample.phase_watts, sample.import_wh, sample.export_wh) == (23.5, (23.5,), 1000, None)


@pytest.mark.parametrize(
    ("words", "volts"),
    [
        ((2301, 2312, 2398), (230.1, 231.2, 239.8)),
        ((2301, None, None), (230.1, None, None)),
        ((2301, 0, 2398), (230.1, None, 239.8)),
        ((0, 0, 0), ()),
        ((None, None, None), ()),
    ],
)
def test_a_voltage_that_no_grid_has_is_not_known(
    words: tuple[int | None, ...], volts: tuple[float | None, ...]
) -> None:
    shown = dict(zip(("PhVphA", "PhVphB", "PhVphC"), words, strict=True))

    assert sample_of(203, {**METER, **shown, "V_SF": -1}).phase_volts == pytest.approx(volts)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"W": None}, "shows no power"),
        ({"W_SF": None}, "shows no power"),
        ({"W": 30000, "W_SF": 10}, r"says 3e\+14 W"),
        ({"W": 0, "Hz": 0}, "asleep"),
    ],
)
def test_a_meter_that_makes_no_sense_is_refused(values: dict[str, float | None], reason: str) -> None:
    with pytest.raises(NonsenseReply, match=reason):
        sample_of(203, METER | values)


def test_an_idle_connection_is_not_a_sleeping_meter() -> None:
    assert sample_of(203, METER | {"W": 0}).site_watts == 0
    assert sample_of(203, METER | {"W": 0, "Hz": None}).site_watts == 0


def test_an_inverter_has_no_meter_sample() -> None:
    device = discovery_of(image_of(model_words(1, COMMON), model_words(103, {"W": 1, "W_SF": 0})))

    with pytest.raises(NonsenseReply, match="no meter model"):
        DRIVER.decode_meter(device, {}, 0.0)
