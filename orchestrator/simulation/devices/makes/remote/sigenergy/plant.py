"""A Sigenergy SigenStor with one inverter: the plant is unit 247, the inverter unit 1. High word first.

From TypQxQ/Sigenergy-Local-Modbus (modbusregisterdefinitions, issues 80, 85, 191, 223), issue 35 of its forerunner
TypQxQ/Sigenergy-Home-Assistant-Integration, and evcc's template sigenergy. They cite the "Sigenergy Modbus Protocol".
The rules:
- The plant obeys while remote EMS (40029) is 1; it has no time-out, so it goes on as it was told last for ever.
- 40031 says what is controlled. 0: AC power of the inverter (40001, giving +), which the battery follows. 1: standby.
  2: its own self-consumption. 3 and 4: charging with at most 40032, from AC too. 5 and 6: discharging with at most
  40034. "At most" is what happens, as far as battery and converter go.
- PV is limited to 40036 in the modes 3 to 6.
- 40032 to 40037 are refused (exception 2) outside of the modes 3 to 6 of remote EMS: first the mode, then the power.
- The limits of the inverter's AC power, out (40042) and in (40044), hold always; 0xFFFFFFFF is none. Those of the grid
  connection (40038, 40040) work at its own meter, which is not here: they are kept, and limit nothing.
- Discharging stops at 40048 (0.1 %), charging at 40047.
- 40000 starts and stops it, and cannot be read. Functions 3 and 4 read the same registers.
Doubtful: what becomes of PV in standby (here: it goes to AC); how much the two modes of a direction differ (not at all
here); whether a lost connection ends anything; the text of the model.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.remote.sigenergy.readings import inverter_cells, plant_cells
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I32, U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import Words
from orchestrator.simulation.physics import Controls, to_ac, to_dc
from orchestrator.simulation.plant.inverter import SimulatedInverter

PLANT_UNIT, INVERTER_UNIT = 247, 1
AC_POWER, STANDBY, SELF_CONSUMPTION, CHARGES, DISCHARGES = 0, 1, 2, (3, 4), (5, 6)
COMMANDED: Final = (*CHARGES, *DISCHARGES)
IN_COMMANDED_MODES_ONLY: Final = frozenset({"charge_watts", "discharge_watts", "pv_limit_watts"})
OWN_WORK_MODE, REMOTE_WORK_MODE = 0, 7
NO_LIMIT = 0xFFFFFFFF
LIMIT, PERCENT = Between(0, NO_LIMIT), Between(0, 100)
PLANT_BLOCKS: Final = ((30000, 30096), (40001, 40048))
INVERTER_BLOCKS: Final = ((30500, 30624), (31000, 31066))


class SigenergyUnit(PlainDevice):
    """One unit: the same registers for both functions that read."""

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """The same as `read`."""
        return self.read(address, count)


class SigenergyPlant(SigenergyUnit):
    """The plant's unit; the inverter is among `others`."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self._running = True
        battery = inverter.settings.battery
        self._settings = Settings([*_limit_settings(), *(_battery_settings(battery) if battery else ())])
        cells = [*self._settings.cells(), *plant_cells(inverter, self._work_mode)]
        switch = Cell("running", 40000, lambda: 0, writable=True, readable=False)
        super().__init__([switch, *reserve(cells, *PLANT_BLOCKS)])
        self.others = {
            PLANT_UNIT: self,
            INVERTER_UNIT: SigenergyUnit(reserve(inverter_cells(inverter), *INVERTER_BLOCKS)),
        }
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 2 for what the mode does not know, 3 for a value out of its range."""
        own = {name: value for name, value in written.items() if name != "running"}
        mode = written.get("mode", self._mode(written))
        if not IN_COMMANDED_MODES_ONLY.isdisjoint(own) and mode not in COMMANDED:
            return ExceptionCode.ILLEGAL_ADDRESS
        fits = self._settings.accepts(own) and written.get("running", 0) in (0, 1)
        return None if fits else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings, which act at once."""
        self._settings.take({name: value for name, value in written.items() if name != "running"})
        self._running = bool(written.get("running", self._running))
        self._obey()

    def advance(self, dt_s: float) -> None:  # noqa: ARG002
        """Follow the PV."""
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: its own self-consumption."""
        if self._inverter.settings.battery is not None:
            self._settings["remote"] = 0
        self._obey()

    def _mode(self, written: Mapping[str, float]) -> float | None:
        """The mode of remote EMS that is in force with what is being written; None while it is off."""
        if self._inverter.settings.battery is None or not written.get("remote", self._settings["remote"]):
            return None
        return self._settings["mode"]

    def _work_mode(self) -> int:
        return OWN_WORK_MODE if self._mode({}) is None else REMOTE_WORK_MODE

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        most_out = self._settings["most_out_watts"]
        controls = Controls(connected=self._running, ac_limit_watts=None if most_out == NO_LIMIT else most_out)
        if self._inverter.settings.battery is not None:
            controls = self._with_battery(replace(controls, reserve_percent=self._settings["discharge_ends_percent"]))
        self._inverter.controls = controls

    def _with_battery(self, controls: Controls) -> Controls:
        mode = self._mode({})
        if mode == AC_POWER:
            controls = self._at_ac(controls)
        elif mode == STANDBY:
            controls = replace(controls, low_watts=0.0, high_watts=0.0)
        elif mode in COMMANDED:
            controls = self._commanded(controls, charges=mode in CHARGES)
        return self._bounded(controls)

    def _at_ac(self, controls: Controls) -> Controls:
        ac_watts = self._settings["asked_ac_watts"]
        battery_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
        controls = replace(controls, low_watts=battery_watts, high_watts=battery_watts, grid_charging=ac_watts < 0)
        return _with_ac_limit(controls, max(ac_watts, 0.0))

    def _commanded(self, controls: Controls, *, charges: bool) -> Controls:
        watts = self._settings["charge_watts"] if charges else -self._settings["discharge_watts"]
        controls = replace(controls, low_watts=watts, high_watts=watts, grid_charging=charges)
        if self._settings["pv_limit_watts"] == NO_LIMIT:
            return controls
        ac_watts = to_ac(self._inverter.settings, self._settings["pv_limit_watts"] - watts)
        return _with_ac_limit(controls, max(ac_watts, 0.0))

    def _bounded(self, controls: Controls) -> Controls:
        """The same controls with what may be drawn from AC, and no charging of what counts as full."""
        most_watts = controls.high_watts
        if (self._inverter.soc_percent or 0.0) >= self._settings["charge_ends_percent"]:
            most_watts = 0.0 if most_watts is None else min(most_watts, 0.0)
        if self._settings["most_in_watts"] != NO_LIMIT and most_watts is not None:
            dc_watts = -to_dc(self._inverter.settings, -self._settings["most_in_watts"])
            most_watts = min(most_watts, self._inverter.state.pv_available_watts + dc_watts)
        low_watts = controls.low_watts
        if low_watts is not None and most_watts is not None:
            low_watts = min(low_watts, most_watts)
        return replace(controls, low_watts=low_watts, high_watts=most_watts)


def _with_ac_limit(controls: Controls, watts: float) -> Controls:
    limit_watts = controls.ac_limit_watts
    return replace(controls, ac_limit_watts=watts if limit_watts is None else min(watts, limit_watts))


def _limit_settings() -> list[Setting]:
    return [
        Setting("grid_export_max_watts", 40038, LIMIT, NO_LIMIT, U32),
        Setting("grid_import_max_watts", 40040, LIMIT, NO_LIMIT, U32),
        Setting("most_out_watts", 40042, LIMIT, NO_LIMIT, U32),
        Setting("most_in_watts", 40044, LIMIT, NO_LIMIT, U32),
    ]


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    return [
        Setting("asked_ac_watts", 40001, Between(-(2**31), 2**31 - 1), 0, I32),
        Setting("remote", 40029, {0, 1}),
        Setting("mode", 40031, Between(0, 6), SELF_CONSUMPTION),
        Setting("charge_watts", 40032, LIMIT, battery.charge_watts, U32),
        Setting("discharge_watts", 40034, LIMIT, battery.discharge_watts, U32),
        Setting("pv_limit_watts", 40036, LIMIT, NO_LIMIT, U32),
        Setting("backup_percent", 40046, PERCENT, 0, gain=0.1),
        Setting("charge_ends_percent", 40047, PERCENT, 100, gain=0.1),
        Setting("discharge_ends_percent", 40048, PERCENT, battery.reserve_percent, gain=0.1),
    ]
