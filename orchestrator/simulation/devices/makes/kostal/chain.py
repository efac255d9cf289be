"""The SunSpec chain of a KOSTAL PLENTICORE: 1, 103, 113, 120, 123, 160 and, with a battery, 802.

From "KOSTAL Interface MODBUS (TCP) & SunSpec". Model 160 always has three DC inputs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from orchestrator.config.simulation import BatterySimulation
from orchestrator.simulation.devices.makes.kostal import tables as tables_kostal
from orchestrator.simulation.devices.sunspec import tables, values
from orchestrator.simulation.devices.sunspec.model import Model
from orchestrator.simulation.devices.sunspec.register_map import RegisterMap
from orchestrator.simulation.devices.sunspec.words import Value, fitting_scale
from orchestrator.simulation.plant.inverter import SimulatedInverter

INPUT_SHARES = (*values.STRING_SHARES, 0.0)
BLANK_OPTIONS = " " * 16


def chain(inverter: SimulatedInverter, controls: Callable[[], Mapping[str, Value]]) -> RegisterMap:
    """The chain of `inverter`; `controls` gives the points of model 123."""
    battery = inverter.settings.battery
    models: list[tuple[Model, Callable[[], Mapping[str, Value]]]] = [
        (tables.COMMON, lambda: _common(inverter)),
        (tables.INVERTER, lambda: values.measurements(inverter)),
        (tables_kostal.INVERTER_FLOAT, lambda: _floats(inverter)),
        (tables.NAMEPLATE, lambda: values.nameplate(inverter)),
        (tables.CONTROLS, controls),
        (tables.mppt(len(INPUT_SHARES)), lambda: _inputs(inverter)),
    ]
    if battery is not None:
        models.append((tables_kostal.BATTERY, lambda: _battery(inverter, battery)))
    return RegisterMap(models)


def _common(inverter: SimulatedInverter) -> Mapping[str, Value]:
    return {**values.common(inverter), "Mn": "KOSTAL", "Md": "PLENTICORE plus", "Opt": BLANK_OPTIONS}


def _floats(inverter: SimulatedInverter) -> Mapping[str, Value]:
    """Model 113 from what model 103 says."""
    shown = values.measurements(inverter)
    names = {point.name for point in tables_kostal.INVERTER_FLOAT.points if point.kind is tables_kostal.FLOAT}
    floats: dict[str, Value] = {
        name: tables_kostal.bits(value)
        for name, value in shown.items()
        if name in names and isinstance(value, int | float)
    }
    return {**floats, "St": shown["St"], "Evt1": shown["Evt1"], "Evt2": shown["Evt2"]}


def _inputs(inverter: SimulatedInverter) -> Mapping[str, Value]:
    shown: dict[str, Value] = {
        **{"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": fitting_scale(inverter.settings.pv_peak_watts, 0), "DCWH_SF": 0},
        **{"Evt": values.NO_EVENTS, "N": len(INPUT_SHARES), "TmsPer": 0},
    }
    for index, share in enumerate(INPUT_SHARES):
        watts = inverter.state.pv_watts * share
        shown |= {
            **{f"{index}.ID": index + 1, f"{index}.IDStr": f"DC_STRING{index + 1}"},
            **{f"{index}.DCA": watts / values.STRING_VOLTS, f"{index}.DCV": values.STRING_VOLTS, f"{index}.DCW": watts},
            **{f"{index}.DCEvt": values.NO_EVENTS},
        }
    return shown


def _battery(inverter: SimulatedInverter, battery: BatterySimulation) -> Mapping[str, Value]:
    """Model 802. W is discharging +, as KOSTAL shows it."""
    rate_scale = fitting_scale(max(battery.charge_watts, battery.discharge_watts), 0)
    return {
        **{"WHRtg": battery.capacity_wh, "WHRtg_SF": fitting_scale(battery.capacity_wh, 0)},
        **{"WChaRteMax": battery.charge_watts, "WDisChaRteMax": battery.discharge_watts},
        **{"WChaDisChaMax_SF": rate_scale, "SoC": inverter.soc_percent, "SoC_SF": 0, "ChaSt": inverter.charge_state},
        **{"V": values.BATTERY_VOLTS, "V_SF": 0, "W": -inverter.state.battery_watts, "W_SF": rate_scale},
    }
