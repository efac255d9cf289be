"""What a simulated inverter shows in its models of the 700 series. A point that is left out is not implemented."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil

from orchestrator.simulation.devices.sunspec.der_controls import FULL, DerControls
from orchestrator.simulation.devices.sunspec.values import (
    BATTERY_VOLTS,
    FREQUENCY_HZ,
    LINE_VOLTS,
    NO_EVENTS,
    PHASE_VOLTS,
    PHASES,
    STRING_SHARES,
    STRING_VOLTS,
)
from orchestrator.simulation.devices.sunspec.words import Value, fitting_scale
from orchestrator.simulation.plant.inverter import SimulatedInverter

Values = Mapping[str, Value]
THREE_PHASE, ON = 2, 1
LIMITS_POWER, SETS_POWER = 1, 2
"""CtrlModes: MAX_W and FIXED_W."""
PV_PORT, STORAGE_PORT = 0, 1


@dataclass(frozen=True, slots=True)
class Port:
    """One DC port; `watts` + into the inverter, energies since ever."""

    kind: int
    name: str
    volts: float
    watts: float
    given_wh: float
    taken_wh: float


def sets_power(inverter: SimulatedInverter) -> bool:
    """Whether the power of the whole inverter can be set: it has a battery, and no PV that this would throttle."""
    return inverter.settings.battery is not None and inverter.settings.pv_peak_watts == 0


def measure_ac(inverter: SimulatedInverter) -> Values:
    """Model 701."""
    state, rating_watts = inverter.state, inverter.settings.ac_rating_watts
    scale = fitting_scale(1.1 * rating_watts, 0)
    phase_amps = state.ac_watts / PHASE_VOLTS / PHASES
    values: dict[str, Value] = {
        **{"ACType": THREE_PHASE, "St": ON, "InvSt": inverter.operating_state - 1},
        **{"ConnSt": int(inverter.controls.connected), "Alrm": NO_EVENTS, "DERMode": NO_EVENTS},
        **{"W": state.ac_watts, "W_SF": scale, "VA": abs(state.ac_watts), "VA_SF": scale, "Var": 0.0, "Var_SF": scale},
        **{"PF": 1.0, "PF_SF": -3, "A": PHASES * phase_amps, "A_SF": fitting_scale(rating_watts / PHASE_VOLTS, -2)},
        **{"LLV": LINE_VOLTS, "LNV": PHASE_VOLTS, "V_SF": -1, "Hz": FREQUENCY_HZ, "Hz_SF": -3},
        **{"TotWhInj": inverter.generated_wh, "TotWh_SF": 0, "TmpCab": 38.5, "Tmp_SF": -1},
        **{"ThrotSrc": int(inverter.state.curtailed)},
    }
    for phase in ("L1", "L2", "L3"):
        values |= {f"W{phase}": state.ac_watts / PHASES, f"A{phase}": phase_amps, f"V{phase}": PHASE_VOLTS}
    return values


def capacity(inverter: SimulatedInverter) -> Values:
    """Model 702."""
    settings, battery = inverter.settings, inverter.settings.battery
    powers = [settings.ac_rating_watts, *((battery.charge_watts, battery.discharge_watts) if battery else ())]
    scale = fitting_scale(max(powers), 0)
    values: dict[str, Value] = {
        **{"WMaxRtg": settings.ac_rating_watts, "WMax": settings.ac_rating_watts, "W_SF": scale},
        **{"VAMaxRtg": settings.ac_rating_watts, "VAMax": settings.ac_rating_watts, "VA_SF": scale},
        **{"VNomRtg": PHASE_VOLTS, "VNom": PHASE_VOLTS, "V_SF": 0},
        "CtrlModes": LIMITS_POWER | (SETS_POWER if sets_power(inverter) else 0),
    }
    if battery is not None:
        values |= {
            **{"WChaRteMaxRtg": battery.charge_watts, "WDisChaRteMaxRtg": battery.discharge_watts},
            **{"WChaRteMax": battery.charge_watts, "WDisChaRteMax": battery.discharge_watts},
        }
    return values


def controls(state: DerControls) -> Values:
    """Model 704."""
    raw = state.raw
    percents = {name: 100.0 * raw[name] / FULL for name in ("WMaxLimPct", "WMaxLimPctRvrt")}
    values: dict[str, Value] = {**raw, **percents, "WMaxLimPct_SF": -1, "WMaxLimPctRvrtRem": ceil(state.limit_left_s)}
    return values | ({"WSet_SF": 0, "WSetRvrtRem": ceil(state.set_left_s)} if "WSet" in raw else {})


def storage_capacity(inverter: SimulatedInverter) -> Values:
    """Model 713."""
    battery = inverter.settings.battery
    if battery is None:
        return {}
    return {
        **{"WHRtg": battery.capacity_wh, "WHAvail": inverter.state.stored_wh},
        "WH_SF": fitting_scale(battery.capacity_wh, 0),
        **{"SoC": inverter.soc_percent, "SoH": 100.0, "Pct_SF": -2, "Sta": NO_EVENTS},
    }


def measure_dc(inverter: SimulatedInverter) -> Values:
    """Model 714."""
    settings, all_ports = inverter.settings, ports(inverter)
    largest_watts = max(settings.pv_peak_watts, 1.2 * settings.ac_rating_watts)
    values: dict[str, Value] = {
        **{"PrtAlrms": NO_EVENTS, "NPrt": len(all_ports), "DCW": sum(port.watts for port in all_ports)},
        **{"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": fitting_scale(largest_watts, -1), "DCWH_SF": 0},
    }
    for index, port in enumerate(all_ports):
        values |= {
            **{f"{index}.PrtTyp": port.kind, f"{index}.ID": index + 1, f"{index}.IDStr": port.name},
            **{f"{index}.DCA": port.watts / port.volts, f"{index}.DCV": port.volts, f"{index}.DCW": port.watts},
            **{f"{index}.DCWhInj": port.given_wh, f"{index}.DCWhAbs": port.taken_wh, f"{index}.DCSta": ON},
        }
    return values


def ports(inverter: SimulatedInverter) -> list[Port]:
    """The DC ports. The battery comes first: its place says nothing."""
    state, found = inverter.state, []
    if inverter.settings.battery is not None:
        energies = (inverter.discharged_wh, inverter.charged_wh)
        found.append(Port(STORAGE_PORT, "Battery", BATTERY_VOLTS, 0.0 - state.battery_watts, *energies))
    if inverter.settings.pv_peak_watts > 0:
        for number, share in enumerate(STRING_SHARES, start=1):
            pv_wh = inverter.pv_wh * share
            found.append(Port(PV_PORT, f"String {number}", STRING_VOLTS, state.pv_watts * share, pv_wh, 0.0))
    return found
