"""Numbers for people."""

from __future__ import annotations

import pytest

from orchestrator.report.units import DASH, duration_text, energy_text, percent_text, power_text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (energy_text(0.26), "0.3 Wh"),
        (energy_text(260.0), "260 Wh"),
        (energy_text(-2600.0), "-2.60 kWh"),
        (energy_text(26000.0), "26.0 kWh"),
        (power_text(1999.6), "2000 W"),
        (duration_text(4.26), "4.3 s"),
        (duration_text(119.0), "119 s"),
        (duration_text(125.0), "2 min 5 s"),
        (duration_text(7260.0), "2 h 1 min"),
        (percent_text(99.6), "100 %"),
        (energy_text(None), DASH),
        (power_text(None), DASH),
        (duration_text(None), DASH),
        (percent_text(None), DASH),
    ],
)
def test_a_number_has_its_unit_and_the_digits_that_mean_something(text: str, expected: str) -> None:
    assert text == expected
