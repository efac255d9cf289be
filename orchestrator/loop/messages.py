"""What the loop is told and what it wants done: frozen values, the same for the site's actor and in virtual time.

Report, Acknowledged              what devices say
SetpointReceived, ...Withdrawn    what is asked of the plant
Reconfigured, StopAsked           what its people want
ReleaseAsked, ResumeAsked         the same, over page or API
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
from orchestrator.decide.records import CycleResult
from orchestrator.explain.words import say
from orchestrator.reason import Reason
from orchestrator.samples import InverterSample, MeterSample
from orchestrator.setpoints.merge import Setpoint


class Obeyed(Struct, frozen=True):
    """A command that a device was seen to obey: when it was issued, and until when it needs no renewal (monotonic)."""

    issued_at_s: float
    until_s: float


class Report(Struct, frozen=True):
    """What a device has to say: a sample, or the fault that kept it from having one (`kind` of a DeviceError).

    `sender` is an inverter by name, or else the meter. `cycle` is that of the Read it answers, 0 for the meter. The
    sample of a meter is in the meter's own sign. `why` says more of the fault. `obeyed` is the last command, as long as
    telling it again would change nothing; None where it is to be told again, or where nobody looks.
    """

    sender: str
    cycle: int
    sample: InverterSample | MeterSample | None = None
    fault: str | None = None
    why: Reason | None = None
    obeyed: Obeyed | None = None


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The device took the registers of a command (or the reason why not); for timing, counting and the log.

    A command that needed no write and met no trouble is not acknowledged.
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
class ReleaseAsked:
    """Hand all devices back with limits that are safe, and command nothing until `ResumeAsked`."""


@dataclass(frozen=True, slots=True)
class ResumeAsked:
    """Control the plant again."""


@dataclass(frozen=True, slots=True)
class TimePassed:
    """Nothing happened but time."""


class Read(Struct, frozen=True):
    """Every inverter is to be read now and to report. Dropped when it is older than `until_s` (monotonic seconds)."""

    cycle: int
    until_s: float


class Command(Struct, frozen=True):
    """Make the device do this, unless it is older than the command's validity.

    It is not sent where the device has reported that it obeys one that asks the same.
    """

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Release:
    """Hand the device back with this last command, whatever was written before; answered by `Acknowledged`."""

    command: InverterCommand
    issued_at_s: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something people should hear of once: `name` is a bounded word, `subject` an inverter, a source or the site.

    `why` says it as a value, for whoever has words in another language; `detail` are its English words.
    """

    name: str
    subject: str
    detail: str
    why: Reason | None = None

    @classmethod
    def of(cls, name: str, subject: str, why: Reason) -> Event:
        """One whose words are those of `why`."""
        return cls(name, subject, say(why), why)


@dataclass(frozen=True, slots=True)
class HandedBack:
    """Every device that had to be released has answered."""


Input: TypeAlias = (
    Report
    | Acknowledged
    | SetpointReceived
    | SetpointWithdrawn
    | Reconfigured
    | StopAsked
    | ReleaseAsked
    | ResumeAsked
    | TimePassed
)
Action: TypeAlias = Read | Command | Release | CycleResult | Event | HandedBack
