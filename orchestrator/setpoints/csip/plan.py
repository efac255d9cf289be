"""From what is in force now and later to a setpoint: its plan has a step for each stair of a ramp."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from math import inf
from typing import Any, Final

from msgspec import Struct

from orchestrator.setpoints.csip.book import Book, Wanted
from orchestrator.setpoints.csip.memory import Way
from orchestrator.setpoints.csip.ramps import Track, track
from orchestrator.setpoints.csip.resources import RAMPED, STORAGE_TARGET, SWITCHES
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, Step

AHEAD_S: Final = 300.0
"""How far a plan reaches. A request to a server that is gone may hang for a minute, and nothing may end by that; but a
plan that nobody renews any more must end."""
ALL_WATTS: Final = 1e9
"""Wanted of the meter where the batteries are to give all that their own limit allows."""


class Moment(Struct, frozen=True):
    """One moment on three clocks: monotonic, the wall clock of this machine, and the server's."""

    now_s: float
    wall_s: float
    server_s: float

    def wall_of(self, server_s: float) -> float:
        """What the wall clock shows when the server's shows `server_s`."""
        return server_s - self.server_s + self.wall_s


class Planner:
    """The limits as they are now, on their ways. `begin` is what was asked for before the server was first heard."""

    def __init__(self, source: str, rated_watts: float, begin: SetpointFields) -> None:
        self._source = source
        self._rated_watts = rated_watts
        self._begin = begin
        self._start()

    def _start(self) -> None:
        given = {field: getattr(self._begin, field) for field in RAMPED}
        self._tracks = {
            name: Track(0.0, watts, 0.0, watts, watts) for name, watts in given.items() if watts is not None
        }
        self._wanted: dict[str, Wanted] | None = None
        self._at_s = self._since_s = inf

    @property
    def way(self) -> Way | None:
        """Where the limits are; None before anything was planned."""
        return None if self._wanted is None else Way(dict(self._tracks), dict(self._wanted), self._since_s)

    def recall(self, way: Way) -> None:
        """Go on from there: events that have begun meanwhile begin their ramps when they should have."""
        self._tracks, self._wanted = dict(way.tracks), dict(way.wanted)
        self._at_s = self._since_s = way.since_s

    def setpoint(self, book: Book, moment: Moment, lost_at_s: float) -> Setpoint | None:
        """What is asked for from now on, events no longer than to `lost_at_s` (server time).

        None where the server is lost and has left no default control.
        """
        if moment.server_s >= lost_at_s and not book.has_default:
            self._start()
            return None
        for edge_s in (*book.edges_s(self._at_s, min(moment.server_s, lost_at_s)), moment.server_s):
            self._advance(book, edge_s, lost_at_s)
        self._at_s = moment.server_s
        steps = tuple(self._steps(book, moment, lost_at_s))
        first = steps[0]
        return Setpoint(
            self._source,
            first.fields,
            received_at_s=moment.now_s,
            expires_at_s=moment.now_s + AHEAD_S,
            is_default=first.is_default,
            plan=steps,
        )

    def _advance(self, book: Book, at_s: float, lost_at_s: float) -> None:
        former, wanted = self._wanted, book.wanted(at_s, events=at_s < lost_at_s)
        self._wanted = wanted
        if former != wanted:
            self._since_s = at_s
        for field in RAMPED:
            if former is not None and former.get(field) == wanted.get(field):
                continue
            level = self._tracks[field].at(at_s) if field in self._tracks else None
            way = track(level, wanted.get(field), at_s, rated_watts=self._rated_watts, gradient=book.gradient)
            if way is None:
                self._tracks.pop(field, None)
            else:
                self._tracks[field] = way

    def _steps(self, book: Book, moment: Moment, lost_at_s: float) -> Iterator[Step]:
        """From now on; the planner is left as it is."""
        ahead = Planner(self._source, self._rated_watts, SetpointFields())
        ahead._tracks, ahead._wanted = dict(self._tracks), self._wanted
        end_s = moment.server_s + AHEAD_S + 1
        edges = {*book.edges_s(moment.server_s, end_s), *([lost_at_s] if moment.server_s < lost_at_s < end_s else [])}
        begin_s = moment.server_s
        for edge_s in (*sorted(edges), end_s):
            yield from ahead._stairs(begin_s, edge_s, moment)
            ahead._advance(book, edge_s, lost_at_s)
            begin_s = edge_s

    def _stairs(self, begin_s: float, end_s: float, moment: Moment) -> Iterator[Step]:
        breaks = {at_s for each in self._tracks.values() for at_s in each.breaks_s(begin_s, end_s)}
        edges = (begin_s, *sorted(breaks), end_s)
        for from_s, to_s in pairwise(edges):
            limits = {name: each.between(from_s, to_s) for name, each in self._tracks.items()}
            yield Step(
                moment.wall_of(from_s),
                moment.wall_of(to_s),
                fields_of(limits, self._wanted or {}),
                is_moving=any(from_s < each.end_s for each in self._tracks.values()),
                is_default=not any(each.by_event for each in (self._wanted or {}).values()),
            )


def fields_of(limits: dict[str, float | None], wanted: dict[str, Wanted]) -> SetpointFields:
    """The fields of a setpoint. A storage target becomes limits of the batteries and a wish, which come to the same."""
    asked: dict[str, Any] = dict(limits)
    asked |= {name: wanted[name].value for name in SWITCHES.values() if name in wanted}
    if STORAGE_TARGET in wanted:
        watts = float(wanted[STORAGE_TARGET].value)
        asked |= {"battery_charge_max_watts": max(0.0, -watts), "battery_discharge_max_watts": max(0.0, watts)}
        if watts > 0:
            asked["battery_export_target_watts"] = ALL_WATTS
        elif watts < 0:
            asked |= {"battery_grid_charging_enabled": True, "battery_target_soc_percent": 100.0}
    return SetpointFields(**asked)
