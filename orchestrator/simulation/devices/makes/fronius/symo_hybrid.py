"""A Fronius Symo Hybrid behind its Hybridmanager, from the "Fronius Datamanager Modbus TCP & RTU" (42,0410,2049).

The generation before the GEN24. What it has of its own:
- Model 160 has two modules, "String 1" and "String 2": the first is the PV, the second is the battery, without a sign.
  DCW of model 103 is String 1 + String 2 while the battery discharges, and String 1 - String 2 while it charges.
- Model 124 has no times: a command stays for ever. New rates act at once. A window that contradicts itself is ignored
  without a word.
- Every message, a read as well, counts the revert times of model 123 down anew.

It is slow (half a second for a reply and more), and may be away at night: that is made by `latency_s` and by faults.
"""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.simulation.devices.makes.fronius.gen24 import (
    FroniusImmediateControls,
    FroniusStorageControls,
    inputs_first,
)
from orchestrator.simulation.devices.sunspec import values
from orchestrator.simulation.devices.sunspec.inverter import Chained, SunSpecInverter
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words


class HybridStorageControls(FroniusStorageControls):
    """Model 124 that never says no to a window."""

    def accepts(self, written: Mapping[str, int]) -> bool:
        """Whether every value is in its range; a contradiction is no reason to refuse."""
        return self.are_supported(written)

    def heeded(self, written: Mapping[str, int]) -> Mapping[str, int]:
        """Nothing of a request that would make the window contradict itself."""
        return {} if self.contradicts(written) else written


class FroniusSymoHybrid(SunSpecInverter):
    """Serves and obeys the registers of one Symo Hybrid."""

    IMMEDIATE_CONTROLS = FroniusImmediateControls
    STORAGE_CONTROLS = HybridStorageControls

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        self._immediate.heard()
        return super().read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; a refusal changes nothing."""
        self._immediate.heard()
        return super().write(address, words, now_s)

    def _behind_controls(self) -> list[Chained]:
        return inputs_first(super()._behind_controls())

    def _identity(self) -> values.Values:
        kilowatts = self._inverter.settings.ac_rating_watts / 1000
        return {"Mn": "Fronius", "Md": f"Symo Hybrid {kilowatts:.1f}-3-S", "Opt": "1.31.1-5", "Vr": "0.3.30.0"}

    def _nameplate(self) -> values.Values:
        return {**super()._nameplate(), "DERTyp": values.PV}

    def _dc_inputs(self) -> list[values.DcInput]:
        state = self._inverter.state
        inputs = [values.DcInput("String", values.STRING_VOLTS, state.pv_watts, None)]
        if self._storage is not None:
            inputs.append(values.DcInput("String", values.BATTERY_VOLTS, abs(state.battery_watts), None))
        return inputs
