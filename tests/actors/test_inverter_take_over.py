"""An inverter that somebody limited before we came: its first sample must say so, or the first command is a jump."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from actors.actor import Surroundings
from actors.clock import RealClock
from actors.commands.release import release_site
from actors.files.state_store import StateStore
from actors.inverter import InverterActor, _CarryOut
from actors.link import ModbusLink
from actors.messages import Command, Event, Read, Release, Report
from actors.observer import NoObserver
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import release_command
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.samples import InverterSample
from orchestrator.simulation.server import serve
from tests.support.inboxes import Inbox
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port


@dataclass(frozen=True)
class East:
    """The hybrid of the example site behind its actor, which is driven by hand; `limit` reads model 123 there."""

    actor: InverterActor
    site: Inbox
    now_s: Callable[[], float]
    limit: Callable[[], tuple[int, ...]]
    config: SiteConfig


@contextmanager
def found_limited(folder: Path, hundredths_percent: int) -> Iterator[East]:
    """East as somebody left it: its AC power limited to so many hundredths of a percent, without a revert time."""
    clock, site = RealClock(), Inbox()
    with serve(site_config(EXAMPLE), new_port=free_port) as running:
        east = running.config.inverter("east")
        link = ModbusLink(east.host, east.port, 10.0, clock, NoObserver())
        limit_at = running.call(lambda virtual: virtual.devices["east"].registers.address("123.WMaxLimPct"))
        link.write(east.unit_id, limit_at, (hundredths_percent, 0, 0, 0, 1), "east")
        actor = InverterActor(
            Surroundings(clock, NoObserver(), Inbox()),
            config=east,
            driver=SunSpecDriver(),
            link=link,
            store=StateStore(folder),
            site=site,
        )
        control = running.config.control.model_copy(update={"state_dir": str(folder)})
        config = running.config.model_copy(update={"control": control})
        yield East(actor, site, clock.now_s, lambda: link.read(east.unit_id, limit_at, 5, "east"), config)
        link.close()
    clock.close()


def test_the_first_sample_of_a_hybrid_shows_the_limit_that_stayed_behind(tmp_path: Path) -> None:
    with found_limited(tmp_path, 1000) as east:
        for cycle in (1, 2):
            east.actor.on_receive(Read(cycle, east.now_s() + 60))

    samples = [report.sample for report in east.site.of(Report)]
    assert [s.ac_limit_watts for s in samples if isinstance(s, InverterSample)] == [500.0, 500.0]


def test_an_installers_limit_is_not_lifted_by_commands_nor_by_a_release(tmp_path: Path) -> None:
    with found_limited(tmp_path, 7000) as east:
        in_force = []
        for limit_watts in (None, 1000.0, None):
            east.actor.on_receive(Read(1, east.now_s() + 60))
            east.actor.on_receive(Command(InverterCommand("east", 60.0, ac_limit_watts=limit_watts), east.now_s()))
            east.actor.on_receive(_CarryOut())
            in_force.append(east.limit())
        east.actor.on_receive(Release(release_command("east"), east.now_s()))
        in_force.append(east.limit())

    assert [(words[0], words[4]) for words in in_force] == [(7000, 1), (2000, 1), (7000, 1), (7000, 1)]
    assert [event.name for event in east.site.of(Event)].count("derating_found") == 1


def test_the_command_release_leaves_an_installers_limit_however_often_it_runs_unless_it_is_told_to_lift_it(
    tmp_path: Path,
) -> None:
    with found_limited(tmp_path, 7000) as east:
        east.actor.on_receive(Read(1, east.now_s() + 60))
        east.actor.on_receive(Command(InverterCommand("east", 60.0, ac_limit_watts=1000.0), east.now_s()))
        east.actor.on_receive(_CarryOut())
        in_force, said = [east.limit()], []
        for lift in (False, False, True):
            said.append(next(str(outcome) for outcome in release_site(east.config, lift=lift)))
            in_force.append(east.limit())

    assert [(words[0], words[4]) for words in in_force[:3]] == [(2000, 1), (7000, 1), (7000, 1)]
    assert in_force[3][4] == 0
    stays = "east: released; its AC limit of 3500 W stays: it is not on record as ours (--lift takes it away)"
    assert said == [stays, stays, "east: released"]
