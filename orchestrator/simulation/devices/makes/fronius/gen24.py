"""A Fronius Primo or Symo GEN24: SunSpec with integer models, from Fronius's register map for devices with storage.

What it has of its own besides `SunSpecInverter`:
- Model 160 comes before 124. Its scale factors follow the values, so they change while it runs.
- New rates of model 124 act at once, without StorCtl_Mod being written again. A window that contradicts itself is
  refused. Of its three times only InOutWRte_RvrtTms is there.
- Revert times are 8 hours at most. InOutWRte_RvrtTms is kept, over restarts too, until something else is written; 0 as
  it is delivered.
- `odd_watts`: forced to charge with watts that are no multiple of 10, it charges with 500 W, as owners saw.
- `grid_charge_watts`: forced to charge, it takes no more than this from AC beside its own PV, whatever it is asked
  for, as owners see with firmware 1.39.
- `any_message_counts`: each message, a read of another client too, counts the time of model 124 down anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from orchestrator.simulation.devices.sunspec import tables, values
from orchestrator.simulation.devices.sunspec.controls import FULL_RATE, ImmediateControls, StorageControls
from orchestrator.simulation.devices.sunspec.inverter import Chained, SunSpecInverter
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import ACC32, UINT16, Words, fitting_scale
from orchestrator.simulation.plant.inverter import SimulatedInverter

ODD_WATTS_CHARGE = 500.0
REVERT_TIMES = range(28800 + 1)
"""RvrtTms, in seconds."""
FINEST_SCALES = {"DCA": -4, "DCV": -2, "DCW": -2, "DCWH": 0}
UNSUPPORTED = ("Evt", "TmsPer", "DCSt", "DCEvt")
"""Points of model 160, and of its modules, that the map calls "not supported"."""


class FroniusImmediateControls(ImmediateControls):
    """Model 123, with revert times of 8 hours at most."""

    ALLOWED: Mapping[str, range] = {
        **ImmediateControls.ALLOWED,
        **{"Conn_RvrtTms": REVERT_TIMES, "WMaxLimPct_RvrtTms": REVERT_TIMES},
    }


class FroniusStorageControls(StorageControls):
    """Model 124 without times, whose rates act at once."""

    ALLOWED: Mapping[str, range] = {
        name: allowed for name, allowed in StorageControls.ALLOWED.items() if not name.endswith("Tms")
    }
    ACTIVATING = frozenset({"StorCtl_Mod", "OutWRte", "InWRte"})


class Gen24StorageControls(FroniusStorageControls):
    """Model 124 with a revert time."""

    ALLOWED: Mapping[str, range] = {**FroniusStorageControls.ALLOWED, "InOutWRte_RvrtTms": REVERT_TIMES}

    def heard(self) -> None:
        """Restart the running timer."""
        self._revert.restart()


class FroniusGen24(SunSpecInverter):
    """Serves and obeys the registers of one GEN24."""

    IMMEDIATE_CONTROLS = FroniusImmediateControls
    STORAGE_CONTROLS = Gen24StorageControls

    def __init__(
        self,
        inverter: SimulatedInverter,
        *,
        odd_watts: bool = False,
        grid_charge_watts: float | None = None,
        any_message_counts: bool = False,
    ) -> None:
        self._odd_watts = odd_watts
        self._grid_charge_watts = grid_charge_watts
        self._any_message_counts = any_message_counts
        super().__init__(inverter)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        if self._any_message_counts and isinstance(self._storage, Gen24StorageControls):
            self._storage.heard()
        return super().read(address, count)

    def _obey(self) -> None:
        super()._obey()
        low_watts, controls = self._inverter.controls.low_watts, self._inverter.controls
        if self._odd_watts and low_watts is not None and low_watts > 0 and self._is_odd(low_watts):
            self._inverter.controls = replace(controls, low_watts=ODD_WATTS_CHARGE, high_watts=ODD_WATTS_CHARGE)
        elif self._grid_charge_watts is not None and low_watts is not None and low_watts > 0:
            most = self._inverter.state.pv_available_watts + self._grid_charge_watts
            high_watts = most if controls.high_watts is None else min(controls.high_watts, most)
            self._inverter.controls = replace(controls, low_watts=min(low_watts, most), high_watts=high_watts)

    def _is_odd(self, watts: float) -> bool:
        """Whether no rate, which is a hundredth of a percent, is nearer to a multiple of 10 W than this one."""
        return abs(watts - 10 * round(watts / 10)) > self.reference_watts / FULL_RATE

    def _behind_controls(self) -> list[Chained]:
        return inputs_first(super()._behind_controls())

    def _identity(self) -> values.Values:
        kilowatts = self._inverter.settings.ac_rating_watts / 1000
        return {"Mn": "Fronius", "Md": f"Symo GEN24 {kilowatts:.1f}", "Vr": "1.34.6-1"}

    def _dc_inputs(self) -> list[values.DcInput]:
        return values.dc_inputs(self._inverter, "MPPT")

    def _mppt_values(self) -> values.Values:
        inputs = self._dc_inputs()
        scales = {f"{name}_SF": _scale(name, inputs) for name in FINEST_SCALES}
        shown = {**super()._mppt_values(), **scales}
        return {name: value for name, value in shown.items() if name.rpartition(".")[2] not in UNSUPPORTED}


def inputs_first(chain: list[Chained]) -> list[Chained]:
    """The same models with 160 before 124, as in the maps of Fronius."""
    return sorted(chain, key=lambda model: model[0] is tables.STORAGE)


def _scale(name: str, inputs: Sequence[values.DcInput]) -> int:
    """The finest scale factor with which the largest value of a point fits into its word, or its two words."""
    highest = ACC32.high if name == "DCWH" else UINT16.high
    return fitting_scale(max(_value(name, each) for each in inputs), FINEST_SCALES[name], highest)


def _value(name: str, each: values.DcInput) -> float:
    return {"DCA": each.watts / each.volts, "DCV": each.volts, "DCW": each.watts, "DCWH": each.energy_wh or 0.0}[name]
