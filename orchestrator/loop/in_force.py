"""Whether a change of the operating envelope takes something away: then it is obeyed at once."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Final

from orchestrator.config.sections import MqttSource, SiteConfig
from orchestrator.setpoints.fields import HIGHEST_WINS, LOWEST_WINS, SetpointFields
from orchestrator.setpoints.merge import Setpoint

FIXED: Final = "fixed"

RESERVED_LAST: Final = ("page", "manual")
"""Sources that come after every MQTT entry, in this order; no entry of site.yaml may have these names."""


def is_stricter(before: SetpointFields, after: SetpointFields) -> bool:
    """Whether `after` is narrower than `before` in at least one field. Wishes (priority, targets) are never strict."""
    lowered = any(_lowered(getattr(before, name), getattr(after, name)) for name in LOWEST_WINS)
    return lowered or any(_raised(getattr(before, name), getattr(after, name)) for name in HIGHEST_WINS)


def _lowered(before: float | None, after: float | None) -> bool:
    """None asks for nothing: anything that asks is narrower."""
    return after is not None and (before is None or after < before)


def _raised(before: float | None, after: float | None) -> bool:
    return after is not None and (before is None or after > before)


def in_force(config: SiteConfig, received: Mapping[str, Setpoint], now_s: float) -> tuple[Setpoint, ...]:
    """The setpoints that hold at `now_s` (monotonic), in the order of their sources: what `merge` takes.

    `received` is the newest setpoint of each source, by name. An MQTT source whose setpoint is missing or has expired
    is represented by its `default` as a whole, under its own name. Sources that nobody configured are left out.
    """
    fixed = Setpoint(FIXED, config.setpoints.fixed.to_fields())
    entries = [_of_entry(entry, received, now_s) for entry in config.setpoints.mqtt]
    reserved = [_valid(received.get(name), now_s) for name in RESERVED_LAST]
    return (fixed, *(setpoint for setpoint in (*entries, *reserved) if setpoint is not None))


def unheard_sources(config: SiteConfig, heard: Collection[str]) -> tuple[str, ...]:
    """The sources that nobody can speak for: never heard (`heard` has the names of those that were), no default."""
    return tuple(e.name for e in config.setpoints.mqtt if e.default is None and e.name not in heard)


def _of_entry(entry: MqttSource, received: Mapping[str, Setpoint], now_s: float) -> Setpoint | None:
    """The setpoint of one MQTT source: its own while that is valid, else its default."""
    setpoint = _valid(received.get(entry.name), now_s)
    if setpoint is None and entry.default is not None:
        return Setpoint(entry.name, entry.default.to_fields(), is_default=True)
    return setpoint


def _valid(setpoint: Setpoint | None, now_s: float) -> Setpoint | None:
    return setpoint if setpoint is not None and setpoint.is_valid(now_s) else None
