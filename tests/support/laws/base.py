"""Laws of the closed loop, as what breaks them: each yields a line for every breach, nothing where it holds.

A law about power at rest gives the plant some seconds after each change that makes it harder to keep: the 5 s rule, and
what a slow meter and slow inverters take on top. Each says when nothing else was possible.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from math import fsum, inf

from orchestrator.simulation.scenarios.scenario import Scenario
from tests.support.random_plants.possible import Seen

TOLERANCE_PART = 0.02
WITHIN_S = 5.0
USUAL_PERIOD_S, USUAL_LAG_S = 1.0, 0.8
PERIODS, LAGS = 2, 4
"""A slower meter is waited for so many times longer, and slower inverters as many lags: 2 % are left after four."""

TRIES_S = 8.0
"""What a limit hides has to be tried for, step by step."""

AT_ONCE_PART = 0.05
"""What is commanded in the next step: the headroom of unthrottled inverters, and changes too small to write."""

ANYTHING = frozenset({"load", "light", "setpoint", "fault"})
FOLLOWS_PART = 0.05
"""Losses of inverters and batteries, which no limit is about."""


@dataclass(frozen=True)
class Wild:
    """A scenario that was played, and what was seen of it."""

    scenario: Scenario
    seen: Sequence[Seen]

    @property
    def tolerance_watts(self) -> float:
        """2 % of nameplate."""
        return TOLERANCE_PART * fsum(i.ac_rating_watts for i in self.scenario.inverters.values())

    @property
    def within_s(self) -> float:
        """The 5 s rule, with what a slow meter and slow inverters take."""
        lag_s = max(inverter.lag_s for inverter in self.scenario.inverters.values())
        slow_meter_s = max(self.scenario.meter.period_s - USUAL_PERIOD_S, 0.0)
        return WITHIN_S + PERIODS * slow_meter_s + LAGS * max(lag_s - USUAL_LAG_S, 0.0)

    def lasting(
        self, is_broken: Callable[[Seen], bool], harder: Callable[[Seen], bool], extra_s: float = 0.0
    ) -> Iterator[float]:
        """The moments up to which something was broken for too long; `harder` starts the time anew."""
        since = 0
        for seen in self.seen:
            since = since + 1 if is_broken(seen) and not harder(seen) else 0
            if since == int(self.within_s + extra_s) + 1:
                yield seen.moment.at_s


def changed(*what: str) -> Callable[[Seen], bool]:
    """Whether one of these has just changed."""
    return lambda seen: not seen.trouble.changed.isdisjoint(what)


def least(value: float | None) -> float:
    """What is not asked for does not bind."""
    return inf if value is None else value


Law = Callable[[Wild], Iterable[str]]
