"""The DC inputs of an inverter and what hangs on each: modules of model 160 by their names, ports of 714 by their type.

Never by position: makes put the battery first, last or nowhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from orchestrator.devices.base import Registers
from orchestrator.devices.sunspec.device import DER_DC, MPPT, DcModule, FoundModel, ModuleKind
from orchestrator.devices.sunspec.enums import PortType
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.devices.sunspec.registers import read_raw

MODULES_MAX: Final = 50
"""No known model has more DC inputs; a longer one is nonsense."""

_COUNTS: Final = {MPPT: "N", DER_DC: "NPrt"}
_PORT_KINDS: Final = {PortType.PV: ModuleKind.PV, PortType.STORAGE: ModuleKind.STORAGE}


def find_inputs(models: tuple[FoundModel, ...], words: Registers) -> tuple[DcModule, ...]:
    """The ports of model 714 where at least one says its type, else the modules of every model 160."""
    ports = tuple(_modules(models, words, DER_DC))
    if any(port.kind is not ModuleKind.UNKNOWN for port in ports):
        return ports
    return tuple(_modules(models, words, MPPT))


def nameless_are_pv(modules: tuple[DcModule, ...]) -> tuple[DcModule, ...]:
    """Without a battery a module of model 160 that has no name can only be PV."""
    unknown = ModuleKind.UNKNOWN
    return tuple(replace(m, kind=ModuleKind.PV) if m.kind is unknown and m.model_id == MPPT else m for m in modules)


def input_kind(model_id: int, origin: int, words: Registers) -> ModuleKind:
    """What hangs on the input whose first word is at `origin`."""
    if model_id == MPPT:
        return module_kind(read_raw(words, origin, MODELS[MPPT].repeated["IDStr"]))
    kind = read_raw(words, origin, MODELS[DER_DC].repeated["PrtTyp"])
    return ModuleKind.UNKNOWN if kind is None else _PORT_KINDS.get(kind, ModuleKind.OTHER)


def module_kind(name: str | None) -> ModuleKind:
    """What a module is by its IDStr: "StCha 3" takes the battery's charging, "StDisCha 4" its discharging (Fronius)."""
    if name is None:
        return ModuleKind.UNKNOWN
    if name.startswith("StDisCha"):
        return ModuleKind.DISCHARGE
    return ModuleKind.CHARGE if name.startswith("StCha") else ModuleKind.PV


def fitted(model: FoundModel) -> int:
    """How many inputs the length of a model 160 or 714 has room for."""
    layout = MODELS[model.id]
    return max(0, min((model.length - layout.length) // layout.repeated_length, MODULES_MAX))


def _modules(models: tuple[FoundModel, ...], words: Registers, model_id: int) -> Iterator[DcModule]:
    layout = MODELS[model_id]
    for model in models:
        if model.id != model_id:
            continue
        said = read_raw(words, model.address, layout[_COUNTS[model_id]])
        room = fitted(model)
        for index in range(room if said is None else min(room, said)):
            address = model.address + layout.module_offset(index)
            yield DcModule(address, model.address, input_kind(model_id, address, words), model_id)
