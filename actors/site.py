"""The site: keeps the latest sample of every device, decides once a cycle, tells the inverters and whoever listens.

It reads no device itself. A cycle begins when the meter has a new value (at least half an interval after the last),
or by its own watchdog. All decisions are `control.step`; this file only says when, and with what.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from actors.actor import Actor, Surroundings
from actors.address import Recipient
from actors.messages import (
    Acknowledged,
    Command,
    Event,
    Read,
    Reconfigure,
    Release,
    Report,
    SetpointReceived,
    SetpointRefused,
    SetpointWithdrawn,
    Stop,
    Tick,
)
from actors.meter import NAME as METER
from orchestrator import control
from orchestrator.config.changes import forgotten_sources
from orchestrator.config.sections import SiteConfig
from orchestrator.cycle import CycleResult
from orchestrator.decide.failsafe import final_commands
from orchestrator.decide.memory import ControlState, MeterFault
from orchestrator.explain.words import FAULT_WORDS
from orchestrator.loop.cadence import DECISION_GAP_S, FIRST_SAMPLES_WAIT_S, READ_WAIT_S, cycle_due_s
from orchestrator.loop.in_force import in_force, is_stricter
from orchestrator.loop.presence import Attendance, freeze, patience_s
from orchestrator.loop.reconfiguration import attendance_after, hand_back_commands, state_after
from orchestrator.samples import InverterSample, MeterSample, SiteSnapshot
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge


@dataclass(frozen=True, slots=True)
class _CycleDue:
    """See whether the next cycle begins now."""


@dataclass(frozen=True, slots=True)
class _WaitedEnough:
    """The inverters had their time to report for this cycle."""

    cycle: int


@dataclass(frozen=True, slots=True)
class _DecisionDue:
    """A limit fell a moment ago, too soon after the last decision."""


@dataclass(frozen=True, slots=True)
class _Expired:
    """The validity of a setpoint may have ended."""


class SiteActor(Actor):
    """One plant. `setpoints` outlives a restart of this actor, so that a bug never lifts a limit."""

    def __init__(
        self,
        surroundings: Surroundings,
        config: SiteConfig,
        inverters: Mapping[str, Recipient],
        listeners: Sequence[Recipient],
        setpoints: MutableMapping[str, Setpoint],
    ) -> None:
        super().__init__("site", surroundings)
        self._config = config
        self._inverters = inverters
        self._listeners = listeners
        self._setpoints = setpoints
        interval_s = config.control.interval_s
        self._attendance = {each.name: Attendance(patience_s(each, interval_s)) for each in config.inverters}
        self._meter: MeterSample | None = None
        self._meter_trouble = ""
        self._meter_is_new = False
        self._meter_fault: MeterFault | None = None
        self._not_following: frozenset[str] = frozenset()
        self._state = ControlState()
        self._envelope = OperatingEnvelope()
        self._cycle = 0
        self._reading = False
        self._began_s = self._decided_s = float("-inf")
        self._started_s = self.clock.now_s()
        self._wake_at_s = self._expiry_at_s = float("inf")
        self._decision_is_due = False
        self._stop_asked: Stop | None = None
        self._release_asked: threading.Event | None = None
        self._unreleased: set[str] = set()

    def receive(self, message: Any) -> None:
        """Reports, setpoints, its own timers, and Stop; what is only for people goes on to the listeners."""
        match message:
            case Tick() | _CycleDue():
                self._on_cycle_due()
            case Report():
                self._on_report(message)
            case _WaitedEnough(cycle):
                self._on_waited_enough(cycle)
            case SetpointReceived(setpoint):
                self._setpoints[setpoint.source] = setpoint
                self._on_setpoints_changed()
            case SetpointWithdrawn(source):
                self._setpoints.pop(source, None)
                self._on_setpoints_changed()
            case _Expired():
                self._expiry_at_s = float("inf")
                self._on_setpoints_changed()
            case _DecisionDue():
                self._decision_is_due = False
                self._decide_if_stricter()
            case Acknowledged():
                self._on_acknowledged(message)
            case SetpointRefused() | Event():
                self._announce(message)
            case Reconfigure():
                self._on_reconfigure(message)
            case Stop():
                self._on_stop_asked(message)

    # When a cycle begins

    def _on_cycle_due(self) -> None:
        self._wake_at_s = float("inf")
        self._begin_if_due()

    def _begin_if_due(self) -> None:
        if self._reading or self._stop_asked is not None:
            return
        now_s = self.clock.now_s()
        due_s = self._due_s(self._began_s, self._meter.changed_at_s if self._meter and self._meter_is_new else None)
        if now_s >= due_s:
            self._begin_cycle(now_s)
        elif due_s < self._wake_at_s:
            self._wake_at_s = due_s
            self.later(due_s - now_s, _CycleDue())

    def _due_s(self, began_s: float, value_at_s: float | None) -> float:
        return cycle_due_s(began_s, self._config.control.interval_s, value_at_s, self._config.meter.interval_s)

    def _begin_cycle(self, now_s: float) -> None:
        self._cycle += 1
        self._began_s = now_s
        self._reading = True
        read = Read(self._cycle, until_s=self._due_s(now_s, None))
        for inverter in self._inverters.values():
            inverter.tell(read)
        self.later(READ_WAIT_S, _WaitedEnough(self._cycle))
        self._decide_if_complete()

    # What the devices say

    def _on_report(self, report: Report) -> None:
        if report.sender in self._attendance:
            self._on_inverter(report)
        else:
            self._on_meter(report)

    def _on_inverter(self, report: Report) -> None:
        sample = report.sample if isinstance(report.sample, InverterSample) else None
        now_s = self.clock.now_s()
        in_time = report.cycle == self._cycle and now_s <= self._began_s + READ_WAIT_S
        self._attendance[report.sender] = self._attendance[report.sender].reported(
            report.cycle, sample, report.fault, now_s=now_s, in_time=in_time, trouble=report.detail
        )
        self._decide_if_complete()

    def _on_meter(self, report: Report) -> None:
        sample, self._meter_trouble = report.sample, report.detail
        if not isinstance(sample, MeterSample):
            return
        if self._meter is None or sample.changed_at_s > self._meter.changed_at_s:
            self._meter_is_new = True
        self._meter = sample
        self._begin_if_due()

    # When it is decided

    def _decide_if_complete(self) -> None:
        if not self._reading:
            return
        now_s, window_s = self.clock.now_s(), self._config.control.sample_window_s
        if not any(each.is_awaited(self._cycle, now_s, window_s) for each in self._attendance.values()):
            self._end_cycle()

    def _on_waited_enough(self, cycle: int) -> None:
        if self._reading and cycle == self._cycle:
            self._attendance = {name: each.waited_in_vain(cycle) for name, each in self._attendance.items()}
            self._end_cycle()

    def _end_cycle(self) -> None:
        self._reading = False
        self._meter_is_new = False  # also one that came while the inverters were read: it is decided on now
        self._decide()
        self._begin_if_due()

    def _decide(self) -> None:
        now_s = self.clock.now_s()
        self._decided_s = now_s
        self._envelope = self._merged(now_s)
        snapshot = self._snapshot(now_s)
        if self._is_waiting(now_s):
            reasons = ("waiting for the devices",)
            self._announce(CycleResult(snapshot, self._envelope, None, (), reasons, mode="waiting", cycle=self._cycle))
            return
        result = control.step(self._config, self._state, snapshot, self._envelope, now_s)
        self._state = result.state
        self._command(result, now_s)
        self._announce(replace(result, cycle=self._cycle))
        self._announce_meter_fault(result.meter_fault)
        self._announce_not_following(frozenset(result.not_following))

    def _announce_meter_fault(self, fault: MeterFault | None) -> None:
        """Say it once when it begins. The meter actor hears it too, and turns a sign that was ours to find out."""
        if fault is not None and fault != self._meter_fault:
            self._announce(Event(f"meter_{fault}", METER, f"{FAULT_WORDS[fault]}: failsafe"))
        self._meter_fault = fault

    def _announce_not_following(self, names: frozenset[str]) -> None:
        for name in sorted(names - self._not_following):
            self._announce(Event("battery_not_following", name, "its battery has not followed its command for 30 s"))
        self._not_following = names

    def _is_waiting(self, now_s: float) -> bool:
        """Until every device has spoken once a decision would rest on guesses; a dead one must not block for ever."""
        has_decided = self._state.decided_at_s is not None
        if has_decided or now_s - self._started_s >= FIRST_SAMPLES_WAIT_S:
            return False
        return self._meter is None or not all(each.has_reported for each in self._attendance.values())

    def _snapshot(self, now_s: float) -> SiteSnapshot:
        return freeze(self._attendance, self._meter, self._config.control, now_s, self._meter_trouble)

    def _command(self, result: CycleResult, now_s: float) -> None:
        for command in result.commands:
            if self._may_write(command.inverter):
                self._inverters[command.inverter].tell(Command(command, now_s))

    def _may_write(self, name: str) -> bool:
        return self._config.control.enabled and self._config.inverter(name).control

    def _announce(self, message: Any) -> None:
        for listener in self._listeners:
            listener.tell(message)

    # What is asked of the plant

    def _merged(self, now_s: float) -> OperatingEnvelope:
        return merge(in_force(self._config, self._setpoints, now_s))

    def _on_setpoints_changed(self) -> None:
        now_s = self.clock.now_s()
        ends_s = [setpoint.expires_at_s for setpoint in self._setpoints.values() if setpoint.expires_at_s is not None]
        next_s = min((end_s for end_s in ends_s if end_s > now_s), default=float("inf"))
        if next_s < self._expiry_at_s:
            self._expiry_at_s = next_s
            self.later(next_s - now_s, _Expired())
        self._decide_if_stricter()

    def _decide_if_stricter(self) -> None:
        """A limit that fell is obeyed from the latest samples; anything else is in time with the next cycle."""
        now_s = self.clock.now_s()
        stricter = is_stricter(self._envelope.fields, self._merged(now_s).fields)
        if not stricter or self._stop_asked is not None or self._decision_is_due:
            return
        wait_s = self._decided_s + DECISION_GAP_S - now_s
        if wait_s <= 0:
            self._decide()
        else:
            self._decision_is_due = True
            self.later(wait_s, _DecisionDue())

    # Another configuration

    def _on_reconfigure(self, message: Reconfigure) -> None:
        if self._stop_asked is not None:
            return
        former, self._config = self._config, message.config
        addresses, self._inverters = self._inverters, message.inverters
        self._attendance = attendance_after(self._attendance, message.config, message.changes)
        for source in forgotten_sources(former, message.config):
            self._setpoints.pop(source, None)
        self._release_asked, now_s = message.done, self.clock.now_s()
        self._unreleased.clear()
        for command in hand_back_commands(former, message.config, message.changes, self._state):
            self._unreleased.add(command.inverter)
            addresses[command.inverter].tell(Release(command, now_s))
        self._state = state_after(self._state, message.changes)
        self._finish_if_released()
        self._decide_if_complete()
        self._begin_if_due()
        self._on_setpoints_changed()

    # The end

    def _on_stop_asked(self, stop: Stop) -> None:
        now_s = self.clock.now_s()
        self._stop_asked, self._reading, self._release_asked = stop, False, stop.done
        self._unreleased.clear()
        for command in final_commands(self._config, self._merged(now_s), self._snapshot(now_s)):
            self._unreleased.add(command.inverter)
            self._inverters[command.inverter].tell(Release(command, now_s))
        self._finish_if_released()

    def _on_acknowledged(self, message: Acknowledged) -> None:
        self._announce(message)
        if message.released:
            self._unreleased.discard(message.inverter)
            self._finish_if_released()

    def _finish_if_released(self) -> None:
        if self._release_asked is not None and not self._unreleased:
            self._release_asked.set()
