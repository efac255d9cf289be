"""The whole plant: the virtual site on real sockets, and every actor in its own thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from actors.clock import RealClock
from actors.messages import Acknowledged, Read, SetpointReceived
from actors.observer import NoObserver
from actors.supervisor import stop_in_reverse
from actors.system import System, start_system
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.server import RunningSite, serve
from tests.support.faults import SILENT, fault, slow, stopped
from tests.support.inboxes import Inbox
from tests.support.plants.running_plant import BUSY_MACHINE_S, nearly_always
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port, wait_until

NAMES = ("east", "west", "roof")
INTERVAL_S = 0.5
TIMEOUT_S = 3.0
FIVE_CYCLES_S = 5 * 1.25 * INTERVAL_S
"""What five cycles take at most, while the meter says nothing new. One that waits for a device takes TIMEOUT_S more."""


class Diary(NoObserver):
    """What actors and links told of themselves. Appending is one step, so any thread may."""

    def __init__(self) -> None:
        self.writes: list[tuple[str, str]] = []
        self.requests: list[tuple[str, str | None]] = []
        self.restarts: list[str] = []

    def register_written(self, inverter: str, register: str) -> None:
        self.writes.append((inverter, register))

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.requests.append((device, error))

    def actor_restarted(self, actor: str) -> None:
        self.restarts.append(actor)


class Plant:
    """A virtual site that is served, and a system that runs it."""

    def __init__(self, running: RunningSite, state_dir: Path, **control: Any) -> None:
        self.running = running
        self.clock = RealClock()
        self.config = configured(running.config, state_dir, **control)
        self.listener = Inbox()
        self.diary = Diary()
        self.system = self.start()

    def start(self) -> System:
        """Start the system, again after a `kill`."""
        self.system = start_system(self.config, clock=self.clock, observer=self.diary, listeners=(self.listener,))
        return self.system

    def kill(self) -> None:
        """End every actor where it stands, without handing anything back."""
        plant = self.system._plant
        stop_in_reverse((plant.supervisor,), self.clock.now_s() + 60, self.clock)
        stop_in_reverse(plant.addresses(), self.clock.now_s() + 60, self.clock)

    def ask(self, **fields: Any) -> None:
        """What a source of setpoints asks for."""
        self.system.setpoints.tell(SetpointReceived(Setpoint("manual", SetpointFields(**fields))))

    def next_results(self, count: int) -> list[CycleResult]:
        """The next `count` cycles."""
        before = len(self.results)
        wait_until(lambda: len(self.results) >= before + count, f"{count} cycles")
        return self.results[before : before + count]

    def controls(self, name: str) -> Controls:
        """What the inverter itself is told to do at this moment."""
        return self.running.call(lambda site: site.inverters[name].controls)

    @property
    def results(self) -> list[CycleResult]:
        return self.listener.of(CycleResult)


def configured(config: SiteConfig, state_dir: Path, **control: Any) -> SiteConfig:
    """Quick cycles, so that a test takes little time, and slow timeouts, so that waiting for one is seen."""
    settings = {"interval_s": INTERVAL_S, "battery_power_flow": True, "state_dir": str(state_dir), **control}
    inverters = tuple(inverter.model_copy(update={"timeout_s": TIMEOUT_S}) for inverter in config.inverters)
    return config.model_copy(
        update={
            "control": config.control.model_validate(settings),
            "inverters": inverters,
            "meter": config.meter.model_copy(update={"interval_s": 0.05}),
            "metrics": None,
        }
    )


@contextmanager
def running_plant(state_dir: Path, **control: Any) -> Iterator[Plant]:
    with serve(site_config(), new_port=free_port) as running:
        plant = Plant(running, state_dir, **control)
        try:
            yield plant
        finally:
            plant.system.stop(60.0)
            plant.clock.close()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    with running_plant(tmp_path / "state") as plant:
        yield plant


def test_every_inverter_gets_its_first_command_as_soon_as_all_have_answered(plant: Plant) -> None:
    wait_until(lambda: {name for name, _ in plant.diary.writes} >= {"east", "west"}, "the first writes")

    first = next(result for result in plant.results if result.commands)
    assert first.snapshot.away == ()
    assert {command.inverter for command in first.commands} == set(NAMES)
    assert all(not message.fault for message in plant.listener.of(Acknowledged))


def test_in_steady_state_an_inverter_is_read_twice_a_cycle_at_most(plant: Plant) -> None:
    plant.running.call(lambda site: site.set_load(2000.0))
    plant.ask(battery_storage_mode=0)
    plant.next_results(5)
    plant.diary.requests.clear()
    plant.diary.writes.clear()
    cycles = len(plant.next_results(5))

    for name in NAMES:
        writes = len([inverter for inverter, _ in plant.diary.writes if inverter == name])
        requests = len([device for device, _ in plant.diary.requests if device == name])
        assert requests - writes <= 2 * (cycles + 1)


def test_a_limit_that_falls_is_in_the_registers_long_before_the_next_cycle(tmp_path: Path) -> None:
    with running_plant(tmp_path, interval_s=60.0) as plant:
        wait_until(lambda: plant.results and plant.results[-1].mode == "normal", "normal operation")
        plant.ask(generation_limit_watts=100.0)

        def limited() -> bool:
            limits = [plant.controls(name).ac_limit_watts for name in NAMES]
            return sum(5000.0 if limit is None else limit for limit in limits) <= 100.0 + 0.03 * 18000.0

        # What is above it is the room of the first decision, some percent of all ratings.
        wait_until(limited, "the limit in the registers")


def test_an_inverter_that_stops_answering_leaves_the_others_undisturbed_and_rejoins(plant: Plant) -> None:
    wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all inverters")
    with stopped(plant.running, "west"):
        wait_until(lambda: plant.results[-1].snapshot.away == ("west",), "west is away")
        gone = plant.next_results(6)
        assert nearly_always(result.command("east") is not None for result in gone)
        assert took_s(gone) < FIVE_CYCLES_S + TIMEOUT_S

    wait_until(lambda: plant.results[-1].snapshot.away == (), "west is back")
    wait_until(lambda: plant.results[-1].command("west") is not None, "west is commanded")


def test_a_silent_inverter_never_delays_the_others_beyond_its_first_cycle(plant: Plant) -> None:
    wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all inverters")
    with fault(plant.running, "west", SILENT):
        wait_until(lambda: plant.results[-1].snapshot.away == ("west",), "west is away")
        silent = plant.next_results(6)

    assert took_s(silent) < FIVE_CYCLES_S + TIMEOUT_S


def took_s(results: list[CycleResult]) -> float:
    """From the first to the last of these cycles."""
    return results[-1].snapshot.at_s - results[0].snapshot.at_s


def test_a_slow_inverter_stays_in_the_plant(plant: Plant) -> None:
    wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all inverters")
    with fault(plant.running, "west", slow(0.03)):
        results = plant.next_results(8)

    assert nearly_always(result.snapshot.away == () for result in results)


def test_a_silent_meter_leads_to_failsafe_and_back(plant: Plant) -> None:
    wait_until(lambda: plant.results and plant.results[-1].mode == "normal", "normal operation")
    with fault(plant.running, "meter", SILENT):
        wait_until(lambda: plant.results[-1].mode == "failsafe", "failsafe")

    wait_until(lambda: plant.results[-1].mode == "normal", "normal operation again")


def test_a_bug_in_an_actor_costs_a_restart_and_no_more(plant: Plant) -> None:
    wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all inverters")
    before = len(plant.results)
    plant.system._plant.inverters["west"].tell(Read(1, until_s=None))  # type: ignore[arg-type]
    wait_until(lambda: plant.diary.restarts == ["west"], "the restart")
    wait_until(lambda: len(plant.results) > before + 3 and plant.results[-1].command("west") is not None, "west again")

    assert not plant.system.failed.is_set()


def test_a_bug_in_the_site_keeps_the_limits_in_force(plant: Plant) -> None:
    plant.ask(export_limit_watts=123.0)
    wait_until(lambda: plant.results and plant.results[-1].envelope.fields.export_limit_watts == 123.0, "the limit")
    plant.system._plant.site.tell(SetpointReceived(None))  # type: ignore[arg-type]
    wait_until(lambda: plant.diary.restarts == ["site"], "the restart")

    assert all(result.envelope.fields.export_limit_watts == 123.0 for result in plant.next_results(3))


def test_a_clean_stop_releases_the_batteries_and_leaves_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    with serve(site_config(), new_port=free_port) as running:
        plant = Plant(running, tmp_path)
        wait_until(lambda: plant.controls("east").low_watts is not None, "the battery is commanded")
        plant.system.stop(60.0)
        plant.clock.close()

        assert all(plant.controls(name).low_watts is None for name in ("east", "west"))
        assert all(plant.controls(name).high_watts is None for name in ("east", "west"))
        assert not plant.system.failed.is_set()
    assert set(threading.enumerate()) <= before


def test_after_a_kill_the_next_run_takes_over_and_a_clean_stop_puts_back_what_was_found(tmp_path: Path) -> None:
    with running_plant(tmp_path) as plant:
        found = [plant.controls(name).grid_charging for name in ("east", "west")]
        plant.running.call(lambda site: site.set_pv_available("roof", 8000.0))
        for name in ("east", "west"):
            plant.running.call(lambda site, name=name: site.set_pv_available(name, 0.0))  # type: ignore[misc]
        wait_until(lambda: plant.controls("east").grid_charging and plant.controls("west").grid_charging, "charging")
        plant.kill()
        assert plant.controls("east").low_watts is not None

        plant.start()
        plant.next_results(3)
        plant.system.stop(60.0)

        assert [plant.controls(name).grid_charging for name in ("east", "west")] == found
        assert plant.controls("east").low_watts is None


def test_shadow_mode_reads_decides_and_writes_nothing(tmp_path: Path) -> None:
    with running_plant(tmp_path / "state", enabled=False) as plant:
        wait_until(lambda: len(plant.results) > 5, "some cycles")
        plant.system.stop()

    assert plant.results[-1].commands
    assert plant.diary.writes == []
    assert not (tmp_path / "state").exists()


def test_a_site_of_which_nothing_answers_runs_and_stops(tmp_path: Path) -> None:
    with running_plant(tmp_path) as plant:
        for name in (*NAMES, "meter"):
            plant.running.stop_device(name)
        wait_until(lambda: plant.results and set(plant.results[-1].snapshot.away) == set(NAMES), "all away")
        began_s = plant.clock.now_s()
        plant.system.stop(timeout_s=2.0)

        assert plant.clock.now_s() - began_s < 2.0 + BUSY_MACHINE_S
        assert not plant.system.failed.is_set()
