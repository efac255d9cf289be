"""What the loop is compared with must itself do what it says."""

from __future__ import annotations

import pytest

from orchestrator import control
from orchestrator.commands import BatteryMode
from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import LoadSimulation
from orchestrator.loop.site_loop import Controller
from orchestrator.simulation.rehearsal.rivals import no_control, same_for_all
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.plants.example_site import EXAMPLE, SUNNY
from tests.support.plants.virtual_site import BATTERY, HYBRID, site_config


def run(controller: Controller, seconds: float, load_watts: float = 1000.0, **fixed: object) -> list[Moment]:
    """The example plant in the sun, from its start."""
    config = site_config(EXAMPLE, load=LoadSimulation(base_watts=load_watts, variation_watts=0.0))
    sections = config.model_dump() | {"setpoints": {"fixed": fixed}}
    loop = VirtualTime(SiteConfig.model_validate(sections), controller=controller)
    for name, watts in SUNNY.items():
        loop.site.set_pv_available(name, watts)
    return loop.run(seconds)


def test_without_control_everything_is_exported_whatever_the_limit() -> None:
    moments = run(no_control, 30, export_limit_watts=0.0)

    assert moments[-1].commands == ()
    assert moments[-1].site_watts < -5000
    assert [power.pv_watts for power in moments[-1].powers] == pytest.approx(list(SUNNY.values()), rel=0.01)


def test_the_plain_rule_gives_each_inverter_the_same_percentage() -> None:
    moments = run(same_for_all, 60, export_limit_watts=2000.0)
    ratings = {name: inverter.ac_rating_watts for name, inverter in EXAMPLE.items()}
    parts = [(c.ac_limit_watts or 0.0) / ratings[c.inverter] for c in moments[-1].commands]
    charged = [c.battery.watts for c in moments[-1].commands if c.battery]

    assert len(parts) == 3
    assert parts == pytest.approx([parts[0]] * 3)
    assert charged[0] / 5000 == pytest.approx(charged[1] / 4000)
    assert charged[0] > 0


def test_the_plain_rule_keeps_the_export_limit_in_the_end() -> None:
    moments = run(same_for_all, 120, export_limit_watts=2000.0)

    assert max(-moment.site_watts for moment in moments[60:]) < 2400


def test_the_plain_rule_discharges_for_the_load_of_the_evening() -> None:
    config = site_config(EXAMPLE, load=LoadSimulation(base_watts=3000.0, variation_watts=0.0))
    loop = VirtualTime(config, controller=same_for_all)
    for name in EXAMPLE:
        loop.site.set_pv_available(name, 0.0)
    last = loop.run(60)[-1]

    assert {command.battery.mode for command in last.commands if command.battery} == {BatteryMode.DISCHARGE}
    assert abs(last.site_watts) < 300


def test_the_plain_rule_discharges_in_percent_of_what_each_can_give() -> None:
    weak = BATTERY.model_copy(update={"discharge_watts": 1000.0})
    simulated = {"east": HYBRID, "west": HYBRID.model_copy(update={"battery": weak})}
    loop = VirtualTime(site_config(simulated, load=LoadSimulation(base_watts=2000.0)), controller=same_for_all)
    for name in simulated:
        loop.site.set_pv_available(name, 0.0)
    last = loop.run(30)[-1]
    east, west = [command.battery.watts for command in last.commands if command.battery]

    assert abs(last.site_watts) < 200
    assert east == pytest.approx(4 * west)


def test_the_plain_rule_leaves_an_inverter_alone_that_is_not_ours() -> None:
    sections = site_config(EXAMPLE).model_dump()
    sections["inverters"][0]["control"] = False
    sections["setpoints"]["fixed"]["export_limit_watts"] = 0.0
    last = VirtualTime(SiteConfig.model_validate(sections), controller=same_for_all).run(10)[-1]

    assert {command.inverter for command in last.commands} == {"west", "roof"}


def test_the_plain_rule_commands_no_battery_that_is_not_ours() -> None:
    sections = site_config(EXAMPLE).model_dump()
    sections["inverters"][0]["battery"]["control"] = False
    loop = VirtualTime(SiteConfig.model_validate(sections), controller=same_for_all)
    last = loop.run(10)[-1]

    assert {command.inverter for command in last.commands if command.battery} == {"west"}


def test_the_loop_uses_more_of_the_sun_than_the_plain_rule_where_one_inverter_is_in_shade() -> None:
    def exported(controller: Controller) -> float:
        config = site_config(EXAMPLE, load=LoadSimulation(base_watts=1000.0, variation_watts=0.0))
        fixed = {"export_limit_watts": 6000.0, "battery_charge_max_watts": 0.0}
        sections = config.model_dump() | {"setpoints": {"fixed": fixed}}
        loop = VirtualTime(SiteConfig.model_validate(sections), controller=controller)
        for name, watts in {"east": 300.0, "west": 3500.0, "roof": 7000.0}.items():
            loop.site.set_pv_available(name, watts)
        return -loop.run(120)[-1].site_watts

    assert exported(control.step) > exported(same_for_all) + 500
    assert exported(control.step) == pytest.approx(6000, abs=200)
