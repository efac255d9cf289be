"""What discovery found, as one frozen record that every later read, decode and encode starts from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from orchestrator.drivers.base import Capabilities, ReadRequest
from orchestrator.samples import Nameplate
from orchestrator.sunspec.enums import GridCharging

COMMON: Final = 1
INVERTERS: Final = (101, 102, 103, 111, 112, 113)
NAMEPLATE: Final = 120
SETTINGS: Final = 121
CONTROLS: Final = 123
STORAGE: Final = 124
MPPT: Final = 160
METERS: Final = (201, 202, 203, 204, 211, 212, 213, 214)


class ModuleKind(StrEnum):
    """What hangs on one DC input of model 160. UNKNOWN: its IDStr could not be read."""

    PV = "pv"
    CHARGE = "charge"
    DISCHARGE = "discharge"
    UNKNOWN = "unknown"


BATTERY_KINDS: Final = (ModuleKind.CHARGE, ModuleKind.DISCHARGE)


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model in the chain: `address` is that of its id word, `length` the L word that follows it."""

    id: int
    address: int
    length: int


@dataclass(frozen=True, slots=True)
class DcModule:
    """One module of a model 160: the address of its first word, and that of its model's id word."""

    address: int
    model_address: int
    kind: ModuleKind


@dataclass(frozen=True, slots=True)
class SunSpecDevice:
    """One device of a SunSpec map. The models we use are fields; None where the device has none, or an unusable one.

    `implemented` names the static and control points that the device implements ("124.OutWRte"), `scale_factors` their
    scale factors ("123.WMaxLimPct_SF"). `rated_watts` is the AC rating that readings are checked against,
    `ac_reference_watts` is what 100 % of WMaxLimPct means (model 121 WMax, else
    120 WRtg), `storage_reference_watts` what 100 % of InWRte and OutWRte means (124 WChaMax).
    `storage` is set only where model 124 can really be used. `found_grid_charging` is the ChaGriSet that is put back
    when a command leaves it open. `reads` is the plan of one cycle.
    """

    base: int
    models: tuple[FoundModel, ...]
    nameplate: Nameplate
    inverter: FoundModel | None = None
    meter: FoundModel | None = None
    controls: FoundModel | None = None
    storage: FoundModel | None = None
    modules: tuple[DcModule, ...] = ()
    implemented: frozenset[str] = frozenset()
    scale_factors: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    rated_watts: float | None = None
    ac_reference_watts: float | None = None
    storage_reference_watts: float | None = None
    found_grid_charging: GridCharging | None = None
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
