"""Meters: their values, and which way they count."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from orchestrator.devices.sunspec.decoding.meter_sign import MeterSign

from orchestrator.devices.sunspec.decoding import meter_sign
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
    sample = sample_of(model_id, {"W": 23.5, "Hz": 50.0, "WphA": 23.5, "TotWhImp": 1000.0})

    assert (sample.site_watts, sample.phase_watts, sample.import_wh, sample.export_wh) == (23.5, (23.5,), 1000, None)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"W": None}, "says no power"),
        ({"W_SF": None}, "says no power"),
        ({"W": 30000, "W_SF": 10}, "says 300000000000000.0 W"),
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


def reading(watts: float, import_wh: float | None, export_wh: float | None) -> MeterSample:
    return MeterSample(0.0, watts, phase_watts=(watts,), import_wh=import_wh, export_wh=export_wh)


def after(readings: list[MeterSample], state: MeterSign | None = None) -> MeterSign:
    state = state or meter_sign.initial("auto")
    for each in readings:
        state = meter_sign.observe(state, each)
    return state


def exporting(watts: float, steps: int = 5) -> list[MeterSample]:
    """The export counter moves every other sample."""
    return [reading(watts, 500, 100 + step // 2) for step in range(2 * steps)]


def test_a_meter_is_taken_as_import_positive_at_first() -> None:
    assert meter_sign.oriented(meter_sign.initial("auto"), reading(300, 1, 1)).site_watts == 300


def test_exports_counted_while_power_is_positive_turn_the_sign() -> None:
    state = after(exporting(800))

    assert state.export_positive
    turned = meter_sign.oriented(state, reading(800, 1, 2))
    assert (turned.site_watts, turned.phase_watts) == (-800, (-800,))
    assert (turned.import_wh, turned.export_wh) == (1, 2), "counters keep their names"


def test_exports_counted_while_power_is_negative_prove_the_sign_right() -> None:
    state = after(exporting(-800))

    assert not state.export_positive
    assert state.proofs == meter_sign.PROOFS_NEEDED


def test_one_or_two_steps_of_a_counter_prove_nothing() -> None:
    assert not after(exporting(800, steps=3)).export_positive


def test_a_wrong_conclusion_is_taken_back() -> None:
    state = after(exporting(-800), after(exporting(800)))

    assert not state.export_positive


def test_power_that_changed_its_sign_between_two_steps_proves_nothing() -> None:
    mixed = [reading(800 if step % 2 else -800, 500, 100 + step // 2) for step in range(40)]

    assert after(mixed).proofs == 0


def test_power_near_zero_proves_nothing() -> None:
    assert after(exporting(40, steps=20)).proofs == 0


def test_counters_that_move_both_or_backwards_prove_nothing() -> None:
    both = [reading(800, 500 + step, 100 + step) for step in range(20)]
    backwards = [reading(800, 500, 100 - step) for step in range(20)]

    assert after(both).proofs == 0
    assert after(backwards).proofs == 0


def test_a_meter_without_counters_keeps_its_sign() -> None:
    assert not after([reading(800, None, 100 + step) for step in range(20)]).export_positive


def test_a_configured_sign_is_never_doubted() -> None:
    assert not after(exporting(800), meter_sign.initial("import_positive")).export_positive
    assert after(exporting(-800), meter_sign.initial("export_positive")).export_positive


@given(st.lists(st.tuples(st.floats(60, 1e5), st.integers(0, 3)), max_size=60), st.sampled_from([1, -1]))
def test_a_meter_whose_counters_agree_with_its_sign_is_never_turned(
    steps: list[tuple[float, int]], direction: int
) -> None:
    import_wh, export_wh, readings = 1000, 1000, []
    for index, (watts, energy) in enumerate(steps):
        power = watts * direction * (-1 if index // 10 % 2 else 1)
        import_wh += energy if power > 0 else 0
        export_wh += energy if power < 0 else 0
        readings.append(reading(power, import_wh, export_wh))

    assert not after(readings).export_positive
