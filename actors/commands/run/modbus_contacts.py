"""Contacts that are inputs of a Modbus device: each is read in a thread of its own, so none holds up another.

A reading that fails says nothing: the last word ends with its validity, and then the default of the source holds.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from actors.clock import Clock, RealClock
from actors.link import ModbusLink
from actors.messages import SetpointReceived, SetpointRefused
from actors.observer import NoObserver
from orchestrator.config.sections import SiteConfig
from orchestrator.config.sources.modbus_contact import BITS, ModbusContact
from orchestrator.errors import DeviceError, LinkError, RequestRefused
from orchestrator.setpoints.intake import Arrival, Intake

log = logging.getLogger(__name__)

INPUTS: Final = ("discrete_input", "input_register")
Tell = Callable[[Any], None]


class ContactReader:
    """Reads one contact again and again from its start to `stop`, and tells SetpointReceived and SetpointRefused."""

    def __init__(self, entry: ModbusContact, tell: Tell, clock: Clock) -> None:
        self.entry = entry
        self._tell = tell
        self._clock = clock
        self._intake = Intake(entry.name, entry.validity_s, language=entry.language)
        self._stopped = threading.Event()
        self._trouble: str | None = None
        self._thread = threading.Thread(target=self._run, name=f"contact-{entry.name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Read no more. A request on its way may still come to its end; it is not told any more."""
        self._stopped.set()

    def _run(self) -> None:
        entry = self.entry
        link = ModbusLink(entry.host, entry.port, entry.timeout_s, self._clock, NoObserver())
        try:
            while not self._stopped.is_set():
                self._read(link)
                self._stopped.wait(entry.interval_s)
        finally:
            link.close()

    def _read(self, link: ModbusLink) -> None:
        try:
            word = _word(link, self.entry)
        except DeviceError as trouble:
            self._say(f"cannot be read: {_why(trouble, self.entry)}")
            return
        if self._stopped.is_set():
            return
        arrival = Arrival(word.encode(), redelivered=False, at_s=self._clock.now_s(), wall=self._clock.wall())
        outcome = self._intake.take([arrival])
        if outcome.setpoint is not None:
            self._say(None)
            self._tell(SetpointReceived(outcome.setpoint))
        if outcome.reasons and self._say(outcome.reasons[0]):
            self._tell(SetpointRefused(self.entry.name, outcome.reasons[0]))

    def _say(self, trouble: str | None) -> bool:
        """In the log, once for each trouble and once when it is over; whether it is another one."""
        former, self._trouble = self._trouble, trouble
        if trouble == former:
            return False
        if trouble is None:
            log.info("contact %s: it is read again", self.entry.name)
        else:
            seconds = f"{self.entry.validity_s:g} s"
            log.warning(
                "contact %s: %s; its last word holds for %s, then its default", self.entry.name, trouble, seconds
            )
        return True


class ModbusContacts:
    """The readers of a site: none where no contact is configured. For the main thread."""

    def __init__(self, config: SiteConfig, tell: Tell, clock: Clock | None = None) -> None:
        self._tell = tell
        self._clock = clock or RealClock()
        self._readers: tuple[ContactReader, ...] = ()
        self.configure(config)

    def configure(self, config: SiteConfig) -> None:
        """Read those of `config` from now on; a reader whose entry is the same goes on."""
        wanted = config.setpoints.modbus_contacts
        for reader in self._readers:
            if reader.entry not in wanted:
                reader.stop()
        stay = {reader.entry.name: reader for reader in self._readers if reader.entry in wanted}
        self._readers = tuple(stay.get(entry.name) or ContactReader(entry, self._tell, self._clock) for entry in wanted)

    def stop(self) -> None:
        """End all readers."""
        for reader in self._readers:
            reader.stop()
        self._readers = ()


@contextmanager
def reading_contacts(config: SiteConfig, tell: Tell) -> Iterator[ModbusContacts]:
    """The contacts of `config`, read until the end."""
    contacts = ModbusContacts(config, tell)
    try:
        yield contacts
    finally:
        contacts.stop()


def _word(link: ModbusLink, entry: ModbusContact) -> str:
    """What the inputs say now. Raises DeviceError."""
    inputs = entry.table in INPUTS
    if entry.table in BITS:
        bits = link.read_bits(entry.unit_id, entry.address, entry.count, entry.name, inputs=inputs)
        return "".join("1" if bit else "0" for bit in bits)
    (register,) = link.read(entry.unit_id, entry.address, 1, entry.name, inputs=inputs)
    return str(register)


def _why(trouble: DeviceError, entry: ModbusContact) -> str:
    match trouble:
        case RequestRefused():
            return f"the device refuses {entry.table} {entry.address} ({trouble})"
        case LinkError():
            return f"nobody answers at {entry.host}:{entry.port} ({trouble})"
    return str(trouble)
