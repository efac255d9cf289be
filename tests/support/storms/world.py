"""A storm that is played: the plant in virtual time, all that happens to it, and what was true at each second."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from math import fsum

from orchestrator.loop.messages import Event
from orchestrator.simulation.network.virtual import InverterFault, MeterDefect
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.storms.asking import Asking, Message
from tests.support.storms.plan import OF_CLOCK, OF_ORCHESTRATOR, Change, Fault, Storm

ON_THE_WAY = {each.value: each for each in InverterFault}
ASLEEP_PART = 0.01
"""Who makes less than this part of nameplate may be asleep (docs/safety.md)."""
READ_ALL_THE_SAME = frozenset({"ignores_commands", "ignores_battery", "lost_limits"})
"""Whoever has another fault cannot be read, or says what is not so."""
METER = {f"meter_{each.value}": each for each in MeterDefect}


@dataclass(frozen=True)
class Seen:
    """One second of a storm.

    `newest` is what the operator asked for last, `sure` what the orchestrator can know of it at best. `active` are the
    faults of now, `new` the kinds that began or ended since the second before, "load", "setpoint" and "light" among
    them. `forced_watts` is AC power that no command changes; `unheard_watts` that of inverters which have not answered
    since the start (`says_ratings`: site.yaml says what these may make). The wall clock of the orchestrator is ahead by
    `clock_wrong_s`. `sign_is_wrong`: what the orchestrator takes for import is export. `unshown_watts` is what AC power
    has moved by, as far as it could be read, since the meter is stuck at a value; None while it is not. `woken_watts`
    is that of inverters which cannot be read now, and made nothing when they could.
    """

    moment: Moment
    newest: Message | None
    sure: Message | None
    active: tuple[Fault, ...]
    new: frozenset[str]
    forced_watts: float
    unheard_watts: float
    clock_wrong_s: float
    says_ratings: bool
    sign_is_wrong: bool
    unshown_watts: float | None
    woken_watts: float


@dataclass(frozen=True)
class Played:
    """All that was seen of a storm, and what the loop said of it (at_s, event)."""

    storm: Storm
    seen: tuple[Seen, ...]
    events: tuple[tuple[float, Event], ...]


def play(storm: Storm) -> Played:
    """The whole storm. A bug of the loop comes through as it is."""
    world = _World(storm)
    return Played(storm, tuple(world.seconds()), tuple(world.plant.events))


class _World:
    def __init__(self, storm: Storm) -> None:
        self.storm = storm
        self.plant = VirtualTime(storm.site_config(), keep_results=False)
        self.asking = Asking(self.plant)
        self.active: list[Fault] = []
        self._new: set[str] = set()
        self._slept: set[str] = set()
        self._shown: dict[str, float] = {}
        self._unheard: set[str] = set(storm.scenario.inverters)
        self._coming: list[Fault | Change] = sorted([*storm.faults, *storm.changes], key=lambda each: each.at_s)

    def seconds(self) -> Iterator[Seen]:
        while self.plant.now_s < self.storm.scenario.duration_s:
            self._new = set()
            self._happen()
            for moment in self.plant.play(self.plant.config.control.interval_s):
                yield self._see(moment)

    def _happen(self) -> None:
        for fault in [each for each in self.active if each.ends_s <= self.plant.now_s]:
            self.active.remove(fault)
            self._new.add(fault.kind)
            self._end(fault)
        while self._coming and self._coming[0].at_s <= self.plant.now_s:
            coming = self._coming.pop(0)
            if isinstance(coming, Change):
                self._change(coming)
            else:
                self.active.append(coming)
                self._new.add(coming.kind)
                self._begin(coming)

    def _change(self, change: Change) -> None:
        self._new |= {"load", "light", "setpoint"}
        self.plant.site.set_load(change.load_watts)
        for name, watts in change.light.items():
            self.plant.site.set_pv_available(name, watts)
        self.asking.publish(change.fields, retained=change.retained, validity_s=change.validity_s)

    # Faults begin and end

    def _begin(self, fault: Fault) -> None:
        for name in fault.names:
            self._begin_at(name, fault.kind)
        if fault.kind in METER:
            self.plant.meter_fault = METER[fault.kind]
        elif fault.kind in OF_ORCHESTRATOR:
            self._end_orchestrator(fault.kind)
        elif fault.kind == OF_CLOCK:
            self.asking.set_clock(fault.wrong_s)
        else:
            self._begin_asking(fault.kind)

    def _begin_at(self, name: str, kind: str) -> None:
        unit = self.plant.site.in_time[name]
        match kind:
            case "lost_limits":
                unit.receiver.forget()
            case "ignores_commands":
                unit.receiver.ignores_commands = True
            case "ignores_battery":
                unit.receiver.ignores_battery = True
            case _:
                if kind == "power_cut":
                    unit.cut_power()
                self.plant.inverter_faults[name] = ON_THE_WAY.get(kind, InverterFault.OFFLINE)

    def _end_orchestrator(self, kind: str) -> None:
        if kind == "stopped":
            self.plant.stop()
        else:
            self.plant.kill()
        self.asking.end()
        if kind == "killed_and_state_lost":
            self.asking.disk.wipe()

    def _begin_asking(self, kind: str) -> None:
        match kind:
            case "broker_lost":
                self.asking.broker_is_up = False
            case "disk_full":
                self.asking.disk.full = True
            case "redelivered":
                self.asking.connect()
            case "expired":
                self.asking.publish_expired()
            case "garbage":
                self.asking.publish_bytes(b'{"opModExpLimW": "lots"}')

    def _end(self, fault: Fault) -> None:
        for name in fault.names:
            receiver = self.plant.site.in_time[name].receiver
            receiver.ignores_commands = receiver.ignores_battery = False
            self.plant.inverter_faults.pop(name, None)
            if fault.kind == "power_cut":
                self.plant.site.in_time[name].restore_power()
        if fault.kind in METER:
            self.plant.meter_fault = None
        elif fault.kind in OF_ORCHESTRATOR:
            self._unheard = set(self.storm.scenario.inverters)
            self.asking.start()
        elif fault.kind == OF_CLOCK:
            self.asking.set_clock(0.0)
        elif fault.kind == "broker_lost":
            self.asking.broker_is_up = True
            self.asking.connect()
        elif fault.kind == "disk_full":
            self.asking.disk.full = False

    # What is seen

    def _see(self, moment: Moment) -> Seen:
        self._look_who_sleeps(moment)
        self._unheard -= {command.inverter for command in moment.commands}
        return Seen(
            moment,
            self.asking.newest,
            self.asking.sure,
            tuple(self.active),
            frozenset(self._new),
            self._forced_watts(moment),
            self._made_watts(moment, self._unheard),
            self.asking.clock_wrong_s,
            self.storm.says_ratings,
            self._sign_is_wrong(),
            self._unshown_watts(moment),
            self._made_watts(moment, self._slept & self._unread()),
        )

    def _unshown_watts(self, moment: Moment) -> float | None:
        if self.plant.meter_fault is not MeterDefect.FROZEN or moment.mode is None:
            self._shown.clear()
            return None
        unread = self._unread()
        made = dict(zip(self.storm.scenario.inverters, (each.ac_watts for each in moment.powers), strict=True))
        self._shown = {name: self._shown.get(name, watts) for name, watts in made.items() if name not in unread}
        return fsum(made[name] - watts for name, watts in self._shown.items())

    def _unread(self) -> set[str]:
        return {name for fault in self.active if fault.kind not in READ_ALL_THE_SAME for name in fault.names}

    def _look_who_sleeps(self, moment: Moment) -> None:
        unread = self._unread()
        for (name, inverter), power in zip(self.storm.scenario.inverters.items(), moment.powers, strict=True):
            if name not in unread:
                makes = max(power.ac_watts, power.pv_watts) > ASLEEP_PART * inverter.ac_rating_watts
                (self._slept.discard if makes else self._slept.add)(name)

    def _sign_is_wrong(self) -> bool:
        counts_export = self.storm.scenario.meter.sign == "export_positive"
        is_mirrored = self.plant.meter_fault is MeterDefect.REVERSED
        return self.asking.takes_for_export_positive != (counts_export != is_mirrored)

    def _forced_watts(self, moment: Moment) -> float:
        """What inverters make that take no command; one whose battery does not obey counts where it has no PV.

        One that is stuck at an old reading obeys.
        """
        forced: set[str] = set()
        for fault in self.active:
            if fault.kind == "ignores_battery":
                forced |= {name for name in fault.names if self.storm.scenario.inverters[name].pv_peak_watts == 0}
            elif fault.kind != "frozen":
                forced |= set(fault.names)
        return self._made_watts(moment, forced)

    def _made_watts(self, moment: Moment, names: Collection[str]) -> float:
        made = dict(zip(self.storm.scenario.inverters, moment.powers, strict=True))
        return fsum(max(made[name].ac_watts, 0.0) for name in names)
