"""What one step decides of AC power while the newest move has spoken against the meter."""

from __future__ import annotations

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.network.virtual import MeterDefect
from orchestrator.simulation.virtual_time import VirtualTime
from tests.support.plants.example_site import EXAMPLE, SUNNY, plant

LOAD_WATTS = 4000.0


def test_limits_rise_slowly_until_a_meter_of_the_wrong_sign_has_said_more() -> None:
    """The load falls by 2 kW, and the reversed meter says that it has risen: the loop runs away for three moves."""
    bare = {name: each.model_copy(update={"battery": None}) for name, each in EXAMPLE.items()}
    loop = VirtualTime(plant(bare, load_watts=LOAD_WATTS, noise_watts=20.0).config)
    for name, watts in SUNNY.items():
        loop.site.set_pv_available(name, watts)
    loop.receive(Setpoint("manual", SetpointFields(export_limit_watts=0.0)))
    loop.run(30)
    loop.meter_fault = MeterDefect.REVERSED
    loop.site.set_load(LOAD_WATTS - 2000.0)
    moments = loop.run(12)

    assert min(m.site_watts for m in moments) > -7000.0
    assert next(n for n, m in enumerate(moments) if m.mode == "failsafe") <= 3
