"""Which registers one cycle reads, in as few requests as possible, and what to do when a device refuses one of them.

A span is what must come in one answer: a model's values together with their scale factors, because some makes change
scale factors while they run. Spans are merged into requests of up to 125 words; what lies between them is read too.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import groupby
from typing import Final

from orchestrator.drivers.base import ReadRequest
from orchestrator.sunspec.device import MPPT, DcModule, FoundModel, ModuleKind, SunSpecDevice
from orchestrator.sunspec.models import MODELS

WORDS_MAX: Final = 125
READS_MAX: Final = 2
"""How many requests a cycle may take before models that are only nice to have are left out."""

Span = tuple[int, int]
"""First address and the address after the last."""

_CONTROL_POINTS: Final = (
    *("Conn_WinTms", "Conn_RvrtTms", "Conn"),
    *("WMaxLimPct", "WMaxLimPct_WinTms", "WMaxLimPct_RvrtTms", "WMaxLimPct_RmpTms", "WMaxLim_Ena"),
    "WMaxLimPct_SF",
)
_STORAGE_POINTS: Final = (
    *("WChaMax", "StorCtl_Mod", "ChaState", "ChaSt", "OutWRte", "InWRte"),
    *("InOutWRte_WinTms", "InOutWRte_RvrtTms", "InOutWRte_RmpTms", "ChaGriSet"),
    *("WChaMax_SF", "ChaState_SF", "InOutWRte_SF"),
)
_INVERTER_POINTS: Final = ("W", "DCW", "St")
_METER_POINTS: Final = ("W", "WphA", "WphB", "WphC", "Hz", "TotWhExp", "TotWhImp")


def with_plan(device: SunSpecDevice) -> SunSpecDevice:
    """The device with the reads of one cycle planned.

    Model 123 and, where there is no battery, model 160 are left out when they would cost more than two requests:
    then 123 is read back after writes only, and the PV power is that of the inverter model.
    """
    spans = list(_required_spans(device))
    for optional in (_controls_span(device), () if device.storage else _module_spans(device)):
        wider = sorted([*spans, *optional])
        if len(_merged(wider)) <= max(READS_MAX, len(_merged(sorted(spans)))):
            spans = wider
    return replace(device, reads=_merged(sorted(spans)))


def plan_readback(device: SunSpecDevice) -> tuple[ReadRequest, ...]:
    """The reads that show every register that can be written."""
    spans = [*_controls_span(device)]
    if device.storage is not None:
        spans.append(_model_span(device.storage, _STORAGE_POINTS))
    return _merged(sorted(spans))


def without(device: SunSpecDevice, refused: ReadRequest) -> SunSpecDevice:
    """The device with `refused` taken out of its plan and read in finer pieces, for when it says "illegal address".

    First each model alone, then each run of wanted points, then each point; a single point is given up. Ask again for
    every piece that is refused. The device that discovery made keeps the full plan: go back to it on a reconnect.
    """
    reads = [request for request in device.reads if request != refused]
    reads.extend(_finer(device, refused))
    return replace(device, reads=tuple(sorted(reads, key=lambda request: request.address)))


def _finer(device: SunSpecDevice, refused: ReadRequest) -> tuple[ReadRequest, ...]:
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
        yield _inverter_span(device.inverter)
    if device.storage is not None:
        yield _model_span(device.storage, _STORAGE_POINTS)
        yield from _module_spans(device)


def _all_spans(device: SunSpecDevice) -> list[Span]:
    spans = [*_required_spans(device), *_controls_span(device)]
    return spans if device.storage is not None else [*spans, *_module_spans(device)]


def _inverter_span(model: FoundModel) -> Span:
    # From A on, so that a frame of zeros can be told from a night.
    layout = MODELS[model.id]
    return model.address + layout["A"].offset, model.address + layout["St"].end


def _meter_span(model: FoundModel) -> Span:
    layout = MODELS[model.id]
    last = layout.points.get("TotWh_SF") or layout["TotWhImp"]
    return model.address + layout["A"].offset, model.address + last.end


def _controls_span(device: SunSpecDevice) -> tuple[Span, ...]:
    return () if device.controls is None else (_model_span(device.controls, _CONTROL_POINTS),)


def _model_span(model: FoundModel, names: tuple[str, ...]) -> Span:
    points = [MODELS[model.id][name] for name in names]
    return model.address + min(p.offset for p in points), model.address + max(p.end for p in points)


def _module_spans(device: SunSpecDevice) -> Iterator[Span]:
    """Each model 160 from its scale factor to its last module, cut between modules where one request is too short."""
    mppt = MODELS[MPPT]
    for model_address, modules in groupby(device.modules, key=lambda module: module.model_address):
        begin = model_address + mppt["DCW_SF"].offset
        end = begin + 1
        for module in modules:
            first = module.address + mppt.repeated["IDStr" if module.kind is ModuleKind.UNKNOWN else "DCW"].offset
            last = module.address + mppt.repeated["DCW"].end
            if last - begin > WORDS_MAX:
                yield begin, end
                begin = first
            end = last
        yield begin, end


def _module_points(module: DcModule) -> list[Span]:
    """Scale factor, then what is wanted of the module: its power, and its name as long as that is not known."""
    mppt = MODELS[MPPT]
    wanted = [module.model_address + mppt["DCW_SF"].offset, module.address + mppt.repeated["DCW"].offset]
    spans = [(address, address + 1) for address in wanted]
    if module.kind is ModuleKind.UNKNOWN:
        name = mppt.repeated["IDStr"]
        spans.insert(1, (module.address + name.offset, module.address + name.end))
    return spans


def _point_spans(device: SunSpecDevice) -> Iterator[Span]:
    for model, names in (
        (device.inverter, _INVERTER_POINTS),
        (device.meter, _METER_POINTS),
        (device.controls, _CONTROL_POINTS),
        (device.storage, _STORAGE_POINTS),
    ):
        if model is not None:
            yield from _spans_of_points(model, names)
    for module in device.modules:
        yield from _module_points(module)


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
