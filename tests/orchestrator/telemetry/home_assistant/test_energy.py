"""Energy for a dashboard: it only ever grows, and a meter's own counters are believed where they can be."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.decide.records import CycleResult
from orchestrator.ledger.above_limits import MAX_GAP_S
from orchestrator.samples import BatterySample, MeterSample
from orchestrator.telemetry.home_assistant.energy import BELIEVED_AFTER_S, EnergyTotals, advanced, energy_payload
from tests.support.records.cycles import cycle_result, inverter_sample

HOUR_S = 3600.0


def counting(at_s: float, import_wh: float | None, export_wh: float | None = None) -> CycleResult:
    """A cycle whose meter has counters."""
    result = cycle_result(at_s=at_s)
    meter = MeterSample(at_s, -500.0, import_wh=import_wh, export_wh=export_wh)
    return replace(result, snapshot=replace(result.snapshot, meter=meter))


def after(*results: CycleResult, totals: EnergyTotals | None = None) -> EnergyTotals:
    """The totals after these cycles, with a wall clock that shows the same seconds."""
    totals, former = totals or EnergyTotals(), None
    for result in results:
        totals, former = advanced(totals, former, result, result.snapshot.at_s), result
    return totals


def test_powers_are_summed_up_over_time_by_where_they_flow() -> None:
    totals = after(cycle_result(at_s=100.0), cycle_result(at_s=103.6))

    assert totals.wh["export"] == pytest.approx(0.5)
    assert totals.wh["import"] == 0
    assert totals.wh["pv"] == totals.wh["east/pv"] == pytest.approx(3.0)
    assert totals.wh["charge"] == totals.wh["east/charge"] == pytest.approx(1.0)
    assert totals.wh["discharge"] == 0


def test_a_battery_that_charges_another_counts_on_both_sides() -> None:
    samples = tuple(
        inverter_sample(name, battery=BatterySample(watts=watts)) for name, watts in (("east", 360.0), ("west", -360.0))
    )
    totals = after(*(cycle_result(at_s=at_s, inverters=samples) for at_s in (100.0, 110.0)))

    assert (totals.wh["charge"], totals.wh["discharge"]) == (1.0, 1.0)


def test_nothing_is_made_up_for_a_time_that_nobody_saw() -> None:
    totals = after(cycle_result(at_s=100.0), cycle_result(at_s=100.0 + MAX_GAP_S + 1))

    assert set(totals.wh.values()) == {0.0}


def test_what_is_not_known_is_null_and_not_0() -> None:
    payload = energy_payload(after(cycle_result(site_watts=None)), "now")

    assert payload["import_wh"] is None
    assert payload["pv_wh"] == 0
    assert payload["inverters"] == {"east": {"pv_wh": 0, "charge_wh": 0, "discharge_wh": 0}}


def test_counters_of_the_meter_are_taken_in_place_of_powers_from_where_they_stood_first() -> None:
    totals = after(counting(100.0, 7000.0, 90_000.0), counting(101.0, 7000.0, 90_002.0))

    assert (totals.wh["import"], totals.wh["export"]) == (0.0, 2.0)


def test_what_the_meter_counted_while_nobody_looked_is_not_lost() -> None:
    stopped = after(counting(100.0, 7000.0))

    totals = after(counting(100.0 + 8 * HOUR_S, 31_000.0), totals=stopped)

    assert totals.wh["import"] == 24_000.0


def test_one_wrong_reading_of_a_counter_changes_nothing() -> None:
    for wrong in (0.0, 4e9):
        totals = after(counting(100.0, 7000.0), counting(101.0, wrong), counting(102.0, 7001.0))

        assert totals.wh["import"] == 1.0


def test_a_new_meter_goes_on_where_the_former_one_stopped() -> None:
    seconds = range(101, 101 + int(BELIEVED_AFTER_S) + 2)
    former = after(counting(100.0, 7000.0), counting(100.5, 7005.0))

    totals = after(*(counting(float(second), 12.0) for second in seconds), counting(500.0, 15.0), totals=former)

    assert totals.wh["import"] == 8.0


def test_a_turned_direction_swaps_the_counters_and_adds_nothing() -> None:
    turned = [counting(101.0 + second, 90_000.0 + second, 7000.0) for second in range(int(BELIEVED_AFTER_S) + 2)]

    totals = after(counting(100.0, 7000.0, 90_000.0), *turned)

    assert totals.wh["import"] < BELIEVED_AFTER_S
    assert totals.wh["export"] == 0.0


def test_totals_never_fall_back_whatever_the_counters_do() -> None:
    totals, former, seen = EnergyTotals(), None, 0.0
    for second, shown in enumerate((5.0, 9.0, 0.0, None, 3.0, 1e9, 2.0, 11.0, None, 12.0)):
        result = counting(100.0 + second, shown)
        totals, former = advanced(totals, former, result, 100.0 - second), result

        assert totals.wh.get("import", 0.0) >= seen
        seen = totals.wh.get("import", 0.0)


def test_an_inverter_that_left_leaves_nothing_behind() -> None:
    totals = after(cycle_result(at_s=100.0), cycle_result(at_s=101.0)).without("east")

    assert [name for name in totals.wh if "/" in name] == []
    assert totals.wh["pv"] > 0
