"""The loop of one site without threads: messages in with the time, actions out. It owns no clock and no socket.

    loop = SiteLoop(config, Kept(), now_s)
    for action in loop.receive(Report("meter", 0, sample), now_s):
        ...                                       # tell devices and listeners
    ...                                           # at loop.next_wake_s at the latest: loop.receive(TimePassed(), now_s)

How it works. A *cycle* reads all inverters, decides once, and commands:

- It begins with a new value of the meter, or by a watchdog where none comes (`cadence`).
- It waits for the inverters that are known to answer in time, for a third of a second at most. One that is late or away
  is not waited for, its newest sample counts as long as it is young enough (`presence`).
- It decides on the newest sample of each device. Until each has spoken once a decision would rest on guesses, so a
  start waits for them, but not for ever.
- The meter's own sign is turned here, where its counters or the plant's own moves have proven it (`meter_sign`).

Between two cycles it decides from the latest samples when a limit falls, because a setpoint came or the one that
hid a stricter one has ended (`in_force`). Whatever rises waits for the next cycle.

Another configuration hands back what is not ours any more and goes on with the rest (`reconfiguration`); a release by
hand hands back all and goes on looking (`hands_off`). After a stop nothing is decided. A stop, and another
configuration, are over when every released device has answered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace as dataclass_replace
from math import inf

from msgspec.structs import replace

from orchestrator import control
from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import final_commands
from orchestrator.decide.memory import ControlState
from orchestrator.decide.records import CycleResult
from orchestrator.loop.cadence import (
    DOUBTED_PART,
    EXPECTED_PART,
    FIRST_SAMPLES_WAIT_S,
    OVER_A_NETWORK,
    SOONEST_PART,
    Pace,
    cycle_due_s,
    expected_after,
)
from orchestrator.loop.hands_off import HandsOff, not_commanding
from orchestrator.loop.heard import Heard
from orchestrator.loop.in_force import InForce, is_stricter
from orchestrator.loop.kept import Kept
from orchestrator.loop.messages import (
    Acknowledged,
    Action,
    Command,
    Event,
    HandedBack,
    Input,
    Read,
    Reconfigured,
    Release,
    ReleaseAsked,
    Report,
    ResumeAsked,
    SetpointReceived,
    SetpointWithdrawn,
    StopAsked,
    TimePassed,
)
from orchestrator.loop.news import METER_REVERSED, News, meter_reversed
from orchestrator.loop.reconfiguration import HandBacks, state_after
from orchestrator.loop.wall_clock import WallClock, clock_jumped
from orchestrator.reason import because
from orchestrator.samples import MeterSample, SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope
from orchestrator.setpoints.voltage_guard import VOLTAGE_GUARD, VoltageGuard

Controller = Callable[[SiteConfig, ControlState, SiteSnapshot, OperatingEnvelope, float], CycleResult]
"""Who decides: `control.step`, or something to compare it with."""


class SiteLoop:
    """One plant. `state` is the memory of the decisions, `controller` makes them, `pace` is that of the network.

    Times are monotonic seconds of one clock, and never go back. What the wall clock shows (`wall_s`, in seconds since
    1970) comes with each message beside them, because it may be put right; None: it goes on from what was told last.
    """

    def __init__(
        self,
        config: SiteConfig,
        kept: Kept,
        started_s: float,
        *,
        wall_s: float | None = None,
        controller: Controller = control.step,
        pace: Pace = OVER_A_NETWORK,
    ) -> None:
        self.state = ControlState(started_at_s=started_s)
        self._config = config
        self._controller = controller
        self._pace = pace
        self._started_s = started_s
        self._in_force = InForce(config, kept.setpoints, kept.heard)
        self._wall_clock = WallClock(started_s, wall_s)
        self._ends_s = self._in_force.next_end_s(started_s, self._wall_clock.wall_s(started_s))
        self._heard = Heard(config, kept)
        self._guard = _guard(config, kept, started_s)
        self._kept = kept
        self._writable = _writable(config)
        self._hands_off = HandsOff()
        self._hand_backs = HandBacks()
        self._news = News()
        self._envelope = OperatingEnvelope()
        self._decided: CycleResult | None = None
        self._told: dict[str, Command] = {}
        """Of each inverter the first of the last commands that all ask the same."""
        self._cycle = 0
        self._is_reading = False
        self._began_s = self._decided_s = self._waits_until_s = -inf
        self._decision_due_s = inf
        self._is_stopped = False
        self._unreleased: set[str] | None = None
        self._actions: list[Action] = []

    def receive(self, message: Input, now_s: float, wall_s: float | None = None) -> list[Action]:
        """Take one message; what is to be done now, in this order."""
        self._look_at_wall_clock(now_s, wall_s)
        match message:
            case Report():
                self._on_report(message, now_s)
            case TimePassed():
                self._on_time_passed(now_s)
            case SetpointReceived(setpoint):
                self._in_force.take(setpoint)
                self._on_setpoints_changed(now_s)
            case SetpointWithdrawn(source):
                self._in_force.withdraw(source)
                self._on_setpoints_changed(now_s)
            case Acknowledged():
                self._on_acknowledged(message)
            case Reconfigured():
                self._on_reconfigured(message, now_s)
            case ReleaseAsked() | ResumeAsked():
                self._on_hands_off_asked(isinstance(message, ReleaseAsked), now_s)
            case StopAsked():
                self._on_stop_asked(now_s)
        actions, self._actions = self._actions, []
        return actions

    @property
    def is_stopped(self) -> bool:
        """Whether it was asked to stop: then it decides no more."""
        return self._is_stopped

    @property
    def awaited(self) -> tuple[str, ...]:
        """The inverters whose reports the cycle that has just begun waits for."""
        return tuple(self._heard.awaited(self._cycle, self._began_s))

    @property
    def next_wake_s(self) -> float:
        """When it has to be told `TimePassed` at the latest; infinity after a stop, the past where it is due now."""
        if self._is_stopped:
            return inf
        cycle_s = self._waits_until_s if self._is_reading else self._cycle_due_s()
        return min(cycle_s, self._ends_s, self._decision_due_s)

    # When a cycle begins

    def _on_time_passed(self, now_s: float) -> None:
        if self._is_stopped:
            return
        if self._is_reading and now_s >= self._waits_until_s:
            self._heard.give_up_waiting(self._cycle)
            self._end_cycle(now_s)
        self._begin_if_due(now_s)
        if now_s >= self._ends_s:
            self._on_setpoints_changed(now_s)
        if now_s >= self._decision_due_s:
            self._decision_due_s = inf
            self._decide_if_stricter(now_s)

    def _begin_if_due(self, now_s: float) -> None:
        if not self._is_reading and not self._is_stopped and now_s >= self._cycle_due_s():
            self._begin_cycle(now_s)

    def _cycle_due_s(self) -> float:
        return self._due_s(self._began_s, self._heard.new_value_at_s)

    def _due_s(self, began_s: float, value_at_s: float | None) -> float:
        interval_s, poll_s = self._config.control.interval_s, self._config.meter.interval_s
        watchdog_part = self._pace.watchdog_part
        if self.state.trust.is_doubted:
            watchdog_part = min(watchdog_part, DOUBTED_PART)
        is_early = value_at_s is not None and value_at_s < began_s + EXPECTED_PART * interval_s
        soonest_part = EXPECTED_PART if is_early and self._is_expected() else SOONEST_PART
        return cycle_due_s(began_s, interval_s, value_at_s, poll_s, watchdog_part, soonest_part=soonest_part)

    def _is_expected(self) -> bool:
        """Whether the meter shows nothing but what the last decision leads one to expect."""
        watts = self._heard.site_watts
        if watts is None or self._decided is None:
            return False
        expected = expected_after(self._decided)
        return expected is not None and expected.has(watts)

    def _begin_cycle(self, now_s: float) -> None:
        self._cycle += 1
        self._began_s = now_s
        self._waits_until_s = now_s + self._pace.read_wait_s
        self._is_reading = True
        self._actions.append(Read(self._cycle, until_s=self._due_s(now_s, None)))
        self._end_cycle_if_complete(now_s)

    # What the devices say

    def _on_report(self, report: Report, now_s: float) -> None:
        if self._heard.is_inverter(report.sender):
            # The report itself may have waited until the site was woken.
            spoke_at_s = now_s if report.sample is None else report.sample.at_s
            in_time = report.cycle == self._cycle and spoke_at_s <= self._waits_until_s
            self._heard.take_inverter(report, now_s=now_s, in_time=in_time)
            self._end_cycle_if_complete(now_s)
        elif isinstance(report.sample, MeterSample):
            self._heard.take_meter(report.sample)
            self._watch_voltage(report.sample, now_s)
            self._begin_if_due(now_s)
        else:
            self._heard.miss_meter(report.why)

    def _watch_voltage(self, sample: MeterSample, now_s: float) -> None:
        """A higher voltage may lower the export limit: the cycle that this value of the meter begins decides on it."""
        if self._guard is None:
            return
        site_watts = self._heard.site_watts
        asked = self._guard.take(sample.phase_volts, None if site_watts is None else -site_watts, now_s)
        if asked is not None:
            self._in_force.take(asked)

    # When it is decided

    def _end_cycle_if_complete(self, now_s: float) -> None:
        """Before its time is up; then the wake-up ends it, so that all that come at that very moment count."""
        is_early = self._is_reading and now_s < self._waits_until_s
        if is_early and self._heard.waits_for_nobody(self._cycle, now_s):
            self._end_cycle(now_s)

    def _end_cycle(self, now_s: float) -> None:
        self._is_reading = False
        self._heard.decided_on()
        self._decide(now_s)

    def _decide(self, now_s: float) -> None:
        self._decided_s = now_s
        self._envelope, self._ends_s = self._asked(now_s), self._next_end_s(now_s)
        self._tell_last(self._hand_backs.due(self.state, now_s), now_s)
        snapshot = self._heard.snapshot(now_s)
        if self._is_waiting(now_s):
            reasons = (because("waiting_for_devices"),)
            waiting = CycleResult(snapshot, self._envelope, None, (), reasons, mode="waiting", cycle=self._cycle)
            self._actions.append(waiting)
            return
        if self._hands_off.turn(self._kept.released, self._envelope):
            self.state = ControlState(started_at_s=now_s)  # what others did meanwhile is found, as at a start
        result = self._command(snapshot, now_s)
        self.state = result.state
        self._decided = result
        self._actions.append(replace(result, cycle=self._cycle))
        self._actions += [self._with_meter_turned(event) for event in self._news.of(result)]

    def _command(self, snapshot: SiteSnapshot, now_s: float) -> CycleResult:
        """Decide, and command what is decided; out of control by hand only show it."""
        if not self._hands_off.is_on:
            result = self._controller(self._config, self.state, snapshot, self._envelope, now_s)
            self._kept.memories = result.state.inverters
            for each in result.commands:
                self._tell(each, now_s)
            return result
        due = self._hands_off.due(self._config, self._envelope, snapshot, self._kept.memories)
        self._tell_last(due, now_s)
        result = self._controller(not_commanding(self._config), self.state, snapshot, self._envelope, now_s)
        return replace(result, reasons=(because("released_by_hand"), *result.reasons))

    def _tell(self, command: InverterCommand, now_s: float) -> None:
        """Send a command, unless its inverter has reported that it obeys one that asks the same.

        What it reports is the proof: a command that got lost, a device that was off or has lost its limit, and an
        actor that was started anew are all told again, because they report nothing.
        """
        if command.inverter not in self._writable:
            return
        told, first = Command(command, now_s), self._told.get(command.inverter)
        if first is None or not first.command.asks_the_same(command):
            self._told[command.inverter] = first = told
        if not self._heard.obeys(first, now_s):
            self._actions.append(told)

    def _tell_last(self, commands: Iterable[InverterCommand], now_s: float) -> None:
        """Hand devices back; whoever is commanded again later is told, whatever it reported before."""
        for command in commands:
            self._told.pop(command.inverter, None)
            self._actions.append(Release(command, now_s))

    def _with_meter_turned(self, event: Event) -> Event:
        """The same event; where it says that the meter is reversed, after that has been acted on."""
        return meter_reversed(self._heard.turn_meter()) if event.name == METER_REVERSED else event

    def _is_waiting(self, now_s: float) -> bool:
        has_decided = self.state.decided_at_s is not None
        return not (has_decided or self._heard.is_whole or now_s - self._started_s >= FIRST_SAMPLES_WAIT_S)

    # What is asked of the plant

    def _look_at_wall_clock(self, now_s: float, wall_s: float | None) -> None:
        """After a jump a setpoint may have ended by its `validUntil`, or not have ended yet."""
        jumped_s = self._wall_clock.told(now_s, wall_s)
        if jumped_s:
            self._actions.append(clock_jumped(jumped_s))
            self._on_setpoints_changed(now_s)

    def _asked(self, now_s: float) -> OperatingEnvelope:
        return self._in_force.envelope(now_s, self._wall_clock.wall_s(now_s))

    def _next_end_s(self, now_s: float) -> float:
        return self._in_force.next_end_s(now_s, self._wall_clock.wall_s(now_s))

    def _on_setpoints_changed(self, now_s: float) -> None:
        self._ends_s = self._next_end_s(now_s)
        self._decide_if_stricter(now_s)

    def _decide_if_stricter(self, now_s: float) -> None:
        """A limit that fell is obeyed from the latest samples; anything else is in time with the next cycle."""
        if self._is_stopped or self._decision_due_s < inf:
            return
        is_due_anyway = self._is_reading and now_s >= self._waits_until_s
        if is_due_anyway or not is_stricter(self._envelope.fields, self._asked(now_s).fields):
            return
        soonest_s = self._decided_s + self._pace.decision_gap_s
        if now_s >= soonest_s:
            self._decide(now_s)
        else:
            self._decision_due_s = soonest_s

    # Another configuration, and the end

    def _on_reconfigured(self, message: Reconfigured, now_s: float) -> None:
        if self._is_stopped:
            return
        if message.config == self._config:  # told again, because its answer took long
            self._say_if_handed_back()
            return
        former, self._config = self._config, message.config
        self._writable = _writable(message.config)
        changes = message.changes
        self._heard.reconfigure(message.config, changes)
        self._in_force.reconfigure(message.config)
        self._guard = _guard(message.config, self._kept, now_s, self._guard)
        if self._hands_off.is_on:
            changes = dataclass_replace(changes, freed_batteries=())  # they are free, and keep their limit
            self._hands_off.forget((*changes.started, *changes.handed_back))
        self._release(tuple(self._hand_backs.begin(former, message.config, changes, self.state, now_s)), now_s)
        self.state = state_after(self.state, changes)
        self._end_cycle_if_complete(now_s)
        self._begin_if_due(now_s)
        self._on_setpoints_changed(now_s)

    def _on_hands_off_asked(self, released: bool, now_s: float) -> None:
        """The next decision acts on it; a release does not wait for the next cycle where it may be decided now."""
        if self._is_stopped or released == self._kept.released:
            return
        self._kept.released = released
        if not self._is_reading and now_s >= self._decided_s + self._pace.decision_gap_s:
            self._decide(now_s)

    def _on_stop_asked(self, now_s: float) -> None:
        self._is_stopped, self._is_reading = True, False
        envelope, snapshot = self._asked(now_s), self._heard.snapshot(now_s)
        self._release(final_commands(self._config, envelope, snapshot, self.state.inverters), now_s)

    def _release(self, commands: tuple[InverterCommand, ...], now_s: float) -> None:
        self._unreleased = {each.inverter for each in commands}
        self._tell_last(commands, now_s)
        self._say_if_handed_back()

    def _on_acknowledged(self, message: Acknowledged) -> None:
        if not message.released:
            return
        if message.fault is None:
            self._hand_backs.taken(message.inverter)
        else:
            self._hands_off.forget((message.inverter,))
        if self._unreleased:
            self._unreleased.discard(message.inverter)
            self._say_if_handed_back()

    def _say_if_handed_back(self) -> None:
        if not self._unreleased:
            self._actions.append(HandedBack())


def _guard(config: SiteConfig, kept: Kept, now_s: float, former: VoltageGuard | None = None) -> VoltageGuard | None:
    """The voltage guard of a site, if it has one; one that is there goes on with what it knows."""
    section = config.setpoints.voltage_guard
    if section is None:
        return None
    if former is None:
        return VoltageGuard(section.line, kept.setpoints.get(VOLTAGE_GUARD), now_s)
    former.follow(section.line)
    return former


def _writable(config: SiteConfig) -> frozenset[str]:
    """The inverters that may be commanded at all: nobody in shadow mode."""
    return frozenset(each.name for each in config.inverters if each.control and config.control.enabled)
