"""A SolarEdge StorEdge inverter: models 1 and 103, its battery at 0xE100, and what it obeys (see `solaredge_controls`).

From "SunSpec Logging in SolarEdge Inverters" 3.2 and "Power Control Open Protocol for SolarEdge Inverters" 1.3. There
is no model 120 to 124 and no 160: DCW of model 103 is PV less charging. Scale factors change with the power. All of
SolarEdge's own registers have the low word first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace as moved

from msgspec.structs import replace

from orchestrator.config.simulation import BatterySimulation
from orchestrator.samples import ChargeState
from orchestrator.simulation.devices.makes.solaredge.controls import DynamicPowerControl, StorageControl
from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.chained import ChainedDevice
from orchestrator.simulation.devices.plain.map import Cell, Number
from orchestrator.simulation.devices.plain.words import F32, I32, U16, U32, U64, Plain, text
from orchestrator.simulation.devices.sunspec import tables, values
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, RegisterMap
from orchestrator.simulation.devices.sunspec.words import Value, fitting_scale
from orchestrator.simulation.physics import ac_output_max, to_dc
from orchestrator.simulation.plant.inverter import SimulatedInverter

STANDBY, CHARGING, DISCHARGING, PRESERVING, IDLE = 1, 3, 4, 6, 7
BATTERY_CELSIUS = 24.5
BATTERIES_AT = (0xE100, 0xE200, 0xE400)
"""Where the block of each battery begins; the third is in no document, but was found by owners."""
BLOCK_WORDS = 0x99
FULLER_PERCENT = 10.0
"""Of several batteries the first is so much fuller than all together are."""
POWER_BLOCK = (0xF300, 0xF327)
STATES: Mapping[ChargeState | None, int] = {
    ChargeState.CHARGING: CHARGING,
    ChargeState.DISCHARGING: DISCHARGING,
    ChargeState.FULL: PRESERVING,
    ChargeState.HOLDING: IDLE,
    ChargeState.EMPTY: STANDBY,
}
STORAGE_CONTROL: tuple[tuple[str, int, Plain], ...] = (
    ("control_mode", 0xE004, U16),
    ("ac_charge_policy", 0xE005, U16),
    ("ac_charge_limit", 0xE006, F32),
    ("backup_reserve", 0xE008, F32),
    ("default_mode", 0xE00A, U16),
    ("command_timeout", 0xE00B, U32),
    ("command_mode", 0xE00D, U16),
    ("charge_limit", 0xE00E, F32),
    ("discharge_limit", 0xE010, F32),
)
POWER_CONTROL: tuple[tuple[str, int, Plain], ...] = (
    ("advanced_power_control", 0xF142, I32),
    ("enable_dynamic_control", 0xF300, U16),
    ("limit_timeout", 0xF310, U32),
    ("fallback_limit", 0xF312, F32),
    ("ramp_up", 0xF318, F32),
    ("ramp_down", 0xF31A, F32),
    ("dynamic_limit", 0xF322, F32),
)


class SolarEdgeStorEdge(ChainedDevice):
    """Chain, batteries and controls. Without a battery neither its block nor its controls exist (exception 2).

    `shares` are the parts of each battery in what all together are, at most three; the limits are for all of them.
    """

    def __init__(self, inverter: SimulatedInverter, shares: Sequence[float] = (1.0,)) -> None:
        self._inverter = inverter
        self._shares = tuple(shares)
        battery = inverter.settings.battery
        self._storage = StorageControl(battery) if battery else None
        self._power = DynamicPowerControl()
        super().__init__(_chain(inverter), self._cells(battery), little=True)

    def refuses(self, written: Mapping[str, Number]) -> ExceptionCode | None:
        """The first reason against one of the values."""
        storage, power = self._split(written)
        refusals = [self._power.refuses(name, value) for name, value in power.items()]
        if self._storage:
            refusals += [self._storage.refuses(name, value) for name, value in storage.items()]
        return next((refusal for refusal in refusals if refusal is not None), None)

    def taken(self, written: Mapping[str, Number]) -> None:
        """Obey accepted values."""
        storage, power = self._split(written)
        if storage and self._storage:
            self._storage.write(storage)
        if power:
            self._power.write(power)
        self._obey()

    def advance(self, dt_s: float) -> None:
        """Let time-outs and ramps run for `dt_s`."""
        if self._storage:
            self._storage.advance(dt_s)
        self._power.advance(dt_s)
        self._obey()

    def restart_controls(self) -> None:
        """It starts anew while the connection stays: no limit, and the battery in its default mode."""
        if self._storage:
            self._storage.restart()
        self._power.restart()
        self._obey()

    def _split(self, written: Mapping[str, Number]) -> tuple[dict[str, Number], dict[str, Number]]:
        power = {name: value for name, value in written.items() if name in self._power.values}
        return {name: value for name, value in written.items() if name not in power}, power

    def _obey(self) -> None:
        rating_watts = self._inverter.settings.ac_rating_watts
        limit_watts = rating_watts * self._power.percent / 100 if self._power.enabled else None
        self._inverter.controls = replace(self._inverter.controls, ac_limit_watts=limit_watts)
        if self._storage:
            low_watts, high_watts = self._storage.window(self._clipped_watts())
            self._inverter.controls = replace(
                self._inverter.controls,
                low_watts=low_watts,
                high_watts=high_watts,
                grid_charging=self._storage.charges_from_ac,
                reserve_percent=self._storage.values["backup_reserve"],
            )

    def _clipped_watts(self) -> float:
        """PV power beyond what AC may take."""
        settings, controls = self._inverter.settings, self._inverter.controls
        return max(self._inverter.state.pv_available_watts - to_dc(settings, ac_output_max(settings, controls)), 0.0)

    def _cells(self, battery: BatterySimulation | None) -> list[Cell]:
        rating = Cell("max_active_power", 0xF304, lambda: self._inverter.settings.ac_rating_watts, F32)
        cells = [*_controls(POWER_CONTROL, self._power.values), rating]
        if battery is None or self._storage is None:
            return reserve(cells, POWER_BLOCK)
        cells += _controls(STORAGE_CONTROL, self._storage.values)
        for number, share in enumerate(self._shares):
            cells += _battery(self._inverter, battery, number, share, _fuller_percent(self._shares, number))
        blocks = [(at, at + BLOCK_WORDS) for at in BATTERIES_AT[: len(self._shares)]]
        return reserve(cells, POWER_BLOCK, *blocks)


def _controls(places: tuple[tuple[str, int, Plain], ...], shown: Mapping[str, float]) -> list[Cell]:
    def value(name: str) -> Callable[[], float]:
        return lambda: shown[name]

    return [Cell(name, address, value(name), kind, writable=True) for name, address, kind in places]


def _fuller_percent(shares: tuple[float, ...], number: int) -> float:
    """How much fuller than the whole one of several batteries is, so that the whole is what it is."""
    if len(shares) == 1:
        return 0.0
    return FULLER_PERCENT if number == 0 else -FULLER_PERCENT * shares[0] / (1 - shares[0])


def _battery(
    inverter: SimulatedInverter, battery: BatterySimulation, number: int, share: float, fuller_percent: float
) -> list[Cell]:
    """The block of one battery. Its power is charging +."""

    def soc_percent() -> float:
        return min(max((inverter.soc_percent or 0.0) + fuller_percent, 0.0), 100.0)

    cells = [
        Cell("manufacturer", 0xE100, lambda: "SolarEdge", text(16)),
        Cell("model", 0xE110, lambda: "Home Battery", text(16)),
        Cell("firmware", 0xE120, lambda: "1.0", text(16)),
        Cell("serial", 0xE130, lambda: f"SIM-{inverter.name}-B{number + 1}", text(16)),
        Cell("device_id", 0xE140, lambda: 15),
        Cell("rated_energy", 0xE142, lambda: share * battery.capacity_wh, F32),
        Cell("max_charge_power", 0xE144, lambda: share * battery.charge_watts, F32),
        Cell("max_discharge_power", 0xE146, lambda: share * battery.discharge_watts, F32),
        Cell("max_charge_peak_power", 0xE148, lambda: share * battery.charge_watts, F32),
        Cell("max_discharge_peak_power", 0xE14A, lambda: share * battery.discharge_watts, F32),
        Cell("average_temperature", 0xE16C, lambda: BATTERY_CELSIUS, F32),
        Cell("max_temperature", 0xE16E, lambda: BATTERY_CELSIUS, F32),
        Cell("voltage", 0xE170, lambda: values.BATTERY_VOLTS, F32),
        Cell("current", 0xE172, lambda: share * inverter.state.battery_watts / values.BATTERY_VOLTS, F32),
        Cell("power", 0xE174, lambda: share * inverter.state.battery_watts, F32),
        Cell("discharged_energy", 0xE176, lambda: share * inverter.discharged_wh, U64),
        Cell("charged_energy", 0xE17A, lambda: share * inverter.charged_wh, U64),
        Cell("max_energy", 0xE17E, lambda: share * battery.capacity_wh, F32),
        Cell("available_energy", 0xE180, lambda: share * battery.capacity_wh * soc_percent() / 100, F32),
        Cell("health", 0xE182, lambda: 100.0, F32),
        Cell("charge", 0xE184, soc_percent, F32),
        Cell("status", 0xE186, lambda: STATES[inverter.charge_state], U32),
    ]
    by = BATTERIES_AT[number] - BATTERIES_AT[0]
    return [moved(cell, name=f"battery {number + 1} {cell.name}", address=cell.address + by) for cell in cells]


def _chain(inverter: SimulatedInverter) -> RegisterMap:
    model = "SE-RWS Hybrid" if inverter.settings.battery else "SE"
    common: Mapping[str, Value] = {**values.common(inverter), "Mn": "SolarEdge", "Md": model}
    return RegisterMap(
        [(tables.COMMON_WITHOUT_PAD, lambda: common), (tables.INVERTER, lambda: _measurements(inverter))]
    )


def _measurements(inverter: SimulatedInverter) -> Mapping[str, Value]:
    state = inverter.state
    dc_watts = state.pv_watts - state.battery_watts
    return {
        **values.measurements(inverter),
        "W_SF": fitting_scale(abs(state.ac_watts), -2),
        "DCW_SF": fitting_scale(abs(dc_watts), -2),
    }
