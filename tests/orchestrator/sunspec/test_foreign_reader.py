"""The pysunspec2 package reads the same bytes, and every point of every model has the same value there."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sunspec2.modbus.client import SunSpecModbusClientDevice

from orchestrator.drivers.base import ReadRequest, Refused
from orchestrator.simulation.server import serve
from orchestrator.sunspec.device import MPPT, FoundModel, SunSpecDevice
from orchestrator.sunspec.models import MODELS, Point
from orchestrator.sunspec.registers import read_raw, read_value
from tests.orchestrator.sunspec.images import (
    COMMON,
    Image,
    discovery_of,
    dump,
    hybrid,
    image_of,
    model_words,
)
from tests.support.virtual_site import RawClient, site_config

METER_201_CALLS_IT = {"PhVphAB": "PPVphAB", "PhVphBC": "PPVphBC", "PhVphCA": "PPVphCA"}


class ForeignDevice(SunSpecModbusClientDevice):  # type: ignore[misc]
    """pysunspec2 over any reader of words, instead of its own connection."""

    def __init__(self, read_words: Callable[[int, int], tuple[int, ...]]) -> None:
        super().__init__()
        self._read_words = read_words

    def read(self, addr: int, count: int) -> bytes:
        return struct.pack(f">{count}H", *self._read_words(addr, count))


def foreign(image: Image) -> Any:
    def read(address: int, count: int) -> tuple[int, ...]:
        answer = image.answer(ReadRequest(address, count))
        assert not isinstance(answer, Refused)
        return answer

    device = ForeignDevice(read)
    device.scan(connect=False)
    return device


def pairs(device: SunSpecDevice, words: dict[int, int], theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """(name, our value, their value) of every point of the first model of each id that we know."""
    seen: set[int] = set()
    for model in device.models:
        if model.id in MODELS and model.id not in seen:
            seen.add(model.id)
            yield from _points(model, words, theirs.models[model.id][0])


def _points(model: FoundModel, words: dict[int, int], theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    layout = MODELS[model.id]
    for point in layout.points.values():
        if point.end <= 2 + model.length:
            name = METER_201_CALLS_IT.get(point.name, point.name) if model.id == 201 else point.name
            yield f"{model.id}.{name}", _ours(words, model.address, point), theirs.points[name].cvalue
    if model.id == MPPT:
        for index, module in enumerate(theirs.groups["module"]):
            for point in layout.repeated.values():
                origin = model.address + layout.module_offset(index)
                ours = _ours(words, origin, point, model.address)
                yield f"160[{index}].{point.name}", ours, module.points[point.name].cvalue


def _ours(words: dict[int, int], origin: int, point: Point, scale_origin: int | None = None) -> Any:
    if point.type.name == "string":
        return read_raw(words, origin, point)
    return read_value(words, origin, point, scale_origin)


def agree(name: str, ours: Any, theirs: Any) -> None:
    if isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-6), name
    else:
        assert ours == theirs, name


INVERTER_INT = {"A": 123, "AphA": 41, "A_SF": -1, "PhVphA": 2301, "V_SF": -1, "W": -4321, "W_SF": 1, "Hz": 5001} | {
    "Hz_SF": -2,
    "WH": 123456789,
    "WH_SF": 0,
    "PF": -998,
    "PF_SF": -3,
    "TmpCab": 385,
    "Tmp_SF": -1,
    "St": 5,
    "Evt1": 0x40000001,
}
INVERTER_FLOAT = {"A": 12.25, "W": -4321.5, "Hz": 50.0625, "WH": 1e9, "St": 4, "Evt1": 3}
METER_INT = {"A": -5, "A_SF": -1, "PhVphAB": 4001, "V_SF": -1, "W": 1234, "WphB": -77, "W_SF": 0} | {
    "TotWhExp": 4294967295,
    "TotWhImp": 1,
    "TotWh_SF": -1,
}
MAPS = {
    "hybrid": hybrid(),
    "sma": dump("sma_sb36_day"),
    "fimer": dump("fimer_pvs_day"),
    **{str(i): image_of(model_words(1, COMMON), model_words(i, INVERTER_INT)) for i in (101, 102, 103)},
    **{str(i): image_of(model_words(1, COMMON), model_words(i, INVERTER_FLOAT)) for i in (111, 112, 113)},
    **{str(i): image_of(model_words(1, COMMON), model_words(i, METER_INT)) for i in (201, 202, 203, 204)},
    **{str(i): image_of(model_words(1, COMMON), model_words(i, {"W": -2.5, "TotWhExp": 8.0})) for i in range(211, 215)},
}


@pytest.mark.parametrize("name", MAPS)
def test_every_point_of_a_map_has_the_same_value_in_pysunspec2(name: str) -> None:
    image = MAPS[name]
    device = discovery_of(image)

    compared = list(pairs(device, image.words, foreign(image)))

    assert len(compared) > 30
    for point, ours, theirs in compared:
        agree(point, ours, theirs)


def test_every_point_of_every_virtual_device_has_the_same_value_in_pysunspec2() -> None:
    with serve(site_config(), ephemeral_ports=True) as site:
        config = site.config
        places = [(config.meter.port, config.meter.unit_id), *((i.port, i.unit_id) for i in config.inverters)]
        for port, unit in places:
            with RawClient(port) as client:
                image = Image(_whole_map(client, unit))
            device = discovery_of(image)
            compared = list(pairs(device, image.words, foreign(image)))
            assert len(compared) > 30
            for point, ours, theirs in compared:
                agree(point, ours, theirs)


def _whole_map(client: RawClient, unit: int) -> dict[int, int]:
    """Every word of a device at one moment, model by model."""
    address, words = 40002, dict(enumerate(client.read(40000, 2, unit), start=40000))
    while True:
        model_id, length = client.read(address, 2, unit)
        words |= {address: model_id, address + 1: length}
        if model_id == 0xFFFF:
            return words
        words |= enumerate(client.read(address + 2, length, unit), start=address + 2)
        address += 2 + length
