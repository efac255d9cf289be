"""A scenario: a plant, what happens to it, and what must hold. Written in YAML, one file each, see docs/scenarios.md.

scenario = load_scenario(SCENARIOS / "limit_steps.yaml")
run = play(scenario)
broken = [outcome for outcome in scenario.judge(run) if not outcome.holds]
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, ValidationError, model_validator

from orchestrator import control
from orchestrator.config.sections import BatteryConfig, ControlConfig, SetpointValues, SiteConfig
from orchestrator.config.simulation import InverterSimulation, LoadSimulation, MeterSimulation, SunSimulation
from orchestrator.documents.section import Name, Section
from orchestrator.documents.yaml_text import Document, KeyPath, Mark, YamlProblem, key_path_text, read_document
from orchestrator.errors import ConfigError, ConfigProblem
from orchestrator.simulation.measuring.expectations import Expectation, Outcome
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.scenarios.timeline import SOURCE, Event
from orchestrator.simulation.virtual_time import Controller, Moment, VirtualTime

SCENARIOS = Path(__file__).parent / "library"
"""The scenarios that come with the program."""

FIRST_PORT = 15020


class InverterSettings(Section):
    """What site.yaml says about an inverter besides its address."""

    control: bool = True
    ramp_watts_per_s: Annotated[float, Field(gt=0, le=1e9)] | None = None
    battery: BatteryConfig = BatteryConfig()


class Scenario(Section):
    """One file of the folder. Sections `control`, `fixed`, `sun`, `load`, `meter` and `inverters` are as in site.yaml.

    `fixed` is the setpoint of site.yaml, `default` holds while no setpoint of the time line is valid. `settings` is
    what site.yaml says about inverters. `real_time` marks those that are also played with sockets.
    """

    title: Annotated[str, Field(min_length=1)]
    duration_s: Annotated[float, Field(gt=0, le=1e7)]
    seed: int = 1
    real_time: bool = False
    control: ControlConfig = ControlConfig(battery_power_flow=True)
    fixed: SetpointValues = SetpointValues()
    default: SetpointValues | None = None
    sun: SunSimulation = SunSimulation()
    load: LoadSimulation = LoadSimulation(base_watts=1000.0, variation_watts=0.0)
    meter: MeterSimulation = MeterSimulation(period_s=1.0)
    inverters: Annotated[dict[Name, InverterSimulation], Field(min_length=1)]
    settings: dict[Name, InverterSettings] = Field(default_factory=dict)
    timeline: Annotated[tuple[Event, ...], Field(strict=False)] = ()
    expect: Annotated[tuple[Expectation, ...], Field(strict=False, min_length=1)]

    @model_validator(mode="after")
    def _names_are_known(self) -> Self:
        used = {name for event in self.timeline for name in event.names} | set(self.settings)
        used |= {each.inverter for each in self.expect if each.inverter is not None}
        if unknown := sorted(used - set(self.inverters)):
            raise ValueError(f"no inverter is called {', '.join(unknown)}; there are {', '.join(self.inverters)}")
        return self

    @model_validator(mode="after")
    def _times_are_inside(self) -> Self:
        late = [event.at_s for event in self.timeline if event.at_s >= self.duration_s]
        late += [each.from_s for each in self.expect if each.from_s >= self.duration_s]
        if late:
            raise ValueError(f"{late[0]:g} s is not before the end of the scenario at {self.duration_s:g} s")
        return self

    def site_config(self) -> SiteConfig:
        """The site.yaml of this plant; ports are placeholders. Raises ValueError where it cannot be one."""
        names = list(self.inverters)
        return SiteConfig.model_validate(
            {
                "site": {"name": "scenario"},
                "meter": {"host": "127.0.0.1", "port": FIRST_PORT, "unit_id": 200},
                "inverters": [self._inverter(name, FIRST_PORT + n) for n, name in enumerate(names, 1)],
                "control": self.control,
                "setpoints": {"fixed": self.fixed, "mqtt": self._source()},
                "simulation": {
                    "seed": self.seed,
                    "sun": self.sun,
                    "load": self.load,
                    "meter": self.meter,
                    "inverters": self.inverters,
                },
            }
        )

    @property
    def asks_why(self) -> bool:
        """Whether what it expects is about reasons."""
        return any(expectation.text for expectation in self.expect)

    def judge(self, run: Run) -> list[Outcome]:
        """What each expectation says about a run of this scenario."""
        return [expectation.judge(run) for expectation in self.expect]

    def _inverter(self, name: str, port: int) -> dict[str, Any]:
        settings = self.settings.get(name, InverterSettings())
        own = {key: getattr(settings, key) for key in InverterSettings.model_fields}
        return {"name": name, "host": "127.0.0.1", "port": port, "unit_id": 1, **own}

    def _source(self) -> list[dict[str, Any]]:
        if not self.default and not any(event.setpoint for event in self.timeline):
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
    return parse_scenario(path.read_text(encoding="utf-8"), str(path))


def parse_scenario(text: str, file: str = "scenario.yaml") -> Scenario:
    """The same for a text; `file` is what messages call it."""
    try:
        document = read_document(text, {})
    except YamlProblem as problem:
        raise ConfigError(file, (_problem(problem.mark, (), problem.message),)) from None
    if document.problems:
        raise ConfigError(file, document.problems)
    try:
        scenario = Scenario.model_validate(document.data)
        scenario.site_config()
    except ValidationError as error:
        raise ConfigError(file, tuple(_problems(error, document))) from None
    return scenario


def _problems(error: ValidationError, document: Document) -> Iterable[ConfigProblem]:
    for detail in error.errors(include_url=False, include_input=False):
        written = path = tuple(part for part in detail["loc"] if part != "[key]")
        while path and path not in document.marks:
            path = path[:-1]
        yield _problem(document.marks.get(path, Mark(1, 1)), written, detail["msg"])


def _problem(mark: Mark, path: KeyPath, message: str) -> ConfigProblem:
    return ConfigProblem(mark.line, mark.column, key_path_text(path), message)
