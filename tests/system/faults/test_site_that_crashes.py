"""A bug in the site's actor that comes again at every start: what is left in the devices is safe without any load."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from actors.clock import RealClock
from actors.observer import NoObserver
from actors.system import System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import RunningSite, serve
from tests.support.plants.running_plant import NAMES, Expected, Eyes, about, above
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port, wait_until

ENABLED: Expected = {f"{name} WMaxLim_Ena": about(1, 0) for name in NAMES}
AT_ZERO: Expected = ENABLED | {f"{name} WMaxLimPct": about(0, 0) for name in NAMES}
BATTERIES_OWN: Expected = {f"{name} StorCtl_Mod": about(0, 0) for name in ("east", "west")}


class Bug(NoObserver):
    """Once it is there, the site's actor crashes at whatever it is told, its first message included."""

    def __init__(self) -> None:
        self.is_there = False

    def actor_up(self, actor: str, up: bool) -> None:
        if up and actor == "site" and self.is_there:
            raise RuntimeError("a bug")

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        if actor == "site" and self.is_there:
            raise RuntimeError("a bug")


@contextmanager
def sunny_site() -> Iterator[Eyes]:
    with serve(site_config(), new_port=free_port) as served:
        eyes = Eyes(served)
        eyes.set(pv_watts=dict.fromkeys(NAMES, 5000.0), load_watts=3000.0, soc_percent={"east": 100.0, "west": 100.0})
        yield eyes


@contextmanager
def started(served: RunningSite, state_dir: Path, bug: Bug) -> Iterator[System]:
    clock = RealClock()
    system = start_system(limited(served.config, state_dir), clock=clock, observer=bug)
    try:
        yield system
    finally:
        system.stop(30.0)
        clock.close()


def limited(config: SiteConfig, state_dir: Path) -> SiteConfig:
    """Nothing may be exported, and limits outlive us."""
    sections = config.model_dump()
    sections["control"] |= {"state_dir": str(state_dir), "battery_power_flow": True}
    return SiteConfig.model_validate(sections | {"setpoints": {"fixed": {"export_limit_watts": 0}}, "metrics": None})


def follows_the_load(eyes: Eyes) -> None:
    """The limits let through what the load takes."""
    eyes.see(ENABLED | {"generation": above(2500), "export": about(0, 150)}, for_s=1.0)


def test_a_site_that_crashes_at_each_message_leaves_limits_that_are_safe_without_a_load(tmp_path: Path) -> None:
    bug = Bug()
    with sunny_site() as eyes:
        with started(eyes.site, tmp_path, bug) as system:
            follows_the_load(eyes)
            bug.is_there = True
            wait_until(system.failed.is_set, "the plant is given up")

        eyes.stays(AT_ZERO | BATTERIES_OWN, 0.1)


def test_a_site_that_crashes_before_its_first_decision_lowers_what_a_killed_run_has_left(tmp_path: Path) -> None:
    """As after a restart by systemd, with the same bug again: nobody has read a device in this run."""
    bug = Bug()
    with sunny_site() as eyes:
        leave_limits(eyes, tmp_path)
        bug.is_there = True
        with started(eyes.site, tmp_path, bug) as system:
            wait_until(system.failed.is_set, "the plant is given up")

        eyes.stays(AT_ZERO | BATTERIES_OWN, 0.1)


def leave_limits(eyes: Eyes, state_dir: Path) -> None:
    """A run that is killed while it follows the load; what it has found stays on record."""
    clock = RealClock()
    system = start_system(limited(eyes.site.config, state_dir), clock=clock, observer=NoObserver())
    follows_the_load(eyes)
    plant = system._plant
    for address in (plant.supervisor, *plant.addresses()):
        if address.ref is not None:
            address.ref.stop()
    plant.close()
    clock.close()


def test_a_device_that_is_away_costs_the_others_no_safe_limit(tmp_path: Path) -> None:
    bug, away, others = Bug(), "east", ("west", "roof")
    with sunny_site() as eyes:
        with started(eyes.site, tmp_path, bug) as system:
            follows_the_load(eyes)
            eyes.site.stop_device(away)
            bug.is_there = True
            wait_until(system.failed.is_set, "the plant is given up")

        eyes.stays({key: AT_ZERO[key] for key in AT_ZERO if key.split()[0] in others}, 0.1)


def test_it_leaves_no_thread(tmp_path: Path) -> None:
    bug = Bug()
    with sunny_site() as eyes:
        before = set(threading.enumerate())
        with started(eyes.site, tmp_path, bug) as system:
            bug.is_there = True
            wait_until(system.failed.is_set, "the plant is given up")

        assert set(threading.enumerate()) <= before
