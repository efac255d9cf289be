"""`orchestrator release`: hand every inverter back to itself, one after the other, without actors."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from msgspec.structs import replace

from actors.clock import Clock, RealClock
from actors.commands.publish import NotPublished, publish_once
from actors.device.flash import FlashKeeper
from actors.device.session import DeviceSession
from actors.device.writer import CommandWriter, Outcome
from actors.files.state_store import StateStore
from actors.link import LinkNeeds, LinkPool
from actors.messages import Event
from actors.observer import NoObserver
from actors.system import DRIVERS
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import AnyInverterConfig, InverterConfig, MqttInverterConfig, SiteConfig
from orchestrator.decide.failsafe import release_command
from orchestrator.devices.as_found import Found, before_command, put_back, reconnected
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.drivers import driver_of
from orchestrator.devices.mqtt.messages import write_command
from orchestrator.errors import DeviceError
from orchestrator.telemetry.payloads import reasons_payload

STAYS = "; its AC limit of {watts:.0f} W stays: it is not on record as ours (--lift takes it away)"


@dataclass(frozen=True, slots=True)
class ReleaseOutcome:
    """What became of one inverter. `released` is true also where there is nothing of ours to hand back."""

    inverter: str
    released: bool
    detail: str

    def __str__(self) -> str:
        return f"{self.inverter}: {self.detail}"


def release_site(
    config: SiteConfig, drivers: Mapping[str, AnyDriver] = DRIVERS, *, lift: bool = False
) -> Iterator[ReleaseOutcome]:
    """Release each inverter of `config`: battery to itself, no AC limit, ChaGriSet and Conn as they were found.

    An AC limit that is not on record as ours stays, because it may be the installer's; `lift` takes it away as well.
    One outcome each, as soon as it is known. The orchestrator must not be running, or it would command them anew.
    """
    clock = RealClock()
    links = LinkPool(clock, NoObserver())
    for device in config.modbus_devices():
        links.expect(device.way, LinkNeeds(device.timeout_s, device.min_gap_s))
    store = StateStore(Path(config.control.state_dir))
    try:
        for inverter in config.inverters:
            if not inverter.control:
                yield ReleaseOutcome(inverter.name, True, "left alone (control: false)")
            elif isinstance(inverter, MqttInverterConfig):
                yield _release_by_mqtt(inverter, clock)
            else:
                yield _release(inverter, driver_of(inverter, drivers), links, store, clock, lift=lift)
    finally:
        links.close()


def _release(
    config: InverterConfig, driver: AnyDriver, links: LinkPool, store: StateStore, clock: Clock, *, lift: bool
) -> ReleaseOutcome:
    link = links.link(config.way)
    session = DeviceSession(
        config.name,
        driver,
        link,
        config.unit_id,
        clock=clock,
        retry_longest_s=1.0,
        role="inverter",
        write_single=config.write_single,
    )
    try:
        outcome, stays_watts = _write_release(config, session, store, clock, lift=lift)
    except DeviceError as trouble:
        return ReleaseOutcome(config.name, False, f"not released: {trouble}")
    except OSError as trouble:
        return ReleaseOutcome(config.name, False, f"released, but that is not on record: {trouble}")
    if outcome.refused:
        return ReleaseOutcome(config.name, False, f"not released: it refuses {', '.join(outcome.refused)}")
    stays = "" if stays_watts is None else STAYS.format(watts=stays_watts)
    return ReleaseOutcome(config.name, True, f"released{stays}")


def _write_release(
    config: InverterConfig, session: DeviceSession, store: StateStore, clock: Clock, *, lift: bool
) -> tuple[Outcome, float | None]:
    """What came of it, and the AC limit in W that stays because it is not ours.

    Raises DeviceError, and OSError when all is written and the record of what was found cannot be removed.
    """
    session.connect(config.expected_serial, at_once=True)
    flash = FlashKeeper(config.name, store, clock)
    writer = CommandWriter(session, clock, NoObserver(), flash=flash, say=_ignore)
    words, _ = writer.with_controls(session.read())
    writer.take(words)
    kept = store.load(config.name)
    is_same_device = kept.serial == session.driver.nameplate(session.device).serial
    found = kept if is_same_device else Found()
    derated_watts = None if lift else _derated_watts(config, session, words, found, clock)
    found = dataclasses.replace(found, derated_watts=derated_watts)
    command = reconnected(put_back(_command(config), found), found)
    outcome = writer.carry_out(command, everything=True)
    if is_same_device and not outcome.refused:
        store.save(config.name, Found())
    return outcome, derated_watts


def _derated_watts(
    config: InverterConfig, session: DeviceSession, words: Mapping[int, int], found: Found, clock: Clock
) -> float | None:
    """The AC limit that is in force and not ours; what is on record where the device says nothing of use now."""
    try:
        sample = session.driver.decode_inverter(session.device, config.name, words, clock.now_s())
    except DeviceError:
        return found.derated_watts
    return before_command(found, sample, _command(config)).derated_watts


def _release_by_mqtt(config: MqttInverterConfig, clock: Clock) -> ReleaseOutcome:
    command = _command(config)
    message = write_command(command, clock.wall(), reasons_payload(command.reasons))
    if config.is_site:
        message["sequence"] = int(clock.wall().timestamp() * 1000)
    payload = json.dumps(message, allow_nan=False)
    try:
        publish_once(config, config.topic_of_commands, payload.encode())
    except NotPublished as trouble:
        return ReleaseOutcome(config.name, False, f"not released: {trouble}")
    return ReleaseOutcome(config.name, True, f"told to release on {config.topic_of_commands}")


def _command(config: AnyInverterConfig) -> InverterCommand:
    command = release_command(config.name)
    return command if config.battery.control else replace(command, battery=None)


def _ignore(_event: Event) -> None:
    """A refusal is in the outcome as well."""
