"""One inverter as commissioning sees it: read, tried with a step, and put back."""

from __future__ import annotations

from typing import Final

from actors.clock import Clock
from actors.commands.commission.footprint import Footprint
from actors.commands.commission.grid_meter import GridMeter
from actors.device.flash import FlashKeeper
from actors.device.session import DeviceSession
from actors.link import LinkPool
from actors.system import DRIVERS
from orchestrator.commands import BatteryCommand, InverterCommand
from orchestrator.commissioning.revert import fallback_of, timing_of
from orchestrator.commissioning.steps import Quantity, Step
from orchestrator.commissioning.trial import Observation, Timing
from orchestrator.config.overrides import apply_overrides
from orchestrator.config.sections import InverterConfig
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.drivers import driver_of
from orchestrator.errors import DeviceError
from orchestrator.samples import InverterSample

RETRY_LONGEST_S: Final = 1.0
RELEASE_VALID_S: Final = 60.0
AC_LIMIT: Final = "ac_limit"
"""The group of writes that a step of battery power does not need."""


class InverterOnTrial:
    """One inverter with the meter beside it."""

    def __init__(
        self, config: InverterConfig, links: LinkPool, clock: Clock, meter: GridMeter, flash: FlashKeeper
    ) -> None:
        self.name = config.name
        self._config = config
        self._driver = driver_of(config, DRIVERS)
        self._clock = clock
        self._meter = meter
        link = links.link(config.way)
        self._session = DeviceSession(
            config.name,
            self._driver,
            link,
            config.unit_id,
            clock=clock,
            retry_longest_s=RETRY_LONGEST_S,
            role="inverter",
            write_single=config.write_single,
        )
        self._flash = flash
        self.footprint = Footprint(self._session, flash.note)
        self._asked: tuple[WriteGroup, ...] = ()
        self._registers: dict[int, int] = {}

    def connect(self) -> InverterSample:
        """Find it; the first sample. Raises DeviceError."""
        self._session.connect(self._config.expected_serial, at_once=True)
        return self.sample()

    def sample(self) -> InverterSample:
        """Read it, what can be written too. Raises DeviceError."""
        if self._session.device is None:
            self._session.connect(self._config.expected_serial, at_once=True)
        words: dict[int, int] = {}
        for request in self._driver.plan_readback(self._session.device):
            words |= self._session.read_more(request)
        self._registers = words | self._session.read()
        now_s = self._clock.now_s()
        sample = self._driver.decode_inverter(self._session.device, self.name, self._registers, now_s)
        return apply_overrides(self._config, sample)

    def observe(self) -> Observation:
        """Read inverter and meter, one right after the other. Raises DeviceError when the inverter is lost."""
        sample = self.sample()
        site_watts = self._meter.site_watts()
        held = not self._driver.verify(self._session.device, self._asked, self._registers) if self._asked else None
        battery_watts = sample.battery.watts if sample.battery else None
        return Observation(self._clock.now_s(), sample.ac_watts, battery_watts, site_watts, held)

    def timing(self, quantity: Quantity, asked: Timing) -> Timing:
        """How long a step of `quantity` waits for this device."""
        return timing_of(self._session.device, quantity, asked)

    def fallback(self) -> str:
        """What it goes back to when nobody speaks to it, where its make is known."""
        return fallback_of(self._session.device)

    def may_write(self, step: Step) -> bool:
        """Whether what the step writes to the device's flash is within today's budget."""
        flash = self._flash.budget(self._driver.capabilities(self._session.device).flash)
        return all(
            self._flash.allows(group, sum(write.flash for write in group.writes), flash) for group in self._groups(step)
        )

    def wears(self, step: Step) -> bool:
        """Whether the step writes to the device's flash."""
        return any(write.flash for group in self._groups(step) for write in group.writes)

    def write(self, step: Step) -> tuple[str, ...]:
        """Write the step, and nothing of its command that the step does not need; the names of refused registers."""
        self._asked = self._groups(step)
        return self.footprint.write(self._asked)

    def release(self) -> bool:
        """Hand the battery back where registers were written that the device does not show. False: it did not work."""
        unreadable = self.footprint.unreadable
        if not unreadable:
            return True
        if self._session.device is None:
            return False
        command = InverterCommand(self.name, RELEASE_VALID_S, battery=BatteryCommand.release())
        try:
            groups = self._driver.encode(self._session.device, command, self._registers)
            return not self.footprint.write(group for group in groups if _names(group).intersection(unreadable))
        except DeviceError:
            return False

    def _groups(self, step: Step) -> tuple[WriteGroup, ...]:
        groups = self._driver.encode(self._session.device, step.command, self._registers)
        is_battery = step.quantity is Quantity.BATTERY
        return tuple(group for group in groups if not (is_battery and group.name == AC_LIMIT))


def _names(group: WriteGroup) -> set[str]:
    return {write.register for write in group.writes}
