"""A SunSpec three-phase meter: model 203 with energy counters. Nothing of it can be written."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.simulation.devices.sunspec import tables
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, RegisterMap, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Value, Words, fitting_scale
from orchestrator.simulation.plant.meter import SimulatedMeter

PHASE_VOLTS, LINE_VOLTS, FREQUENCY_HZ = 230.0, 398.4, 50.0


class SunSpecMeter:
    """Models 1 and 203. `largest_watts` is the most that will ever flow; the scale factors are chosen for it."""

    def __init__(self, meter: SimulatedMeter, largest_watts: float) -> None:
        self.reads = 0
        self.writes: list[WriteRecord] = []
        self._meter = meter
        self._largest_watts = largest_watts
        self.registers = RegisterMap([(tables.COMMON, self._common), (tables.METER, self._measurements)])

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        self.reads += 1
        return self.registers.read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Every point is read-only: a write is ignored without an exception."""
        if not self.registers.holds(address, len(words)):
            return ExceptionCode.ILLEGAL_ADDRESS
        self.writes.append(WriteRecord(now_s, address, words, ()))
        return None

    def advance(self, dt_s: float) -> None:
        """A meter has no timers."""

    def _common(self) -> Mapping[str, Value]:
        return {"Mn": "Virtual", "Md": "Meter", "Opt": "grid connection", "Vr": "1.0", "SN": "SIM-meter", "DA": 200}

    def _measurements(self) -> Mapping[str, Value]:
        sign = 1 if self._meter.settings.sign == "import_positive" else -1
        watts = sign * self._meter.site_watts
        phases = tuple(sign * each for each in self._meter.phase_watts) or (watts / 3,) * 3
        volts = self._meter.phase_volts
        scale = fitting_scale(self._largest_watts, 0)
        return {
            **_spread("A", "Aph", abs(watts) / PHASE_VOLTS),
            "A_SF": fitting_scale(self._largest_watts / PHASE_VOLTS, -2),
            "PhV": sum(volts) / len(volts),
            **{f"PhVph{letter}": each for letter, each in zip("ABC", volts, strict=True)},
            **dict.fromkeys(("PPV", "PhVphAB", "PhVphBC", "PhVphCA"), LINE_VOLTS),
            **{"V_SF": -1, "Hz": FREQUENCY_HZ, "Hz_SF": -2, "W_SF": scale, "VA_SF": scale, "PF_SF": -2},
            "W": watts,
            **{f"Wph{letter}": each for letter, each in zip("ABC", phases, strict=True)},
            **_spread("VA", "VAph", abs(watts)),
            **{**_spread("VAR", "VARph", 0.0), "VAR_SF": 0},
            **dict.fromkeys(("PF", "PFphA", "PFphB", "PFphC"), 1.0),
            **_spread("TotWhExp", "TotWhExpPh", self._meter.export_wh),
            **_spread("TotWhImp", "TotWhImpPh", self._meter.import_wh),
            **{"TotWh_SF": 0, "Evt": 0},
        }


def _spread(total: str, phase: str, value: float) -> dict[str, float]:
    """A total and its three equal phases."""
    return {total: value, **{f"{phase}{letter}": value / 3 for letter in "ABC"}}
