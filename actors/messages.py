"""The messages between actors: frozen values, sent by `tell`, never answered by waiting.

Tick, Read, Command, Release      down, to devices
Report, SetpointReceived, ...     up, to the site
CycleResult                       sideways, from the site to whoever shows it (it is its own message)
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from actors.address import Recipient
from orchestrator.commands import InverterCommand
from orchestrator.config.changes import Changes
from orchestrator.config.sections import SiteConfig
from orchestrator.ledger.excess import Excess
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.setpoints.merge import Setpoint


@dataclass(frozen=True, slots=True)
class Tick:
    """The clock's call: do what is due."""


@dataclass(frozen=True, slots=True)
class Read:
    """Read your device now and report. Dropped when it is older than `until_s` (monotonic seconds)."""

    cycle: int
    until_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a device actor has to say: a sample, or the fault that kept it from having one (`kind` of a DeviceError)."""

    sender: str
    cycle: int
    sample: InverterSample | MeterSample | None = None
    fault: str | None = None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Command:
    """Make the device do this, unless it is older than the command's validity."""

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """Hand the device back with this last command, whatever was written before; answered by `Acknowledged`."""

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Stop:
    """Told to the site: decide no more, hand all devices back, and set `done` once each of them has answered."""

    done: threading.Event


@dataclass(frozen=True, slots=True)
class Reconfigure:
    """Told to the site: from now on decide for `config`, with the inverters at these addresses.

    Hands back what `changes` takes out of control, and sets `done` once each of these devices has answered.
    """

    config: SiteConfig
    changes: Changes
    inverters: Mapping[str, Recipient]
    done: threading.Event


@dataclass(frozen=True, slots=True)
class InverterRemoved:
    """An inverter is not part of the site any more; what was published of it is to be taken back."""

    inverter: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The device took the registers of a command (or the reason why not); for timing, counting and the table.

    `released` says that it answers a `Release`.
    """

    inverter: str
    issued_at_s: float
    finished_at_s: float
    writes: int
    fault: str | None = None
    detail: str = ""
    released: bool = False


@dataclass(frozen=True, slots=True)
class SetpointReceived:
    """A source has a new valid setpoint; it replaces the former one as a whole."""

    setpoint: Setpoint


@dataclass(frozen=True, slots=True)
class SetpointWithdrawn:
    """A source takes its setpoint back (zero-length message)."""

    source: str


@dataclass(frozen=True, slots=True)
class SetpointRefused:
    """A message of a source was not a setpoint; the former one stays."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something people should hear of once: `name` is a bounded word, `subject` an inverter, a source or the site."""

    name: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class ExcessEnded:
    """The ledger has closed an excess over a limit."""

    excess: Excess
