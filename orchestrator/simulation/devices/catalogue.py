"""The virtual devices of makes, by the name that `make` has for them in the sections of `simulation:`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from orchestrator.simulation.devices.makes.fronius.gen24 import FroniusGen24
from orchestrator.simulation.devices.makes.fronius.symo_hybrid import FroniusSymoHybrid
from orchestrator.simulation.devices.makes.goodwe.et import GoodweEt
from orchestrator.simulation.devices.makes.huawei.luna import HuaweiLuna
from orchestrator.simulation.devices.makes.kostal.plenticore import KostalPlenticore
from orchestrator.simulation.devices.makes.remote.foxess.h3 import FoxessH3
from orchestrator.simulation.devices.makes.remote.foxess.smart import FoxessSmart
from orchestrator.simulation.devices.makes.remote.growatt.hybrid import GrowattHybrid
from orchestrator.simulation.devices.makes.remote.sigenergy.plant import SigenergyPlant
from orchestrator.simulation.devices.makes.remote.sofar.hyd import SofarHyd
from orchestrator.simulation.devices.makes.remote.solax.gen4 import SolaxGen4
from orchestrator.simulation.devices.makes.remote.solis.hybrid import SolisHybrid
from orchestrator.simulation.devices.makes.sma.hybrid import SmaHybrid
from orchestrator.simulation.devices.makes.solaredge.storedge import SolarEdgeStorEdge
from orchestrator.simulation.devices.makes.sungrow.sh import SungrowSh
from orchestrator.simulation.devices.makes.victron.gx import VictronGx
from orchestrator.simulation.devices.makes.watched.alphaess import AlphaEssSmile
from orchestrator.simulation.devices.makes.watched.deye import DeyeHighVoltage, DeyeLowVoltage
from orchestrator.simulation.devices.makes.watched.givenergy import GivEnergyHybrid
from orchestrator.simulation.devices.makes.watched.saj import SajH2
from orchestrator.simulation.devices.makes.watched.sunsynk import SunsynkSinglePhase
from orchestrator.simulation.devices.meters.behind_inverters import (
    GoodweMeter,
    HuaweiMeter,
    SmaHomeManager,
    SmaMeter,
    SungrowMeter,
    VictronGrid,
)
from orchestrator.simulation.devices.meters.carlo_gavazzi import Em24, Em24Ethernet, Em340
from orchestrator.simulation.devices.meters.eastron import Sdm72, Sdm630
from orchestrator.simulation.devices.meters.janitza import Umg
from orchestrator.simulation.devices.meters.kostal import Ksem
from orchestrator.simulation.devices.meters.schneider import Iem3000
from orchestrator.simulation.devices.meters.shelly import Pro3Em
from orchestrator.simulation.devices.meters.siemens import Pac2200
from orchestrator.simulation.devices.sunspec.register_map import Device
from orchestrator.simulation.plant.inverter import SimulatedInverter
from orchestrator.simulation.plant.meter import SimulatedMeter

MAKES: Final[Mapping[str, Callable[[SimulatedInverter], Device]]] = MappingProxyType(
    {
        "alphaess-smile": AlphaEssSmile,
        "deye-3p-hv": DeyeHighVoltage,
        "deye-3p-lv": DeyeLowVoltage,
        "foxess-h3": FoxessH3,
        "foxess-h3-smart": FoxessSmart,
        "fronius-gen24": FroniusGen24,
        "fronius-symo-hybrid": FroniusSymoHybrid,
        "givenergy-gen3": GivEnergyHybrid,
        "goodwe-et": GoodweEt,
        "growatt-mod": GrowattHybrid,
        "huawei-luna": HuaweiLuna,
        "kostal-plenticore": KostalPlenticore,
        "saj-h2": SajH2,
        "sigenergy": SigenergyPlant,
        "sma": SmaHybrid,
        "sofar-hyd": SofarHyd,
        "solaredge-storedge": SolarEdgeStorEdge,
        "solax-gen4": SolaxGen4,
        "solis-hybrid": SolisHybrid,
        "sungrow-sh": SungrowSh,
        "sunsynk-1p": SunsynkSinglePhase,
        "victron-gx": VictronGx,
    }
)

METERS: Final[Mapping[str, Callable[[SimulatedMeter], Device]]] = MappingProxyType(
    {
        "carlo-gavazzi-em24": Em24,
        "carlo-gavazzi-em24-e1": Em24Ethernet,
        "carlo-gavazzi-em340": Em340,
        "eastron-sdm630": Sdm630,
        "eastron-sdm72": Sdm72,
        "goodwe-et": GoodweMeter,
        "huawei-luna": HuaweiMeter,
        "janitza-umg": Umg,
        "kostal-ksem": Ksem,
        "schneider-iem3000": Iem3000,
        "shelly-pro-3em": Pro3Em,
        "siemens-pac2200": Pac2200,
        "sma": SmaMeter,
        "sma-home-manager": SmaHomeManager,
        "sungrow-sh": SungrowMeter,
        "victron-gx-grid": VictronGrid,
    }
)
