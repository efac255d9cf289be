"""The virtual devices of makes, by the name that `simulation.inverters.<name>.make` has for them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from orchestrator.simulation.devices.fronius_gen24 import FroniusGen24
from orchestrator.simulation.devices.fronius_symo_hybrid import FroniusSymoHybrid
from orchestrator.simulation.devices.goodwe_et import GoodweEt
from orchestrator.simulation.devices.huawei_luna import HuaweiLuna
from orchestrator.simulation.devices.kostal_plenticore import KostalPlenticore
from orchestrator.simulation.devices.register_map import Device
from orchestrator.simulation.devices.sma import SmaHybrid
from orchestrator.simulation.devices.solaredge_storedge import SolarEdgeStorEdge
from orchestrator.simulation.devices.sungrow_sh import SungrowSh
from orchestrator.simulation.devices.victron_gx import VictronGx
from orchestrator.simulation.inverter import SimulatedInverter

MAKES: Final[Mapping[str, Callable[[SimulatedInverter], Device]]] = MappingProxyType(
    {
        "fronius-gen24": FroniusGen24,
        "fronius-symo-hybrid": FroniusSymoHybrid,
        "goodwe-et": GoodweEt,
        "huawei-luna": HuaweiLuna,
        "kostal-plenticore": KostalPlenticore,
        "sma": SmaHybrid,
        "solaredge-storedge": SolarEdgeStorEdge,
        "sungrow-sh": SungrowSh,
        "victron-gx": VictronGx,
    }
)
