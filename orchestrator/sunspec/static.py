"""Which points discovery has to read once, model by model, and the device that follows from their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from orchestrator.drivers.base import Registers
from orchestrator.samples import Nameplate
from orchestrator.sunspec.capabilities import PERCENT_SCALES, capabilities
from orchestrator.sunspec.device import (
    COMMON,
    CONTROLS,
    INVERTERS,
    METERS,
    MPPT,
    NAMEPLATE,
    SETTINGS,
    STORAGE,
    DcModule,
    FoundModel,
    ModuleKind,
    SunSpecDevice,
)
from orchestrator.sunspec.enums import GridCharging
from orchestrator.sunspec.models import MODELS
from orchestrator.sunspec.reads import with_plan
from orchestrator.sunspec.registers import read_raw, read_scale, read_value

STATIC_POINTS: Final[dict[int, tuple[str, ...]]] = {
    COMMON: ("Mn", "Md", "Vr", "SN"),
    NAMEPLATE: (
        *("WRtg", "WRtg_SF", "WHRtg", "WHRtg_SF"),
        *("MaxChaRte", "MaxChaRte_SF", "MaxDisChaRte", "MaxDisChaRte_SF"),
    ),
    SETTINGS: ("WMax", "WMax_SF"),
    CONTROLS: (
        *("Conn_WinTms", "Conn_RvrtTms", "Conn"),
        *("WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena"),
        "WMaxLimPct_SF",
    ),
    STORAGE: (
        *("WChaMax", "StorCtl_Mod", "ChaState", "OutWRte", "InWRte"),
        *("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms", "ChaGriSet"),
        *("WChaMax_SF", "ChaState_SF", "InOutWRte_SF"),
    ),
}
"""Model 160 is missing here because its static points, the names of its modules, repeat."""

STORAGE_NEEDS: Final = ("124.WChaMax", "124.ChaState", "124.OutWRte", "124.InWRte", "124.StorCtl_Mod")
"""Presence of model 124 proves nothing: a PV-only SMA publishes it with nothing but StorCtl_Mod = 0."""


def build_device(base: int, models: tuple[FoundModel, ...], words: Registers) -> SunSpecDevice:
    """The device that the chain and the words of its static points describe."""
    first = _first_of_each(models)
    implemented = frozenset(_implemented(first.values(), words))
    ratings = _ratings(first, words)
    storage = _usable_storage(first.get(STORAGE), implemented, words)
    device = SunSpecDevice(
        base=base,
        models=models,
        nameplate=_nameplate(first, words, ratings),
        inverter=next((first[model_id] for model_id in first if model_id in INVERTERS), None),
        meter=next((first[model_id] for model_id in first if model_id in METERS), None),
        controls=first.get(CONTROLS),
        storage=storage,
        modules=tuple(_modules(models, words)),
        implemented=implemented,
        scale_factors=MappingProxyType(dict(_scale_factors(first.values(), words))),
        rated_watts=ratings.get("120.WRtg") or ratings.get("121.WMax"),
        ac_reference_watts=ratings.get("121.WMax") or ratings.get("120.WRtg"),
        storage_reference_watts=ratings.get("124.WChaMax") if storage else None,
        found_grid_charging=_grid_charging(storage, words),
    )
    device = replace(_nameless_are_pv(device), capabilities=capabilities(device))
    return with_plan(device)


def module_kind(name: str | None) -> ModuleKind:
    """What a module is by its IDStr: "StCha 3" takes the battery's charging, "StDisCha 4" its discharging (Fronius)."""
    if name is None:
        return ModuleKind.UNKNOWN
    if name.startswith("StDisCha"):
        return ModuleKind.DISCHARGE
    return ModuleKind.CHARGE if name.startswith("StCha") else ModuleKind.PV


def _first_of_each(models: tuple[FoundModel, ...]) -> dict[int, FoundModel]:
    first: dict[int, FoundModel] = {}
    for model in models:
        if model.id in MODELS and _length_fits(model):
            first.setdefault(model.id, model)
    return first


def _length_fits(model: FoundModel) -> bool:
    """A model that is shorter than its layout is not that model; what we write to must have exactly its length."""
    if model.id in (CONTROLS, STORAGE):
        return model.length == MODELS[model.id].length
    return model.length >= MODELS[model.id].length - (1 if model.id == COMMON else 0)


def _implemented(models: Iterable[FoundModel], words: Registers) -> Iterator[str]:
    for model in models:
        for name in STATIC_POINTS.get(model.id, ()):
            if read_raw(words, model.address, MODELS[model.id][name]) is not None:
                yield f"{model.id}.{name}"


def _scale_factors(models: Iterable[FoundModel], words: Registers) -> Iterator[tuple[str, int]]:
    for model in models:
        for name in STATIC_POINTS.get(model.id, ()):
            if name.endswith("_SF"):
                scale = read_scale(words, model.address + MODELS[model.id][name].offset)
                if scale is not None:
                    yield f"{model.id}.{name}", scale


def _ratings(first: dict[int, FoundModel], words: Registers) -> dict[str, float]:
    """Ratings by point name, only those that are above zero: a rating of 0 says nothing."""
    wanted = ("120.WRtg", "120.WHRtg", "120.MaxChaRte", "120.MaxDisChaRte", "121.WMax", "124.WChaMax")
    ratings: dict[str, float] = {}
    for label in wanted:
        model_id, name = int(label[:3]), label[4:]
        if model_id in first:
            value = read_value(words, first[model_id].address, MODELS[model_id][name])
            if value is not None and value > 0:
                ratings[label] = value
    return ratings


def _nameplate(first: dict[int, FoundModel], words: Registers, ratings: dict[str, float]) -> Nameplate:
    common = first.get(COMMON)

    def text(name: str) -> str:
        return "" if common is None else read_raw(words, common.address, MODELS[COMMON][name]) or ""

    powers = [ratings[label] for label in ("120.WRtg", "121.WMax") if label in ratings]
    return Nameplate(
        manufacturer=text("Mn"),
        model=text("Md"),
        version=text("Vr"),
        serial=text("SN"),
        ac_max_watts=min(powers, default=None),
        charge_max_watts=ratings.get("120.MaxChaRte"),
        discharge_max_watts=ratings.get("120.MaxDisChaRte"),
        capacity_wh=ratings.get("120.WHRtg"),
    )


def _usable_storage(storage: FoundModel | None, implemented: frozenset[str], words: Registers) -> FoundModel | None:
    if storage is None or not implemented.issuperset(STORAGE_NEEDS):
        return None
    model = MODELS[STORAGE]
    scale = read_scale(words, storage.address + model["InOutWRte_SF"].offset)
    reference = read_value(words, storage.address, model["WChaMax"])
    return storage if scale in PERCENT_SCALES and reference is not None and reference > 0 else None


def _grid_charging(storage: FoundModel | None, words: Registers) -> GridCharging | None:
    raw = None if storage is None else read_raw(words, storage.address, MODELS[STORAGE]["ChaGriSet"])
    return GridCharging(raw) if raw in tuple(GridCharging) else None


def _modules(models: tuple[FoundModel, ...], words: Registers) -> Iterator[DcModule]:
    mppt = MODELS[MPPT]
    for model in models:
        if model.id != MPPT or model.length < mppt.length:
            continue
        fitted = (model.length - mppt.length) // mppt.repeated_length
        said = read_raw(words, model.address, mppt["N"])
        for index in range(fitted if said is None else min(fitted, said)):
            address = model.address + mppt.module_offset(index)
            kind = module_kind(read_raw(words, address, mppt.repeated["IDStr"]))
            yield DcModule(address, model.address, kind)


def _nameless_are_pv(device: SunSpecDevice) -> SunSpecDevice:
    """Without a battery a module that has no name can only be PV."""
    if device.storage is not None:
        return device
    unknown = ModuleKind.UNKNOWN
    modules = (replace(m, kind=ModuleKind.PV) if m.kind is unknown else m for m in device.modules)
    return replace(device, modules=tuple(modules))
