"""A device that is only read: it does as it likes, refuses every write, and remembers that somebody tried."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.simulation.devices.plain.map import ALL_FUNCTIONS, Cell, PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.physics import Controls
from orchestrator.simulation.plant.inverter import SimulatedInverter


class WatchedDevice(PlainDevice):
    """Serves cells. The real one would take a write, and keep it in memory that wears out: `attempts` counts those."""

    def __init__(
        self,
        inverter: SimulatedInverter,
        cells: Iterable[Cell],
        *,
        functions: frozenset[int] = ALL_FUNCTIONS,
        little: bool = False,
    ) -> None:
        super().__init__(cells, functions=functions, little=little)
        self.attempts: list[WriteRecord] = []
        battery = inverter.settings.battery
        if battery is not None:
            inverter.controls = Controls(reserve_percent=battery.reserve_percent)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Refuse it with exception 2, whatever it is."""
        self.attempts.append(WriteRecord(now_s, address, words, ()))
        return ExceptionCode.ILLEGAL_ADDRESS
