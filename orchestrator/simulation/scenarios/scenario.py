"""A scenario: a plant, what happens to it, and what must hold. Written in YAML, one file each, see docs/scenarios.md.

scenario = load_scenario(SCENARIOS / "limit_steps.yaml")
run = play(scenario)
broken = [outcome for outcome in scenario.judge(run) if not outcome.holds]
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, model_validator

from orchestrator import control
from orchestrator.config.hints import name_in_messages
from orchestrator.config.sections import BatteryConfig, ControlConfig, SiteConfig
from orchestrator.config.simulation import (
    GridSimulation,
    InverterSimulation,
    LoadSimulation,
    MeterSimulation,
    SunSimulation,
)
from orchestrator.config.sources.setpoint_values import SetpointValues
from orchestrator.config.sources.voltage_guard import VoltageGuardSection
from orchestrator.documents.problems import FileKind
from orchestrator.documents.section import INVERTERS_MAX, Mistakes, Name, Section, Text
from orchestrator.documents.words import nearest
from orchestrator.documents.yaml_text import Finding, KeyPath
from orchestrator.loop.meter_sign import Sign
from orchestrator.loop.site_loop import Controller
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.simulation.measuring.expectations import Expectation, Outcome
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.scenarios.timeline import SOURCE, Event
from orchestrator.simulation.virtual_time import Moment, VirtualTime

SCENARIOS = Path(__file__).parent / "library"
"""The scenarios that come with the program."""

FIRST_PORT = 15020


class InverterSettings(Section):
    """What site.yaml says about an inverter besides its address."""

    control: bool = True
    phase: Literal[1, 2, 3] | None = None
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    battery: BatteryConfig = BatteryConfig()


class Scenario(Section):
    """One file of the folder. Sections `control`, `fixed`, `sun`, `load`, `meter` and `inverters` are as in site.yaml.

    So are `grid`, and `voltage_guard` of its setpoints. `fixed` is the setpoint of site.yaml, `meter_sign` its
    `meter.sign`; `default` holds while no setpoint of the time line is valid. `settings` is what site.yaml says about
    inverters. `real_time` marks those that are also played with sockets.
    """

    title: Text
    duration_s: Annotated[float, Field(gt=0, le=1e7)]
    seed: int = 1
    real_time: bool = False
    control: ControlConfig = ControlConfig(battery_power_flow=True)
    fixed: SetpointValues = SetpointFields()
    default: SetpointValues | None = None
    sun: SunSimulation = SunSimulation()
    load: LoadSimulation = LoadSimulation(base_watts=1000.0, variation_watts=0.0)
    meter: MeterSimulation = MeterSimulation(period_s=1.0)
    meter_sign: Sign = "auto"
    grid: GridSimulation = GridSimulation()
    voltage_guard: VoltageGuardSection | None = None
    inverters: Annotated[dict[Name, InverterSimulation], Field(min_length=1, max_length=INVERTERS_MAX)]
    settings: dict[Name, InverterSettings] = Field(default_factory=dict)
    timeline: Annotated[tuple[Event, ...], Field(strict=False)] = ()
    expect: Annotated[tuple[Expectation, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := (*self._unknown_names(), *self._late()):
            raise Mistakes(*found)
        return self

    def _unknown_names(self) -> Iterator[Finding]:
        for path, name in self._names():
            if name not in self.inverters:
                yield path, f"no inverter is called {name!r}; {nearest(name, self.inverters)}"

    def _names(self) -> Iterator[tuple[KeyPath, str]]:
        """Every place that names an inverter, and the name."""
        yield from ((("settings", name), name) for name in self.settings)
        for index, event in enumerate(self.timeline):
            yield from ((("timeline", index, *path), name) for path, name in event.names())
        for index, each in enumerate(self.expect):
            if each.inverter is not None:
                yield ("expect", index, "inverter"), each.inverter

    def _late(self) -> Iterator[Finding]:
        times: list[tuple[KeyPath, float]] = [(("timeline", n, "at_s"), e.at_s) for n, e in enumerate(self.timeline)]
        times += [(("expect", n, "from_s"), each.from_s) for n, each in enumerate(self.expect)]
        for path, at_s in times:
            if at_s >= self.duration_s:
                yield path, f"{at_s:g} s is not before the end of the scenario at {self.duration_s:g} s"

    def site_config(self) -> SiteConfig:
        """The site.yaml of this plant; ports are placeholders."""
        names = list(self.inverters)
        return SiteConfig.model_validate(
            {
                "site": {"name": "scenario"},
                "meter": {"host": "127.0.0.1", "port": FIRST_PORT, "unit_id": 200, "sign": self.meter_sign},
                "inverters": [self._inverter(name, FIRST_PORT + n) for n, name in enumerate(names, 1)],
                "control": self.control,
                "setpoints": {"fixed": self.fixed, "mqtt": self._source(), "voltage_guard": self.voltage_guard},
                "simulation": {
                    "seed": self.seed,
                    "sun": self.sun,
                    "load": self.load,
                    "meter": self.meter,
                    "grid": self.grid,
                    "inverters": self.inverters,
                },
            }
        )

    @property
    def asks_why(self) -> bool:
        """Whether what it expects is about reasons."""
        return any(expectation.reason for expectation in self.expect)

    def judge(self, run: Run) -> list[Outcome]:
        """What each expectation says about a run of this scenario."""
        return [expectation.judge(run) for expectation in self.expect]

    def _inverter(self, name: str, port: int) -> dict[str, Any]:
        settings = self.settings.get(name, InverterSettings())
        own = {key: getattr(settings, key) for key in InverterSettings.model_fields}
        return {"name": name, "host": "127.0.0.1", "port": port, "unit_id": 1, **own}

    def _source(self) -> list[dict[str, Any]]:
        if self.default is None and not any(event.setpoint for event in self.timeline):
            return []
        return [{"name": SOURCE, "host": "127.0.0.1", "topic": "setpoints", "default": self.default}]


def play(scenario: Scenario, controller: Controller = control.step) -> Run:
    """The whole scenario in virtual time; `controller` decides."""
    config = scenario.site_config()
    return Run.of(config, tuple(moments(scenario, VirtualTime(config, controller=controller, keep_results=False))))


def moments(scenario: Scenario, loop: VirtualTime) -> Iterator[Moment]:
    """The moments of a scenario one by one, for long ones and for those who watch."""
    for event in sorted(scenario.timeline, key=lambda event: event.at_s):
        yield from loop.play(event.at_s - loop.now_s)
        event.happen(loop)
    yield from loop.play(scenario.duration_s - loop.now_s)


def load_scenarios(folder: Path = SCENARIOS) -> dict[str, Scenario]:
    """Every scenario of a folder by the name of its file. Raises ConfigError for the first file that is wrong."""
    return {path.stem: load_scenario(path) for path in sorted(folder.glob("*.yaml"))}


def load_scenario(path: Path) -> Scenario:
    """Read and check one file. Raises ConfigError with every mistake in it."""
    return SCENARIO_YAML.load(path, {})


def parse_scenario(text: str, file: str = "scenario.yaml") -> Scenario:
    """The same for a text; `file` is what messages call it."""
    return SCENARIO_YAML.parse(text, file, {})


SCENARIO_YAML: Final = FileKind("scenario", Scenario, hint=name_in_messages)
