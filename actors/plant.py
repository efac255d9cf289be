"""Every actor of a site: who is started, with what, in which order, and what another configuration changes of it."""

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
from actors.device.last_commands import Overheard
from actors.files.home_assistant_store import HomeAssistantStore
from actors.files.setpoint_store import SetpointStore
from actors.files.sign_store import SignStore
from actors.files.state_store import HurriedStore
from actors.inverter import InverterActor
from actors.ledger import LedgerActor
from actors.link import LinkNeeds, LinkPool
from actors.messages import Acknowledged, Configured, Event, InverterRemoved, Reconfigure, SetpointRefused
from actors.meter import NAME as METER
from actors.meter import MeterActor
from actors.mqtt.actor import MqttActor, restored_commands, restored_intakes
from actors.mqtt.device import MqttInverterActor, MqttMeterActor
from actors.mqtt.sites import NAME as SITES
from actors.mqtt.sites import SiteAddress, SitesActor
from actors.observer import Observer
from actors.prometheus.observer import PrometheusObserver
from actors.site import SiteActor
from actors.supervisor import Adopt, Child, Dismiss, stop_in_reverse
from actors.web.actor import NAME as WEB
from actors.web.actor import WebActor
from actors.web.by_hand import ByHand
from actors.web.reloads import ReloadDesk
from actors.web.state import WebState
from orchestrator.config.audience import PORTFOLIO
from orchestrator.config.changes import Changes
from orchestrator.config.policy import meter_silent_after_s, meter_told_every_s
from orchestrator.config.sections import (
    AnyInverterConfig,
    MqttInverterConfig,
    MqttMeterConfig,
    SiteConfig,
    SumMeterConfig,
)
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.drivers import driver_of
from orchestrator.devices.link.ways import Way
from orchestrator.loop.kept import Kept
from orchestrator.setpoints.merge import Setpoint

log = logging.getLogger(__name__)

RELEASE_ON_RELOAD_S = 3.0
"""How long a reload waits for devices that are handed back; then it goes on without their answer."""
ACTOR_STOPS_WITHIN_S = 5.0
MOST_CYCLES_WAITING = 300
"""So many cycles wait for a ledger whose disk hangs, or for a server that is stuck; the ledger counts what comes beyond
as unseen."""


class Plant:
    """Every actor of a site: its address, how it is started, and what it is given."""

    def __init__(
        self,
        config: SiteConfig,
        *,
        clock: Clock,
        observer: Observer,
        listeners: Sequence[Recipient],
        drivers: Mapping[str, AnyDriver],
        desk: ReloadDesk | None,
        kept: Mapping[str, Setpoint],
    ) -> None:
        state_dir = Path(config.control.state_dir)
        self.config = config
        self.supervisor = Address("supervisor")
        self.surroundings = Surroundings(clock, observer, self.supervisor)
        self.sites = Address(SITES)
        self.inverters = {inverter.name: self._address_of(inverter) for inverter in config.inverters}
        self.meter, self.site = Address(METER), Address("site")
        self.overheard = Overheard(self.site)
        self.mqtt = Address("mqtt", deaf_to=(Acknowledged, SetpointRefused))
        self.web = Address(WEB, MOST_CYCLES_WAITING, deaf_to=(SetpointRefused,))
        self.ledger = Address("ledger", MOST_CYCLES_WAITING, deaf_to=(Acknowledged, SetpointRefused, Event))
        self.links = LinkPool(clock, observer)
        self.links.expect_only(_link_needs(config))
        self._drivers = drivers
        self._store = HurriedStore(state_dir)
        self._desk = desk
        self._listeners = tuple(map(_Guarded, listeners))
        self._audience = (self.mqtt, self.web, self.ledger, *self._listeners)
        self._setpoint_store = SetpointStore(state_dir)
        self._home_assistant_store = HomeAssistantStore(state_dir)
        self._sign_store = SignStore(state_dir, config.meter)
        self._by_hand = ByHand(state_dir, self.site, clock, can_be_resumed=config.page.can_be_changed)
        self._shown = (
            WebState(config, observer, self._by_hand, clock) if isinstance(observer, PrometheusObserver) else None
        )
        self.kept = Kept(
            self.kept_setpoints() | dict(kept),
            set(self._setpoint_store.sources),
            self._sign_store.sign,
            self._by_hand.is_released,
        )

    def children(self) -> tuple[Child, ...]:
        """All actors but the supervisor, in the order of their start."""
        inverters = [self._inverter_child(each) for each in self.config.inverters if not is_site(each)]
        meter = [] if isinstance(self.config.meter, SumMeterConfig) else [Child(self.meter, self._start_meter)]
        site = [*self._sites_children(), *meter, Child(self.site, self._start_site)]
        return (*inverters, *site, *self._mqtt_children(), *self._web_children(), self._ledger_child())

    def _address_of(self, inverter: AnyInverterConfig) -> Address | SiteAddress:
        return SiteAddress(inverter.name, self.sites) if is_site(inverter) else Address(actor_of(inverter.name))

    def _inverter_child(self, inverter: AnyInverterConfig) -> Child:
        address = self.inverters[inverter.name]
        assert isinstance(address, Address)
        return Child(address, partial(self.start_inverter, inverter))

    def _sites_children(self) -> tuple[Child, ...]:
        """All sites of a portfolio together are one actor."""
        if not self.config.sites:
            return ()
        return (Child(self.sites, partial(SitesActor.start, self.surroundings, self.config, self.overheard)),)

    def _mqtt_children(self) -> tuple[Child, ...]:
        config = self.config
        if not (config.setpoints.mqtt or config.publish.mqtt):
            return ()
        given = (config, self.site, self._setpoint_store, self._home_assistant_store)
        return (Child(self.mqtt, partial(MqttActor.start, self.surroundings, *given)),)

    def _web_children(self) -> tuple[Child, ...]:
        if self.config.server is None or self._shown is None:
            return ()
        self._shown.config = self.config
        return (Child(self.web, partial(WebActor.start, self.surroundings, self._shown, desk=self._desk)),)

    def _ledger_child(self) -> Child:
        return Child(
            self.ledger, partial(LedgerActor.start, self.surroundings, self.config, (self.web, *self._listeners))
        )

    def reload(self, config: SiteConfig, changes: Changes) -> None:
        """Take `config`: hand back, stop and start what `changes` says, in this order."""
        former, former_config, self.config = self.inverters, self.config, config
        stay = {name: address for name, address in former.items() if name not in changes.removed}
        self.inverters = {each.name: stay.get(each.name) or self._address_of(each) for each in config.inverters}
        for way, needs in _link_needs(config).items():
            self.links.expect(way, needs)
        self._tell_site(changes)
        self._stop(*(each for name in changes.stopped if isinstance(each := former[name], Address)))
        for name in changes.removed:
            self.surroundings.observer.actor_gone(label_of(actor_of(name)))
            if name not in self.inverters:
                self.mqtt.tell(InverterRemoved(name))
        self.links.expect_only(_link_needs(config))
        self._adopt(
            *(
                self._inverter_child(each)
                for each in config.inverters
                if each.name in changes.started and not is_site(each)
            )
        )
        if former_config.sites != config.sites or (config.sites and changes.meter):
            self._replace(self.sites, *self._sites_children())
        if changes.meter:
            is_sum = isinstance(config.meter, SumMeterConfig)
            self._replace(self.meter, *(() if is_sum else (Child(self.meter, self._start_meter),)))
        if changes.mqtt:
            self._replace(self.mqtt, *self._mqtt_children())
        self.surroundings.observer.reconfigured(config.source_names, config.control.interval_s)
        self._by_hand.expect(can_be_resumed=config.page.can_be_changed)
        if changes.metrics or changes.page:
            self._replace(self.web, *self._web_children())
        else:
            self.web.tell(Configured(config))
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
        inverters = [each for each in self.inverters.values() if isinstance(each, Address)]
        return (*inverters, self.sites, self.meter, self.site, self.mqtt, self.web, self.ledger)

    def close(self) -> None:
        """Let go of what is no actor's: links, and files that outlive it."""
        self.links.close()
        self._home_assistant_store.close()
        self._sign_store.close()
        self._setpoint_store.close()
        self._by_hand.close()

    def start_inverter(self, inverter: AnyInverterConfig) -> pykka.ActorRef[Any]:
        """A new actor for `inverter`; nothing leads to it yet."""
        if isinstance(inverter, MqttInverterConfig):
            window_s = self.config.control.sample_window_s
            return MqttInverterActor.start(
                self.surroundings, config=inverter, sample_window_s=window_s, site=self.overheard
            )
        return InverterActor.start(
            self.surroundings,
            config=inverter,
            driver=driver_of(inverter, self._drivers),
            link=self.links.link(inverter.way),
            store=self._store,
            site=self.overheard,
        )

    def _start_meter(self) -> pykka.ActorRef[Any]:
        meter = self.config.meter
        assert not isinstance(meter, SumMeterConfig), "the actor of the sites tells it"
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

    def kept_setpoints(self) -> dict[str, Setpoint]:
        """What each source asked for before a restart: it holds from the first decision on, before any broker is back.

        So does what was set by hand.
        """
        intakes = restored_intakes(self.config, self._setpoint_store.sources, self.surroundings.clock)
        asked = {name: intake.setpoint for name, intake in intakes.items() if intake.setpoint is not None}
        commands = restored_commands(self.config, self._setpoint_store.sources, self.surroundings.clock)
        if commands is not None and commands.setpoint is not None:
            asked[PORTFOLIO] = commands.setpoint
        return asked | self._by_hand.setpoints

    def _start_site(self) -> pykka.ActorRef[Any]:
        given = (self.surroundings, self.config, self.inverters, self._audience, self.kept)
        return SiteActor.start(*given, sign_store=self._sign_store)


class _Guarded:
    """A listener from outside: a bug in a display must not stop the plant."""

    def __init__(self, listener: Recipient) -> None:
        self._listener = listener

    def tell(self, message: Any) -> None:
        try:
            self._listener.tell(message)
        except Exception:
            log.exception("a listener failed")


def is_site(inverter: AnyInverterConfig) -> bool:
    """Whether it is a site of a portfolio."""
    return isinstance(inverter, MqttInverterConfig) and inverter.is_site


def _link_needs(config: SiteConfig) -> dict[Way, LinkNeeds]:
    """What the units behind each address need together."""
    needs: dict[Way, LinkNeeds] = {}
    for device in config.modbus_devices():
        own = LinkNeeds(device.timeout_s, device.min_gap_s)
        needs[device.way] = own | needs.get(device.way, own)
    return needs
