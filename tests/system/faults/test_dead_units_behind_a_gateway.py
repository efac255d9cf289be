"""Eight inverters and the meter behind one host and port; five of the inverters do not answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from actors.clock import RealClock
from actors.messages import Acknowledged, SetpointReceived
from actors.observer import NoObserver
from actors.system import System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.server import serve
from tests.support.faults import SILENT
from tests.support.inboxes import Inbox
from tests.support.plants.virtual_site import PV_ONLY, site_config
from tests.support.servers.required import free_port, wait_until

LIVING = ("inv0", "inv1", "inv2")
DEAD = ("inv3", "inv4", "inv5", "inv6", "inv7")
CYCLES = 10
TIMEOUT_S = 0.5


@dataclass(frozen=True)
class Request:
    device: str
    ended_s: float
    seconds: float
    error: str | None


class Log(NoObserver):
    """Every request in the order of their ends; the link makes them one by one."""

    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self.requests: list[Request] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.requests.append(Request(device, self._clock.now_s(), seconds, error))


class Gateway:
    """The plant behind its gateway, running."""

    def __init__(self, config: SiteConfig) -> None:
        self.clock = RealClock()
        self.log, self.listener = Log(self.clock), Inbox()
        self.system: System = start_system(config, clock=self.clock, observer=self.log, listeners=(self.listener,))

    def cycles(self, count: int) -> None:
        """Wait for so many cycles in which everybody who can be known is known."""
        before = len(self._whole())
        wait_until(lambda: len(self._whole()) >= before + count, f"{count} cycles", 60.0)

    def _whole(self) -> list[CycleResult]:
        return [
            each for each in self.listener.of(CycleResult) if {one.name for one in each.snapshot.inverters} >= {*LIVING}
        ]


def behind_one_gateway(state_dir: Path, port: int = 1502) -> SiteConfig:
    names = (*LIVING, *DEAD)
    config = site_config(dict.fromkeys(names, PV_ONLY))
    at_gateway = {"host": "127.0.0.1", "port": port}
    control = {"interval_s": 0.5, "state_dir": str(state_dir)}
    return config.model_copy(
        update={
            "meter": config.meter.model_copy(update={**at_gateway, "timeout_s": TIMEOUT_S}),
            "inverters": tuple(
                each.model_copy(update={**at_gateway, "unit_id": unit, "timeout_s": TIMEOUT_S})
                for unit, each in enumerate(config.inverters, 1)
            ),
            "control": config.control.model_validate(control),
            "metrics": None,
        }
    )


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    with serve(behind_one_gateway(tmp_path / "state"), new_port=free_port) as site:
        for name in DEAD:
            site.set_fault(name, SILENT)
        plant = Gateway(site.config)
        try:
            plant.cycles(1)
            wait_until(lambda: {each.device for each in plant.log.requests} >= {*DEAD}, "a first look at each", 60.0)
            yield plant
        finally:
            plant.system.stop()
            plant.clock.close()


def test_the_meter_never_waits_for_more_than_one_try_at_a_dead_unit(gateway: Gateway) -> None:
    gateway.cycles(CYCLES)

    since_meter = 0
    for request in gateway.log.requests:
        since_meter = 0 if request.device == "meter" else since_meter + (request.device in DEAD)
        assert since_meter <= 1


def test_all_dead_units_together_get_a_tenth_of_the_time_of_the_link(gateway: Gateway) -> None:
    begin = len(gateway.log.requests)
    gateway.cycles(CYCLES)
    wait_until(lambda: len(in_vain(gateway.log.requests[begin:])) >= 3, "three more tries", 60.0)

    for former, latter in pairwise(in_vain(gateway.log.requests[begin:])):
        assert latter.ended_s - latter.seconds >= former.ended_s + 8.9 * former.seconds


def test_a_limit_that_falls_waits_for_one_try_at_a_dead_unit_at_most(gateway: Gateway) -> None:
    begin = len(gateway.log.requests)
    gateway.system.setpoints.tell(SetpointReceived(Setpoint("manual", SetpointFields(generation_limit_watts=300.0))))

    def obeyed() -> bool:
        took = {each.inverter for each in gateway.listener.of(Acknowledged) if each.writes and not each.fault}
        return took >= {*LIVING}

    wait_until(obeyed, "the limit is written", 60.0)

    assert len(in_vain(gateway.log.requests[begin:])) <= 1


def in_vain(requests: list[Request]) -> list[Request]:
    return [each for each in requests if each.error is not None and each.device in DEAD]
