"""`orchestrator commission`: tries each inverter with small steps, and leaves it as it was found.

Everything runs in the main thread, one inverter after the other. While something of ours is in a device, a signal ends
the trial at the next reading, and what was found is put back before anything else happens.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from actors.clock import Clock, RealClock
from actors.commands.commission.grid_meter import grid_meter
from actors.commands.commission.inverter_on_trial import InverterOnTrial
from actors.commands.progress import Watch
from actors.device.flash import FlashKeeper
from actors.files.device_locks import DeviceLocks
from actors.files.process import registered
from actors.files.signals import Flag, handling
from actors.files.state_store import StateStore
from actors.link import LinkNeeds, LinkPool
from actors.observer import NoObserver
from orchestrator.commissioning.meter_verdict import edges, is_decided, meter_check
from orchestrator.commissioning.report import CommissionReport
from orchestrator.commissioning.steps import NotTried, Step, plan_ac_step, plan_battery_step
from orchestrator.commissioning.trial import Stage, Timing, Trial, begin, observed, written
from orchestrator.commissioning.verdicts import Check, Verdict, judge, not_tried, reading
from orchestrator.config.sections import AnyInverterConfig, MqttInverterConfig, SiteConfig
from orchestrator.errors import DeviceError
from orchestrator.samples import InverterSample

FLASH_SPENT = "today's budget of writes to its flash is used up"


class Interrupted(Exception):
    """A signal has asked for the end."""


@dataclass(frozen=True, slots=True)
class CommissionOptions:
    """`ask` is shown what will be done to an inverter, and says whether it may be. `only`: this inverter alone.

    Between two readings `ended` is waited for, for `timing.poll_s`; `clock` says how much time that was.
    """

    ask: Callable[[str], bool]
    timing: Timing = field(default_factory=Timing)
    only: str | None = None
    ended: Flag = field(default_factory=Flag)
    clock: Clock = field(default_factory=RealClock)


@contextmanager
def ended_by_signals(ended: Flag) -> Iterator[None]:
    """SIGINT and SIGTERM set `ended`, the first time and every time: nothing may keep a device from being put back."""

    def on_signal(_number: int, _frame: object) -> None:
        ended.set()
        print("putting back what was found; please wait", file=sys.stderr, flush=True)

    with handling({signal.SIGINT: on_signal, signal.SIGTERM: on_signal}):
        yield


def commission(config: SiteConfig, options: CommissionOptions, watch: Watch) -> CommissionReport:
    """Try the inverters of `config`. Raises AlreadyRunning and DeviceTaken while an orchestrator commands them."""
    with registered(Path(config.control.state_dir)), _locked(config):
        run = _Run(config, options, watch)
        try:
            return CommissionReport(config.site.name, *run.carry_out())
        finally:
            run.close()


@contextmanager
def _locked(config: SiteConfig) -> Iterator[None]:
    locks = DeviceLocks()
    try:
        locks.hold(config)
        yield
    finally:
        locks.release()


class _Run:
    """One commissioning. `carry_out` returns the checks, and whether it was interrupted."""

    def __init__(self, config: SiteConfig, options: CommissionOptions, watch: Watch) -> None:
        self._config = config
        self._options = options
        self._watch = watch
        self._clock = options.clock
        self._store = StateStore(Path(config.control.state_dir))
        self._links = LinkPool(self._clock, NoObserver())
        for device in config.modbus_devices():
            self._links.expect(device.way, LinkNeeds(device.timeout_s, device.min_gap_s))
        self._meter = grid_meter(config.meter, self._links, self._clock)
        self._checks: list[Check] = []

    def close(self) -> None:
        """End the connections."""
        self._meter.close()
        self._links.close()

    def carry_out(self) -> tuple[tuple[Check, ...], bool]:
        """Every inverter that is wanted, one after the other."""
        try:
            for inverter in self._config.inverters:
                if self._options.only in (None, inverter.name):
                    self._try_inverter(inverter)
        except Interrupted:
            return tuple(self._checks), True
        return tuple(self._checks), False

    def _try_inverter(self, inverter: AnyInverterConfig) -> None:
        if isinstance(inverter, MqttInverterConfig):
            self._note(inverter.name, "reading", Verdict.NOT_TRIED, "driver mqtt: only Modbus devices are tried")
            return
        if not inverter.control:
            self._note(inverter.name, "reading", Verdict.NOT_TRIED, "left alone (control: false)")
            return
        flash = FlashKeeper(inverter.name, self._store, self._clock, inverter.flash_writes_per_day)
        device = InverterOnTrial(inverter, self._links, self._clock, self._meter, flash)
        try:
            sample = device.connect()
            self._checks.append(reading(sample, device.fallback()))
            self._try_steps(device, sample)
        except DeviceError as trouble:
            self._note(inverter.name, "reading", Verdict.UNSAFE, f"lost: {trouble}")

    def _try_steps(self, device: InverterOnTrial, sample: InverterSample) -> None:
        if not self._options.ask(_question(device, sample, self._options.timing)):
            self._note(sample.name, "steps", Verdict.NOT_TRIED, "not wanted")
            return
        trials: list[Trial] = []
        for plan in (plan_ac_step, plan_battery_step):
            step = plan(device.sample(), self._options.timing.revert_s)
            if isinstance(step, NotTried):
                self._checks.append(not_tried(sample.name, step))
            elif not device.may_write(step):
                self._note(sample.name, step.quantity, Verdict.NOT_TRIED, FLASH_SPENT)
            else:
                trials.append(self._try_step(device, step))
                self._checks.extend(judge(trials[-1]))
        self._ask_the_meter(device, trials)

    def _ask_the_meter(self, device: InverterOnTrial, trials: list[Trial]) -> None:
        """Two steps must agree on the meter: where they do not, those that wear no flash are made once more."""
        for plan in (plan_ac_step, plan_battery_step) if any(map(edges, trials)) else ():
            if is_decided(trials):
                break
            step = plan(device.sample(), self._options.timing.revert_s)
            if isinstance(step, Step) and not device.wears(step):
                trials.append(self._try_step(device, step))
                self._checks.extend(check for check in judge(trials[-1]) if check.verdict is Verdict.UNSAFE)
        if trials:
            self._checks.append(meter_check(device.name, trials))

    def _try_step(self, device: InverterOnTrial, step: Step) -> Trial:
        """One trial. Whatever ends it, the device is put back before anything else happens."""
        self._watch.say(f"{device.name}: {step.quantity} {step.watts:.0f} W")
        with ended_by_signals(self._options.ended):
            try:
                trial = self._trial(device, step)
            finally:
                self._put_back(device)
        self._watch.advance()
        return trial

    def _put_back(self, device: InverterOnTrial) -> None:
        """What cannot be read cannot be put back: then the battery is released in place of that."""
        unreadable = device.footprint.unreadable
        left = (*(unreadable if not device.release() else ()), *device.footprint.restore())
        if left:
            self._note(device.name, "put back", Verdict.UNSAFE, f"not as it was found: {', '.join(left)}")
        elif unreadable:
            said = f"released, because the device does not show all of it: {', '.join(unreadable)}"
            self._note(device.name, "put back", Verdict.UNCLEAR, said)

    def _trial(self, device: InverterOnTrial, step: Step) -> Trial:
        trial = begin(step, device.timing(step.quantity, self._options.timing), self._clock.now_s())
        while trial.stage is not Stage.DONE:
            if self._options.ended.is_set():
                raise Interrupted
            if trial.stage is Stage.WRITE:
                trial = written(trial, self._clock.now_s(), device.write(step))
            else:
                trial = observed(trial, device.observe())
                self._options.ended.wait(self._options.timing.poll_s)
        return trial

    def _note(self, inverter: str, name: str, verdict: Verdict, text: str) -> None:
        self._checks.append(Check(inverter, name, verdict, text))


def _question(device: InverterOnTrial, sample: InverterSample, timing: Timing) -> str:
    steps = [plan(sample, timing.revert_s) for plan in (plan_ac_step, plan_battery_step)]
    wanted = [
        f"{step.quantity} {step.watts:.0f} W for {device.timing(step.quantity, timing).revert_s:g} s"
        for step in steps
        if isinstance(step, Step)
    ]
    asked = " and then ".join(wanted) or "nothing but reading"
    return f"{sample.name}: {asked}, put back afterwards. Go on?"
