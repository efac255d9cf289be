"""What a simulated inverter shows in its measuring and nameplate models: point names and values, scale factors too.

A point that is left out is not implemented by this device.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orchestrator.simulation.devices.sunspec.words import Value, fitting_scale
from orchestrator.simulation.plant.inverter import SimulatedInverter

Values = Mapping[str, Value]
PHASE_VOLTS, PHASES, FREQUENCY_HZ = 230.0, 3, 50.0
LINE_VOLTS = 398.4
STRING_VOLTS, BATTERY_VOLTS = 580.0, 400.0
STRING_SHARES = (0.6, 0.4)
"""How the PV is spread over the two strings of an inverter."""
PV, STORAGE, PV_AND_STORAGE = 4, 80, 82
CONNECTED, AVAILABLE, OPERATING = 1, 2, 4
NO_EVENTS = 0


class DcInput(NamedTuple):
    """One module of model 160, which has no signs: `watts` >= 0. `energy_wh` is a counter; None is not implemented."""

    name: str
    volts: float
    watts: float
    energy_wh: float | None


def common(inverter: SimulatedInverter) -> Values:
    """Model 1."""
    return {
        "Mn": "Virtual",
        "Md": "Hybrid" if inverter.settings.battery else "PV",
        "Vr": "1.0",
        "SN": f"SIM-{inverter.name}",
        "DA": 1,
    }


def measurements(inverter: SimulatedInverter) -> Values:
    """Model 103."""
    state, rating_watts = inverter.state, inverter.settings.ac_rating_watts
    dc_watts = state.pv_watts - state.battery_watts
    phase_amps = abs(state.ac_watts) / PHASE_VOLTS / PHASES
    watts_scale = fitting_scale(1.1 * rating_watts, 0)
    return {
        **{"A": phase_amps * PHASES, "AphA": phase_amps, "AphB": phase_amps, "AphC": phase_amps},
        "A_SF": fitting_scale(1.1 * rating_watts / PHASE_VOLTS, -2),
        **{"PPVphAB": LINE_VOLTS, "PPVphBC": LINE_VOLTS, "PPVphCA": LINE_VOLTS},
        **{"PhVphA": PHASE_VOLTS, "PhVphB": PHASE_VOLTS, "PhVphC": PHASE_VOLTS, "V_SF": -1},
        **{"W": state.ac_watts, "W_SF": watts_scale, "Hz": FREQUENCY_HZ, "Hz_SF": -2},
        **{"VA": abs(state.ac_watts), "VA_SF": watts_scale, "VAr": 0.0, "VAr_SF": watts_scale},
        **{"PF": 1.0, "PF_SF": -2, "WH": inverter.generated_wh, "WH_SF": 0},
        **{"DCW": dc_watts, "DCW_SF": fitting_scale(1.2 * rating_watts, 0)},
        **{"TmpCab": 38.5, "Tmp_SF": -1, "St": inverter.operating_state, "Evt1": NO_EVENTS, "Evt2": NO_EVENTS},
    }


def nameplate(inverter: SimulatedInverter) -> Values:
    """Model 120."""
    settings, battery = inverter.settings, inverter.settings.battery
    scale = fitting_scale(settings.ac_rating_watts, 0)
    values: dict[str, Value] = {
        "DERTyp": PV if battery is None else PV_AND_STORAGE if settings.pv_peak_watts else STORAGE,
        **{"WRtg": settings.ac_rating_watts, "WRtg_SF": scale, "VARtg": settings.ac_rating_watts, "VARtg_SF": scale},
        "ARtg": settings.ac_rating_watts / PHASE_VOLTS / PHASES,
        "ARtg_SF": fitting_scale(settings.ac_rating_watts / PHASE_VOLTS, -1),
    }
    if battery is not None:
        values |= {
            **{"WHRtg": battery.capacity_wh, "WHRtg_SF": fitting_scale(battery.capacity_wh, 0)},
            **{"MaxChaRte": battery.charge_watts, "MaxChaRte_SF": fitting_scale(battery.charge_watts, 0)},
            **{"MaxDisChaRte": battery.discharge_watts, "MaxDisChaRte_SF": fitting_scale(battery.discharge_watts, 0)},
        }
    return values


def settings(inverter: SimulatedInverter) -> Values:
    """Model 121."""
    rating_watts = inverter.settings.ac_rating_watts
    scale = fitting_scale(rating_watts, 0)
    return {
        **{"WMax": rating_watts, "WMax_SF": scale, "VAMax": rating_watts, "VAMax_SF": scale},
        **{"VRef": PHASE_VOLTS, "VRef_SF": 0, "VRefOfs": 0, "VRefOfs_SF": 0},
        **{"WGra": inverter.settings.ramp_percent_per_s, "WGra_SF": 0, "ECPNomHz": FREQUENCY_HZ, "ECPNomHz_SF": 0},
    }


def status(inverter: SimulatedInverter) -> Values:
    """Model 122."""
    working = CONNECTED | AVAILABLE | OPERATING
    limited = inverter.controls.ac_limit_watts is not None
    return {
        "PVConn": working if inverter.state.pv_available_watts > 0 else CONNECTED,
        "StorConn": working if inverter.settings.battery else 0,
        "ECPConn": int(inverter.controls.connected),
        **{"ActWh": inverter.generated_wh, "StSetLimMsk": 0, "StActCtl": int(limited)},
    }


def mppt(inverter: SimulatedInverter, inputs: Sequence[DcInput]) -> Values:
    """Model 160 with these inputs."""
    largest_watts = max(inverter.settings.pv_peak_watts * max(STRING_SHARES), _battery_watts_max(inverter))
    values: dict[str, Value] = {
        **{"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": fitting_scale(largest_watts, -1), "DCWH_SF": 0},
        **{"Evt": NO_EVENTS, "N": len(inputs), "TmsPer": 0},
    }
    for index, (name, volts, watts, energy_wh) in enumerate(inputs):
        values |= {
            **{f"{index}.ID": index + 1, f"{index}.IDStr": f"{name} {index + 1}"},
            **{f"{index}.DCA": watts / volts, f"{index}.DCV": volts, f"{index}.DCW": watts},
            **{f"{index}.DCWH": energy_wh, f"{index}.DCSt": inverter.operating_state, f"{index}.DCEvt": NO_EVENTS},
        }
    return values


def dc_inputs(inverter: SimulatedInverter, string_name: str = "String") -> list[DcInput]:
    """The PV strings, and for a battery one input that charges and one that discharges."""
    state = inverter.state
    inputs = []
    if inverter.settings.pv_peak_watts > 0:
        for share in STRING_SHARES:
            inputs.append(DcInput(string_name, STRING_VOLTS, state.pv_watts * share, inverter.pv_wh * share))
    if inverter.settings.battery is not None:
        inputs.append(DcInput("StCha", BATTERY_VOLTS, max(state.battery_watts, 0.0), inverter.charged_wh))
        inputs.append(DcInput("StDisCha", BATTERY_VOLTS, max(-state.battery_watts, 0.0), inverter.discharged_wh))
    return inputs


def _battery_watts_max(inverter: SimulatedInverter) -> float:
    battery = inverter.settings.battery
    return 0.0 if battery is None else max(battery.charge_watts, battery.discharge_watts)
