"""What flowed between two cycles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.ledger.energy import FLOWS, energy_between
from tests.support.records.cycles import cycle_result


def test_a_second_of_the_former_powers_is_added() -> None:
    former, latest = cycle_result(site_watts=-3600.0, at_s=100.0), cycle_result(site_watts=999.0, at_s=101.0)

    energy = energy_between(former, latest)

    assert energy == pytest.approx({"export": 1.0, "pv": 3000 / 3600, "charge": 1000 / 3600})


def test_import_is_no_export() -> None:
    energy = energy_between(cycle_result(site_watts=1800.0, at_s=100.0), cycle_result(at_s=102.0))

    assert energy["import"] == pytest.approx(1.0)
    assert energy["load"] == pytest.approx(3800 * 2 / 3600)
    assert "export" not in energy


def test_without_the_meter_grid_and_load_are_unknown() -> None:
    energy = energy_between(cycle_result(site_watts=None, at_s=100.0), cycle_result(at_s=101.0))

    assert set(energy) == {"pv", "charge"}


@pytest.mark.parametrize("seconds", [0.0, -1.0, 10.1])
def test_a_gap_and_a_step_back_add_nothing(seconds: float) -> None:
    assert energy_between(cycle_result(at_s=100.0), cycle_result(at_s=100.0 + seconds)) == {}


@given(st.floats(-1e5, 1e5).filter(lambda watts: watts == 0 or abs(watts) > 1e-6), st.floats(0.1, 10))
def test_energy_never_runs_backwards_and_has_known_names(site_watts: float, seconds: float) -> None:
    energy = energy_between(cycle_result(site_watts=site_watts, at_s=100.0), cycle_result(at_s=100.0 + seconds))

    assert set(energy) <= set(FLOWS)
    assert all(watt_hours > 0 for watt_hours in energy.values())
