"""The curves of a run: named columns, each the means over buckets of time. What plots and CSV files are made from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, fsum

from orchestrator.config.simulation import SimulationConfig
from orchestrator.simulation.measuring.measures import LIMITED, limit_watts
from orchestrator.simulation.virtual_time import Moment

Values = list[float | None]


@dataclass(frozen=True, slots=True)
class Trace:
    """`at_s` is the middle of each bucket; a value is None where nothing was known (no limit, no command).

    Columns of the site: `site_watts` (import +), `load_watts`, `pv_watts`, `pv_available_watts`, `battery_watts`
    (charging +), `<limit>_limit_watts`. Columns of an inverter begin with its name: `east.ac_watts`, `.pv_watts`,
    `.ac_limit_watts`, and with a battery `.battery_watts`, `.battery_target_watts` and `.soc_percent`.
    """

    bucket_s: float
    at_s: Sequence[float]
    columns: Mapping[str, Values]

    def column(self, name: str) -> Values:
        """The values of one column; all None where no column has this name."""
        return self.columns.get(name, [None] * len(self.at_s))


class TraceMaker:
    """Takes moments in their order, and keeps the means."""

    def __init__(self, simulation: SimulationConfig, bucket_s: float) -> None:
        self._simulation = simulation
        self._bucket_s = bucket_s
        self._names = list(simulation.inverters)
        self._rows: list[tuple[float, dict[str, float]]] = []
        self._bucket = -1
        self._sums: dict[str, float] = {}
        self._counts: dict[str, int] = {}

    def add(self, moment: Moment) -> None:
        """Take the next moment."""
        bucket = ceil(moment.at_s / self._bucket_s) - 1  # a moment ends its cycle
        if bucket != self._bucket:
            self._finish_bucket()
            self._bucket = bucket
        for name, value in self._seen(moment).items():
            if value is not None:
                self._sums[name] = self._sums.get(name, 0.0) + value
                self._counts[name] = self._counts.get(name, 0) + 1

    def trace(self) -> Trace:
        """All that was taken so far."""
        self._finish_bucket()
        names = dict.fromkeys(name for _, row in self._rows for name in row)
        columns = {name: [row.get(name) for _, row in self._rows] for name in names}
        return Trace(self._bucket_s, [at_s for at_s, _ in self._rows], columns)

    def _finish_bucket(self) -> None:
        if self._counts:
            means = {name: total / self._counts[name] for name, total in self._sums.items()}
            self._rows.append(((self._bucket + 0.5) * self._bucket_s, means))
        self._sums, self._counts = {}, {}

    def _seen(self, moment: Moment) -> dict[str, float | None]:
        seen: dict[str, float | None] = {
            "site_watts": moment.site_watts,
            "load_watts": moment.load_watts,
            "pv_watts": fsum(power.pv_watts for power in moment.powers),
            "pv_available_watts": fsum(power.pv_available_watts for power in moment.powers),
            "battery_watts": fsum(power.battery_watts for power in moment.powers),
        }
        for limit in LIMITED:
            seen[f"{limit}_limit_watts"] = limit_watts(moment.wanted, limit)
        for name, power in zip(self._names, moment.powers, strict=True):
            seen[f"{name}.ac_watts"] = power.ac_watts
            seen[f"{name}.pv_watts"] = power.pv_watts
            battery = self._simulation.inverters[name].battery
            if battery is not None:
                seen[f"{name}.battery_watts"] = power.battery_watts
                seen[f"{name}.soc_percent"] = 100.0 * power.stored_wh / battery.capacity_wh
        for command in moment.commands:
            seen[f"{command.inverter}.ac_limit_watts"] = command.ac_limit_watts
            if command.battery is not None:
                seen[f"{command.inverter}.battery_target_watts"] = command.battery.watts
        return seen
