"""What is asked of the plant now: which setpoints are in force, until when, and whether they ask for more restraint."""

from __future__ import annotations

from collections.abc import Collection, Mapping, MutableMapping
from dataclasses import replace
from math import inf
from typing import Final

from orchestrator.config.audience import HOME_ASSISTANT, PORTFOLIO
from orchestrator.config.changes import forgotten_sources
from orchestrator.config.sections import MqttSource, SiteConfig
from orchestrator.config.sources.csip_aus import CsipAusSource
from orchestrator.config.sources.modbus_contact import ModbusContact
from orchestrator.config.sources.prices import PriceFile
from orchestrator.config.sources.voltage_guard import VoltageGuardSection
from orchestrator.reason import Reason, because
from orchestrator.setpoints.fields import HIGHEST_WINS, LOWEST_WINS, SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.setpoints.timetable import Timetables

Source = MqttSource | PriceFile | ModbusContact | VoltageGuardSection | CsipAusSource
"""A source whose setpoints come as messages, or from the meter, each with a default."""

FIXED: Final = "fixed"

PAUSE, MANUAL = "page", "manual"
RESERVED_LAST: Final = (PAUSE, MANUAL)
"""Sources that come after every MQTT entry, in this order; no entry of site.yaml may have these names. `page` asks that
the batteries be left to themselves for a while, `manual` is the setpoint that people set by hand."""

ONLY_BATTERIES_KEEP: Final = (
    "import_limit_watts",
    "load_limit_watts",
    "battery_charge_rate_percent",
    "battery_discharge_rate_percent",
    "battery_charge_max_watts",
    "battery_discharge_max_watts",
)
"""Limits that a battery may break that is left to itself, whoever asks for them."""
OF_OTHERS: Final = ("battery_soc_min_percent", "battery_soc_max_percent", "battery_grid_charging_enabled")
"""The same, as long as it is not site.yaml itself that asks: whoever may pause a battery may leave these."""


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
        self._timetables = Timetables(config.timetables())

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
        self._timetables = Timetables(config.timetables())
        self._until_s = -inf

    def envelope(self, now_s: float, wall_s: float) -> OperatingEnvelope:
        """What all sources together ask for at `now_s` (monotonic, never goes back) and `wall_s` (it may)."""
        since_wall_s, until_wall_s = self._wall_s
        if now_s >= self._until_s or not since_wall_s <= wall_s < until_wall_s:
            merged = merge(in_force(self._config, self._setpoints, now_s, wall_s, self._timetables))
            self._envelope = replace(
                merged,
                unheard=unheard_sources(self._config, self._heard),
                fresh=fresh_sources(self._config, self._setpoints, now_s, wall_s),
            )
            self._until_s = self.next_end_s(now_s, wall_s)
            walls_s = [each.change_wall_s(wall_s) for each in self._setpoints.values()]
            walls_s += self._timetables.until_wall_s(wall_s)
            self._wall_s = (wall_s, min((each for each in walls_s if each > wall_s), default=inf))
        return self._envelope

    def next_end_s(self, now_s: float, wall_s: float) -> float:
        """When the next setpoint ends after `now_s` (monotonic), or a timetable changes; infinity where none does."""
        ends_s = [each.end_s(now_s, wall_s) for each in self._setpoints.values()]
        ends_s += [now_s + (until_s - wall_s) for until_s in self._timetables.until_wall_s(wall_s)]
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
    config: SiteConfig,
    received: Mapping[str, Setpoint],
    now_s: float,
    wall_s: float | None = None,
    timetables: Timetables | None = None,
) -> tuple[Setpoint, ...]:
    """The setpoints that hold at `now_s` (monotonic), in the order of their sources: what `merge` takes.

    `wall_s` is what the wall clock shows then, in seconds since 1970; None: `now_s` as well, as in virtual time.

    `received` is the newest setpoint of each source, by name. An MQTT source whose setpoint is missing or has expired
    is represented by its `default` as a whole, under its own name. Sources that nobody configured are left out.
    `timetables` are those of `config`, where the caller keeps them.
    """
    by_clock = timetables or Timetables(config.timetables())
    fixed = Setpoint(FIXED, config.setpoints.fixed)
    asked = config.setpoints
    sources: tuple[Source, ...] = (*_watched(config), *asked.mqtt)
    entries = [_of_entry(entry, received, now_s, wall_s) for entry in sources]
    entered = (HOME_ASSISTANT,) if config.publish.for_home_assistant else ()
    named = [_valid(received.get(name), now_s, wall_s) for name in (*entered, *RESERVED_LAST)]
    timed = by_clock.setpoints(now_s if wall_s is None else wall_s)
    holding = (
        *_of_portfolio(config, received, now_s, wall_s),
        fixed,
        *timed,
        *(setpoint for setpoint in (*entries, *named) if setpoint is not None),
    )
    pause = [each for each in holding if each.source == PAUSE and each.fields.battery_storage_mode == 0]
    if not pause:
        return holding
    others = tuple(each for each in holding if each not in pause)
    return others if stands_against_pause(merge(others)) else holding


def stands_against_pause(envelope: OperatingEnvelope) -> tuple[Reason, ...]:
    """What is asked for that only commanded batteries keep: a pause must not lift it. Each with its source.

    A grid that may not be charged from counts where that is asked for (false), and so does a wish by hand for batteries
    that are commanded: the later word.
    """
    asked = envelope.fields.asked()
    found: list[str] = [name for name in ONLY_BATTERIES_KEEP if name in asked]
    found += [name for name in OF_OTHERS if asked.get(name) not in (None, True) and envelope.source(name) != FIXED]
    if asked.get("battery_storage_mode") and envelope.source("battery_storage_mode") == MANUAL:
        found.append("battery_storage_mode")
    return tuple(because("asked_by", field=name, source=envelope.whose(name)) for name in found)


def unheard_sources(config: SiteConfig, heard: Collection[str]) -> tuple[str, ...]:
    """The sources that nobody can speak for: never heard (`heard` has the names of those that were), no default."""
    return tuple(e.name for e in config.setpoints.mqtt if e.default is None and e.name not in heard)


def fresh_sources(
    config: SiteConfig, received: Mapping[str, Setpoint], now_s: float, wall_s: float
) -> Mapping[str, bool]:
    """Of each source besides MQTT whether it speaks for itself: not where only its default holds."""
    by_clock = {each.name: True for each in config.setpoints.schedules}
    return by_clock | {e.name: _valid(received.get(e.name), now_s, wall_s) is not None for e in _watched(config)}


def _watched(config: SiteConfig) -> tuple[PriceFile | ModbusContact | VoltageGuardSection | CsipAusSource, ...]:
    """The sources that must speak again and again, and come neither by the clock nor by MQTT."""
    asked = config.setpoints
    guard = () if asked.voltage_guard is None else (asked.voltage_guard,)
    utility = () if asked.csip_aus is None else (asked.csip_aus,)
    return (*asked.price_files, *asked.modbus_contacts, *guard, *utility)


def _of_entry(entry: Source, received: Mapping[str, Setpoint], now_s: float, wall_s: float | None) -> Setpoint | None:
    """The setpoint of one source with messages: its own while that is valid, else its default."""
    setpoint = _valid(received.get(entry.name), now_s, wall_s)
    if setpoint is None and entry.default is not None:
        return Setpoint(entry.name, entry.default, is_default=True)
    return setpoint


def _of_portfolio(
    config: SiteConfig, received: Mapping[str, Setpoint], now_s: float, wall_s: float | None
) -> tuple[Setpoint, ...]:
    """The command that holds, else what holds without one; nothing where the site is none of a portfolio."""
    portfolio = config.publish.portfolio
    if portfolio is None:
        return ()
    command = _valid(received.get(PORTFOLIO), now_s, wall_s)
    return (command or Setpoint(PORTFOLIO, portfolio.default, is_default=True),)


def _valid(setpoint: Setpoint | None, now_s: float, wall_s: float | None) -> Setpoint | None:
    return None if setpoint is None else setpoint.at(now_s, now_s if wall_s is None else wall_s)
