"""A command that contradicts itself never comes to be: it would end in registers."""

from __future__ import annotations

from math import nan

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand


def test_a_window_whose_low_end_is_above_its_high_end_is_refused() -> None:
    with pytest.raises(ValueError, match=r"window is empty: 500.0 W to 400.0 W"):
        BatteryCommand(BatteryMode.CHARGE, watts=450.0, low_watts=500.0, high_watts=400.0)


def test_a_window_of_one_power_or_with_an_open_side_is_one() -> None:
    assert BatteryCommand(BatteryMode.CHARGE, watts=400.0, low_watts=400.0, high_watts=400.0).low_watts == 400.0
    assert BatteryCommand(BatteryMode.CHARGE, watts=400.0, high_watts=400.0).low_watts is None


@pytest.mark.parametrize("watts", [-1.0, nan])
def test_a_limit_that_is_negative_or_no_number_is_refused(watts: float) -> None:
    with pytest.raises(ValueError, match="AC limit of east must be >= 0 W"):
        InverterCommand("east", valid_for_s=60.0, ac_limit_watts=watts)
    with pytest.raises(ValueError, match="AC limit of east after it must be >= 0 W"):
        InverterCommand("east", valid_for_s=60.0, ac_limit_after_watts=watts)


@pytest.mark.parametrize("valid_for_s", [0.0, -1.0, nan])
def test_a_command_that_never_holds_is_refused(valid_for_s: float) -> None:
    with pytest.raises(ValueError, match="valid for a time > 0 s"):
        InverterCommand("east", valid_for_s=valid_for_s)
