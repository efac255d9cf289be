"""A Fronius Primo or Symo GEN24: SunSpec with integer models, from Fronius's register map for devices with storage.

What it has of its own besides `SunSpecInverter`:
- Model 160 comes before 124. Its scale factors follow the values, so they change while it runs.
- New rates of model 124 act at once, without StorCtl_Mod being written again. A window that contradicts itself is
  refused. Of its three times only InOutWRte_RvrtTms is there.
- Revert times are 8 hours at most.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from orchestrator.simulation.devices.sunspec import tables, values
from orchestrator.simulation.devices.sunspec.controls import ImmediateControls, StorageControls
from orchestrator.simulation.devices.sunspec.inverter import Chained, SunSpecInverter
from orchestrator.simulation.devices.sunspec.words import ACC32, UINT16, fitting_scale

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


class FroniusGen24(SunSpecInverter):
    """Serves and obeys the registers of one GEN24."""

    IMMEDIATE_CONTROLS = FroniusImmediateControls
    STORAGE_CONTROLS = Gen24StorageControls

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
