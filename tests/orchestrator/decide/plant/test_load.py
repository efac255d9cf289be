"""The load estimate."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.decide.memory import ControlState
from orchestrator.decide.plant.load import estimate_load
from orchestrator.decide.plant.units import Plant, see_plant
from orchestrator.samples import InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.virtual_site import site_config

CONFIG = site_config()


def seen(**ac_watts: float | None) -> Plant:
    samples = tuple(
        InverterSample(name, at_s=0.0, ac_watts=watts, nameplate=Nameplate(ac_max_watts=5000.0))
        for name, watts in ac_watts.items()
    )
    return see_plant(CONFIG, ControlState(), SiteSnapshot(0.0, None, samples), SetpointFields())


def meter(site_watts: float, changed_at_s: float = 1.0) -> MeterSample:
    return MeterSample(at_s=changed_at_s, site_watts=site_watts, changed_at_s=changed_at_s)


def test_load_is_site_plus_ac() -> None:
    assert estimate_load(None, meter(-500), seen(east=2000, west=1000)).load_watts == 2500


def test_a_sleeping_inverter_adds_nothing() -> None:
    assert estimate_load(None, meter(700), seen(east=None)).load_watts == 700


def test_a_meter_value_seen_before_says_nothing_of_ac_that_moved_since() -> None:
    first = estimate_load(None, meter(-500), seen(east=2000))
    assert estimate_load(first, meter(-500), seen(east=1000)).load_watts == 1500


def test_a_value_that_the_meter_has_shown_for_three_seconds_is_believed() -> None:
    first = estimate_load(None, meter(9000), seen(east=5000))
    doubted = estimate_load(first, meter(-500, 2.0), seen(east=2000))
    still = replace(meter(-500, 2.0), at_s=4.9)
    at_last = replace(meter(-500, 2.0), at_s=5.0)

    assert estimate_load(doubted, still, seen(east=2000)).load_watts == 4500
    assert estimate_load(doubted, at_last, seen(east=2000)).load_watts == 1500


@pytest.mark.parametrize(
    ("moved_to", "site", "load"),
    [(3000, -500, 1500), (3000, -2000, 1000), (1000, -500, 1500), (1000, 1000, 2000), (2100, -500, 1600)],
)
def test_while_ac_moves_the_estimate_is_the_careful_one(moved_to: float, site: float, load: float) -> None:
    first = estimate_load(None, meter(-500), seen(east=2000))
    assert estimate_load(first, meter(site, 2.0), seen(east=moved_to)).load_watts == load


def test_a_load_that_moved_by_more_than_ac_is_believed() -> None:
    first = estimate_load(None, meter(8000), seen(east=2000))

    assert estimate_load(first, meter(-500, 2.0), seen(east=1500)).load_watts == 1500
    assert estimate_load(first, meter(20000, 2.0), seen(east=2500)).load_watts == 22000


def test_another_set_of_inverters_starts_the_estimate_anew() -> None:
    first = estimate_load(None, meter(-500), seen(east=2000, west=1000))
    assert estimate_load(first, meter(-500), seen(east=2000)).load_watts == 1500
