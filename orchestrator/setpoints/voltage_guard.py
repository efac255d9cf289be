"""The voltage guard: the higher the voltage at the grid connection, the less may be exported: no inverter trips.

Export raises the voltage, because the line to the transformer has a resistance. Inverters leave the grid above a volt
that standards name; the guard lets export fall before that, for the phase with the highest voltage:

    limit = least + (rated - least) * (stop - volts) / (stop - start)        between `start` and `stop`

It falls at once, as the line says. It rises again only below a lower volt, `release`, and only by a ramp. Both loops of
the site are closed by the same delay, so this is what keeps it from hunting: near its resting point nothing moves,
because between `release` and `start` the limit stays as it is.

Where the voltage is not known the limit does not rise. It holds for a while, and then the stated default holds where
that is lower.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import floor, inf
from typing import Final

from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint

VOLTAGE_GUARD: Final = "voltage_guard"
"""What the guard is called among the sources of setpoints."""

STEP_PART: Final = 0.01
"""The limit is asked for in steps of this part of the rated power: a smaller change would not be written to an
inverter, and would be another limit in every message."""

RISES_FOR_MOST_S: Final = 5.0
"""After a longer time without a voltage the limit rises no further than by so much: of the rest nothing is known."""


@dataclass(frozen=True, slots=True)
class GuardLine:
    """How the limit follows the voltage. Volts are of a phase against the neutral: `release` < `start` < `stop`.

    At `start_volts` `rated_watts` may be exported, from `stop_volts` on `least_watts`. The limit rises by
    `ramp_watts_per_s`. Without a known voltage it holds for `hold_s`, then `default_watts` where that is lower.
    """

    start_volts: float
    stop_volts: float
    release_volts: float
    rated_watts: float
    least_watts: float
    ramp_watts_per_s: float
    hold_s: float
    default_watts: float

    def limit_watts(self, volts: float) -> float:
        """The most that may be exported at this voltage, in W: never rising with it; infinity up to `start_volts`."""
        if volts <= self.start_volts:
            return inf
        part = max((self.stop_volts - volts) / (self.stop_volts - self.start_volts), 0.0)
        return self.least_watts + (self.rated_watts - self.least_watts) * part

    def asked_watts(self, limit_watts: float) -> float:
        """The same limit in whole steps, never more than it is nor less than `least_watts`."""
        step = STEP_PART * self.rated_watts
        return max(floor(limit_watts / step + 1e-9) * step, self.least_watts)


@dataclass(frozen=True, slots=True)
class GuardState:
    """The limit in W (infinity: none), as of `at_s`; the voltage of all phases was known at `known_at_s` last.

    `seen` are the phases whose voltage was ever known: one of them that is missing may be the highest. Times are
    monotonic.
    """

    limit_watts: float
    at_s: float
    known_at_s: float
    seen: frozenset[int] = frozenset()

    def holding_watts(self, line: GuardLine, now_s: float) -> float:
        """The limit that holds at `now_s`: the default too, where nothing has been known for too long."""
        return min(self.limit_watts, line.default_watts) if now_s >= self.known_at_s + line.hold_s else self.limit_watts


def watch_voltage(
    line: GuardLine,
    before: GuardState | None,
    phase_volts: Sequence[float | None],
    *,
    export_watts: float | None,
    now_s: float,
) -> GuardState | None:
    """What the guard knows after the meter has spoken; None while no voltage was ever known.

    `export_watts` is what the site exports then (negative: it imports). With the first voltage the limit begins there,
    wherever that voltage is the outcome of a limit that an earlier run has left: after a start the export rises by the
    ramp as well.
    """
    known = {phase: volts for phase, volts in enumerate(phase_volts) if volts is not None}
    if not known:
        return before
    highest = max(known.values())
    if before is None:
        first_watts = min(max(export_watts or 0.0, line.least_watts), line.rated_watts)
        return GuardState(min(first_watts, line.limit_watts(highest)), now_s, now_s, frozenset(known))
    limit = before.holding_watts(line, now_s)
    is_whole = before.seen <= known.keys()
    if is_whole and highest < line.release_volts:
        limit += line.ramp_watts_per_s * min(max(now_s - before.known_at_s, 0.0), RISES_FOR_MOST_S)
        limit = inf if limit >= line.rated_watts else limit
    limit = min(limit, line.limit_watts(highest))
    return GuardState(limit, now_s, now_s if is_whole else before.known_at_s, before.seen | known.keys())


def guard_setpoint(line: GuardLine, state: GuardState) -> Setpoint:
    """What the guard asks for. It ends where the default has to take over, which is never above it."""
    limit = state.limit_watts
    asked = SetpointFields() if limit == inf else SetpointFields(export_limit_watts=line.asked_watts(limit))
    ends_s = state.known_at_s + line.hold_s if limit > line.default_watts else None
    return Setpoint(VOLTAGE_GUARD, asked, state.at_s, ends_s)


class VoltageGuard:
    """The guard of one site: voltages in, its setpoint out.

    `left` is the setpoint that it had asked for before the loop was started anew, None where there is none.
    """

    def __init__(self, line: GuardLine, left: Setpoint | None, now_s: float) -> None:
        self._line = line
        self._state: GuardState | None = None
        if left is not None:
            watts = left.fields.export_limit_watts
            known_at_s = now_s if left.expires_at_s is None else left.expires_at_s - line.hold_s
            self._state = GuardState(inf if watts is None else watts, now_s, min(known_at_s, now_s))

    def take(self, phase_volts: Sequence[float | None], export_watts: float | None, now_s: float) -> Setpoint | None:
        """The meter has spoken; what is asked for from now on, None before any voltage was known."""
        self._state = watch_voltage(self._line, self._state, phase_volts, export_watts=export_watts, now_s=now_s)
        return None if self._state is None else guard_setpoint(self._line, self._state)

    def follow(self, line: GuardLine) -> None:
        """Another line holds from now on; where the limit stands stays known."""
        self._line = line
        if self._state is not None and self._state.limit_watts > line.rated_watts:
            self._state = replace(self._state, limit_watts=inf)
