"""What discovery found, as one frozen record that every later read, decode and encode starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from orchestrator.devices.base import ReadRequest
from orchestrator.devices.capabilities import Capabilities
from orchestrator.devices.sunspec.enums import GridCharging
from orchestrator.samples import Nameplate

COMMON: Final = 1
NAMEPLATE: Final = 120
SETTINGS: Final = 121
CONTROLS: Final = 123
STORAGE: Final = 124
MPPT: Final = 160
DER_AC: Final = 701
DER_CAPACITY: Final = 702
DER_CONTROLS: Final = 704
DER_STORAGE: Final = 713
DER_DC: Final = 714
BATTERY: Final = 802
INVERTERS: Final = (101, 102, 103, 111, 112, 113, DER_AC)
"""Models that say AC power, the preferred ones first: where a map has both, 1xx stays what it was before 7xx came."""
METERS: Final = (201, 202, 203, 204, 211, 212, 213, 214)
WRITTEN: Final = (CONTROLS, STORAGE, DER_CONTROLS)
"""The models that are ever written to."""


class ModuleKind(StrEnum):
    """What hangs on one DC input. UNKNOWN: its IDStr (model 160) or its type (714) could not be read.

    CHARGE and DISCHARGE are the two unsigned modules of one battery in model 160; STORAGE is a battery's signed port of
    model 714, OTHER a port of 714 that is neither PV nor a battery.
    """

    PV = "pv"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    STORAGE = "storage"
    OTHER = "other"
    UNKNOWN = "unknown"


BATTERY_KINDS: Final = (ModuleKind.CHARGE, ModuleKind.DISCHARGE, ModuleKind.STORAGE)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model in the chain: `address` is that of its id word, `length` the L word that follows it."""

    id: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class DcModule:
    """One DC input: a module of a model 160, or a port of a model 714.

    `address` is that of its first word, `model_address` that of its model's id word.
    """

    address: int
    model_address: int
    kind: ModuleKind
    model_id: int = MPPT


@dataclass(frozen=True, slots=True)
class SunSpecDevice:
    """One device of a SunSpec map. The models we use are fields; None where the device has none, or an unusable one.

    `implemented` names the static and control points that the device implements ("124.OutWRte"), `scale_factors` their
    scale factors ("123.WMaxLimPct_SF"). `rated_watts` is the AC rating that readings are checked against,
    `ac_reference_watts` is what 100 % of WMaxLimPct means (for model 123: 121 WMax, else 120 WRtg; for 704: 702 WMax,
    else WMaxRtg), `storage_reference_watts` what 100 % of InWRte and OutWRte means (124 WChaMax).
    `storage` is set only where model 124 can really be used, `energy` is a usable 713, `bank` a usable 802.
    `limits_by` is the model that the AC limit is written to, `commands_battery_by` that of battery power.
    `found_grid_charging` is the ChaGriSet that is put back when a command leaves it open. `doubtful` are models that
    are there and could not be used when the device was found. `reads` is the plan of one cycle.
    """

    base: int
    models: tuple[FoundModel, ...]
    nameplate: Nameplate
    inverter: FoundModel | None = None
    meter: FoundModel | None = None
    controls: FoundModel | None = None
    storage: FoundModel | None = None
    der_controls: FoundModel | None = None
    energy: FoundModel | None = None
    bank: FoundModel | None = None
    modules: tuple[DcModule, ...] = ()
    implemented: frozenset[str] = frozenset()
    scale_factors: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    rated_watts: float | None = None
    ac_reference_watts: float | None = None
    storage_reference_watts: float | None = None
    limits_by: int | None = None
    commands_battery_by: int | None = None
    found_grid_charging: GridCharging | None = None
    doubtful: tuple[FoundModel, ...] = ()
    capabilities: Capabilities = field(default_factory=Capabilities)
    reads: tuple[ReadRequest, ...] = ()

    @property
    def is_meter(self) -> bool:
        """Whether it measures and does not generate."""
        return self.meter is not None and self.inverter is None

    @property
    def has_pv(self) -> bool:
        """False for a battery inverter: all its DC inputs are known to be its battery's."""
        return not self.modules or any(module.kind not in BATTERY_KINDS for module in self.modules)

    @property
    def has_battery(self) -> bool:
        """Whether a battery hangs on the DC side: a model of a battery that is in use, or inputs that are its own."""
        if self.storage is not None or self.energy is not None or self.bank is not None:
            return True
        return any(module.kind in BATTERY_KINDS for module in self.modules)
