"""The messages between actors: frozen values, sent by `tell`, never answered by waiting.

Tick, Read, Command, Release      down, to devices
Report, SetpointReceived, ...     up, to the site
CycleResult                       sideways, from the site to whoever shows it (it is its own message)

Those that the site's loop itself knows are its own (`orchestrator.loop.messages`); here are the others.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from actors.address import Recipient
from orchestrator.config.changes import Changes
from orchestrator.config.sections import SiteConfig
from orchestrator.ledger.excess import Excess
from orchestrator.loop.messages import (
    Acknowledged,
    Command,
    Event,
    Obeyed,
    Read,
    Release,
    Report,
    SetpointReceived,
    SetpointWithdrawn,
)

__all__ = [
    "Acknowledged",
    "Command",
    "Configured",
    "Event",
    "ExcessEnded",
    "InverterRemoved",
    "Obeyed",
    "Read",
    "Reconfigure",
    "Release",
    "Report",
    "SetpointReceived",
    "SetpointRefused",
    "SetpointWithdrawn",
    "Stop",
    "Tick",
]


@dataclass(frozen=True, slots=True)
class Tick:
    """The clock's call: do what is due."""


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
class Configured:
    """The plant runs on this configuration from now on; for those that are not replaced by it."""

    config: SiteConfig


@dataclass(frozen=True, slots=True)
class InverterRemoved:
    """An inverter is not part of the site any more; what was published of it is to be taken back."""

    inverter: str


@dataclass(frozen=True, slots=True)
class SetpointRefused:
    """A message of a source was not a setpoint; the former one stays."""

    source: str
    reason: str


@dataclass(frozen=True, slots=True)
class ExcessEnded:
    """The ledger has closed an excess over a limit."""

    excess: Excess
