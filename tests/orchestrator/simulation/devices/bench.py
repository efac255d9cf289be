"""One device on the bench: its registers by name, its physics, and time that passes when told."""

from __future__ import annotations

from collections.abc import Callable

from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.devices.sunspec.inverter import SunSpecInverter
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.inverter import SimulatedInverter


class Bench:
    """A SunSpec inverter in steady light. Points are named as in `124.OutWRte`; words are as on the wire."""

    def __init__(
        self,
        settings: InverterSimulation,
        pv_watts: float = 0.0,
        make: Callable[[SimulatedInverter], SunSpecInverter] = SunSpecInverter,
    ) -> None:
        self.inverter = SimulatedInverter("east", settings)
        self.device = make(self.inverter)
        self.pv_watts = pv_watts
        self.now_s = 0.0

    def write(self, name: str, *values: int) -> ExceptionCode | None:
        """Write raw values (negative ones in two's complement) from the point `name` on, in one request."""
        words = tuple(value & 0xFFFF for value in values)
        return self.device.write(self.device.registers.address(name), words, self.now_s)

    def read(self, name: str) -> int:
        """The word of a point."""
        words = self.device.read(self.device.registers.address(name), 1)
        assert isinstance(words, tuple)
        return words[0]

    def text(self, name: str, count: int) -> str:
        """The text in `count` words of a point, without what fills it up."""
        words = self.device.read(self.device.registers.address(name), count)
        assert isinstance(words, tuple)
        return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode()

    def run(self, seconds: float) -> Bench:
        """Let time pass, for the device's timers and for its physics."""
        for _ in range(round(seconds / 0.05)):
            self.now_s += 0.05
            self.device.advance(0.05)
            self.inverter.advance(0.05, self.pv_watts)
        return self

    @property
    def ac_watts(self) -> float:
        return self.inverter.state.ac_watts

    @property
    def battery_watts(self) -> float:
        return self.inverter.state.battery_watts
