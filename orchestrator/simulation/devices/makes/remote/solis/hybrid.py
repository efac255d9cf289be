"""A Solis S6 hybrid: readings in input registers (33xxx), settings in holding registers (43xxx), high word first.

From Pho3niX90/solis_modbus (sensors, select_sensors, issues 123, 158, 336, 352), a specification of a battery
controller on an ESP32 for the S6-EH3P and a driver in C# that are public, candlerb/solis_exporter (packet log), evcc's
templates solis-hybrid and solis-hybrid-s. They cite "RS485_MODBUS ESINV-33000ID Hybrid Inverter V3.2". The rules:
- 43135 forces the battery: 1 charges it with 43136, 2 discharges it with 43129, both at the battery and in units of
  10 W. Forced charging with 0 W keeps it at 0 W, whatever the PV makes.
- It is off again 5 minutes after 43135 was written last, whatever 43282 (minutes) says: so it was seen with many
  firmwares. The register is 0 then. Writing 43135 anew, with the same value too, renews it; writing power does not.
- Charging draws from AC only where bit 5 of 43110 allows it, also when it is forced.
- 43132 = 1 regulates power at the grid connection to 43133 (10 W, exporting +), as its own meter sees it. It ends as
  43135 does, and the battery being forced goes before it. No load is behind its meter here but `load_watts`.
- 43130 and 43131 bound charging and discharging in every mode; 0 is no bound.
- Discharging stops at 43011, and at 43024 too where bit 4 of 43110 says so.
- The power of the battery (33149) and its current have no sign; 33135 is 1 while it discharges.
- String inverters are told apart by input register 2999, which is missing here (exception 2).
Doubtful: numbers of model (33000) and type (35000); what is refused, and how; whether 5 or 7 minutes; older RHI show
33149 with a sign. Not simulated: 43128, periods, forced charging below 43018. There is no AC limit here.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.remote.solis.readings import readings
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import PlainDevice, input_cell
from orchestrator.simulation.devices.plain.settings import Between, Setting, Settings
from orchestrator.simulation.devices.plain.words import I16
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.physics import Controls, to_dc
from orchestrator.simulation.plant.countdown import Countdown
from orchestrator.simulation.plant.inverter import SimulatedInverter

OFF, CHARGE, DISCHARGE = 0, 1, 2
SELF_USE, RESERVES, CHARGES_FROM_GRID = 1 << 0, 1 << 4, 1 << 5
LASTS_S: Final = 300.0
SELF_USE_MODE, REMOTE_MODE = 1 << 1, 1 << 7
TENS: Final = Between(0, 655350)
PERCENT: Final = Between(0, 100)
INPUT_BLOCKS: Final = (
    (33000, 33040),
    (33049, 33084),
    (33091, 33095),
    (33100, 33122),
    (33126, 33152),
    (33161, 33180),
    (33250, 33286),
)


class SolisHybrid(PlainDevice):
    """Serves and obeys the registers of one inverter. `load_watts` is what its own meter sees beside it."""

    def __init__(self, inverter: SimulatedInverter) -> None:
        self._inverter = inverter
        self.load_watts = 0.0
        self._remote = Countdown()
        battery = inverter.settings.battery
        self._settings = Settings(_battery_settings(battery) if battery else ())
        cells = [*self._settings.cells(), *readings(inverter)]
        if battery is not None:
            cells.append(input_cell("switches_shown", 33132, lambda: self._settings["switches"]))
            cells.append(input_cell("mode", 33122, self._mode))
        super().__init__(reserve(reserve(cells, *INPUT_BLOCKS, inputs=True), (43128, 43137)))
        self._obey()

    def refuses(self, written: Mapping[str, float]) -> ExceptionCode | None:
        """Exception 3 for a value out of its range."""
        return None if self._settings.accepts(written) else ExceptionCode.ILLEGAL_VALUE

    def taken(self, written: Mapping[str, float]) -> None:
        """Take settings; the two switches of remote control renew its time."""
        self._settings.take(written)
        if "forced" in written or "regulates_grid" in written:
            self._remote.start(LASTS_S if self._is_remote else 0)
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let remote control run out, and follow the PV."""
        if self._remote.advance(dt_s):
            self._end()
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: no remote control."""
        if self._inverter.settings.battery is not None:
            self._remote.stop()
            self._end()
        self._obey()

    @property
    def _is_remote(self) -> bool:
        return bool(self._settings["forced"] or self._settings["regulates_grid"])

    def _end(self) -> None:
        self._settings["forced"] = self._settings["regulates_grid"] = OFF

    def _mode(self) -> int:
        return REMOTE_MODE if self._is_remote else SELF_USE_MODE

    def _obey(self) -> None:
        """Hand the registers in force to the physics."""
        if self._inverter.settings.battery is None:
            return
        switches = int(self._settings["switches"])
        reserve_percent = self._settings["soc_min_percent"]
        if switches & RESERVES:
            reserve_percent = max(reserve_percent, self._settings["backup_soc_percent"])
        controls = self._asked(
            Controls(grid_charging=bool(switches & CHARGES_FROM_GRID), reserve_percent=reserve_percent)
        )
        low, high = controls.low_watts, controls.high_watts
        most, least = self._settings["charge_max_watts"], -self._settings["discharge_max_watts"]
        if most:
            high = most if high is None else min(high, most)
            low = low if low is None else min(low, most)
        if least:
            low = least if low is None else max(low, least)
        self._inverter.controls = replace(controls, low_watts=low, high_watts=high)

    def _asked(self, controls: Controls) -> Controls:
        if self._settings["forced"] != OFF:
            charges = self._settings["forced"] == CHARGE
            watts = self._settings["charge_watts"] if charges else -self._settings["discharge_watts"]
            return replace(controls, low_watts=watts, high_watts=watts)
        if self._settings["regulates_grid"]:
            ac_watts = self._settings["grid_watts"] + self.load_watts
            battery_watts = self._inverter.state.pv_available_watts - to_dc(self._inverter.settings, ac_watts)
            return replace(
                controls, ac_limit_watts=max(ac_watts, 0.0), low_watts=battery_watts, high_watts=battery_watts
            )
        return replace(controls, grid_charging=False)


def _battery_settings(battery: BatterySimulation) -> list[Setting]:
    switches = SELF_USE | (CHARGES_FROM_GRID if battery.grid_charging_allowed else 0)
    return [
        Setting("overcharge_soc_percent", 43010, PERCENT, 100),
        Setting("soc_min_percent", 43011, PERCENT, battery.reserve_percent),
        Setting("force_charge_soc_percent", 43018, PERCENT, 0),
        Setting("backup_soc_percent", 43024, PERCENT, 80),
        Setting("switches", 43110, Between(0, 0xFFF), switches),
        Setting("discharge_watts", 43129, TENS, gain=10),
        Setting("charge_max_watts", 43130, TENS, gain=10),
        Setting("discharge_max_watts", 43131, TENS, gain=10),
        Setting("regulates_grid", 43132, {0, 1}),
        Setting("grid_watts", 43133, Between(-327680, 327670), 0, I16, 10),
        Setting("grid_vars", 43134, Between(-327680, 327670), 0, I16, 10),
        Setting("forced", 43135, {OFF, CHARGE, DISCHARGE}),
        Setting("charge_watts", 43136, TENS, gain=10),
        Setting("timeout_minutes", 43282, Between(2, 30), 5),
    ]
