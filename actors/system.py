"""The composition root: who is started, with what, in which order; and how all of it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pykka

from actors.actor import Surroundings, actor_of, label_of
from actors.address import Address, Recipient
from actors.clock import Clock
from actors.device.last_commands import Overheard, Reports, hand_back, tell_last
from actors.files.setpoint_store import SetpointStore
from actors.files.sign_store import SignStore
from actors.files.state_store import HurriedStore
from actors.inverter import InverterActor
from actors.ledger import LedgerActor
from actors.link import LinkNeeds, LinkPool
from actors.messages import InverterRemoved, Reconfigure, Stop
from actors.meter import NAME as METER
from actors.meter import MeterActor
from actors.metrics import MetricsActor
from actors.mqtt import MqttActor, restored_intakes
from actors.mqtt_device import MqttInverterActor, MqttMeterActor
from actors.observer import Observer
from actors.prometheus.observer import PrometheusObserver
from actors.site import SiteActor
from actors.supervisor import Adopt, Child, Dismiss, StartChildren, Supervisor, stop_in_reverse
from orchestrator.commands import InverterCommand
from orchestrator.config.changes import Changes, changes_between
from orchestrator.config.policy import meter_silent_after_s, meter_told_every_s
from orchestrator.config.sections import AnyInverterConfig, MqttInverterConfig, MqttMeterConfig, SiteConfig
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.drivers import DriverLibrary, driver_of
from orchestrator.devices.link.ways import Way
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.loop.kept import Kept
from orchestrator.loop.last_words import commands_without_reports, last_commands
from orchestrator.setpoints.merge import Setpoint

log = logging.getLogger(__name__)

DRIVERS: Mapping[str, AnyDriver] = DriverLibrary()

RELEASE_SHARE = 0.7
"""The part of the time for stopping that may go into handing the devices back."""


DEAD_SHARE = 0.2
"""The part of it for inverters whose own actors are dead."""
RELEASE_ON_RELOAD_S = 3.0
"""How long a reload waits for devices that are handed back; then it goes on without their answer."""
ACTOR_STOPS_WITHIN_S = 5.0
DECIDERS_STOP_WITHIN_S = 1.0
SITE_SHARE = 0.5
"""The part of that time after which a site that lives, and from which no device has heard, counts as dead."""
LOOK_EVERY_S = 0.05
MOST_CYCLES_WAITING = 300
"""So many cycles wait for a ledger whose disk hangs; it counts what comes beyond as unseen."""


class ReloadRefused(UsageError):
    """The new configuration cannot be taken while the plant runs; the former one holds on, unchanged."""


class ReloadFailed(OrchestratorError):
    """The plant itself is failing, so it takes no new configuration."""


class System:
    """A running plant.

    `failed` is set when it cannot go on: then stop it and exit 1. `setpoints` takes SetpointReceived and
    SetpointWithdrawn.
    """

    def __init__(self, plant: _Plant, failed: threading.Event) -> None:
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
        plant.release_devices(timeout_s * RELEASE_SHARE)
        stop_in_reverse((plant.supervisor,), deadline_s, clock)  # first: nobody is to be started any more
        plant.hand_back_the_dead(timeout_s * DEAD_SHARE)
        stop_in_reverse(plant.addresses(), deadline_s, clock)
        plant.close()


def start_system(
    config: SiteConfig,
    *,
    clock: Clock,
    observer: Observer,
    listeners: Sequence[Recipient] = (),
    drivers: Mapping[str, AnyDriver] = DRIVERS,
) -> System:
    """Start the plant of `config`. It runs until `System.stop`, whatever its devices do.

    `listeners` are told every CycleResult, Acknowledged, SetpointRefused and Event, in the site's thread. Metrics are
    served when they are configured and `observer` is a PrometheusObserver. `clock` must run by itself; it is the
    caller's to close.
    """
    failed = threading.Event()
    plant = _Plant(config, clock=clock, observer=observer, listeners=listeners, drivers=drivers)
    system = System(plant, failed)
    supervisor = Supervisor.start(plant.surroundings, plant.children(), failed)
    plant.supervisor.lead_to(supervisor)
    try:
        supervisor.ask(StartChildren())
    except Exception:
        system.stop()
        raise
    return system


class _Plant:
    """Every actor of a site: its address, how it is started, and what it is given."""

    def __init__(
        self,
        config: SiteConfig,
        *,
        clock: Clock,
        observer: Observer,
        listeners: Sequence[Recipient],
        drivers: Mapping[str, AnyDriver],
    ) -> None:
        self.config = config
        self.supervisor = Address("supervisor")
        self.surroundings = Surroundings(clock, observer, self.supervisor)
        self.inverters = {inverter.name: Address(actor_of(inverter.name)) for inverter in config.inverters}
        self.meter, self.site = Address(METER), Address("site")
        self._overheard = Overheard(self.site)
        self.mqtt, self.metrics, self.ledger = (
            Address("mqtt"),
            Address("metrics"),
            Address("ledger", MOST_CYCLES_WAITING),
        )
        self.links = _expect_devices(LinkPool(clock, observer), config)
        self._drivers = drivers
        self._store = HurriedStore(Path(config.control.state_dir))
        self._audience = (self.mqtt, self.metrics, self.ledger, *map(_Guarded, listeners))
        self._setpoint_store = SetpointStore(Path(config.control.state_dir))
        self._sign_store = SignStore(Path(config.control.state_dir), config.meter)
        self._kept = Kept(
            _kept_setpoints(config, self._setpoint_store, clock),
            set(self._setpoint_store.sources),
            self._sign_store.sign,
        )

    def children(self) -> tuple[Child, ...]:
        """All actors but the supervisor, in the order of their start."""
        inverters = [self._inverter_child(each) for each in self.config.inverters]
        site = [Child(self.meter, self._start_meter), Child(self.site, self._start_site)]
        return (*inverters, *site, *self._mqtt_children(), *self._metrics_children(), self._ledger_child())

    def _inverter_child(self, inverter: AnyInverterConfig) -> Child:
        return Child(self.inverters[inverter.name], partial(self._start_inverter, inverter))

    def _mqtt_children(self) -> tuple[Child, ...]:
        config = self.config
        if not (config.setpoints.mqtt or config.publish.mqtt):
            return ()
        return (Child(self.mqtt, partial(MqttActor.start, self.surroundings, config, self.site, self._setpoint_store)),)

    def _metrics_children(self) -> tuple[Child, ...]:
        config, observer = self.config, self.surroundings.observer
        if config.metrics is None or not isinstance(observer, PrometheusObserver):
            return ()
        return (Child(self.metrics, partial(MetricsActor.start, self.surroundings, config.metrics, observer)),)

    def _ledger_child(self) -> Child:
        return Child(self.ledger, partial(LedgerActor.start, self.surroundings, self.config, (self.metrics,)))

    def reload(self, config: SiteConfig, changes: Changes) -> None:
        """Take `config`: hand back, stop and start what `changes` says, in this order."""
        former, self.config = self.inverters, config
        stay = {name: address for name, address in former.items() if name not in changes.removed}
        self.inverters = {each.name: stay.get(each.name) or Address(actor_of(each.name)) for each in config.inverters}
        for way, needs in _link_needs(config).items():
            self.links.expect(way, needs)
        self._tell_site(changes)
        self._stop(*(former[name] for name in changes.stopped))
        for name in changes.removed:
            self.surroundings.observer.actor_gone(label_of(actor_of(name)))
            if name not in self.inverters:
                self.mqtt.tell(InverterRemoved(name))
        self.links.expect_only(_link_needs(config))
        self._adopt(*(self._inverter_child(each) for each in config.inverters if each.name in changes.started))
        if changes.meter:
            self._replace(self.meter, Child(self.meter, self._start_meter))
        if changes.mqtt:
            self._replace(self.mqtt, *self._mqtt_children())
        self.surroundings.observer.reconfigured(
            [source.name for source in config.setpoints.mqtt], config.control.interval_s
        )
        if changes.metrics:
            self._replace(self.metrics, *self._metrics_children())
        if changes.ledger:
            self._replace(self.ledger, self._ledger_child())

    def _tell_site(self, changes: Changes) -> None:
        """Until the site has taken the configuration and what goes is handed back; once more if it was just down."""
        done = threading.Event()
        for _ in range(2):
            self.site.tell(Reconfigure(self.config, changes, self.inverters, done))
            if done.wait(RELEASE_ON_RELOAD_S):
                return
        log.error("not every device could be handed back in time; their own revert timers do the rest")

    def _replace(self, address: Address, *children: Child) -> None:
        self._stop(address)
        self._adopt(*children)

    def _stop(self, *addresses: Address) -> None:
        for address in addresses:
            self._ask_supervisor(Dismiss(address.name))
        clock = self.surroundings.clock
        stop_in_reverse(addresses, clock.now_s() + ACTOR_STOPS_WITHIN_S, clock)

    def _adopt(self, *children: Child) -> None:
        for child in children:
            self._ask_supervisor(Adopt(child))

    def _ask_supervisor(self, message: Adopt | Dismiss) -> None:
        supervisor = self.supervisor.ref
        if supervisor is None:
            raise pykka.ActorDeadError("the supervisor")
        supervisor.ask(message)

    def addresses(self) -> tuple[Address, ...]:
        """Where the children are reached, in the order of their start."""
        return (*self.inverters.values(), self.meter, self.site, self.mqtt, self.metrics, self.ledger)

    def close(self) -> None:
        """Let go of what is no actor's: links, and the files of setpoints and of the meter's sign."""
        self.links.close()
        self._sign_store.close()
        self._setpoint_store.close()

    def release_devices(self, timeout_s: float) -> None:
        """Hand every device back; wait for it. The site does it, or this thread where the site is dead."""
        deadline_s = self.surroundings.clock.now_s() + timeout_s
        done = threading.Event()
        if not (self._site_hands_back(done, deadline_s, timeout_s) or self._hand_back_without_site(deadline_s)):
            log.error("not every device could be handed back in time; their own revert timers do the rest")

    def _site_hands_back(self, done: threading.Event, deadline_s: float, timeout_s: float) -> bool:
        """Whether it did. It is given up at once when it dies, and after a while when no device has heard from it."""
        clock, site = self.surroundings.clock, self.site.ref
        self.site.tell(Stop(done))
        patience_s = clock.now_s() + SITE_SHARE * timeout_s
        while site is not None and site.is_alive():
            until_s = deadline_s if self._overheard.has_released else patience_s
            if done.wait(LOOK_EVERY_S) or clock.now_s() >= until_s:
                break
        return done.is_set()

    def _hand_back_without_site(self, deadline_s: float) -> bool:
        """The last commands from here, after all those who could decide otherwise have been stopped."""
        log.error("the site does not hand the devices back: they are told from here")
        clock = self.surroundings.clock
        stop_in_reverse((self.supervisor, self.site), min(deadline_s, clock.now_s() + DECIDERS_STOP_WITHIN_S), clock)
        try:
            return hand_back(self.inverters, self._overheard, self._last_commands, clock, deadline_s)
        except Exception:  # whatever it is, the rest must still be stopped
            log.exception("the last commands could not be made")
            return False

    def hand_back_the_dead(self, timeout_s: float) -> None:
        """The last commands for inverters whose own actors have crashed for good, each by a new one."""
        clock, config = self.surroundings.clock, self.config
        dead = {each.name: each for each in config.inverters if not self.inverters[each.name].is_alive}
        now_s, wall_s = clock.now_s(), clock.wall().timestamp()
        stored = _kept_setpoints(config, self._setpoint_store, clock)
        last = commands_without_reports(config, self._kept, stored, dead, now_s=now_s, wall_s=wall_s)
        if not last:
            return
        log.error("inverters without an actor are handed back by a new one: %s", ", ".join(dead))
        try:
            for command in last:
                self.inverters[command.inverter].lead_to(self._start_inverter(dead[command.inverter]))
            handed_back = tell_last(self.inverters, self._overheard, last, clock, now_s + timeout_s)
        except Exception:  # whatever it is, the rest must still be stopped
            log.exception("an actor for the last command could not be started")
            return
        if not handed_back:
            log.error("not every inverter without an actor could be handed back; their own revert timers do the rest")

    def _last_commands(self, reports: Reports, now_s: float) -> Sequence[InverterCommand]:
        clock = self.surroundings.clock
        stored = _kept_setpoints(self.config, self._setpoint_store, clock)
        return last_commands(self.config, self._kept, stored, reports, now_s=now_s, wall_s=clock.wall().timestamp())

    def _start_inverter(self, inverter: AnyInverterConfig) -> pykka.ActorRef[Any]:
        if isinstance(inverter, MqttInverterConfig):
            window_s = self.config.control.sample_window_s
            return MqttInverterActor.start(
                self.surroundings, config=inverter, sample_window_s=window_s, site=self._overheard
            )
        return InverterActor.start(
            self.surroundings,
            config=inverter,
            driver=driver_of(inverter, self._drivers),
            link=self.links.link(inverter.way),
            store=self._store,
            site=self._overheard,
        )

    def _start_meter(self) -> pykka.ActorRef[Any]:
        meter = self.config.meter
        if isinstance(meter, MqttMeterConfig):
            return MqttMeterActor.start(
                self.surroundings,
                config=meter,
                silent_after_s=meter_silent_after_s(self.config),
                report_interval_s=meter_told_every_s(self.config),
                site=self.site,
            )
        return MeterActor.start(
            self.surroundings,
            config=meter,
            driver=driver_of(meter, self._drivers),
            link=self.links.link(meter.way),
            site=self.site,
            report_interval_s=meter_told_every_s(self.config),
        )

    def _start_site(self) -> pykka.ActorRef[Any]:
        given = (self.surroundings, self.config, self.inverters, self._audience, self._kept)
        return SiteActor.start(*given, sign_store=self._sign_store)


def _kept_setpoints(config: SiteConfig, store: SetpointStore, clock: Clock) -> dict[str, Setpoint]:
    """What each source asked for before a restart: it holds from the first decision on, before any broker is back."""
    intakes = restored_intakes(config, store.sources, clock)
    return {name: intake.setpoint for name, intake in intakes.items() if intake.setpoint is not None}


class _Guarded:
    """A listener from outside: a bug in a display must not stop the plant."""

    def __init__(self, listener: Recipient) -> None:
        self._listener = listener

    def tell(self, message: Any) -> None:
        try:
            self._listener.tell(message)
        except Exception:
            log.exception("a listener failed")


def _expect_devices(links: LinkPool, config: SiteConfig) -> LinkPool:
    links.expect_only(_link_needs(config))
    return links


def _link_needs(config: SiteConfig) -> dict[Way, LinkNeeds]:
    """What the units behind each address need together."""
    needs: dict[Way, LinkNeeds] = {}
    for device in config.modbus_devices():
        own = LinkNeeds(device.timeout_s, device.min_gap_s)
        needs[device.way] = own | needs.get(device.way, own)
    return needs
