"""One inverter: the only one who talks to it. Reads it for each cycle, and makes it do what the site commands."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from math import inf
from typing import Any

from msgspec import structs

from actors.actor import Actor, Surroundings, actor_of
from actors.address import Recipient
from actors.device.flash import FlashKeeper
from actors.device.session import BrokenOff, DeviceSession
from actors.device.writer import CommandWriter, Outcome
from actors.files.state_store import StateStore
from actors.link import Link
from actors.messages import Acknowledged, Command, Event, Obeyed, Read, Release, Report
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.as_found import (
    Found,
    after_command,
    after_release,
    before_command,
    put_back,
    reconnected,
    within_derating,
    without_grid_charging,
)
from orchestrator.devices.base import AnyDriver
from orchestrator.devices.link.turns import can_wait
from orchestrator.errors import DeviceError, LinkError
from orchestrator.reason import because
from orchestrator.samples import InverterSample

log = logging.getLogger(__name__)

RETRY_LONGEST_S = 2.0
"""One that comes back may have lost its limit, and 5 s later that must be in force: so it is found as soon as the meter
is. Where others share its link, tries are rationed there."""
STARVED_S = 1.0
"""On a slow link writing may take longer than a cycle; a read that comes too late is dropped, but not for ever."""
SLOW_READING_S = 1.0
"""A reading that took so long the last time is broken off for a limit that falls, as on a serial line."""
TALKING_S = 10.0
"""One whose last answer is older than this is away: a stop does not wait for it twice."""


@dataclass(frozen=True, slots=True)
class _ReadAfterAll:
    """A reading that gave way to what was waiting."""

    read: Read


@dataclass(frozen=True, slots=True)
class _CarryOut:
    """Act on the newest command: those that waited in the inbox with it are older."""


class InverterActor(Actor):
    """Reports to `site`. Only the newest command counts: one that waits in the inbox supersedes those before it."""

    def __init__(
        self,
        surroundings: Surroundings,
        *,
        config: InverterConfig,
        driver: AnyDriver,
        link: Link,
        store: StateStore,
        site: Recipient,
    ) -> None:
        super().__init__(actor_of(config.name), surroundings)
        self._config = config
        self._driver = driver
        self._store = store
        self._site = site
        self._session = DeviceSession(
            config.name,
            driver,
            link,
            config.unit_id,
            clock=self.clock,
            retry_longest_s=RETRY_LONGEST_S,
            role="inverter",
            write_single=config.write_single,
        )
        flash = FlashKeeper(config.name, store, self.clock, config.flash_writes_per_day)
        self._writer = CommandWriter(self._session, self.clock, self.observer, flash=flash, say=site.tell)
        self._sample: InverterSample | None = None
        self._found = Found()
        self._waiting: Command | None = None
        self._carried_out: InverterCommand | None = None
        """The last command since the last reading, if there was one."""
        self._last: InverterCommand | None = None
        self._told: Command | None = None
        """The last command, where it was carried out and nothing on record has changed by it."""
        self._was_broken_off = False
        self._reading_took_s = 0.0
        self._said_not_kept = False

    def receive(self, message: Any) -> None:
        """Read, Command and Release, answered by Report and Acknowledged to the site."""
        match message:
            case Read():
                self._on_read_message(message)
            case _ReadAfterAll():
                self._carry_out_and_read(message.read)
            case Command():
                self._on_command(message)
            case _CarryOut():
                self._carry_out_waiting()
            case Release():
                self._on_release(message)

    def close(self) -> None:
        """End the connection."""
        self._session.close()

    # Reading

    def _on_read_message(self, read: Read) -> None:
        """Where readings take long, commands come in meanwhile: the newest of them is to be carried out, not each."""
        if self.clock.now_s() > read.until_s and self.inbox_depth():
            self.actor_ref.tell(_ReadAfterAll(read))
        else:
            self._carry_out_and_read(read)

    def _carry_out_and_read(self, read: Read) -> None:
        if not self._may_wait():
            self._carry_out_waiting()  # it came first, and a read may take a second on a slow gateway
        if self.clock.now_s() > read.until_s and not self._is_starved():
            return
        try:
            sample = self._recent_sample() or self._read_sample()
        except BrokenOff:
            self.actor_ref.tell(_ReadAfterAll(read))
        except DeviceError as trouble:
            self._site.tell(Report(self.name, read.cycle, fault=trouble.kind, why=trouble.why))
        else:
            self._site.tell(Report(self.name, read.cycle, sample, obeyed=self._obeyed(sample)))

    def _obeyed(self, sample: InverterSample) -> Obeyed | None:
        """What it was told last, where telling it again would change nothing: neither in it nor on record."""
        last, until_s = self._told, self._writer.obeyed_until_s
        if last is None or until_s is None or before_command(self._found, sample, last.command) != self._found:
            return None
        return Obeyed(last.issued_at_s, until_s)

    def _is_starved(self) -> bool:
        """Whether commands have taken all the time for so long that a read is due, however late."""
        return self._sample is not None and self.clock.now_s() - self._sample.at_s > STARVED_S

    def _recent_sample(self) -> InverterSample | None:
        """The last sample, for a device that must not be read more often than `interval_s`."""
        sample, interval_s = self._sample, self._config.interval_s
        if interval_s is None or sample is None or self._session.device is None:
            return None
        return sample if self.clock.now_s() - sample.at_s < interval_s else None

    def _read_sample(self, *, at_once: bool = False) -> InverterSample:
        if self._session.connect(self._config.expected_serial, at_once=at_once):
            self._on_connected()
        began_s = self.clock.now_s()
        registers, controls_at_s = self._writer.with_controls(self._session.read(self._is_urgent_waiting))
        sample = self._driver.decode_inverter(self._session.device, self.name, registers, self.clock.now_s())
        self._writer.take(registers)
        self._reading_took_s = self.clock.now_s() - began_s
        sample = structs.replace(sample, controls_at_s=controls_at_s)
        self._carried_out, self._was_broken_off = None, False
        self._sample = within_derating(self._found, sample)
        return self._sample

    def _is_urgent_waiting(self) -> bool:
        """Whether a reading gives way to a command: where readings are slow, once until there is a sample."""
        is_slow = self._config.line is not None or self._reading_took_s >= SLOW_READING_S
        if not is_slow or self._was_broken_off or self._sample is None:
            return False
        newest = self._newest_in_inbox()
        if newest is None or can_wait(self._last, newest.command, self._ac_watts()):
            return False
        self._was_broken_off = True
        return True

    def _newest_in_inbox(self) -> Command | None:
        return next((each for each in reversed(self.waiting()) if isinstance(each, Command)), None)

    def _ac_watts(self) -> float:
        """What it fed the last time; endless where that is not known."""
        known = self._sample.ac_watts if self._sample is not None else None
        return inf if known is None else known

    def _on_connected(self) -> None:
        self._told = None
        self._writer.forget()
        found = self._store.load(self.name)
        serial = self._driver.nameplate(self._session.device).serial
        self._found = found if found.serial == serial else Found()

    # Commanding

    def _on_command(self, message: Command) -> None:
        self._waiting = message
        if self._may_wait():
            return
        if self.inbox_depth():
            self.actor_ref.tell(_CarryOut())
        else:
            self._carry_out_waiting()

    def _may_wait(self) -> bool:
        """Whether the newest command waits: a serial line has no time for two commands without a reading between."""
        if self._config.line is None or self._waiting is None:
            return False
        return can_wait(self._carried_out, self._waiting.command, self._ac_watts())

    def _carry_out_waiting(self) -> None:
        message, self._waiting = self._waiting, None
        if message is None:
            return
        # Readings wait between commands in the inbox, and on a slow gateway each command costs a second.
        message = self._newest_in_inbox() or message
        self._told = None
        command, issued_at_s = message.command, message.issued_at_s
        if self.clock.now_s() - issued_at_s > command.valid_for_s:
            self._acknowledge(issued_at_s, fault="stale", detail="the command waited for too long")
        elif self._session.device is None or self._sample is None:
            self._acknowledge(issued_at_s, fault="away", detail="not connected")
        else:
            sample = self._sample
            self._try(issued_at_s, lambda: self._carry_out(message, sample))

    def _on_release(self, message: Release) -> None:
        self._waiting = self._told = None
        self._try(message.issued_at_s, lambda: self._release_surely(message.command), released=True)

    def _try(self, issued_at_s: float, act: Callable[[], Outcome], *, released: bool = False) -> None:
        try:
            outcome = act()
        except DeviceError as trouble:
            self._acknowledge(issued_at_s, fault=trouble.kind, detail=str(trouble), released=released)
        else:
            fault = "refused" if outcome.refused else None
            detail = " ".join(outcome.refused)
            self._acknowledge(issued_at_s, writes=outcome.writes, fault=fault, detail=detail, released=released)

    def _carry_out(self, message: Command, sample: InverterSample) -> Outcome:
        asked = command = message.command
        found = before_command(self._found, sample, command)
        if found.derated_watts != self._found.derated_watts:
            self._site.tell(Event.of("derating_found", self.name, because("derated", watts=found.derated_watts)))
        if not self._keep(found):
            command = without_grid_charging(command)
        command = reconnected(put_back(command, self._found), self._found)
        self._carried_out = self._last = asked
        outcome = self._writer.carry_out(command)
        if not outcome.refused:
            after = after_command(self._found, command)
            self._told = message if after == self._found else None
            self._keep(after)
        return outcome

    def _release_surely(self, command: InverterCommand) -> Outcome:
        """Once more where an answer was lost: no other cycle follows in which it would be made good."""
        is_talking = self._sample is not None and self.clock.now_s() - self._sample.at_s < TALKING_S
        try:
            return self._release(command)
        except LinkError:
            if not is_talking:
                raise
            log.warning("%s did not answer its last command, it is told again", self._config.name)
            return self._release(command)

    def _release(self, command: InverterCommand) -> Outcome:
        sample = self._sample
        if self._session.device is None or sample is None:
            sample = self._read_for_release()
        found = self._found
        if sample is not None:
            found = replace(found, derated_watts=before_command(found, sample, command).derated_watts)
        outcome = self._writer.carry_out(put_back(command, found), everything=True)
        if not outcome.refused:
            self._keep(after_release(self._found, command))
        return outcome

    def _read_for_release(self) -> InverterSample | None:
        """What it says now, None where a bug is in the way: being handed back must not fail for that."""
        try:
            return self._read_sample(at_once=True)
        except DeviceError:
            raise
        except Exception:
            if self._session.device is None:
                raise
            log.exception("what %s says cannot be read before it is handed back", self._config.name)
            return None

    def _keep(self, found: Found) -> bool:
        """Put `found` on record. False when that failed, which is said once; the plant is commanded all the same."""
        if found == self._found:
            return True
        try:
            self._store.save(self.name, found)
        except OSError as trouble:
            if not self._said_not_kept:
                self._said_not_kept = True
                self._site.tell(Event.of("state_not_kept", self.name, because("not_kept", trouble=f"{trouble}")))
            return False
        self._found = found
        return True

    def _acknowledge(
        self, issued_at_s: float, *, writes: int = 0, fault: str | None = None, detail: str = "", released: bool = False
    ) -> None:
        """A command that needed no write and met no trouble is not worth a message."""
        if not (writes or fault or released):
            return
        now_s = self.clock.now_s()
        self._site.tell(Acknowledged(self.name, issued_at_s, now_s, writes, fault, detail, released))
