"""Register images for tests: real dumps, and maps built from the model tables; and a reader in place of the actor."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orchestrator.devices.base import Discovery, ReadRequest, Refused, WriteGroup
from orchestrator.devices.sunspec.codec import pack_string
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.devices.sunspec.models import MODELS, Point

DUMPS = Path(__file__).parents[3] / "fixtures" / "dumps"
DRIVER = SunSpecDriver()

Values = Mapping[str, Any]


@dataclass
class Image:
    """Words by address. What is not in it is refused with `code`, and a request that touches it is refused whole."""

    words: dict[int, int]
    code: int = 2
    reads: int = 0
    refusals: int = 0

    def answer(self, request: ReadRequest) -> tuple[int, ...] | Refused:
        self.reads += 1
        addresses = range(request.address, request.address + request.count)
        if not all(address in self.words for address in addresses):
            self.refusals += 1
            return Refused(self.code)
        return tuple(self.words[address] for address in addresses)

    def write(self, groups: Iterable[WriteGroup]) -> None:
        for group in groups:
            for write in group.writes:
                self.words.update(enumerate(write.values, start=write.address))


def dump(name: str) -> Image:
    """A real device's map; a word that it refused to return is missing."""
    data = json.loads((DUMPS / f"{name}.json").read_text(encoding="utf-8"))
    words = enumerate(data["words_hex"], start=data["base_address_0based"])
    return Image({address: int(word, 16) for address, word in words if word is not None})


def fragment(name: str) -> tuple[int, dict[int, int]]:
    """A part of a real map, as (address of its model id word, words by address)."""
    rows = json.loads((DUMPS / "field_fragments.json").read_text(encoding="utf-8"))
    row = next(row for row in rows if row["name"] == name)
    words = (int(word, 16) for word in row["words_hex"])
    return row["read_addr"] - row["point_offset_of_first_word"], dict(enumerate(words, start=row["read_addr"]))


def discovery_of(image: Image, discovery: Discovery[SunSpecDevice] | None = None) -> SunSpecDevice:
    """Carry out a discovery on an image, as the actor does on a link."""
    steps = discovery or DRIVER.discover()
    try:
        request = next(steps)
        while True:
            request = steps.send(image.answer(request))
    except StopIteration as end:
        device: SunSpecDevice = end.value
        return device


def registers_of(image: Image, requests: Iterable[ReadRequest]) -> dict[int, int]:
    """Carry out reads on an image; a refused one gives nothing."""
    words: dict[int, int] = {}
    for request in requests:
        answer = image.answer(request)
        if not isinstance(answer, Refused):
            words.update(enumerate(answer, start=request.address))
    return words


def cycle(image: Image, device: SunSpecDevice) -> dict[int, int]:
    """The registers of one cycle."""
    return registers_of(image, device.reads)


def model_words(model_id: int, values: Values, modules: Iterable[Values] = (), length: int | None = None) -> list[int]:
    """One model as words, header included. Values are raw; points that are not given are not implemented."""
    layout = MODELS[model_id]
    modules = list(modules)
    body = layout.length + layout.repeated_length * len(modules)
    words = [model_id, length or body, *[0] * body]
    for point in layout.points.values():
        _put(words, 0, point, values)
    for index, module in enumerate(modules):
        for point in layout.repeated.values():
            _put(words, layout.module_offset(index), point, module)
    return words


def _put(words: list[int], origin: int, point: Point, values: Values) -> None:
    value = values.get(point.name)
    packed = pack_string(value, point.words) if point.type.name == "string" else point.type.pack(value)
    words[origin + point.offset : origin + point.end] = packed


def image_of(*models: list[int], base: int = 40000, end: tuple[int, ...] = (0xFFFF, 0)) -> Image:
    """A map of models in this order, with its marker and its end."""
    words = [0x5375, 0x6E53, *(word for model in models for word in model), *end]
    return Image(dict(enumerate(words, start=base)))


COMMON = {"Mn": "Maker", "Md": "Model 5", "Vr": "1.2.3", "SN": "SN-1", "DA": 1}
INVERTER = {"A": 100, "A_SF": -1, "V_SF": -1, "PhVphA": 2300, "W": 2000, "W_SF": 0, "Hz": 5000, "Hz_SF": -2} | {
    "DCW": 2060,
    "DCW_SF": 0,
    "St": 4,
}
NAMEPLATE = {"DERTyp": 82, "WRtg": 5000, "WRtg_SF": 0, "WHRtg": 1000, "WHRtg_SF": 1} | {
    "MaxChaRte": 5000,
    "MaxChaRte_SF": 0,
    "MaxDisChaRte": 4000,
    "MaxDisChaRte_SF": 0,
}
SETTINGS = {"WMax": 5000, "WMax_SF": 0}
CONTROLS = {"Conn_WinTms": 0, "Conn_RvrtTms": 0, "Conn": 1, "WMaxLimPct": 10000, "WMaxLimPct_WinTms": 0} | {
    "WMaxLimPct_RvrtTms": 0,
    "WMaxLimPct_RmpTms": 0,
    "WMaxLim_Ena": 0,
    "WMaxLimPct_SF": -2,
}
STORAGE = {"WChaMax": 10240, "WChaGra": 100, "WDisChaGra": 100, "StorCtl_Mod": 0, "ChaState": 5550, "ChaSt": 4} | {
    "MinRsvPct": 500,
    "OutWRte": 10000,
    "InWRte": 10000,
    "InOutWRte_WinTms": 0,
    "InOutWRte_RvrtTms": 0,
    "InOutWRte_RmpTms": 0,
    "ChaGriSet": 0,
    "WChaMax_SF": 0,
    "WChaDisChaGra_SF": 0,
    "MinRsvPct_SF": -2,
    "ChaState_SF": -2,
    "InOutWRte_SF": -2,
}
MPPT = {"DCA_SF": -2, "DCV_SF": -1, "DCW_SF": 0, "N": 4}
MODULES = tuple(
    {"ID": number, "IDStr": name, "DCW": watts}
    for number, (name, watts) in enumerate(
        (("MPPT 1", 1500), ("MPPT 2", 1000), ("StCha 3", 440), ("StDisCha 4", 0)), start=1
    )
)


def changed(values: Values, **changes: Any) -> dict[str, Any]:
    """The values with some of them changed; None is "not implemented"."""
    return {**values, **changes}


def hybrid(**changes: Any) -> Image:
    """A hybrid like a GEN24 with battery, int map: models in Fronius' order. Raw values by point name change it."""
    return image_of(
        model_words(1, changed(COMMON, **changes)),
        model_words(103, changed(INVERTER, **changes)),
        model_words(120, changed(NAMEPLATE, **changes)),
        model_words(121, changed(SETTINGS, **changes)),
        model_words(122, {}),
        model_words(123, changed(CONTROLS, **changes)),
        model_words(160, MPPT, MODULES),
        model_words(124, changed(STORAGE, **changes)),
    )


DER_AC = {"ACType": 2, "St": 1, "InvSt": 3, "ConnSt": 1, "W": -1940, "W_SF": 0, "LNV": 2300, "V_SF": -1} | {
    "Hz": 50000,
    "Hz_SF": -3,
}
DER_CAPACITY = {"WMaxRtg": 5000, "WChaRteMaxRtg": 4800, "WDisChaRteMaxRtg": 4600, "CtrlModes": 3, "WMax": 5000} | {
    "WChaRteMax": 4000,
    "WDisChaRteMax": 5000,
    "W_SF": 0,
}
DER_CONTROLS = {"WMaxLimPctEna": 0, "WMaxLimPct": 1000, "WMaxLimPctRvrt": 1000, "WMaxLimPctEnaRvrt": 0} | {
    "WMaxLimPctRvrtTms": 0,
    "WMaxLimPct_SF": -1,
    **{"WSetEna": 0, "WSetMod": 1, "WSet": 0, "WSetRvrt": 0, "WSetEnaRvrt": 0, "WSetRvrtTms": 0, "WSet_SF": 0},
}
DER_STORAGE = {"WHRtg": 1000, "WH_SF": 1, "SoC": 5550, "Pct_SF": -2}
DER_DC = {"NPrt": 1, "DCW_SF": 0}
BATTERY_PORT = {"PrtTyp": 1, "ID": 1, "IDStr": "Battery", "DCW": -2000}
PV_PORTS = ({"PrtTyp": 0, "ID": 2, "DCW": 1500}, {"PrtTyp": 0, "ID": 3, "DCW": 1000})
BANK = {"WHRtg": 500, "WHRtg_SF": 1, "WChaRteMax": 3000, "WDisChaRteMax": 3000, "WChaDisChaMax_SF": 0} | {
    "SoC": 42,
    "SoC_SF": 0,
    "ChaSt": 3,
    "W": 700,
    "W_SF": 0,
}


def der(ports: Iterable[Values] = (BATTERY_PORT,), **changes: Any) -> Image:
    """An inverter of the 700 series, a battery inverter where no other ports are given. Raw values change it."""
    ports = tuple(ports)
    return image_of(
        model_words(1, changed(COMMON, **changes)),
        model_words(701, changed(DER_AC, **changes)),
        model_words(702, changed(DER_CAPACITY, **changes)),
        model_words(703, {}),
        model_words(704, changed(DER_CONTROLS, **changes)),
        model_words(713, changed(DER_STORAGE, **changes)),
        model_words(714, {**DER_DC, "NPrt": len(ports), **changes}, ports),
    )
