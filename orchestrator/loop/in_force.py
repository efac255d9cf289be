"""What is asked of the plant now: which setpoints are in force, until when, and whether they ask for more restraint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import replace
from math import inf
from typing import Final

from orchestrator.config.changes import forgotten_sources
from orchestrator.config.sections import MqttSource, SiteConfig
from orchestrator.setpoints.fields import HIGHEST_WINS, LOWEST_WINS, SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge

FIXED: Final = "fixed"

RESERVED_LAST: Final = ("page", "manual")
"""Sources that come after every MQTT entry, in this order; no entry of site.yaml may have these names."""


class InForce:
    """The operating envelope of now. It is merged anew only when a setpoint changes or ends.

    `setpoints` holds the newest of each source, `heard` the names of those that ever said anything. Both are kept up to
    date here; nobody else may change them meanwhile.
    """

    def __init__(self, config: SiteConfig, setpoints: MutableMapping[str, Setpoint], heard: set[str]) -> None:
        self._config = config
        self._setpoints = setpoints
        self._heard = heard
        self._heard.update(setpoints)
        self._envelope = OperatingEnvelope()
        self._until_s = -inf
        self._wall_s = (inf, -inf)

    def take(self, setpoint: Setpoint) -> None:
        """A source asks for something else than before."""
        self._setpoints[setpoint.source] = setpoint
        self._heard.add(setpoint.source)
        self._until_s = -inf

    def withdraw(self, source: str) -> None:
        """A source asks for nothing any more."""
        self._setpoints.pop(source, None)
        self._heard.add(source)
        self._until_s = -inf

    def reconfigure(self, config: SiteConfig) -> None:
        """Sources of the former configuration that are gone, or are another topic now, hold no more."""
        for source in forgotten_sources(self._config, config):
            self._setpoints.pop(source, None)
            self._heard.discard(source)
        self._config = config
        self._until_s = -inf

    def envelope(self, now_s: float, wall_s: float) -> OperatingEnvelope:
        """What all sources together ask for at `now_s` (monotonic, never goes back) and `wall_s` (it may)."""
        since_wall_s, until_wall_s = self._wall_s
        if now_s >= self._until_s or not since_wall_s <= wall_s < until_wall_s:
            merged = merge(in_force(self._config, self._setpoints, now_s, wall_s))
            self._envelope = replace(merged, unheard=unheard_sources(self._config, self._heard))
            self._until_s = self.next_end_s(now_s, wall_s)
            walls_s = [s.until_wall_s for s in self._setpoints.values() if s.until_wall_s is not None]
            self._wall_s = (wall_s, min((each for each in walls_s if each > wall_s), default=inf))
        return self._envelope

    def next_end_s(self, now_s: float, wall_s: float) -> float:
        """When the next setpoint ends after `now_s` (monotonic); infinity where none does."""
        ends_s = [each.end_s(now_s, wall_s) for each in self._setpoints.values()]
        return min((end_s for end_s in ends_s if end_s > now_s), default=inf)


def is_stricter(before: SetpointFields, after: SetpointFields) -> bool:
    """Whether `after` is narrower than `before` in at least one field. Wishes (priority, targets) are never strict."""
    lowered = any(_lowered(getattr(before, name), getattr(after, name)) for name in LOWEST_WINS)
    return lowered or any(_raised(getattr(before, name), getattr(after, name)) for name in HIGHEST_WINS)


def _lowered(before: float | None, after: float | None) -> bool:
    """None asks for nothing: anything that asks is narrower."""
    return after is not None and (before is None or after < before)


def _raised(before: float | None, after: float | None) -> bool:
    return after is not None and (before is None or after > before)


def in_force(
    config: SiteConfig, received: Mapping[str, Setpoint], now_s: float, wall_s: float | None = None
) -> tuple[Setpoint, ...]:
    """The setpoints that hold at `now_s` (monotonic), in the order of their sources: what `merge` takes.

    `wall_s` is what the wall clock shows then, in seconds since 1970; None: `now_s` as well, as in virtual time.

    `received` is the newest setpoint of each source, by name. An MQTT source whose setpoint is missing or has expired
    is represented by its `default` as a whole, under its own name. Sources that nobody configured are left out.
    """
    fixed = Setpoint(FIXED, config.setpoints.fixed)
    entries = [_of_entry(entry, received, now_s, wall_s) for entry in config.setpoints.mqtt]
    reserved = [_valid(received.get(name), now_s, wall_s) for name in RESERVED_LAST]
    return (fixed, *(setpoint for setpoint in (*entries, *reserved) if setpoint is not None))


def unheard_sources(config: SiteConfig, heard: Collection[str]) -> tuple[str, ...]:
    """The sources that nobody can speak for: never heard (`heard` has the names of those that were), no default."""
    return tuple(e.name for e in config.setpoints.mqtt if e.default is None and e.name not in heard)


def _of_entry(
    entry: MqttSource, received: Mapping[str, Setpoint], now_s: float, wall_s: float | None
) -> Setpoint | None:
    """The setpoint of one MQTT source: its own while that is valid, else its default."""
    setpoint = _valid(received.get(entry.name), now_s, wall_s)
    if setpoint is None and entry.default is not None:
        return Setpoint(entry.name, entry.default, is_default=True)
    return setpoint


def _valid(setpoint: Setpoint | None, now_s: float, wall_s: float | None) -> Setpoint | None:
    return setpoint if setpoint is not None and setpoint.is_valid(now_s, wall_s) else None
