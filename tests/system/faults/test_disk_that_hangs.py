"""A disk that hangs while the plant runs: limits are written all the same, and what waits for it stays bounded."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from actors.clock import RealClock
from actors.messages import Event
from actors.observer import NoObserver
from actors.system import System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.running_plant import NAMES, Eyes, about, below
from tests.support.plants.virtual_site import site_config
from tests.support.records.cycles import cycle_result
from tests.support.servers.required import free_port, wait_until

EXPORT_LIMIT_WATTS = 1000.0
MANY = 2000


class LedgerHangs(NoObserver):
    """The ledger's actor stands still after its next message, as it does for a disk that hangs."""

    def __init__(self) -> None:
        self.stands, self.goes_on = threading.Event(), threading.Event()

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        if actor == "ledger" and not self.goes_on.is_set():
            self.stands.set()
            self.goes_on.wait(60.0)


@contextmanager
def running(config: SiteConfig, observer: NoObserver, listener: Inbox) -> Iterator[System]:
    clock = RealClock()
    system = start_system(config, clock=clock, observer=observer, listeners=(listener,))
    try:
        yield system
    finally:
        system.stop(30.0)
        clock.close()


def limited(config: SiteConfig, state_dir: Path) -> SiteConfig:
    sections = config.model_dump()
    sections["control"] |= {"state_dir": str(state_dir), "battery_power_flow": True}
    fixed = {"fixed": {"export_limit_watts": EXPORT_LIMIT_WATTS}}
    return SiteConfig.model_validate(sections | {"setpoints": fixed, "metrics": None})


@pytest.fixture
def hanging(tmp_path: Path) -> Iterator[Path]:
    """A folder for the state on a disk that hangs: whatever is written for an inverter waits until somebody reads."""
    folder = tmp_path / "state" / "inverters"
    folder.mkdir(parents=True)
    pipes = [folder / f"{name}{kind}.new" for name in NAMES for kind in ("", ".flash")]
    for pipe in pipes:
        os.mkfifo(pipe)
    yield tmp_path / "state"
    for pipe in pipes:
        descriptor = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        pipe.unlink()
        os.close(descriptor)


def test_a_first_limit_does_not_wait_for_its_record_on_a_disk_that_hangs(hanging: Path) -> None:
    listener = Inbox()
    with serve(site_config(), new_port=free_port) as served:
        eyes = Eyes(served)
        eyes.set(pv_watts=dict.fromkeys(NAMES, 5000.0), load_watts=500.0, soc_percent={"east": 100.0, "west": 100.0})
        with running(limited(served.config, hanging), NoObserver(), listener):
            eyes.see({"export": below(EXPORT_LIMIT_WATTS + 200.0), "roof WMaxLim_Ena": about(1, 0)})
            wait_until(lambda: "state_not_kept" in {each.name for each in listener.of(Event)}, "it is said")


def test_cycles_that_wait_for_a_ledger_whose_disk_hangs_are_bounded(tmp_path: Path) -> None:
    observer = LedgerHangs()
    with (
        serve(site_config(), new_port=free_port) as served,
        running(limited(served.config, tmp_path), observer, Inbox()) as system,
    ):
        assert observer.stands.wait(60.0)
        ledger = system._plant.ledger
        for _ in range(MANY):
            ledger.tell(cycle_result())
        waiting = 0 if ledger.ref is None else ledger.ref.actor_inbox.qsize()
        observer.goes_on.set()

    assert 0 < waiting < MANY / 2
