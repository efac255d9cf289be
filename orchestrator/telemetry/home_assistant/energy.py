"""Energy by where it flows, summed up over restarts and never falling back: what an energy dashboard adds up.

What the meter counts itself is taken from its counters, also what it counted while nobody looked. Everything else is
the sum of powers over time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.ledger.above_limits import MAX_GAP_S

SITE_FLOWS: Final = ("import", "export", "load", "pv", "charge", "discharge")
INVERTER_FLOWS: Final = ("pv", "charge", "discharge")
COUNTED: Final = ("import", "export")

MOST_WATTS: Final = 10e6
"""What counts more than this power could in the time between is no energy but another counter. No site here is near."""
COUNTER_STEP_WH: Final = 10_000.0
"""So coarse may a counter of a meter be: it may jump by this much at any time."""
BELIEVED_AFTER_S: Final = 60.0
"""A counter that went back, or far ahead, for so long is another one: a new meter, or its direction was turned.

A single wrong reading ends before."""


@dataclass(frozen=True, slots=True)
class Counter:
    """A counter of the meter as it was taken last, in Wh, at `at_s` of the wall clock.

    `odd_since_s`: since when it has shown what cannot be; None: it does not.
    """

    wh: float
    at_s: float
    odd_since_s: float | None = None


@dataclass(frozen=True, slots=True)
class EnergyTotals:
    """Energy in Wh (>= 0) by flow, since it was first counted; `counters` are those of the meter, by flow.

    A flow of an inverter is called `east/pv`.
    """

    wh: Mapping[str, float] = field(default_factory=dict)
    counters: Mapping[str, Counter] = field(default_factory=dict)

    def without(self, inverter: str) -> EnergyTotals:
        """The same once an inverter is not part of the site any more."""
        kept = {name: wh for name, wh in self.wh.items() if not name.startswith(f"{inverter}/")}
        return replace(self, wh=kept)


def advanced(totals: EnergyTotals, former: CycleResult | None, latest: CycleResult, wall_s: float) -> EnergyTotals:
    """`totals` with what came until `latest`; `wall_s` is the time of that in seconds since 1970.

    The powers of `former` are taken to have held until then. What was unknown adds nothing, nor does a gap of more than
    `MAX_GAP_S`. Every flow that is known is in the result, with 0 Wh where nothing has flowed yet.
    """
    wh, counters = dict(totals.wh), dict(totals.counters)
    for name, _ in _powers(latest):
        wh.setdefault(name, 0.0)
    seconds = 0.0 if former is None else latest.snapshot.at_s - former.snapshot.at_s
    if former is not None and 0 < seconds <= MAX_GAP_S:
        for name, watts in _powers(former):
            if watts > 0 and name not in counters:
                wh[name] = wh.get(name, 0.0) + watts * seconds / 3600
    for flow, shown_wh in _counted(latest):
        counters[flow], added_wh = _taken(counters.get(flow), shown_wh, wall_s)
        wh[flow] = wh.get(flow, 0.0) + added_wh
    return EnergyTotals(wh, counters)


def energy_payload(totals: EnergyTotals, time: str) -> Payload:
    """`energy`: the totals in whole Wh, those of each inverter below `inverters`; null for what is not known yet."""
    wh = {name: int(value) for name, value in totals.wh.items()}
    inverters: dict[str, Payload] = {}
    for name, value in wh.items():
        inverter, slash, flow = name.partition("/")
        if slash:
            inverters.setdefault(inverter, {})[f"{flow}_wh"] = value
    return {"time": time, **{f"{flow}_wh": wh.get(flow) for flow in SITE_FLOWS}, "inverters": inverters}


def _powers(result: CycleResult) -> Iterator[tuple[str, float]]:
    """Power by flow in W; one that is not above 0 flows the other way."""
    totals, batteries = result.totals, 0
    if totals.site_watts is not None:
        yield from (("import", totals.site_watts), ("export", -totals.site_watts))
    if totals.load_watts is not None:
        yield "load", totals.load_watts
    charging = discharging = 0.0
    for sample in result.snapshot.inverters:
        if sample.pv_watts is not None:
            yield f"{sample.name}/pv", sample.pv_watts
        watts = sample.battery.watts if sample.battery else None
        if watts is not None:
            batteries, charging, discharging = batteries + 1, charging + max(watts, 0.0), discharging + max(-watts, 0.0)
            yield from ((f"{sample.name}/charge", watts), (f"{sample.name}/discharge", -watts))
    if result.snapshot.inverters:
        yield "pv", totals.pv_watts
    if batteries:
        yield from (("charge", charging), ("discharge", discharging))


def _counted(result: CycleResult) -> Iterator[tuple[str, float]]:
    meter = result.snapshot.meter
    if meter is None:
        return
    for flow, shown_wh in (("import", meter.import_wh), ("export", meter.export_wh)):
        if shown_wh is not None:
            yield flow, shown_wh


def _taken(former: Counter | None, shown_wh: float, wall_s: float) -> tuple[Counter, float]:
    """The counter as it is now, and what it adds."""
    if former is None:
        return Counter(shown_wh, wall_s), 0.0
    since_s = wall_s if former.odd_since_s is None else min(former.odd_since_s, wall_s)
    added_wh = shown_wh - former.wh
    most_wh = COUNTER_STEP_WH + MOST_WATTS * max(since_s - former.at_s, 0.0) / 3600
    if 0 <= added_wh <= most_wh:
        return Counter(shown_wh, wall_s), added_wh
    if wall_s - since_s >= BELIEVED_AFTER_S:
        return Counter(shown_wh, wall_s), 0.0
    return replace(former, odd_since_s=since_s), 0.0
