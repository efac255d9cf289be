"""What most makes show of their plant, as functions that registers ask: powers, currents, and a serial number."""

from __future__ import annotations

import zlib
from collections.abc import Callable

from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    PHASE_VOLTS,
    PHASES,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.plant.inverter import SimulatedInverter


class Measured:
    """The powers of one inverter in W and its currents in A: AC into the site +, battery charging +.

    `battery_volts` is the voltage of the battery that its currents are told at.
    """

    def __init__(self, inverter: SimulatedInverter, battery_volts: float = BATTERY_VOLTS) -> None:
        self._inverter = inverter
        self._battery_volts = battery_volts

    def ac_watts(self) -> float:
        """AC power, into the site +."""
        return self._inverter.state.ac_watts

    def phase_watts(self) -> float:
        """AC power of one phase."""
        return self._inverter.state.ac_watts / PHASES

    def phase_amps(self) -> float:
        """AC current of one phase, with the sign of its power."""
        return self.phase_watts() / PHASE_VOLTS

    def pv_watts(self) -> float:
        """PV power of all strings."""
        return self._inverter.state.pv_watts

    def battery_watts(self) -> float:
        """Battery power, charging +."""
        return self._inverter.state.battery_watts

    def discharge_watts(self) -> float:
        """Battery power, discharging +."""
        return -self._inverter.state.battery_watts

    def battery_amps(self) -> float:
        """Battery current, charging +."""
        return self._inverter.state.battery_watts / self._battery_volts

    def discharge_amps(self) -> float:
        """Battery current, discharging +."""
        return -self.battery_amps()

    def soc_percent(self) -> float:
        """State of charge; 0 without a battery."""
        return self._inverter.soc_percent or 0.0

    def string_watts(self, index: int) -> Callable[[], float]:
        """Power of the string `index`, from 0; 0 W where it is not there."""
        share = _share(index)
        return lambda: share * self._inverter.state.pv_watts

    def string_amps(self, index: int) -> Callable[[], float]:
        """Current of the string `index`, from 0."""
        share = _share(index)
        return lambda: share * self._inverter.state.pv_watts / STRING_VOLTS

    def string_volts(self, index: int) -> Callable[[], float]:
        """Voltage of the string `index`, from 0; 0 V where it is not there."""
        volts = STRING_VOLTS if _share(index) else 0.0
        return lambda: volts

    def serial(self, prefix: str, digits: int) -> str:
        """`prefix` and so many digits, which are the inverter's own: its name made a number."""
        return f"{prefix}{zlib.crc32(self._inverter.name.encode()) % 10**digits:0{digits}d}"


def _share(index: int) -> float:
    return STRING_SHARES[index] if index < len(STRING_SHARES) else 0.0
