"""Counters for those who operate a plant: cycles, energy, commands that a device did not take, stale setpoints."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge

from actors.messages import Event
from orchestrator.decide.records import CycleResult
from orchestrator.ledger.energy import FLOWS, energy_between

MODES: Final = ("normal", "failsafe", "waiting")
COMMAND_FAULTS: Final = {
    "command_ignored": "ignored",
    "command_lost": "lost",
    "command_refused": "refused",
    "flash_budget_spent": "flash_budget",
    "flash_overspent": "flash_overspent",
}
"""Events about a command that had no effect, and their word in the label `kind`."""


class OperationMetrics:
    """A part of `PrometheusObserver`. Series begin at 0, because an increase from nothing is invisible."""

    def __init__(self, registry: CollectorRegistry, sources: Iterable[str], cycle_interval_s: float) -> None:
        self._cycles = Counter(
            "orchestrator_cycles_total", "Cycles that were decided, by mode.", ("mode",), registry=registry
        )
        self._energy = Counter(
            "orchestrator_site_energy_watt_hours_total", "Energy of the site, by flow.", ("flow",), registry=registry
        )
        self._command_faults = Counter(
            "orchestrator_command_faults_total",
            "Commands that an inverter ignored, refused or lost.",
            ("inverter", "kind"),
            registry=registry,
        )
        self._fresh = Gauge(
            "orchestrator_setpoint_fresh",
            "0 while a source that must renew its setpoint has not, else 1.",
            ("source",),
            registry=registry,
        )
        self._interval = Gauge(
            "orchestrator_cycle_interval_seconds", "Time from cycle to cycle as configured.", registry=registry
        )
        for mode in MODES:
            self._cycles.labels(mode)
        for flow in FLOWS:
            self._energy.labels(flow)
        self._known: frozenset[str] = frozenset()
        self._sources: frozenset[str] = frozenset()
        self.reconfigured(sources, cycle_interval_s)

    def reconfigured(self, sources: Iterable[str], cycle_interval_s: float) -> None:
        """The series of sources that are no more end; those that are new count as fresh until they prove otherwise."""
        names = frozenset(sources)
        for source in self._sources - names:
            self._fresh.remove(source)
        for source in names - self._sources:
            self._fresh.labels(source).set(1)
        self._sources = names
        self._interval.set(cycle_interval_s)

    def cycle_done(self, former: CycleResult | None, latest: CycleResult) -> None:
        """Count a cycle, and the energy since the one before."""
        self._cycles.labels(latest.mode).inc()
        self._expect(latest)
        for flow, watt_hours in energy_between(former, latest).items() if former is not None else ():
            self._energy.labels(flow).inc(watt_hours)

    def event(self, event: Event) -> None:
        """Count what says that an inverter did not do as it was told."""
        kind = COMMAND_FAULTS.get(event.name)
        if kind is not None:
            self._command_faults.labels(event.subject, kind).inc()

    def setpoint_fresh(self, source: str, fresh: bool) -> None:
        """Whether `source` has renewed its setpoint in time."""
        self._fresh.labels(source).set(fresh)

    def inverter_gone(self, inverter: str) -> None:
        """An inverter belongs to the site no more: its series end."""
        self._command_faults.remove_by_labels({"inverter": inverter})
        self._known -= {inverter}

    def _expect(self, result: CycleResult) -> None:
        names = frozenset((*(sample.name for sample in result.snapshot.inverters), *result.snapshot.away))
        for name in names - self._known:
            for kind in COMMAND_FAULTS.values():
                self._command_faults.labels(name, kind)
        self._known |= names
