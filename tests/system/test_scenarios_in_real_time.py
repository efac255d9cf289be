"""A chosen few scenarios twice: in virtual time, and in real time with actors, Modbus and the served virtual site.

Both must give the same picture: the same power at the meter and in the batteries once each phase has settled, within
2 % of nameplate, and export above its limit for at most 5 s after each step in both.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.clock import RealClock
from actors.messages import SetpointReceived
from actors.observer import NoObserver
from actors.system import start_system
from orchestrator.config import SiteConfig
from orchestrator.setpoints import Setpoint
from orchestrator.simulation.scenario import SCENARIOS, Scenario, load_scenarios, play
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from orchestrator.simulation.timeline import Event
from tests.support.servers import wait_until

SETTLED_S = 10.0
TOLERANCE_PART_OF_NAMEPLATE = 0.02
LONGEST_ABOVE_S = 5.0
CHOSEN = ("limit_steps", "evening_load_steps", "pv_feeds_battery")

Picture = dict[str, float]
"""Power at the meter (import +) and of all batteries (charging +) at one moment, in W."""


def nameplate_watts(scenario: Scenario) -> float:
    return sum(inverter.ac_rating_watts for inverter in scenario.inverters.values())


def phases(scenario: Scenario) -> list[tuple[float, float]]:
    """From each event of the time line to the next."""
    begins = sorted({event.at_s for event in scenario.timeline})
    return list(zip(begins, [*begins[1:], scenario.duration_s], strict=True))


def virtual_pictures(scenario: Scenario) -> list[Picture]:
    run = play(scenario)
    pictures = []
    for _, end_s in phases(scenario):
        moment = max((m for m in run.moments if m.at_s <= end_s - 1), key=lambda m: m.at_s)
        batteries = sum(power.battery_watts for power in moment.powers)
        pictures.append({"site": moment.site_watts, "batteries": batteries})
    return pictures


def look(site: VirtualSite) -> Picture:
    states = [inverter.state for inverter in site.inverters.values()]
    site_watts = site.load_watts - sum(state.ac_watts for state in states)
    return {"site": site_watts, "batteries": sum(state.battery_watts for state in states)}


def happen(event: Event, site: RunningSite, setpoints: object) -> None:
    """What an event of light, load and setpoint does to the served site and the running system."""

    def turn(virtual: VirtualSite) -> None:
        for name, watts in event.pv_watts.items():
            assert not isinstance(watts, str)
            virtual.set_pv_available(name, watts)
        for name, percent in event.soc_percent.items():
            virtual.set_soc(name, percent)
        if event.load_watts is not None:
            assert not isinstance(event.load_watts, str)
            virtual.set_load(event.load_watts)

    site.call(turn)
    if event.setpoint is not None:
        assert not isinstance(event.setpoint, str)
        setpoints.tell(SetpointReceived(Setpoint("manual", event.setpoint.to_fields())))  # type: ignore[attr-defined]


def real_moments(scenario: Scenario, config: SiteConfig) -> Iterator[tuple[float, Picture]]:
    """The plant in real time: seconds since the start, and what is to be seen, four times a second."""
    events = sorted(scenario.timeline, key=lambda event: event.at_s)
    clock = RealClock()
    with serve(config, ephemeral_ports=True) as site:
        first = [event for event in events if event.at_s == 0]
        system = start_system(site.config, clock=clock, observer=NoObserver())
        try:
            began_s, left = time.monotonic(), [event for event in events if event.at_s > 0]
            for event in first:
                happen(event, site, system.setpoints)
            while (now_s := time.monotonic() - began_s) < scenario.duration_s - 1:
                while left and left[0].at_s <= now_s:
                    happen(left.pop(0), site, system.setpoints)
                yield now_s, site.call(look)
                due_s = began_s + now_s + 0.25
                wait_until(lambda due_s=due_s: time.monotonic() >= due_s, "the next moment")  # type: ignore[misc]
        finally:
            system.stop()
            clock.close()


def real_config(scenario: Scenario, folder: Path) -> SiteConfig:
    """The scenario's site with nothing but Modbus: setpoints are told to the site directly."""
    config = scenario.site_config()
    control = config.control.model_copy(update={"state_dir": str(folder)})
    setpoints = config.setpoints.model_copy(update={"mqtt": ()})
    return config.model_copy(update={"control": control, "setpoints": setpoints, "metrics": None})


def limit_at(scenario: Scenario, at_s: float) -> float | None:
    limit = scenario.fixed.export_limit_watts
    for event in sorted(scenario.timeline, key=lambda event: event.at_s):
        if event.at_s <= at_s and event.setpoint is not None and not isinstance(event.setpoint, str):
            limit = event.setpoint.export_limit_watts
    return limit


@pytest.mark.long
@pytest.mark.timeout(400)
@pytest.mark.parametrize("name", CHOSEN)
def test_real_time_and_virtual_time_give_the_same_picture(name: str, tmp_path: Path) -> None:
    scenario = load_scenarios(SCENARIOS)[name]
    assert scenario.real_time
    tolerance = TOLERANCE_PART_OF_NAMEPLATE * nameplate_watts(scenario)

    seen = list(real_moments(scenario, real_config(scenario, tmp_path)))

    for (begin_s, end_s), expected in zip(phases(scenario), virtual_pictures(scenario), strict=True):
        of_phase = [(at_s, picture) for at_s, picture in seen if begin_s <= at_s < end_s - 1]
        if end_s - begin_s > SETTLED_S:
            last = [picture for at_s, picture in of_phase if at_s > end_s - 4]
            for key, watts in expected.items():
                assert sum(p[key] for p in last) / len(last) == pytest.approx(watts, abs=tolerance), (key, begin_s)
        limit = limit_at(scenario, begin_s)
        if limit is not None:
            over = [at_s for at_s, picture in of_phase if -picture["site"] > limit + tolerance]
            assert all(at_s - begin_s <= LONGEST_ABOVE_S for at_s in over), (begin_s, over)
