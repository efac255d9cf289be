from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.loop import meter_sign
from orchestrator.loop.meter_sign import MeterSign
from orchestrator.samples import MeterSample


def reading(watts: float, import_wh: float | None, export_wh: float | None) -> MeterSample:
    return MeterSample(0.0, watts, site_vars=watts / 2, phase_watts=(watts,), import_wh=import_wh, export_wh=export_wh)


def after(readings: list[MeterSample], state: MeterSign | None = None) -> MeterSign:
    state = state or meter_sign.initial("auto")
    start_s = state.value_at_s or 0.0
    for number, each in enumerate(readings, 1):
        state = meter_sign.observe(state, replace(each, changed_at_s=start_s + number))
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
    assert (turned.site_watts, turned.site_vars, turned.phase_watts) == (-800, -400, (-800,))
    assert (turned.import_wh, turned.export_wh) == (1, 2), "counters keep their names"


def test_exports_counted_while_power_is_negative_prove_the_sign_right() -> None:
    state = after(exporting(-800))

    assert not state.export_positive
    assert state.proofs == meter_sign.PROOFS_NEEDED


def test_counters_that_run_while_an_old_value_is_still_shown_prove_nothing() -> None:
    """A slow meter: it still shows the import of some seconds ago, and export is counted already."""
    state = after([reading(800, 500, 100), reading(800, 501, 100), reading(810, 502, 100)])
    for step in range(10):
        held = replace(reading(810, 502, 100 + step), changed_at_s=3.0)
        state = meter_sign.observe(state, held)
    state = meter_sign.observe(state, replace(reading(-700, 502, 110), changed_at_s=4.0))

    assert not state.export_positive
    assert state.proofs >= 0


def test_a_meter_that_is_mounted_the_wrong_way_round_stays_turned_whatever_its_counters_say() -> None:
    """Its counters count the wrong way too, so they agree with its W."""
    state = after(exporting(-800, steps=20), meter_sign.turned(after(exporting(-800))))

    assert state.export_positive


def test_what_the_moves_of_the_plant_have_proven_they_contradict_but_do_not_turn_back() -> None:
    once = meter_sign.turned(meter_sign.initial("auto"))
    twice = meter_sign.turned(once)

    assert (once.export_positive, once.contradicted) == (True, False)
    assert (twice.export_positive, twice.contradicted) == (True, True)
    assert meter_sign.turned(twice) == twice
    assert meter_sign.oriented(once, reading(300, 1, 1)).orientation == -1
    assert meter_sign.oriented(twice, reading(300, 1, 1)).orientation == 0


def test_the_moves_of_the_plant_turn_what_only_counters_have_proven() -> None:
    turned = meter_sign.turned(after(exporting(800)))

    assert (turned.export_positive, turned.latched, turned.contradicted) == (False, True, False)


def test_what_is_assumed_of_any_meter_is_not_proven() -> None:
    assert not meter_sign.initial("auto").is_proven
    assert not meter_sign.initial("export_positive").is_proven
    assert after(exporting(800)).is_proven
    assert meter_sign.turned(meter_sign.initial("auto")).is_proven


@pytest.mark.parametrize("sign", ["import_positive", "export_positive"])
def test_the_moves_of_the_plant_turn_no_sign_that_site_yaml_names(sign: meter_sign.Sign) -> None:
    assert meter_sign.turned(meter_sign.initial(sign)) == meter_sign.initial(sign)


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
