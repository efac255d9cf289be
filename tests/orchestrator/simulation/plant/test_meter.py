import pytest

from orchestrator.config.simulation import MeterSimulation
from orchestrator.simulation.plant.meter import SimulatedMeter


def measured(values: list[float], dt_s: float, period_s: float) -> tuple[SimulatedMeter, list[float]]:
    """A meter that saw these powers, and what it showed after each."""
    meter = SimulatedMeter(MeterSimulation(period_s=period_s))
    shown = []
    for index, watts in enumerate(values):
        meter.measure((index + 1) * dt_s, dt_s, watts)
        shown.append(meter.site_watts)
    return meter, shown


def test_a_meter_shows_a_new_value_once_a_period() -> None:
    _, shown = measured([1, 2, 3, 4, 5, 6, 7, 8], dt_s=0.25, period_s=1)

    assert shown == [1, 1, 1, 4, 4, 4, 4, 8]


def test_a_meter_remembers_when_its_value_changed() -> None:
    meter, _ = measured([5, 5, 5, 7, 7, 7, 7, 7], dt_s=0.25, period_s=0.5)

    assert meter.site_watts == 7
    assert meter.changed_at_s == 1.0


def test_import_and_export_are_counted_apart() -> None:
    meter, _ = measured([3600, 3600, -7200], dt_s=0.5, period_s=1)
    fresh = SimulatedMeter(MeterSimulation())

    assert meter.import_wh - fresh.import_wh == pytest.approx(1.0)
    assert meter.export_wh - fresh.export_wh == pytest.approx(1.0)
