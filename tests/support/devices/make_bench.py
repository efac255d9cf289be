"""The virtual device of a make on the bench: registers by their addresses, its physics, and time that passes when told.

Addresses and raw words are those of the make's document, so that a test says what a foreign client would send.
"""

from __future__ import annotations

from orchestrator.config.simulation import InverterSimulation
from orchestrator.simulation.devices.catalogue import MAKES
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.inverter import SimulatedInverter

STEP_S = 0.05


class MakeBench:
    """A device of `make` in steady light, with its plant behind it. `little`: low word first."""

    def __init__(self, make: str, settings: InverterSimulation, pv_watts: float = 0.0, *, little: bool = False) -> None:
        self.inverter = SimulatedInverter("east", settings)
        device = MAKES[make](self.inverter)
        assert isinstance(device, PlainDevice)
        self.device = device
        self.pv_watts = pv_watts
        self._little = little

    def write(self, address: int, *words: int) -> ExceptionCode | None:
        """Write raw words from `address` in one request; negative ones in two's complement."""
        return self.device.write(address, tuple(word & 0xFFFF for word in words), 0.0)

    def write_long(self, address: int, number: int) -> ExceptionCode | None:
        """Write a number of 32 bits."""
        words = (number >> 16 & 0xFFFF, number & 0xFFFF)
        return self.write(address, *(words[::-1] if self._little else words))

    def put(self, *writes: tuple[int, int]) -> MakeBench:
        """Write one raw word to each address, in this order; none may be refused."""
        for address, word in writes:
            assert self.write(address, word) is None, f"{address} refuses {word}"
        return self

    def read(self, address: int, words: int = 1, *, signed: bool = False) -> int:
        """The number in the holding registers from `address` on."""
        return self._number(self.device.read(address, words), signed=signed)

    def read_input(self, address: int, words: int = 1, *, signed: bool = False) -> int:
        """The number in the input registers from `address` on."""
        return self._number(self.device.read_inputs(address, words), signed=signed)

    def run(self, seconds: float) -> MakeBench:
        """Let time pass, for the device's timers and for its physics."""
        for _ in range(round(seconds / STEP_S)):
            self.device.advance(STEP_S)
            self.inverter.advance(STEP_S, self.pv_watts)
        return self

    @property
    def battery_watts(self) -> float:
        """What the battery really takes (+) or gives (-)."""
        return self.inverter.state.battery_watts

    @property
    def ac_watts(self) -> float:
        """What the inverter really gives (+) or draws (-) at AC."""
        return self.inverter.state.ac_watts

    def _number(self, words: object, *, signed: bool) -> int:
        assert isinstance(words, tuple), f"refused: {words!r}"
        number = 0
        for word in reversed(words) if self._little else words:
            number = number << 16 | word
        bits = 16 * len(words)
        return number - (1 << bits) if signed and number >> bits - 1 else number


def letters(words: object) -> str:
    """The text in registers, without what fills it up."""
    assert isinstance(words, tuple), f"refused: {words!r}"
    return b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode()
