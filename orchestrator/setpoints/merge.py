"""What each source asks for, and the operating envelope that follows when all of them are merged.

A source is `fixed`, the voltage guard or an entry of site.yaml, or one of the reserved `page` and `manual`.
Limits are magnitudes in W (>= 0, None = not asked, so unlimited); percents are 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from math import inf
from types import MappingProxyType
from typing import Any

from orchestrator.setpoints.fields import HIGHEST_WINS, LOWEST_WINS, SetpointFields


@dataclass(frozen=True, slots=True)
class Step:
    """Fields that a plan asks for from `begin_wall_s` to before `end_wall_s`, in seconds since 1970.

    `is_default`: the source has nothing in particular to ask for then, these are its own default. `is_moving`: it is a
    stair of a ramp, and the next one follows.
    """

    begin_wall_s: float
    end_wall_s: float
    fields: SetpointFields
    is_default: bool = False
    is_moving: bool = False


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What one source asks for. It holds from `received_at_s` to before `expires_at_s` (monotonic; None: no end).

    `until_wall_s` is the end that the message itself names, in seconds of the wall clock (since 1970; None: no end).
    That clock may be put right while the setpoint holds, so it is looked at anew each time. `valid_until` is the
    earlier of both ends as the text that people see (RFC 3339), as it was on arrival; None where there is none.
    `is_default`: the source itself asks for nothing valid, this is its `default` of site.yaml.
    `is_moving`: it is on its way along a ramp.
    `plan`: what is asked for changes with the time. Its steps are in their order and apart, and hold in place of
    `fields`; between them the source asks for nothing valid.
    """

    source: str
    fields: SetpointFields
    received_at_s: float = 0.0
    expires_at_s: float | None = None
    valid_until: str | None = None
    is_default: bool = False
    until_wall_s: float | None = None
    plan: tuple[Step, ...] = ()
    is_moving: bool = False

    def is_valid(self, now_s: float, wall_s: float | None = None) -> bool:
        """Whether it still holds at `now_s` (monotonic) and `wall_s` (None: the wall clock shows `now_s` as well)."""
        if self.expires_at_s is not None and now_s >= self.expires_at_s:
            return False
        return self.until_wall_s is None or (now_s if wall_s is None else wall_s) < self.until_wall_s

    def at(self, now_s: float, wall_s: float) -> Setpoint | None:
        """What it asks for at `now_s` (monotonic) and `wall_s`, without its plan; None where that is nothing valid."""
        if not self.is_valid(now_s, wall_s):
            return None
        if not self.plan:
            return self
        step = next((step for step in self.plan if step.begin_wall_s <= wall_s < step.end_wall_s), None)
        if step is None:
            return None
        validity_s = inf if self.expires_at_s is None else self.expires_at_s - now_s
        text = self.valid_until if wall_s + validity_s < step.end_wall_s else utc_text(step.end_wall_s)
        return replace(
            self,
            fields=step.fields,
            until_wall_s=step.end_wall_s,
            valid_until=text,
            is_default=step.is_default,
            is_moving=step.is_moving,
            plan=(),
        )

    def end_s(self, now_s: float, wall_s: float) -> float:
        """When it ends or asks for something else (monotonic), if both clocks go on as now; infinity: never."""
        validity_s = inf if self.expires_at_s is None else self.expires_at_s
        return min(validity_s, now_s + (self.change_wall_s(wall_s) - wall_s))

    def change_wall_s(self, wall_s: float) -> float:
        """When it ends or asks for something else by the wall clock, after `wall_s`; infinity: never.

        The past where it has ended.
        """
        edges = [edge for step in self.plan for edge in (step.begin_wall_s, step.end_wall_s) if edge > wall_s]
        return min([inf if self.until_wall_s is None else self.until_wall_s, *edges])


@dataclass(frozen=True, slots=True)
class OperatingEnvelope:
    """The merged fields, and for each asked field the setpoint it came from.

    `unheard` names the sources that may ask for a limit, have no default, and were never heard: nobody knows what they
    would ask for, so AC limits that are in force in the devices do not rise. `fresh` says of each source besides MQTT
    whether it speaks for itself, or only its default does.
    """

    fields: SetpointFields = field(default_factory=SetpointFields)
    origins: Mapping[str, Setpoint] = field(default_factory=lambda: MappingProxyType({}))
    unheard: tuple[str, ...] = ()
    fresh: Mapping[str, bool] = field(default_factory=lambda: MappingProxyType({}))

    def source(self, name: str) -> str | None:
        """Which source decided the field `name`, or None where nobody asked."""
        origin = self.origins.get(name)
        return origin.source if origin else None

    def whose(self, name: str) -> str | None:
        """The same for people: `mqtt`, or `default of mqtt` where that source itself asks for nothing."""
        origin = self.origins.get(name)
        return f"default of {origin.source}" if origin and origin.is_default else self.source(name)


def merge(setpoints: Sequence[Setpoint]) -> OperatingEnvelope:
    """What holds when all `setpoints` are asked for at once; they come in the order of their sources.

    A limit, rate or maximum SoC: the lower wins. The minimum SoC: the higher wins. Switches: false wins. Wishes
    (`LAST_WINS`): the last source that has one wins. Among equal limits the first source is named as the origin.
    """
    values: dict[str, Any] = {}
    origins: dict[str, Setpoint] = {}
    for setpoint in setpoints:
        for name, value in setpoint.fields.asked().items():
            if name not in values or _prevails(name, value, values[name]):
                values[name] = value
                origins[name] = setpoint
    return OperatingEnvelope(SetpointFields(**values), MappingProxyType(origins))


def utc_text(wall_s: float) -> str:
    """A moment in seconds since 1970 as people see it (RFC 3339, UTC)."""
    return datetime.fromtimestamp(wall_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _prevails(name: str, value: Any, former: Any) -> bool:
    """Whether the `value` of a later source replaces the `former` one."""
    if name in LOWEST_WINS:
        return bool(value < former)
    if name in HIGHEST_WINS:
        return bool(value > former)
    return True
