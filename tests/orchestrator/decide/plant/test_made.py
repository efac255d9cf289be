"""After the meter was silent, the plant comes back to where it was without finding everything out from scratch."""

from __future__ import annotations

from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import plant

SUN = {"east": 5000.0, "west": 3000.0, "roof": 7000.0}
EXPORT_FIRST = {"export_limit_watts": 4000.0, "battery_priority_mode": "export_first"}


def held_back_watts(moment: Moment) -> float:
    return sum(power.pv_available_watts - power.pv_watts for power in moment.powers)


def silence(loop: ClosedLoop, seconds: float = 30.0) -> None:
    loop.run(60)
    loop.meter_silent = True
    loop.run(seconds)
    loop.meter_silent = False


def test_what_inverters_made_before_is_made_again_within_seconds() -> None:
    loop = plant(pv_watts=SUN)
    loop.ask(**EXPORT_FIRST)
    silence(loop)
    before = held_back_watts(loop.history[59])
    moments = loop.run(20)

    assert sum(max(held_back_watts(m) - before, 0.0) for m in moments) / 3600 < 5.0
    assert max(-m.site_watts for m in moments) < 4000.0 + 0.02 * 17000.0


def test_sun_that_went_meanwhile_costs_no_excess_and_no_lasting_import() -> None:
    loop = plant(pv_watts=SUN)
    loop.ask(**EXPORT_FIRST)
    silence(loop)
    loop.site.set_pv_available("roof", 0.0)
    moments = loop.run(20)

    assert max(-m.site_watts for m in moments) < 4000.0 + 0.02 * 17000.0
    assert all(m.site_watts < 100.0 for m in moments[10:])


def test_a_ramp_of_site_yaml_holds_after_a_silence() -> None:
    loop = plant(pv_watts=SUN, ramp_watts_per_s=200.0)
    loop.ask(**EXPORT_FIRST)
    silence(loop)
    of_roof = [command for m in loop.run(5) for command in m.commands if command.inverter == "roof"]
    limits = [8000.0 if command.ac_limit_watts is None else command.ac_limit_watts for command in of_roof]

    assert limits[0] <= 200.0 + 1.0
    assert limits[-1] <= 1000.0 + 1.0


def test_while_the_meter_is_silent_no_limit_rises_for_what_was_made_before() -> None:
    loop = plant(pv_watts=SUN)
    loop.ask(export_limit_watts=2000.0)
    loop.run(60)
    loop.meter_silent = True
    moments = loop.run(60)[10:]

    assert {c.ac_limit_watts for m in moments for c in m.commands} == {0.0}
