"""Which registers one cycle reads, in as few requests as possible, and what to do when a device refuses one of them.

A span is what must come in one answer: a model's values together with their scale factors, because some makes change
scale factors while they run. Of a model that is longer than one request (701 has 153 words) only the span that is
wanted is read. Spans are merged into requests of up to 125 words; what lies between them is read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from orchestrator.devices.base import ReadRequest
from orchestrator.devices.sunspec.device import (
    BATTERY,
    CONTROLS,
    DER_AC,
    DER_CONTROLS,
    DER_DC,
    DER_STORAGE,
    MPPT,
    STORAGE,
    DcModule,
    FoundModel,
    ModuleKind,
    SunSpecDevice,
)
from orchestrator.devices.sunspec.models import MODELS

WORDS_MAX: Final = 125
READS_MAX: Final = 2
"""How many requests a cycle may take before models that are only nice to have are left out."""

Span = tuple[int, int]
"""First address and the address after the last."""

_POINTS: Final = {
    CONTROLS: (
        *("Conn_WinTms", "Conn_RvrtTms", "Conn"),
        *("WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena"),
        "WMaxLimPct_SF",
    ),
    STORAGE: (
        *("WChaMax", "StorCtl_Mod", "ChaState", "ChaSt", "OutWRte", "InWRte"),
        *("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms", "ChaGriSet"),
        *("WChaMax_SF", "ChaState_SF", "InOutWRte_SF"),
    ),
    DER_CONTROLS: (
        *("WMaxLimPctEna", "WMaxLimPct", "WMaxLimPctRvrt", "WMaxLimPctEnaRvrt", "WMaxLimPctRvrtTms"),
        *("WSetEna", "WSetMod", "WSet", "WSetRvrt", "WSetEnaRvrt", "WSetRvrtTms"),
        *("WMaxLimPct_SF", "WSet_SF"),
    ),
    DER_AC: ("InvSt", "ConnSt", "W"),
    DER_STORAGE: ("SoC",),
    BATTERY: ("SoC", "ChaSt", "W"),
}
"""What is wanted of a model besides the scale factors; of models 101 to 113 and of meters see below."""

_INVERTER_POINTS: Final = ("W", "DCW", "St")
_METER_POINTS: Final = ("W", "WphA", "WphB", "WphC", "Hz", "TotWhExp", "TotWhImp")
_NAMES: Final = {MPPT: "IDStr", DER_DC: "PrtTyp"}
"""The point that tells what hangs on a DC input."""


def with_plan(device: SunSpecDevice) -> SunSpecDevice:
    """The device with the reads of one cycle planned.

    The controls of the AC limit and, where there is no battery, the DC inputs are left out when they would cost more
    than two requests: then the controls are read back after writes only, and PV power is that of the inverter model.
    """
    spans = list(_required_spans(device))
    for optional in (_limit_span(device), () if device.has_battery else _module_spans(device)):
        wider = sorted([*spans, *optional])
        if len(_merged(wider)) <= max(READS_MAX, len(_merged(sorted(spans)))):
            spans = wider
    return replace(device, reads=_merged(sorted(spans)))


def plan_readback(device: SunSpecDevice) -> tuple[ReadRequest, ...]:
    """The reads that show every register that can be written."""
    models = (device.controls, device.storage, device.der_controls if _uses_der_controls(device) else None)
    return _merged(sorted(_model_span(model) for model in models if model is not None))


def without(device: SunSpecDevice, refused: ReadRequest) -> SunSpecDevice:
    """The device with `refused` taken out of its plan and read in finer pieces, for when it says "illegal address".

    First each model alone, then each run of wanted points, then each point; a single point is given up. Ask again for
    every piece that is refused. The device that discovery made keeps the full plan: go back to it on a reconnect.
    """
    reads = [request for request in device.reads if request != refused]
    reads.extend(finer(device, refused))
    return replace(device, reads=tuple(sorted(reads, key=lambda request: request.address)))


def inverter_block(model: FoundModel) -> Span:
    """The words of an inverter model from its first measurement (701: its state) to the last that is wanted.

    From A on, so that a frame of zeros can be told from a night.
    """
    layout = MODELS[model.id]
    first, last = ("InvSt", "Var_SF") if model.id == DER_AC else ("A", "St")
    return model.address + layout[first].offset, model.address + layout[last].end


def finer(device: SunSpecDevice, refused: ReadRequest) -> tuple[ReadRequest, ...]:
    """A read in pieces: each model alone, else each run of wanted points, else each point; none of a single point."""
    first, end = refused.address, refused.address + refused.count
    points = sorted(set(_point_spans(device)))
    for level in (_all_spans(device), _runs(points), points):
        inside = tuple(_request(span) for span in sorted(level) if first <= span[0] and span[1] <= end)
        if inside and inside != (refused,):
            return inside
    return ()


def _required_spans(device: SunSpecDevice) -> Iterator[Span]:
    if device.is_meter and device.meter is not None:
        yield _meter_span(device.meter)
    if device.inverter is not None:
        yield inverter_block(device.inverter)
    for model in (device.storage, device.energy, device.bank):
        if model is not None:
            yield _model_span(model)
    if device.has_battery:
        yield from _module_spans(device)


def _all_spans(device: SunSpecDevice) -> list[Span]:
    spans = [*_required_spans(device), *_limit_span(device)]
    return spans if device.has_battery else [*spans, *_module_spans(device)]


def _meter_span(model: FoundModel) -> Span:
    layout = MODELS[model.id]
    last = layout.points.get("TotWh_SF") or layout["TotWhImp"]
    return model.address + layout["A"].offset, model.address + last.end


def _limit_span(device: SunSpecDevice) -> tuple[Span, ...]:
    model = device.der_controls if _uses_der_controls(device) else device.controls
    return () if model is None else (_model_span(model),)


def _uses_der_controls(device: SunSpecDevice) -> bool:
    """Model 704 is of interest where it commands something, and where there is no model 123 to look at."""
    return DER_CONTROLS in (device.limits_by, device.commands_battery_by) or device.controls is None


def _model_span(model: FoundModel) -> Span:
    spans = list(_spans_of_points(model, _POINTS[model.id]))
    return min(first for first, _ in spans), max(end for _, end in spans)


def _module_spans(device: SunSpecDevice) -> Iterator[Span]:
    """Each model with DC inputs from its scale factor to its last input, cut between inputs where it is too long."""
    for model_address, group in groupby(device.modules, key=lambda module: module.model_address):
        modules = tuple(group)
        layout = MODELS[modules[0].model_id]
        power, name = layout.repeated["DCW"], layout.repeated[_NAMES[modules[0].model_id]]
        begin = model_address + layout["DCW_SF"].offset
        end = begin + 1
        for module in modules:
            first = module.address + (name if module.kind is ModuleKind.UNKNOWN else power).offset
            last = module.address + power.end
            if last - begin > WORDS_MAX:
                yield begin, end
                begin = first
            end = last
        yield begin, end


def _module_points(module: DcModule) -> list[Span]:
    """Scale factor, then what is wanted of the input: its power, and what it is as long as that is not known."""
    layout = MODELS[module.model_id]
    wanted = [module.model_address + layout["DCW_SF"].offset, module.address + layout.repeated["DCW"].offset]
    spans = [(address, address + 1) for address in wanted]
    if module.kind is ModuleKind.UNKNOWN:
        name = layout.repeated[_NAMES[module.model_id]]
        spans.insert(1, (module.address + name.offset, module.address + name.end))
    return spans


def _point_spans(device: SunSpecDevice) -> Iterator[Span]:
    for model in (device.inverter, device.meter, *_battery_and_controls(device)):
        if model is not None:
            yield from _spans_of_points(model, _wanted_points(device, model))
    for module in device.modules:
        yield from _module_points(module)


def _battery_and_controls(device: SunSpecDevice) -> tuple[FoundModel | None, ...]:
    return (device.controls, device.storage, device.der_controls, device.energy, device.bank)


def _wanted_points(device: SunSpecDevice, model: FoundModel) -> tuple[str, ...]:
    default = _METER_POINTS if model is device.meter else _INVERTER_POINTS
    return _POINTS.get(model.id, default)


def _spans_of_points(model: FoundModel, names: tuple[str, ...]) -> Iterator[Span]:
    for name in names:
        point = MODELS[model.id][name]
        yield model.address + point.offset, model.address + point.end
        if point.scale_offset is not None:
            yield model.address + point.scale_offset, model.address + point.scale_offset + 1


def _runs(points: list[Span]) -> list[Span]:
    """Points that touch each other, joined."""
    runs: list[Span] = []
    for first, end in points:
        if runs and first <= runs[-1][1]:
            runs[-1] = (runs[-1][0], max(end, runs[-1][1]))
        else:
            runs.append((first, end))
    return runs


def _merged(spans: Iterable[Span]) -> tuple[ReadRequest, ...]:
    """Sorted spans in the fewest requests."""
    requests: list[Span] = []
    for first, end in spans:
        if requests and end - requests[-1][0] <= WORDS_MAX:
            requests[-1] = (requests[-1][0], max(end, requests[-1][1]))
        else:
            requests.append((first, end))
    return tuple(_request(span) for span in requests)


def _request(span: Span) -> ReadRequest:
    return ReadRequest(span[0], span[1] - span[0])
