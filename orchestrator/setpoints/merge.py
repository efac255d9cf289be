"""What each source asks for, and the operating envelope that follows when all of them are merged.

A source is `fixed` or an MQTT entry of site.yaml, or one of the reserved `page` and `manual`.
Limits are magnitudes in W (>= 0, None = not asked, so unlimited); percents are 0 to 100.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from types import MappingProxyType
from typing import Any

from orchestrator.setpoints.fields import HIGHEST_WINS, LOWEST_WINS, SetpointFields


@dataclass(frozen=True, slots=True)
class Setpoint:
    """What one source asks for. It holds from `received_at_s` to before `expires_at_s` (monotonic; None: no end).

    `until_wall_s` is the end that the message itself names, in seconds of the wall clock (since 1970; None: no end).
    That clock may be put right while the setpoint holds, so it is looked at anew each time. `valid_until` is the
    earlier of both ends as the text that people see (RFC 3339), as it was on arrival; None where there is none.
    `is_default`: the source itself asks for nothing valid, this is its `default` of site.yaml.
    """

    source: str
    fields: SetpointFields
    received_at_s: float = 0.0
    expires_at_s: float | None = None
    valid_until: str | None = None
    is_default: bool = False
    until_wall_s: float | None = None

    def is_valid(self, now_s: float, wall_s: float | None = None) -> bool:
        """Whether it still holds at `now_s` (monotonic) and `wall_s` (None: the wall clock shows `now_s` as well)."""
        if self.expires_at_s is not None and now_s >= self.expires_at_s:
            return False
        return self.until_wall_s is None or (now_s if wall_s is None else wall_s) < self.until_wall_s

    def end_s(self, now_s: float, wall_s: float) -> float:
        """When it ends (monotonic), if both clocks go on as they do at `now_s` and `wall_s`; infinity: never."""
        validity_s = inf if self.expires_at_s is None else self.expires_at_s
        return min(validity_s, inf if self.until_wall_s is None else now_s + (self.until_wall_s - wall_s))


@dataclass(frozen=True, slots=True)
class OperatingEnvelope:
    """The merged fields, and for each asked field the setpoint it came from.

    `unheard` names the sources that may ask for a limit, have no default, and were never heard: nobody knows what they
    would ask for, so AC limits that are in force in the devices do not rise.
    """

    fields: SetpointFields = field(default_factory=SetpointFields)
    origins: Mapping[str, Setpoint] = field(default_factory=lambda: MappingProxyType({}))
    unheard: tuple[str, ...] = ()

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


def _prevails(name: str, value: Any, former: Any) -> bool:
    """Whether the `value` of a later source replaces the `former` one."""
    if name in LOWEST_WINS:
        return bool(value < former)
    if name in HIGHEST_WINS:
        return bool(value > former)
    return True
