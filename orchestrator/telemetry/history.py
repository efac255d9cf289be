"""The last hours as curves: what is kept of each cycle, its mean over some seconds, and the columns that are shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import fsum
from typing import Final, NamedTuple

from orchestrator.decide.records import CycleResult
from orchestrator.documents.json_values import Payload
from orchestrator.samples import InverterSample

SITE: Final = ""
"""The site among the subjects; the others are inverters by name."""
SITE_COLUMNS: Final = (
    "site_watts",
    "load_watts",
    "pv_watts",
    "battery_watts",
    "battery_soc_percent",
    "export_limit_watts",
)
INVERTER_COLUMNS: Final = ("ac_watts", "pv_watts", "battery_watts", "battery_soc_percent", "ac_limit_watts")

SITE_STEP_S: Final = 10
INVERTER_STEP_S: Final = 60
COARSE_STEP_S: Final = 300
STEPS_S: Final = (SITE_STEP_S, INVERTER_STEP_S, COARSE_STEP_S, 1800)
"""What is shown is one of these, so that a curve has no more than `MOST_POINTS`."""
MOST_POINTS: Final = 1500
FINE_FOR_S: Final = 86400
"""For so long the fine steps are kept; beyond it only the coarse ones."""

Values = tuple[float | None, ...]


class Row(NamedTuple):
    """The means of one subject over the step that began at `at_s` (seconds since 1970, a multiple of the step)."""

    subject: str
    at_s: int
    values: Values


def columns_of(subject: str) -> tuple[str, ...]:
    """What the values of a subject are."""
    return INVERTER_COLUMNS if subject else SITE_COLUMNS


def values_of(result: CycleResult) -> dict[str, Values]:
    """What is kept of a cycle, by subject. An inverter that is away has nothing."""
    totals, snapshot = result.totals, result.snapshot
    known = bool(snapshot.inverters)
    site: Values = (
        totals.site_watts,
        totals.load_watts,
        totals.pv_watts if known else None,
        totals.battery_watts if known else None,
        _soc_percent(snapshot.inverters),
        result.envelope.fields.export_limit_watts,
    )
    return {SITE: site} | {sample.name: _of_inverter(sample) for sample in snapshot.inverters}


def _of_inverter(sample: InverterSample) -> Values:
    battery = sample.battery
    return (
        sample.ac_watts,
        sample.pv_watts,
        battery.watts if battery else None,
        battery.soc_percent if battery else None,
        sample.ac_limit_watts,
    )


def _soc_percent(samples: Sequence[InverterSample]) -> float | None:
    """The state of charge of all batteries together, by their capacities; where one is not known, the plain mean."""
    batteries = [each.battery for each in samples if each.battery is not None and each.battery.soc_percent is not None]
    if not batteries:
        return None
    sizes = [each.capacity_wh for each in batteries]
    weights = [size for size in sizes if size] if all(sizes) else [1.0] * len(batteries)
    return fsum((b.soc_percent or 0.0) * w for b, w in zip(batteries, weights, strict=True)) / fsum(weights)


class Means:
    """Collects cycles, and gives the means of each step that is over. For one thread at a time."""

    def __init__(self) -> None:
        self._begun: dict[str, tuple[int, list[list[float]]]] = {}

    def take(self, result: CycleResult, wall_s: float) -> list[Row]:
        """Count one cycle in at `wall_s` (seconds since 1970); the rows that are complete now.

        A clock that is put back begins a step anew; what was collected before is given as it is.
        """
        done: list[Row] = []
        seen = values_of(result)
        for subject in {*seen, *self._begun}:
            step_s = INVERTER_STEP_S if subject else SITE_STEP_S
            at_s = int(wall_s) // step_s * step_s
            begun = self._begun.get(subject)
            if begun is not None and begun[0] != at_s:
                done.append(_row(subject, *begun))
                del self._begun[subject]
            if subject in seen:
                _, sums = self._begun.setdefault(subject, (at_s, [[] for _ in columns_of(subject)]))
                for column, value in zip(sums, seen[subject], strict=True):
                    if value is not None:
                        column.append(value)
        return done

    def rest(self) -> list[Row]:
        """What is not complete yet, at a stop."""
        rows = [_row(subject, *begun) for subject, begun in self._begun.items()]
        self._begun.clear()
        return rows


def _row(subject: str, at_s: int, columns: list[list[float]]) -> Row:
    return Row(subject, at_s, tuple(round(fsum(each) / len(each), 1) if each else None for each in columns))


def step_for(hours: int, subject: str) -> int:
    """How many seconds a point stands for, so that `hours` are a curve and no more."""
    least_s = INVERTER_STEP_S if subject else SITE_STEP_S
    if hours * 3600 > FINE_FOR_S:
        least_s = COARSE_STEP_S
    fitting = [step_s for step_s in STEPS_S if step_s >= least_s and hours * 3600 / step_s <= MOST_POINTS]
    return min(fitting, default=STEPS_S[-1])


def history_payload(subject: str, rows: Mapping[int, Values], begin_s: int, end_s: int, step_s: int) -> Payload:
    """The columns from `begin_s` to `end_s` (seconds since 1970) on a whole grid of `step_s`; unknown is None."""
    times = range(begin_s // step_s * step_s, end_s, step_s)
    names = columns_of(subject)
    nothing: Values = (None,) * len(names)
    lines = [rows.get(at_s, nothing) for at_s in times]
    columns = {name: [line[index] for line in lines] for index, name in enumerate(names)}
    return {"step_s": step_s, "time": list(times), **columns}
