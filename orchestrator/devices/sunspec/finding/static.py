"""Which points discovery has to read once, model by model, and the device that follows from their words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.device import (
    BATTERY,
    COMMON,
    CONTROLS,
    DER_CAPACITY,
    DER_CONTROLS,
    DER_DC,
    DER_STORAGE,
    INVERTERS,
    METERS,
    MPPT,
    NAMEPLATE,
    SETTINGS,
    STORAGE,
    WRITTEN,
    FoundModel,
    SunSpecDevice,
)
from orchestrator.devices.sunspec.enums import GridCharging
from orchestrator.devices.sunspec.finding.capabilities import capabilities, commands_battery_by, limits_by
from orchestrator.devices.sunspec.finding.ratings import (
    AC_RATINGS,
    AC_REFERENCES,
    AC_SETTINGS,
    first_of,
    nameplate,
    read_ratings,
)
from orchestrator.devices.sunspec.finding.reads import with_plan
from orchestrator.devices.sunspec.inputs import find_inputs, nameless_are_pv
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.percent import PERCENT_SCALES
from orchestrator.devices.sunspec.registers import read_raw, read_scale, read_value

STATIC_POINTS: Final[Mapping[int, tuple[str, ...]]] = {
    COMMON: ("Mn", "Md", "Opt", "Vr", "SN"),
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
    DER_CAPACITY: (
        *("WMaxRtg", "WChaRteMaxRtg", "WDisChaRteMaxRtg", "CtrlModes"),
        *("WMax", "WChaRteMax", "WDisChaRteMax", "W_SF"),
    ),
    DER_CONTROLS: (
        *("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms"),
        *("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms"),
        *("WMaxLimPct_SF", "WSet_SF"),
    ),
    DER_STORAGE: ("WHRtg", "SoC", "WH_SF", "Pct_SF"),
    BATTERY: (
        *("WHRtg", "WChaRteMax", "WDisChaRteMax", "SoC", "W"),
        *("WHRtg_SF", "WChaDisChaMax_SF", "SoC_SF", "W_SF"),
    ),
}
"""The static points of models 160 and 714 are not here, because they repeat: see `REPEATED_POINTS`."""

REPEATED_POINTS: Final = {MPPT: (("DCW_SF", "N"), ("IDStr",)), DER_DC: (("NPrt", "DCW_SF"), ("PrtTyp",))}
"""What is read once of the models with DC inputs: points of the fixed part, and of each input."""

STORAGE_NEEDS: Final = ("124.WChaMax", "124.ChaState", "124.OutWRte", "124.InWRte", "124.StorCtl_Mod")
"""Presence of model 124 proves nothing: a PV-only SMA publishes it with nothing but StorCtl_Mod = 0."""


def build_device(base: int, models: tuple[FoundModel, ...], words: Registers) -> SunSpecDevice:
    """The device that the chain and the words of its static points describe."""
    first = _first_of_each(models)
    implemented = frozenset(_implemented(first.values(), words))
    ratings = read_ratings(first, words)
    storage = _usable_storage(first.get(STORAGE), implemented, words)
    device = SunSpecDevice(
        base=base,
        models=models,
        nameplate=nameplate(first, words, ratings),
        inverter=next((first[model_id] for model_id in INVERTERS if model_id in first), None),
        meter=next((first[model_id] for model_id in first if model_id in METERS), None),
        controls=first.get(CONTROLS),
        storage=storage,
        der_controls=first.get(DER_CONTROLS),
        energy=_usable(first.get(DER_STORAGE), implemented, ("713.SoC", "713.WHRtg")),
        bank=_usable(_only(models, BATTERY, first), implemented, ("802.SoC", "802.WHRtg")),
        modules=find_inputs(models, words),
        implemented=implemented,
        scale_factors=MappingProxyType(dict(_scale_factors(first.values(), words))),
        rated_watts=first_of(ratings, (*AC_RATINGS, *AC_SETTINGS)),
        storage_reference_watts=ratings.get("124.WChaMax") if storage else None,
        found_grid_charging=_grid_charging(storage, words),
    )
    device = _with_controls(_inputs_told_apart(device), ratings, _control_modes(first.get(DER_CAPACITY), words))
    device = replace(device, capabilities=capabilities(device), doubtful=tuple(_doubtful(device, first)))
    return with_plan(device)


def _first_of_each(models: tuple[FoundModel, ...]) -> dict[int, FoundModel]:
    first: dict[int, FoundModel] = {}
    for model in models:
        if model.id in MODELS and _length_fits(model):
            first.setdefault(model.id, model)
    return first


def _length_fits(model: FoundModel) -> bool:
    """A model that is shorter than its layout is not that model; what we write to must have exactly its length."""
    if model.id in WRITTEN:
        return model.length == MODELS[model.id].length
    return model.length >= MODELS[model.id].length - (1 if model.id == COMMON else 0)


def _only(models: tuple[FoundModel, ...], model_id: int, first: Mapping[int, FoundModel]) -> FoundModel | None:
    """The model where there is one of its kind: the power of one of two batteries says nothing about both."""
    return first.get(model_id) if sum(model.id == model_id for model in models) == 1 else None


def _implemented(models: Iterable[FoundModel], words: Registers) -> Iterator[str]:
    for model in models:
        yield from implemented_points(model, words)


def implemented_points(model: FoundModel, words: Registers) -> Iterator[str]:
    """The static points of `model` that have a value in `words`, as "124.OutWRte"."""
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


def _usable_storage(storage: FoundModel | None, implemented: frozenset[str], words: Registers) -> FoundModel | None:
    if storage is None or not implemented.issuperset(STORAGE_NEEDS):
        return None
    model = MODELS[STORAGE]
    scale = read_scale(words, storage.address + model["InOutWRte_SF"].offset)
    reference = read_value(words, storage.address, model["WChaMax"])
    return storage if scale in PERCENT_SCALES and reference is not None and reference > 0 else None


def _usable(model: FoundModel | None, implemented: frozenset[str], any_of: tuple[str, ...]) -> FoundModel | None:
    """A model of a battery, where it says anything of one."""
    return None if model is None or implemented.isdisjoint(any_of) else model


def _grid_charging(storage: FoundModel | None, words: Registers) -> GridCharging | None:
    raw = None if storage is None else read_raw(words, storage.address, MODELS[STORAGE]["ChaGriSet"])
    return GridCharging(raw) if raw in tuple(GridCharging) else None


def _control_modes(capacity: FoundModel | None, words: Registers) -> int:
    return 0 if capacity is None else read_raw(words, capacity.address, MODELS[DER_CAPACITY]["CtrlModes"]) or 0


def _inputs_told_apart(device: SunSpecDevice) -> SunSpecDevice:
    has_battery_model = any(model is not None for model in (device.storage, device.energy, device.bank))
    return device if has_battery_model else replace(device, modules=nameless_are_pv(device.modules))


def _with_controls(device: SunSpecDevice, ratings: Mapping[str, float], control_modes: int) -> SunSpecDevice:
    references = {model_id: first_of(ratings, labels) for model_id, labels in AC_REFERENCES.items()}
    chosen = limits_by(device, references)
    return replace(
        device,
        limits_by=chosen,
        ac_reference_watts=references[chosen] if chosen else references[CONTROLS] or references[DER_CONTROLS],
        commands_battery_by=commands_battery_by(device, control_modes),
    )


def _doubtful(device: SunSpecDevice, first: Mapping[int, FoundModel]) -> Iterator[FoundModel]:
    """Models that may only be unusable for now, as at night, when some devices say "not implemented" everywhere."""
    wanted: dict[int, bool] = {
        NAMEPLATE: device.rated_watts is None,
        SETTINGS: device.rated_watts is None,
        DER_CAPACITY: device.rated_watts is None,
        CONTROLS: device.limits_by is None,
        DER_CONTROLS: device.limits_by is None,
        STORAGE: device.storage is None,
        DER_STORAGE: device.energy is None,
        BATTERY: device.bank is None,
    }
    yield from (first[model_id] for model_id, unused in wanted.items() if unused and model_id in first)
