"""What the actors tell about themselves while they work; Prometheus is one listener, tests are another.

Calls come from any thread and must return at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Observer(Protocol):
    """Counters and timings. `error` is a `kind` of a DeviceError, None where the request went well."""

    def actor_up(self, actor: str, up: bool) -> None:
        """An actor started or stopped."""

    def actor_gone(self, actor: str) -> None:
        """An actor was stopped for good: its inverter is not part of the site any more."""

    def actor_restarted(self, actor: str) -> None:
        """The supervisor replaced an actor that crashed."""

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None:
        """An actor handled one message in `seconds`, and `inbox_depth` more are waiting."""

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        """One Modbus request to `device` (the name of an inverter, or "meter") took `seconds`."""

    def line_noted(self, line: str, what: str, count: int) -> None:
        """On the line at `line` so much was passed over: `echo`, `late`, `noise` (bytes), `crc`, `half_frame`."""

    def register_written(self, inverter: str, register: str) -> None:
        """One register write of `inverter` was acknowledged."""

    def setpoint_refused(self, source: str) -> None:
        """A message of `source` was not a setpoint."""

    def reconfigured(self, sources: Sequence[str], cycle_interval_s: float) -> None:
        """Another configuration is in force, with these sources of setpoints."""

    def setpoint_fresh(self, source: str, fresh: bool) -> None:
        """Whether `source` has renewed its setpoint in time; told again and again. One that need not is fresh."""


class NoObserver:
    """Listens to nothing."""

    def actor_up(self, actor: str, up: bool) -> None: ...

    def actor_gone(self, actor: str) -> None: ...

    def actor_restarted(self, actor: str) -> None: ...

    def message_handled(self, actor: str, seconds: float, inbox_depth: int) -> None: ...

    def request_done(self, device: str, seconds: float, error: str | None) -> None: ...

    def line_noted(self, line: str, what: str, count: int) -> None: ...

    def register_written(self, inverter: str, register: str) -> None: ...

    def setpoint_refused(self, source: str) -> None: ...

    def reconfigured(self, sources: Sequence[str], cycle_interval_s: float) -> None: ...

    def setpoint_fresh(self, source: str, fresh: bool) -> None: ...
