"""A changed site.yaml under a running plant of ten inverters: it takes effect, and the others notice nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from math import inf
from pathlib import Path
from typing import Any

import pytest

from actors.clock import RealClock
from actors.messages import Acknowledged
from actors.observer import NoObserver
from actors.system import ReloadRefused, start_system
from orchestrator.config.changes import Changes
from orchestrator.config.sections import InverterConfig, SiteConfig
from orchestrator.decide.records import CycleResult
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.server import RunningSite, serve
from orchestrator.simulation.site import VirtualSite
from tests.support.inboxes import Inbox
from tests.support.plants.running_plant import BUSY_MACHINE_S
from tests.support.plants.shared import Shared, shared
from tests.support.plants.virtual_site import HYBRID, PV_ONLY, site_config
from tests.support.servers.required import free_port, wait_until

INTERVAL_S = 0.5
NAMES = tuple(f"inv{number}" for number in range(11))
AT_FIRST, LATER = NAMES[:10], (*NAMES[:9], NAMES[10])
LEAVES, COMES = NAMES[9], NAMES[10]
STAY = NAMES[:9]
OBEYED_WITHIN_S = 2.0 + BUSY_MACHINE_S
"""What is only refreshed is written three times as seldom."""
WITHOUT_A_GAP_S = 2.0
"""Cycles are at most 1.25 intervals apart, and a busy machine may miss one or two. Actors that start anew take longer.
"""


class Diary(NoObserver):
    """Which actors came and went."""

    def __init__(self) -> None:
        self.ups: list[tuple[str, bool]] = []
        self.gone: list[str] = []
        self.restarts: list[str] = []

    def actor_up(self, actor: str, up: bool) -> None:
        self.ups.append((actor, up))

    def actor_gone(self, actor: str) -> None:
        self.gone.append(actor)

    def actor_restarted(self, actor: str) -> None:
        self.restarts.append(actor)


class Plant:
    """Eleven virtual inverters, of which the orchestrator knows `AT_FIRST`."""

    def __init__(self, site: RunningSite, state_dir: Path) -> None:
        self.site = site
        self.clock, self.listener, self.diary = RealClock(), Inbox(), Diary()
        sections = site.config.model_dump()
        sections["control"] |= {"interval_s": INTERVAL_S, "state_dir": str(state_dir), "battery_power_flow": True}
        sections |= {"metrics": None, "setpoints": {"fixed": {"export_limit_watts": 30000.0}}}
        self._sections = sections
        self.system = start_system(self.changed(), clock=self.clock, observer=self.diary, listeners=(self.listener,))

    def changed(self, names: tuple[str, ...] = AT_FIRST, **sections: Any) -> SiteConfig:
        """The configuration with these inverters and with other sections."""
        config = SiteConfig.model_validate(self._sections | sections)
        return config.model_copy(update={"inverters": tuple(config.inverter(name) for name in names)})

    @property
    def results(self) -> list[CycleResult]:
        return self.listener.of(CycleResult)

    def wait_for_cycles(self, count: int) -> list[CycleResult]:
        """The next `count` cycles."""
        before = len(self.results)
        wait_until(lambda: len(self.results) >= before + count, f"{count} cycles")
        return self.results[before : before + count]

    def hears(self, names: Sequence[str]) -> bool:
        """Whether these inverters, and no others, answered in the newest cycle."""
        snapshot = self.results[-1].snapshot
        return not snapshot.away and {each.name for each in snapshot.inverters} == set(names)

    def controls(self, name: str) -> Controls:
        """What the device itself was told to do."""
        return self.site.call(lambda site: site.inverters[name].controls)

    def limits_watts(self, names: Sequence[str]) -> float:
        """The AC limits of these devices together; infinite while one has none."""
        limits = [self.controls(name).ac_limit_watts for name in names]
        return sum(inf if watts is None else watts for watts in limits)

    def is_released(self, name: str) -> bool:
        """Whether the device is as it is when nobody commands it."""
        return self.site.call(lambda site: site.inverters[name].controls == site.inverters[name].default_controls())

    def are_commanded(self, names: Sequence[str]) -> bool:
        """Whether each of these was told something, unless the newest command asks nothing of it.

        Under a clear sky one without a battery makes almost what it can: then it has no limit, as if it was released.
        """
        return all(self._asks_nothing_of(name) or not self.is_released(name) for name in names)

    def _asks_nothing_of(self, name: str) -> bool:
        """Whether it is commanded, and without anything that can be seen in it."""
        command = self.results[-1].command(name)
        return command is not None and command.ac_limit_watts is None and command.battery is None

    def writes(self, name: str) -> int:
        """How many writes the device has got."""
        return self.site.call(lambda site: len(site.devices[name].writes))

    def written(self, name: str) -> list[tuple[float, dict[str, int]]]:
        """When, and which words by the names of their points, in the order of the writes."""

        def look(site: VirtualSite) -> list[tuple[float, dict[str, int]]]:
            device = site.devices[name]
            return [(each.at_s, device.registers.names(each.address, each.words)) for each in device.writes]

        return self.site.call(look)

    def reads(self, name: str) -> int:
        """How many reads the device has got."""
        return self.site.call(lambda site: site.devices[name].reads)


@contextmanager
def plant_of_ten(folder: Path) -> Iterator[Plant]:
    devices = {name: PV_ONLY if number % 3 == 0 else HYBRID for number, name in enumerate(NAMES)}
    with serve(site_config(devices), new_port=free_port) as site:
        plant = Plant(site, folder / "state")
        try:
            wait_until(lambda: plant.results and not plant.results[-1].snapshot.away, "all inverters")
            wait_until(lambda: plant.are_commanded(AT_FIRST), "first commands")
            yield plant
        finally:
            plant.system.stop(60.0)
            plant.clock.close()


@pytest.fixture(scope="module")
def shared_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[Plant]]:
    with shared(lambda: plant_of_ten(tmp_path_factory.mktemp("reload"))) as plant:
        yield plant


@pytest.fixture
def plant(shared_plant: Shared[Plant], request: pytest.FixtureRequest) -> Iterator[Plant]:
    """The plant, which is as at first again after each test."""
    with shared_plant.lent_to(request) as plant:
        yield plant
        plant.system.reload(plant.changed())
        wait_until(lambda: plant.hears(AT_FIRST), "all inverters again")
        wait_until(lambda: plant.are_commanded(AT_FIRST), "commands again")


def longest_gap_s(results: list[CycleResult]) -> float:
    """The longest time from one decision to the next."""
    return max(after.snapshot.at_s - before.snapshot.at_s for before, after in pairwise(results))


def test_one_added_one_removed_and_a_limit_changed_leave_no_gap_in_the_control_of_the_others(plant: Plant) -> None:
    plant.wait_for_cycles(3)
    first = len(plant.results)
    ups = len(plant.diary.ups)
    wait_until(lambda: plant.are_commanded(STAY), "commands")

    changes = plant.system.reload(plant.changed(LATER, setpoints={"fixed": {"export_limit_watts": 500.0}}))
    during = plant.results[first:]
    after = plant.wait_for_cycles(6)
    wait_until(lambda: plant.hears(LATER), f"{COMES} in the place of {LEAVES}")
    wait_until(lambda: not plant.is_released(COMES), f"a command for {COMES}")
    seen = plant.results[first - 2 :]

    assert (changes.added, changes.removed, changes.replaced) == ((COMES,), (LEAVES,), ())
    assert longest_gap_s(seen) < WITHOUT_A_GAP_S
    assert [n for r in (*during, *after) for n in STAY if r.command(n) is None] == []
    assert all(result.mode == "normal" for result in seen)
    assert after[-1].envelope.fields.export_limit_watts == 500.0
    wait_until(lambda: plant.are_commanded((*STAY, COMES)), "commands under the new limit")
    assert plant.is_released(LEAVES)
    assert {actor for actor, _ in plant.diary.ups[ups:]} == {LEAVES, COMES}
    assert plant.diary.gone[-1] == LEAVES
    assert plant.diary.restarts == []


def test_the_devices_that_stay_obey_the_new_limit_at_once_and_are_never_released(plant: Plant) -> None:
    first = {name: plant.writes(name) for name in STAY}
    reads = {name: plant.reads(name) for name in STAY}
    began_s = plant.site.call(lambda site: site.now_s)
    fixed = {"fixed": {"export_limit_watts": 30000.0, "generation_limit_watts": 2000.0}}
    plant.system.reload(plant.changed(LATER, setpoints=fixed))
    wait_until(lambda: all(plant.writes(name) > first[name] for name in STAY), "a write to each")
    plant.wait_for_cycles(4)

    for name in STAY:
        written = plant.written(name)[first[name] :]
        assert written[0][0] - began_s < OBEYED_WITHIN_S, name
        assert [words for _, words in written if words.get("124.StorCtl_Mod") == 0] == []
        assert plant.reads(name) >= reads[name] + 3
    # Each may make a little more than it does, 1 % of all ratings together.
    wait_until(lambda: plant.limits_watts(STAY) <= 2000.0 + 0.01 * 65000.0, "limits on all")


def test_an_inverter_that_left_is_neither_read_nor_written_any_more(plant: Plant) -> None:
    plant.system.reload(plant.changed(LATER))
    before = plant.reads(LEAVES), plant.writes(LEAVES)
    plant.wait_for_cycles(3)

    assert (plant.reads(LEAVES), plant.writes(LEAVES)) == before


def test_a_changed_inverter_is_replaced_without_being_released(plant: Plant) -> None:
    config = plant.changed()
    inverters = tuple(
        each.model_copy(update={"ac_max_watts": 2000.0}) if each.name == "inv1" else each for each in config.inverters
    )
    ups, writes = len(plant.diary.ups), plant.writes("inv1")
    first = len(plant.results)
    changes = plant.system.reload(config.model_copy(update={"inverters": inverters}))
    plant.wait_for_cycles(4)
    wait_until(lambda: plant.writes("inv1") > writes, "a command for inv1")
    wait_until(lambda: plant.hears(AT_FIRST), "inv1 again")

    assert changes.replaced == ("inv1",)
    assert plant.diary.ups[ups:] == [("inv1", False), ("inv1", True)]
    assert longest_gap_s(plant.results[first - 1 :]) < WITHOUT_A_GAP_S
    sample = plant.results[-1].snapshot.inverter("inv1")
    assert sample is not None
    assert sample.nameplate.ac_max_watts == 2000.0


def test_another_meter_address_replaces_the_meter_only(plant: Plant) -> None:
    config = plant.changed()
    ups = len(plant.diary.ups)
    meter = config.meter.model_copy(update={"interval_s": 0.2})
    changes = plant.system.reload(config.model_copy(update={"meter": meter}))
    after = plant.wait_for_cycles(4)

    assert changes == Changes(meter=True)
    assert plant.diary.ups[ups:] == [("meter", False), ("meter", True)]
    assert all(result.mode == "normal" for result in after)


def test_an_inverter_that_is_not_controlled_any_more_is_handed_back(plant: Plant) -> None:
    config = plant.changed()
    inverters = tuple(
        each.model_copy(update={"control": False}) if each.name == "inv2" else each for each in config.inverters
    )
    changes = plant.system.reload(config.model_copy(update={"inverters": inverters}))
    plant.wait_for_cycles(3)
    wait_until(lambda: plant.is_released("inv2"), "the release of inv2")

    assert changes.handed_back == ("inv2",)
    assert not plant.is_released("inv1")


def test_a_battery_that_is_left_to_itself_keeps_the_limit_of_its_inverter(plant: Plant) -> None:
    config = plant.changed(setpoints={"fixed": {"generation_limit_watts": 3000.0}})
    plant.system.reload(config)
    wait_until(lambda: (plant.controls("inv1").ac_limit_watts or 9e9) < 4000.0, "a limit")
    inverters = tuple(_without_battery(each) if each.name == "inv1" else each for each in config.inverters)
    first = len(plant.site.call(lambda site: site.devices["inv1"].writes))
    changes = plant.system.reload(config.model_copy(update={"inverters": inverters}))
    assert changes.freed_batteries == ("inv1",)
    plant.wait_for_cycles(3)

    written = plant.site.call(lambda site: site.devices["inv1"].writes[first:])
    assert plant.controls("inv1").low_watts is None
    assert plant.controls("inv1").ac_limit_watts is not None
    assert [record for record in written if "123.WMaxLim_Ena" in record.registers and record.words[-1] == 0] == []


def _without_battery(inverter: InverterConfig) -> InverterConfig:
    return inverter.model_copy(update={"battery": inverter.battery.model_copy(update={"control": False})})


def test_what_needs_a_restart_is_refused_and_changes_nothing(plant: Plant) -> None:
    former, ups = plant.system.config, len(plant.diary.ups)
    config = plant.changed(LATER)
    elsewhere = config.model_copy(update={"control": config.control.model_copy(update={"state_dir": "/elsewhere"})})

    with pytest.raises(ReloadRefused, match=r"control\.state_dir: .*restart"):
        plant.system.reload(elsewhere)
    plant.wait_for_cycles(2)

    assert plant.system.config == former
    assert len(plant.diary.ups) == ups
    assert plant.results[-1].snapshot.inverter(LEAVES) is not None


def test_the_same_configuration_changes_nothing(plant: Plant) -> None:
    ups, acknowledged = len(plant.diary.ups), len(plant.listener.of(Acknowledged))

    assert not plant.system.reload(plant.changed())
    assert len(plant.diary.ups) == ups
    assert not any(message.released for message in plant.listener.of(Acknowledged)[acknowledged:])
