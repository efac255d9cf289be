"""The loop of a site without threads: a test moves the time and plays the devices."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from orchestrator import control
from orchestrator.config.changes import changes_between
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.records import CycleResult
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import (
    Acknowledged,
    Action,
    Command,
    Input,
    Read,
    Reconfigured,
    Release,
    Report,
    TimePassed,
)
from orchestrator.loop.site_loop import SiteLoop
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate


def site_config(inverter: dict[str, Any] | None = None, **control: Any) -> SiteConfig:
    return SiteConfig.model_validate(
        {
            "site": {"name": "home"},
            "meter": {"host": "127.0.0.1"},
            "inverters": tuple(
                {"name": name, "host": "127.0.0.1", "port": 502, "unit_id": 1, **(inverter or {})}
                for name in ("east", "west")
            ),
            "control": {"battery_power_flow": True, **control},
            "setpoints": {"fixed": {"export_limit_watts": 5000.0}, "mqtt": ({"host": "127.0.0.1", "topic": "t"},)},
        }
    )


class Bench:
    """A loop, and all that it wanted done so far."""

    def __init__(self, config: SiteConfig | None = None, kept: Kept | None = None) -> None:
        self.now_s = 1000.0
        self.config = config or site_config()
        self.kept = kept or Kept()
        self.meter_fault: MeterFault | None = None
        self.wall_ahead_s = 0.0
        self.loop = SiteLoop(self.config, self.kept, self.now_s, wall_s=self.now_s, controller=self._decide)
        self.actions: list[Action] = []
        self._watts = self._changed_s = 0.0

    def _decide(self, *seen: Any) -> CycleResult:
        """As the project decides, but `meter_fault` is found where a test wants that."""
        result = control.step(*seen)
        return result if self.meter_fault is None else replace(result, meter_fault=self.meter_fault)

    def tell(self, message: Input) -> None:
        self.actions += self.loop.receive(message, self.now_s, self.now_s + self.wall_ahead_s)

    def advance(self, seconds: float) -> None:
        """Let time pass; it is woken whenever it asked for it."""
        end_s = self.now_s + seconds
        while self.loop.next_wake_s <= end_s:
            self.now_s = max(self.now_s, self.loop.next_wake_s)
            self.tell(TimePassed())
        self.now_s = end_s

    def meter(self, watts: float | None = None) -> None:
        """A meter sample: a new value, unless `watts` is None."""
        if watts is not None:
            self._watts, self._changed_s = watts, self.now_s
        self.tell(Report("meter", 0, MeterSample(self.now_s, self._watts, changed_at_s=self._changed_s)))

    def report(self, name: str, cycle: int | None = None, *, ac_watts: float = 1000.0) -> None:
        """An inverter's sample for `cycle`, or for the newest cycle."""
        answer = replace(sample(name, self.now_s), ac_watts=ac_watts)
        self.tell(Report(name, self.cycle if cycle is None else cycle, answer))

    def fault(self, name: str) -> None:
        self.tell(Report(name, self.cycle, fault="timeout"))

    def round(self, *names: str, watts: float) -> None:
        """One cycle: a new meter value, then the reports of `names`."""
        self.meter(watts)
        for name in names:
            self.report(name)

    def acknowledge(self, name: str) -> None:
        """An inverter has answered its release."""
        self.tell(Acknowledged(name, self.now_s, self.now_s, 1, released=True))

    def reconfigure(self, config: SiteConfig) -> None:
        """Another configuration, told as a reload does."""
        self.tell(Reconfigured(config, changes_between(self.config, config)))

    def of(self, kind: type[Any]) -> list[Any]:
        return [action for action in self.actions if isinstance(action, kind)]

    @property
    def cycle(self) -> int:
        reads: list[Read] = self.of(Read)
        return reads[-1].cycle

    @property
    def results(self) -> list[CycleResult]:
        return self.of(CycleResult)

    def commands(self, name: str) -> list[Command]:
        return [action for action in self.of(Command) if action.command.inverter == name]

    def released(self) -> list[str]:
        return [action.command.inverter for action in self.of(Release)]


def sample(name: str, at_s: float) -> InverterSample:
    battery = BatterySample(0.0, 50.0, 5000.0, 5000.0, 10000.0, grid_charging_allowed=False)
    return InverterSample(
        name,
        at_s,
        ac_watts=1000.0,
        pv_watts=1000.0,
        battery=battery,
        nameplate=Nameplate(ac_max_watts=5000.0),
        connected=True,
        battery_controllable=True,
    )
