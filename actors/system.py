"""The composition root: who is started, with what, in which order; and how all of it ends."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pykka

from actors.actor import Surroundings
from actors.address import Address, Recipient
from actors.clock import Clock
from actors.inverter import InverterActor
from actors.link import LinkPool
from actors.messages import Stop
from actors.meter import NAME as METER
from actors.meter import MeterActor
from actors.metrics import MetricsActor, PrometheusObserver
from actors.mqtt import MqttActor
from actors.observer import Observer
from actors.site import SiteActor
from actors.state_store import StateStore
from actors.supervisor import Child, StartChildren, Supervisor, stop_in_reverse
from orchestrator.config import InverterConfig, SiteConfig
from orchestrator.drivers.base import AnyDriver
from orchestrator.setpoints import Setpoint
from orchestrator.sunspec.driver import SunSpecDriver

log = logging.getLogger(__name__)

DRIVERS: Mapping[str, AnyDriver] = {"sunspec": SunSpecDriver()}

RELEASE_SHARE = 0.7
"""The part of the time for stopping that may go into handing the devices back."""


class System:
    """A running plant.

    `failed` is set when it cannot go on: then stop it and exit 1. `setpoints` takes SetpointReceived and
    SetpointWithdrawn.
    """

    def __init__(self, plant: _Plant, failed: threading.Event) -> None:
        self.failed = failed
        self.setpoints: Recipient = plant.site
        self._plant = plant

    def stop(self, timeout_s: float = 10.0) -> None:
        """Hand the devices back, then stop everything in reverse order, within `timeout_s`.

        For the main thread: it waits. A device that cannot be reached in time is left to its revert timers.
        """
        plant, clock = self._plant, self._plant.surroundings.clock
        deadline_s = clock.now_s() + timeout_s
        plant.release_devices(timeout_s * RELEASE_SHARE)
        stop_in_reverse((plant.supervisor,), deadline_s, clock)  # first: nobody is to be started any more
        stop_in_reverse(plant.addresses(), deadline_s, clock)
        plant.links.close()


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
        self.inverters = {inverter.name: Address(inverter.name) for inverter in config.inverters}
        self.meter, self.site = Address(METER), Address("site")
        self.mqtt, self.metrics = Address("mqtt"), Address("metrics")
        self.links = _expect_devices(LinkPool(clock, observer), config)
        self._drivers = drivers
        self._store = StateStore(Path(config.control.state_dir))
        self._audience = (self.meter, self.mqtt, self.metrics, *map(_Guarded, listeners))
        self._setpoints: dict[str, Setpoint] = {}

    def children(self) -> tuple[Child, ...]:
        """All actors but the supervisor, in the order of their start."""
        config, observer = self.config, self.surroundings.observer
        children = [Child(self.inverters[each.name], partial(self._start_inverter, each)) for each in config.inverters]
        children.append(Child(self.meter, self._start_meter))
        children.append(Child(self.site, self._start_site))
        if config.setpoints.mqtt or config.publish.mqtt:
            children.append(Child(self.mqtt, partial(MqttActor.start, self.surroundings, config, self.site)))
        if config.metrics is not None and isinstance(observer, PrometheusObserver):
            start = partial(MetricsActor.start, self.surroundings, config.metrics, observer)
            children.append(Child(self.metrics, start))
        return tuple(children)

    def addresses(self) -> tuple[Address, ...]:
        """Where the children are reached, in the order of their start."""
        return (*self.inverters.values(), self.meter, self.site, self.mqtt, self.metrics)

    def release_devices(self, timeout_s: float) -> None:
        """Have the site hand every device back; wait for it."""
        done = threading.Event()
        self.site.tell(Stop(done))
        if not self.site.is_alive or not done.wait(timeout_s):
            log.error("not every device could be handed back in time; their own revert timers do the rest")

    def _start_inverter(self, inverter: InverterConfig) -> pykka.ActorRef[Any]:
        return InverterActor.start(
            self.surroundings,
            config=inverter,
            driver=self._drivers[inverter.driver],
            link=self.links.link(inverter.host, inverter.port),
            store=self._store,
            site=self.site,
        )

    def _start_meter(self) -> pykka.ActorRef[Any]:
        meter = self.config.meter
        return MeterActor.start(
            self.surroundings,
            config=meter,
            driver=self._drivers[meter.driver],
            link=self.links.link(meter.host, meter.port),
            site=self.site,
            report_interval_s=self.config.control.interval_s,
        )

    def _start_site(self) -> pykka.ActorRef[Any]:
        return SiteActor.start(self.surroundings, self.config, self.inverters, self._audience, self._setpoints)


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
    links.expect(config.meter.host, config.meter.port, config.meter.timeout_s)
    for inverter in config.inverters:
        links.expect(inverter.host, inverter.port, inverter.timeout_s)
    return links
