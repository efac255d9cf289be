"""`orchestrator run`: the plant with what surrounds it (virtual devices, a broker, a display), until a signal ends it.

SIGINT and SIGTERM end it, SIGHUP makes it read its site.yaml again.

Started in one order and stopped in the other. The main thread only waits and draws.
"""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from actors.address import Recipient
from actors.clock import RealClock
from actors.commands.run.broker import EmbeddedBroker, is_broker_listening
from actors.commands.run.csip.configured import UtilityServer, heeding, require_usable
from actors.commands.run.cycle_watch import CycleWatch
from actors.commands.run.display import Display, hints, make_display
from actors.commands.run.logs import Journal, Log, logging_to
from actors.commands.run.modbus_contacts import reading_contacts
from actors.commands.run.notifier import notifying
from actors.commands.run.price_files import PriceFiles
from actors.commands.run.reloader import Reloader
from actors.commands.run.service_manager import ServiceManager
from actors.files.device_locks import DeviceLocks
from actors.files.process import Running, registered
from actors.files.recorder import recording_to
from actors.files.signals import Flag, handling
from actors.prometheus.observer import PrometheusObserver
from actors.system import System, start_system
from actors.web.reloads import ReloadDesk
from orchestrator.config.sections import BY_MQTT, Broker, ModbusDevice, SiteConfig, SumMeterConfig
from orchestrator.config.warnings import is_loopback, warnings
from orchestrator.errors import OrchestratorError, UsageError
from orchestrator.setpoints.merge import Setpoint

log = logging.getLogger(__name__)

FOUND_BELOW = "inverters"
LOOK_EVERY_S = 0.25
STOP_WITHIN_S = 10.0


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What is wanted beside the plant. `program` and `site_file` are as they were typed, for hints.

    `log_format` takes the place of `logging.format`; `record` is the file that every cycle is added to.
    """

    site_file: str
    version: str
    program: str = "orchestrator"
    simulate: bool = False
    broker: bool = False
    log_format: str | None = None
    record: str | None = None


@dataclass(frozen=True, slots=True)
class Wishes:
    """What signals have asked for."""

    end: Flag = field(default_factory=Flag)
    reload: Flag = field(default_factory=Flag)


class PortTaken(OrchestratorError):
    """A port that the virtual site needs is in use."""


def run_site(config: SiteConfig, options: RunOptions) -> bool:
    """Run until SIGINT or SIGTERM: True. False when the plant could not go on by itself.

    Raises UsageError and other OrchestratorErrors for what keeps it from starting. A second signal ends the process
    at once.
    """
    require_usable(config)
    with ExitStack() as running:
        wishes = running.enter_context(_signals())
        display = running.enter_context(make_display(config, options.log_format or config.logging.format))
        handler = Log(display.log, log_format=options.log_format)
        running.enter_context(logging_to(handler, config))
        for warning in warnings(config):
            log.warning("%s", warning)
        me = Running(os.getpid(), os.path.abspath(options.site_file))
        _warn_of_former_state(config)
        running.enter_context(registered(Path(config.control.state_dir), me))
        locks = DeviceLocks()
        running.callback(locks.release)
        locks.hold(config)
        if options.simulate:
            running.enter_context(_virtual_site(config))
        if options.broker:
            _start_brokers(config, running)
        service = ServiceManager()
        recorders = running.enter_context(recording_to(options.record))
        cycles, desk = CycleWatch(config.control.interval_s), ReloadDesk()
        notifier = running.enter_context(notifying(config))
        utility = UtilityServer()
        listeners: Sequence[Recipient] = (Journal(handler), service, cycles, notifier, utility, *recorders)
        kept = utility.prepare(config)
        given = (config, options, display, kept)
        system = running.enter_context(_plant(*given, token=me.token, listeners=listeners, desk=desk))
        running.callback(service.stopping)
        contacts = running.enter_context(reading_contacts(config, system.setpoints.tell))
        running.enter_context(heeding(config, utility, system.setpoints.tell))
        prices = PriceFiles(config, system.setpoints.tell)
        prices.look()
        display.start(hints(config, options.program, options.site_file))
        checks = (*((require_local,) if options.simulate else ()), require_usable, locks.hold)
        service.ready(config)
        taken = (
            *(display.configure, handler.configure, service.ready, locks.hold_only),
            *(lambda new: cycles.expect(new.control.interval_s), notifier.configure),
            *(prices.configure, contacts.configure, utility.configure),
        )
        reloader = Reloader(options.site_file, system, checks=checks, taken=taken, refused=(locks.hold_only,))
        rounds = _Rounds(system, wishes, handler, reloader, desk, prices, cycles)
        return wait_for_end(wishes.end, system.failed, display, rounds.go)


@dataclass(frozen=True, slots=True)
class _Rounds:
    """What the main thread looks after while the plant runs."""

    system: System
    wishes: Wishes
    handler: Log
    reloader: Reloader
    desk: ReloadDesk
    prices: PriceFiles
    cycles: CycleWatch

    def go(self) -> None:
        """Once a look."""
        self.handler.flush()
        if self.wishes.reload.is_set():
            self.wishes.reload.clear()
            self.reloader.reload()
        self.desk.serve(self.reloader.reload, self.system.setpoints.tell)
        self.prices.look()
        if self.cycles.is_stuck:
            log.critical("no cycle has been decided for a minute or more: ending, to be started anew")
            self.system.failed.set()


def _warn_of_former_state(config: SiteConfig) -> None:
    """Until 0.1 a relative `control.state_dir` was below the folder that one stood in."""
    former, now = Path.cwd() / "state", Path(config.control.state_dir)
    if (former / FOUND_BELOW).is_dir() and former != now and not (now / FOUND_BELOW).exists():
        log.warning(
            "%s has what a former run found at the inverters, and is not read: control.state_dir is %s, beside the "
            "site.yaml. Move it there, or write control.state_dir: %s",
            *(former, now, former),
        )


def wait_for_signal() -> None:
    """Until SIGINT or SIGTERM."""
    with _signals() as wishes:
        while not wishes.end.wait():
            pass


def wait_for_signal_or(happened: threading.Event) -> bool:
    """Until it has `happened` (True), or SIGINT or SIGTERM (False)."""
    with _signals() as wishes:
        while not wishes.end.wait(LOOK_EVERY_S):
            if happened.is_set():
                return True
    return False


def wait_for_end(
    ended: Flag, failed: threading.Event, display: Display, meanwhile: Callable[[], None] = lambda: None
) -> bool:
    """Draw, and do what `meanwhile` says, until `ended` (True), or until the plant has `failed` (False)."""
    while not ended.wait(LOOK_EVERY_S):
        if failed.is_set():
            log.error("the plant cannot go on; see above")
            return False
        meanwhile()
        display.refresh()
    log.info("stopping: handing the devices back")
    return True


@contextmanager
def _plant(
    config: SiteConfig,
    options: RunOptions,
    display: Display,
    kept: Mapping[str, Setpoint],
    *,
    token: str,
    listeners: Sequence[Recipient],
    desk: ReloadDesk,
) -> Iterator[System]:
    clock = RealClock()
    interval_s = config.control.interval_s
    observer = PrometheusObserver(
        config.site.name, options.version, config.source_names, cycle_interval_s=interval_s, token=token
    )
    everybody = (display, *listeners)
    system = start_system(config, clock=clock, observer=observer, listeners=everybody, desk=desk, kept=kept)
    try:
        yield system
    finally:
        display.stop()
        system.stop(STOP_WITHIN_S)
        clock.close()


def require_local(config: SiteConfig) -> None:
    """Refuse to simulate a site of which any device is elsewhere: it would be commanded for real. Raises UsageError."""
    for where, device in (("meter", config.meter), *((each.name, each) for each in config.inverters)):
        if isinstance(device, SumMeterConfig):
            continue
        if device.driver in BY_MQTT:
            raise UsageError(
                f"{where} has driver {device.driver!r}: nobody knows what is behind it, so it cannot be simulated"
            )
        line = device.line if isinstance(device, ModbusDevice) else None
        if line is not None and Path(line.port).exists():
            raise UsageError(f"{where} is at {line.port}, which is a real port: it cannot be simulated")
        if line is None and not is_loopback(device.host or ""):
            raise UsageError(f"{where} is at {device.host}: only a site on this machine (127.0.0.1) can be simulated")


@contextmanager
def _virtual_site(config: SiteConfig) -> Iterator[None]:
    """The simulated devices."""
    require_local(config)
    from orchestrator.simulation.server import serve  # noqa: PLC0415 - a real plant never loads it

    try:
        site = serve(config)
    except OSError as error:
        raise PortTaken(f"the virtual site cannot start: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(f"the virtual site cannot start: {error}") from error
    log.info("virtual site: %d devices on this machine", len(config.inverters) + 1)
    with site:
        yield


def _start_brokers(config: SiteConfig, running: ExitStack) -> None:
    """A broker at each local address of site.yaml where none answers."""
    brokers: list[Broker] = [*config.setpoints.mqtt, *([config.publish.mqtt] if config.publish.mqtt else [])]
    for host, port in sorted({(broker.host, broker.port) for broker in brokers}):
        if is_broker_listening(host, port):
            log.info("MQTT broker: the one that answers at %s:%d", host, port)
        elif is_loopback(host):
            embedded = EmbeddedBroker(host, port)
            running.callback(embedded.stop)
            embedded.start()
            log.info("MQTT broker: started one at %s:%d", host, port)
        else:
            log.warning("MQTT broker: none answers at %s:%d, and only a local one can be started", host, port)


@contextmanager
def _signals() -> Iterator[Wishes]:
    """What SIGINT, SIGTERM and SIGHUP ask for. The second to end ends the process where it stands."""
    wishes = Wishes()

    def on_hangup(_number: int, _frame: object) -> None:
        wishes.reload.set()

    def on_signal(number: int, _frame: object) -> None:
        if wishes.end.is_set():
            print("ended by force; the revert timers of the devices bring them home", file=sys.stderr, flush=True)
            os._exit(128 + number)
        wishes.end.set()

    with handling({signal.SIGINT: on_signal, signal.SIGTERM: on_signal, signal.SIGHUP: on_hangup}):
        yield wishes
