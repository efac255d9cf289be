"""What the loop is told and what it wants done: frozen values, the same for the site's actor and in virtual time.

Report, Acknowledged              what devices say
SetpointReceived, ...Withdrawn    what is asked of the plant
Reconfigured, StopAsked           what its people want
TimePassed                        the wake-up that `SiteLoop.next_wake_s` asked for

Read, Command, Release            to the inverters
CycleResult, Event                to whoever shows or keeps it
HandedBack                        to who reconfigured or stopped it
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from msgspec import Struct

from orchestrator.commands import InverterCommand
from orchestrator.config.changes import Changes
from orchestrator.config.sections import SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.setpoints.merge import Setpoint


class Report(Struct, frozen=True):
    """What a device has to say: a sample, or the fault that kept it from having one (`kind` of a DeviceError).

    `sender` is an inverter by name, or else the meter. `cycle` is that of the Read it answers, 0 for the meter. The
    sample of a meter is in the meter's own sign. `detail` is for people.
    """

    sender: str
    cycle: int
    sample: InverterSample | MeterSample | None = None
    fault: str | None = None
    detail: str = ""


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
class Reconfigured:
    """From now on decide for `config`; `changes` is what is different in it."""

    config: SiteConfig
    changes: Changes


@dataclass(frozen=True, slots=True)
class StopAsked:
    """Decide no more, and hand all devices back."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened but time."""


class Read(Struct, frozen=True):
    """Every inverter is to be read now and to report. Dropped when it is older than `until_s` (monotonic seconds)."""

    cycle: int
    until_s: float


class Command(Struct, frozen=True):
    """Make the device do this, unless it is older than the command's validity."""

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """Hand the device back with this last command, whatever was written before; answered by `Acknowledged`."""

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something people should hear of once: `name` is a bounded word, `subject` an inverter, a source or the site."""

    name: str
    subject: str
    detail: str


@dataclass(frozen=True, slots=True)
class HandedBack:
    """Every device that had to be released has answered."""


Input: TypeAlias = Report | Acknowledged | SetpointReceived | SetpointWithdrawn | Reconfigured | StopAsked | TimePassed
Action: TypeAlias = Read | Command | Release | CycleResult | Event | HandedBack
