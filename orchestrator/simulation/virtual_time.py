"""The loop in virtual time: the loop that runs, against the pure physics, as fast as this machine can, without waiting.

    plant = VirtualTime(config)
    plant.receive(Setpoint("mqtt", SetpointFields(export_limit_watts=0.0), plant.now_s))
    plant.site.set_load(3000.0)
    plant.inverter_faults["west"] = InverterFault.OFFLINE
    moments = plant.run(60)

It does what the site's actor does: it tells the loop (`orchestrator.loop.site_loop`) what the devices say, and performs
what the loop wants done. Here everybody answers at once, once an interval, so nothing is waited for (`PROMPT`). Devices
are seen and commanded as over a network (`network.virtual`). The same configuration, seed and calls give the same run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from orchestrator import control
from orchestrator.commands import InverterCommand
from orchestrator.config.changes import changes_between
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import CycleResult, Mode
from orchestrator.loop.cadence import PROMPT
from orchestrator.loop.in_force import in_force
from orchestrator.loop.kept import Kept, sign_from_json, sign_to_json
from orchestrator.loop.messages import (
    Action,
    Command,
    Event,
    Input,
    Read,
    Reconfigured,
    Release,
    SetpointReceived,
    SetpointWithdrawn,
    StopAsked,
    TimePassed,
)
from orchestrator.loop.site_loop import Controller, SiteLoop
from orchestrator.reason import Reason
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect, VirtualNetwork
from orchestrator.simulation.physics import PowerState
from orchestrator.simulation.plant.meter import EVEN, Phases
from orchestrator.simulation.site import METER, VirtualSite


class Moment(Struct, frozen=True):
    """One cycle: what was true when the meter was read, and what was decided on it at `at_s`.

    `site_watts` (import +), `load_watts` and `powers` (in the order of the inverters) are the physics' own, whatever
    the meter says; so is what flows on the `phases`, and how often an inverter has tripped so far. `wanted` is what the
    sources ask for. `mode` and `reasons` are the decision's for the whole site.
    While the orchestrator is dead `mode` is None and there are no commands; `result` is also None where results are not
    kept.
    """

    at_s: float
    site_watts: float
    load_watts: float
    powers: tuple[PowerState, ...]
    wanted: SetpointFields
    commands: tuple[InverterCommand, ...] = ()
    mode: Mode | None = None
    reasons: tuple[Reason, ...] = ()
    result: CycleResult | None = None
    phases: Phases = EVEN
    trips: int = 0


class VirtualTime:
    """A plant under control. Between calls of `run` change the knobs of `site`, the faults, or what is asked for."""

    pace = PROMPT

    def __init__(
        self,
        config: SiteConfig,
        *,
        controller: Controller = control.step,
        keep_results: bool = True,
        wall_ahead_s: float = 0.0,
    ) -> None:
        """Raise ValueError where `config` has nothing to simulate."""
        self._config = config
        self.site = VirtualSite(config)
        self.now_s = 0.0
        self.wall_ahead_s = wall_ahead_s
        """How far the wall clock of the orchestrator is ahead of `now_s`; to be changed."""
        self.history: list[Moment] = []
        self.events: list[tuple[float, Event]] = []
        """What people should hear of, and when it was said."""
        self._network = VirtualNetwork(self.site)
        self._controller = controller
        self._keep_results = keep_results
        self._setpoints: dict[str, Setpoint] = {}
        self._result: CycleResult | None = None
        self._kept = Kept()
        self.start()

    # Time

    def run(self, seconds: float) -> list[Moment]:
        """Let the plant run and keep the moments in `history`; returns those of this time."""
        moments = list(self.play(seconds))
        self.history.extend(moments)
        return moments

    def play(self, seconds: float) -> Iterator[Moment]:
        """Let the plant run, one cycle for each moment that is taken; nothing is kept."""
        for _ in range(round(seconds / self.config.control.interval_s)):
            yield self._cycle()

    # What happens to it

    def receive(self, setpoint: Setpoint) -> None:
        """A setpoint arrives. A limit that falls is decided on at once, anything else with the next cycle."""
        if self._is_alive:
            self._tell(SetpointReceived(setpoint))
        else:
            self._setpoints[setpoint.source] = setpoint

    def withdraw(self, source: str) -> None:
        """What this source asked for holds no more."""
        if self._is_alive:
            self._tell(SetpointWithdrawn(source))
        else:
            self._setpoints.pop(source, None)

    def kill(self) -> None:
        """The orchestrator is gone without a word; devices go on until their revert timers end."""
        self._is_alive = False

    def stop(self) -> None:
        """The orchestrator stops in order: its last commands are still sent."""
        self._tell(StopAsked())
        self.kill()

    def start(self, kept: Kept | None = None) -> None:
        """The orchestrator starts with what was kept; without, with what is on disk: setpoints and the meter's sign."""
        self._kept = self._on_disk() if kept is None else kept
        self._setpoints = self._kept.setpoints
        self._loop = SiteLoop(
            self.config,
            self._kept,
            self.now_s,
            wall_s=self.now_s + self.wall_ahead_s,
            controller=self._controller,
            pace=self.pace,
        )
        self._network.forget()
        self._is_alive = True

    def _on_disk(self) -> Kept:
        return Kept(
            self._setpoints, sign=sign_from_json(sign_to_json(self.config.meter, self._kept.sign), self.config.meter)
        )

    @property
    def config(self) -> SiteConfig:
        """The site.yaml of now. Another one is taken as by a reload; the devices themselves stay as they are."""
        return self._config

    @config.setter
    def config(self, config: SiteConfig) -> None:
        changes, self._config = changes_between(self._config, config), config
        if self._is_alive:
            self._tell(Reconfigured(config, changes))

    def envelope(self) -> OperatingEnvelope:
        """What is asked for now, by all sources together."""
        return merge(in_force(self.config, self._setpoints, self.now_s, self.now_s + self.wall_ahead_s))

    @property
    def inverter_faults(self) -> dict[str, InverterFault]:
        """What is wrong with the inverters, by name; to be changed."""
        return self._network.inverter_faults

    @inverter_faults.setter
    def inverter_faults(self, faults: dict[str, InverterFault]) -> None:
        self._network.inverter_faults = faults

    @property
    def meter_fault(self) -> MeterDefect | None:
        """What is wrong with the meter."""
        return self._network.meter_fault

    @meter_fault.setter
    def meter_fault(self, fault: MeterDefect | None) -> None:
        self._network.meter_fault = fault

    @property
    def state(self) -> ControlState:
        """What the loop remembers of its decisions."""
        return self._loop.state

    @state.setter
    def state(self, state: ControlState) -> None:
        self._loop.state = state

    @property
    def true_site_watts(self) -> float:
        """Power at the grid connection as it is now, import +."""
        return self.site.load_watts - sum(i.state.ac_watts for i in self.site.inverters.values())

    # One cycle

    def _cycle(self) -> Moment:
        self.now_s = max(self.now_s, self.site.now_s) + self.config.control.interval_s
        site_watts, powers = self._network.look(self.now_s)
        self._result = None
        if self._is_alive:
            self._drive()
        return self._moment(site_watts, powers)

    def _moment(self, site_watts: float, powers: tuple[PowerState, ...]) -> Moment:
        result = self._result
        return Moment(
            at_s=self.now_s,
            site_watts=site_watts,
            load_watts=self.site.load_watts,
            powers=powers,
            wanted=result.envelope.fields if result else self.envelope().fields,
            commands=result.commands if result else (),
            phases=self.site.phases,
            trips=self.site.grid.trips,
            mode=result.mode if result else None,
            reasons=result.reasons if result else (),
            result=result if self._keep_results else None,
        )

    def _drive(self) -> None:
        """What the meter says, and what the loop wakes up for now."""
        self._hear(METER, 0)
        while self._loop.next_wake_s <= self.now_s:
            self._tell(TimePassed())

    def _read_inverters(self, cycle: int) -> None:
        for name in self.site.inverters:
            self._hear(name, cycle)

    def _hear(self, name: str, cycle: int) -> None:
        answer = self._network.answer(name, cycle)
        if answer is not None:
            self._tell(answer)

    def _tell(self, message: Input) -> None:
        self._perform(self._loop.receive(message, self.now_s, self.now_s + self.wall_ahead_s))

    def _perform(self, actions: Iterable[Action]) -> None:
        for action in actions:
            match action:
                case Read(cycle):
                    self._read_inverters(cycle)
                case Command(command) | Release(command):
                    self._network.send(command, self.now_s)
                case CycleResult():
                    self._result = action
                case Event():
                    self.events.append((self.now_s, action))
