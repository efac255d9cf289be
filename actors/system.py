"""A running plant, and how all of it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from types import MappingProxyType

import pykka

from actors.address import Address, Recipient
from actors.clock import Clock
from actors.device.last_commands import Reports, hand_back, tell_last
from actors.messages import Stop
from actors.observer import Observer
from actors.plant import Plant
from actors.supervisor import StartChildren, Supervisor, stop_in_reverse
from actors.web.reloads import ReloadDesk
from orchestrator.commands import InverterCommand
from orchestrator.config.changes import Changes, changes_between
from orchestrator.config.sections import SiteConfig
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.drivers import DriverLibrary
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.loop.last_words import commands_without_reports, last_commands
from orchestrator.setpoints.merge import Setpoint

log = logging.getLogger(__name__)

DRIVERS: Mapping[str, AnyDriver] = DriverLibrary()
NOTHING_KEPT: Mapping[str, Setpoint] = MappingProxyType({})

RELEASE_SHARE = 0.7
"""The part of the time for stopping that may go into handing the devices back."""
DEAD_SHARE = 0.2
"""The part of it for inverters whose own actors are dead."""
DECIDERS_STOP_WITHIN_S = 1.0
SITE_SHARE = 0.5
"""The part of that time after which a site that lives, and from which no device has heard, counts as dead."""
LOOK_EVERY_S = 0.05


class ReloadRefused(UsageError):
    """The new configuration cannot be taken while the plant runs; the former one holds on, unchanged."""


class ReloadFailed(OrchestratorError):
    """The plant itself is failing, so it takes no new configuration."""


class System:
    """A running plant.

    `failed` is set when it cannot go on: then stop it and exit 1. `setpoints` takes SetpointReceived and
    SetpointWithdrawn, and an Event for everybody.
    """

    def __init__(self, plant: Plant, failed: threading.Event) -> None:
        self.failed = failed
        self.setpoints: Recipient = plant.site
        self._plant = plant

    @property
    def config(self) -> SiteConfig:
        """What the plant runs on now."""
        return self._plant.config

    def reload(self, config: SiteConfig) -> Changes:
        """Run on `config` from now on: start, replace and stop only the actors that it changes, and say which.

        What is taken out of control is handed back first. For the main thread: it waits, some seconds at most, while
        the control of the others goes on. Raises ReloadRefused, with nothing changed, and ReloadFailed.
        """
        changes = changes_between(self._plant.config, config)
        if changes.needs_restart:
            raise ReloadRefused("\n".join(changes.needs_restart))
        if changes:
            try:
                self._plant.reload(config, changes)
            except pykka.ActorDeadError as dead:
                raise ReloadFailed("the supervisor is gone: nothing can be changed any more") from dead
        return changes

    def stop(self, timeout_s: float = 10.0) -> None:
        """Hand the devices back, then stop everything in reverse order, within `timeout_s`.

        For the main thread: it waits. A device that cannot be reached in time is left to its revert timers.
        """
        plant, clock = self._plant, self._plant.surroundings.clock
        deadline_s = clock.now_s() + timeout_s
        handing_back = _HandingBack(plant)
        handing_back.all(timeout_s * RELEASE_SHARE)
        stop_in_reverse((plant.supervisor,), deadline_s, clock)  # first: nobody is to be started any more
        handing_back.those_without_an_actor(timeout_s * DEAD_SHARE)
        stop_in_reverse(plant.addresses(), deadline_s, clock)
        plant.close()


def start_system(
    config: SiteConfig,
    *,
    clock: Clock,
    observer: Observer,
    listeners: Sequence[Recipient] = (),
    drivers: Mapping[str, AnyDriver] = DRIVERS,
    desk: ReloadDesk | None = None,
    kept: Mapping[str, Setpoint] = NOTHING_KEPT,
) -> System:
    """Start the plant of `config`. It runs until `System.stop`, whatever its devices do.

    `listeners` are told every CycleResult, Acknowledged, SetpointRefused and Event, in the site's thread, and every
    ExcessEnded, in that of the ledger. Metrics
    and the page are served when they are configured and `observer` is a PrometheusObserver. `clock` must run by itself;
    it is the caller's to close. Reloads that are asked for over HTTP are left at the `desk`, for the caller to do.
    `kept` is what sources that the caller looks after asked for before a restart, by name: it holds from the first
    decision on.
    """
    failed = threading.Event()
    plant = Plant(config, clock=clock, observer=observer, listeners=listeners, drivers=drivers, desk=desk, kept=kept)
    system = System(plant, failed)
    supervisor = Supervisor.start(plant.surroundings, plant.children(), failed)
    plant.supervisor.lead_to(supervisor)
    try:
        supervisor.ask(StartChildren())
    except Exception:
        system.stop()
        raise
    return system


class _HandingBack:
    """How the devices are handed back at the end, whoever is dead by then."""

    def __init__(self, plant: Plant) -> None:
        self._plant = plant

    def all(self, timeout_s: float) -> None:
        """Hand every device back; wait for it. The site does it, or this thread where the site is dead."""
        deadline_s = self._plant.surroundings.clock.now_s() + timeout_s
        done = threading.Event()
        if not (self._site_hands_back(done, deadline_s, timeout_s) or self._hand_back_without_site(deadline_s)):
            log.error("not every device could be handed back in time; their own revert timers do the rest")

    def _site_hands_back(self, done: threading.Event, deadline_s: float, timeout_s: float) -> bool:
        """Whether it did. It is given up at once when it dies, and after a while when no device has heard from it."""
        clock, site = self._plant.surroundings.clock, self._plant.site.ref
        self._plant.site.tell(Stop(done))
        patience_s = clock.now_s() + SITE_SHARE * timeout_s
        while site is not None and site.is_alive():
            until_s = deadline_s if self._plant.overheard.has_released else patience_s
            if done.wait(LOOK_EVERY_S) or clock.now_s() >= until_s:
                break
        return done.is_set()

    def _hand_back_without_site(self, deadline_s: float) -> bool:
        """The last commands from here, after all those who could decide otherwise have been stopped."""
        log.error("the site does not hand the devices back: they are told from here")
        clock = self._plant.surroundings.clock
        stop_in_reverse(
            (self._plant.supervisor, self._plant.site), min(deadline_s, clock.now_s() + DECIDERS_STOP_WITHIN_S), clock
        )
        try:
            return hand_back(self._plant.inverters, self._plant.overheard, self._last_commands, clock, deadline_s)
        except Exception:  # whatever it is, the rest must still be stopped
            log.exception("the last commands could not be made")
            return False

    def those_without_an_actor(self, timeout_s: float) -> None:
        """The last commands for inverters whose own actors have crashed for good, each by a new one.

        Sites have one actor together; without it what they were told ends by itself.
        """
        clock, config = self._plant.surroundings.clock, self._plant.config
        own = {name: each for name, each in self._plant.inverters.items() if isinstance(each, Address)}
        dead = {each.name: each for each in config.inverters if each.name in own and not own[each.name].is_alive}
        now_s, wall_s = clock.now_s(), clock.wall().timestamp()
        stored = self._plant.kept_setpoints()
        last = commands_without_reports(config, self._plant.kept, stored, dead, now_s=now_s, wall_s=wall_s)
        if not last:
            return
        log.error("inverters without an actor are handed back by a new one: %s", ", ".join(dead))
        try:
            for command in last:
                own[command.inverter].lead_to(self._plant.start_inverter(dead[command.inverter]))
            handed_back = tell_last(self._plant.inverters, self._plant.overheard, last, clock, now_s + timeout_s)
        except Exception:  # whatever it is, the rest must still be stopped
            log.exception("an actor for the last command could not be started")
            return
        if not handed_back:
            log.error("not every inverter without an actor could be handed back; their own revert timers do the rest")

    def _last_commands(self, reports: Reports, now_s: float) -> Sequence[InverterCommand]:
        clock = self._plant.surroundings.clock
        stored = self._plant.kept_setpoints()
        return last_commands(
            self._plant.config, self._plant.kept, stored, reports, now_s=now_s, wall_s=clock.wall().timestamp()
        )
