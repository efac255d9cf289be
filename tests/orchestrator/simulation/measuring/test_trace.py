"""The curves of a run."""

from __future__ import annotations

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.simulation import SimulationConfig
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.trace import Trace, TraceMaker
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.virtual_site import HYBRID, PV_ONLY

SITE = SimulationConfig(inverters={"east": HYBRID, "roof": PV_ONLY})


def moment(at_s: float, site_watts: float = 0.0, limit: float | None = None, *commands: InverterCommand) -> Moment:
    east = PowerState(
        ac_watts=1000.0, pv_watts=3000.0, battery_watts=2000.0, pv_available_watts=4000.0, stored_wh=2500.0
    )
    roof = PowerState(ac_watts=500.0, pv_watts=500.0, pv_available_watts=500.0)
    wanted = SetpointFields(export_limit_watts=limit)
    return Moment(at_s, site_watts, 700.0, (east, roof), wanted, commands)


def traced(*moments: Moment, bucket_s: float = 60.0) -> Trace:
    maker = TraceMaker(SITE, bucket_s)
    for each in moments:
        maker.add(each)
    return maker.trace()


def test_a_value_is_the_mean_of_its_bucket() -> None:
    trace = traced(*(moment(float(at_s), site_watts=float(at_s)) for at_s in range(1, 121)))

    assert trace.at_s == [30, 90]
    assert trace.column("site_watts") == pytest.approx([30.5, 90.5])


def test_every_power_has_its_column() -> None:
    trace = traced(moment(1.0))
    seen = {name: values[0] for name, values in trace.columns.items()}

    assert seen == {
        "site_watts": 0.0,
        "load_watts": 700.0,
        "pv_watts": 3500.0,
        "pv_available_watts": 4500.0,
        "battery_watts": 2000.0,
        "east.ac_watts": 1000.0,
        "east.pv_watts": 3000.0,
        "east.battery_watts": 2000.0,
        "east.soc_percent": 25.0,
        "roof.ac_watts": 500.0,
        "roof.pv_watts": 500.0,
    }


def test_what_was_commanded_is_there_while_it_was() -> None:
    battery = BatteryCommand(BatteryMode.CHARGE, 1500.0, 1500.0, 1500.0)
    command = InverterCommand("east", 60.0, ac_limit_watts=3000.0, battery=battery)
    trace = traced(
        moment(1.0), moment(61.0, 0.0, 1000.0, command), moment(121.0, 0.0, None, InverterCommand("east", 60.0))
    )

    assert trace.column("east.ac_limit_watts") == [None, 3000.0, None]
    assert trace.column("east.battery_target_watts") == [None, 1500.0, None]
    assert trace.column("export_limit_watts") == [None, 1000.0, None]
    assert trace.column("import_limit_watts") == [None, None, None]


def test_a_time_without_moments_has_no_bucket() -> None:
    assert traced(moment(10.0), moment(250.0)).at_s == [30, 270]


def test_nothing_is_an_empty_trace() -> None:
    assert traced().at_s == []
