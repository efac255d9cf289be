"""A meter whose transformers are clamped the wrong way round: its power and its counters of whole Wh are mirrored."""

from __future__ import annotations

from itertools import pairwise
from math import floor

import pytest

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.plant.meter import SimulatedMeter
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.plants.example_site import SUNNY, plant

RATINGS_WATTS, PART = (5000.0, 4000.0, 8000.0), 0.02
"""So much of all ratings above the limit counts as above."""


class WholeWattHours(SimulatedMeter):
    """Its counters move by 1 Wh, as those of most meters."""

    def __setattr__(self, name: str, value: object) -> None:
        if name in ("import_wh", "export_wh") and name in self.__dict__:
            value = self.__dict__[name] + (value - floor(self.__dict__[name]))  # type: ignore[operator]
        super().__setattr__(name, value)

    def __getattribute__(self, name: str) -> object:
        value = super().__getattribute__(name)
        return float(floor(value)) if name in ("import_wh", "export_wh") else value


LIMIT = SetpointFields(export_limit_watts=0.0)


def mirrored(load_watts: float, fault: MeterDefect | None = MeterDefect.REVERSED) -> VirtualTime:
    """The example site in the sun, with 16.5 kW of PV and little consumption; nothing may be exported."""
    example = plant(load_watts=load_watts, noise_watts=30.0)
    plant_now = VirtualTime(example.config)
    for name, watts in SUNNY.items():
        plant_now.site.set_pv_available(name, watts)
    plant_now.site.meter = WholeWattHours(plant_now.site.meter.settings)
    plant_now.meter_fault = fault
    plant_now.receive(Setpoint("manual", LIMIT))
    return plant_now


def turns(moments: list[Moment]) -> int:
    """How often what the decisions take for import changes its sign."""
    meters = [m.result.snapshot.meter for m in moments if m.result is not None]
    signs = [meter.orientation for meter in meters if meter is not None]
    return sum(before != after for before, after in pairwise(signs))


def seconds_above(moments: list[Moment]) -> int:
    return sum(-m.site_watts > PART * sum(RATINGS_WATTS) for m in moments)


@pytest.mark.parametrize("load_watts", [300.0, 3000.0])
def test_its_sign_is_turned_once_and_counters_of_whole_watt_hours_do_not_undo_it(load_watts: float) -> None:
    moments = mirrored(load_watts).run(300)

    assert turns(moments) == 1
    assert seconds_above(moments) <= 10
    assert all(m.mode == "normal" for m in moments[60:])


def test_after_a_restart_the_sign_is_known_and_costs_no_second_above_the_limit() -> None:
    plant_now = mirrored(3000.0)
    plant_now.run(60)
    plant_now.kill()
    plant_now.run(10)
    plant_now.start()
    moments = plant_now.run(120)

    assert turns(moments) == 0
    assert seconds_above(moments) == 0
    assert all(m.mode == "normal" for m in moments[10:])


def test_transformers_that_are_swapped_later_lead_to_a_failsafe_that_lasts_until_site_yaml_names_the_sign() -> None:
    plant_now = mirrored(3000.0)
    plant_now.run(60)
    plant_now.meter_fault = None
    plant_now.site.set_load(1000.0)
    swapped = plant_now.run(300)
    plant_now.kill()
    plant_now.start()
    again = plant_now.run(60)
    meter = plant_now.config.meter.model_copy(update={"sign": "import_positive"})
    plant_now.config = plant_now.config.model_copy(update={"meter": meter})
    named = plant_now.run(60)

    assert seconds_above(swapped) <= 15
    assert all(m.mode == "failsafe" for m in (*swapped[60:], *again[5:]))
    assert seconds_above(again) == 0
    assert seconds_above(named) == 0
    assert all(m.mode == "normal" for m in named[5:])
