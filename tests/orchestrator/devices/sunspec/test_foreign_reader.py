"""The pysunspec2 package reads the same bytes, and every point of every model has the same value there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from actors.clock import RealClock
from actors.device.session import DeviceSession
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.devices.sunspec.device import FoundModel, SunSpecDevice
from orchestrator.devices.sunspec.models import MODELS, Point
from orchestrator.devices.sunspec.registers import read_raw, read_value
from orchestrator.simulation.server import serve
from tests.orchestrator.devices.sunspec.foreign import foreign, image_of_device_file, image_of_mbmap
from tests.orchestrator.devices.sunspec.images import (
    BANK,
    BATTERY_PORT,
    COMMON,
    DRIVER,
    DUMPS,
    PV_PORTS,
    Image,
    der,
    discovery_of,
    dump,
    hybrid,
    image_of,
    model_words,
)
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY, RawClient, site_config
from tests.support.servers.required import free_port
from tests.support.servers.served_maps import served

REPEATED = {160: "module", 714: "Prt"}
METER_201_CALLS_IT = {"PhVphAB": "PPVphAB", "PhVphBC": "PPVphBC", "PhVphCA": "PPVphCA"}


def pairs(device: SunSpecDevice, words: Mapping[int, int], theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """(name, our value, their value) of every point of every model that we know."""
    seen: Counter[int] = Counter()
    for model in device.models:
        if model.id in MODELS:
            yield from _points(model, words, theirs.models[model.id][seen[model.id]])
            seen[model.id] += 1


def _points(model: FoundModel, words: Mapping[int, int], theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    layout = MODELS[model.id]
    for point in layout.points.values():
        if point.end <= 2 + model.length:
            name = METER_201_CALLS_IT.get(point.name, point.name) if model.id == 201 else point.name
            yield f"{model.id}.{name}", _ours(words, model.address, point), _theirs(theirs, name).cvalue
    for index, group in enumerate(theirs.groups[REPEATED[model.id]] if model.id in REPEATED else ()):
        for point in layout.repeated.values():
            origin = model.address + layout.module_offset(index)
            ours = _ours(words, origin, point, model.address)
            yield f"{model.id}[{index}].{point.name}", ours, group.points[point.name].cvalue


def _theirs(model: Any, name: str) -> Any:
    group, dot, point = name.partition(".")
    return model.groups[group].points[point] if dot else model.points[name]


def _ours(words: Mapping[int, int], origin: int, point: Point, scale_origin: int | None = None) -> Any:
    if point.type.name == "string":
        return read_raw(words, origin, point)
    return read_value(words, origin, point, scale_origin)


def agree(name: str, ours: Any, theirs: Any) -> None:
    if isinstance(ours, float):
        assert ours == pytest.approx(theirs, rel=1e-6), name
    elif isinstance(theirs, str):
        assert (ours or "") == theirs.strip(), name  # KOSTAL fills up with blanks, which say nothing
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
    "7xx": der(ports=(BATTERY_PORT, *PV_PORTS)),
    "802": image_of(model_words(1, COMMON), model_words(103, INVERTER_INT), model_words(802, BANK)),
    "1547": image_of_device_file(DUMPS / "pysunspec2_device_1547.json"),
    "three 160": image_of_mbmap(DUMPS / "pysunspec_mbmap_test_inverter_3.xml"),
    "groups of 704": image_of(
        model_words(1, COMMON),
        model_words(103, INVERTER_INT),
        model_words(703, {"ES": 1, "ESVHi": 1050, "V_SF": -3, "ESHzHi": 6010, "Hz_SF": -2, "ESDlyTms": 300}),
        model_words(704, {"PFWInj.PF": 950, "PFWInj.Ext": 1, "PF_SF": -3, "WSet": -2000, "WSet_SF": 1}),
    ),
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


OLD_AND_NEW = {
    f"{name}{generation}": settings.model_copy(update={"sunspec": generation})
    for name, settings in (("hybrid", HYBRID), ("roof", PV_ONLY), ("store", BATTERY_ONLY))
    for generation in ("1xx", "7xx")
}
MAKES = {
    make: HYBRID.model_copy(update={"make": make})
    for make in ("fronius-gen24", "fronius-symo-hybrid", "kostal-plenticore", "solaredge-storedge")
}


def test_every_point_of_every_virtual_device_has_the_same_value_in_pysunspec2() -> None:
    with serve(site_config(OLD_AND_NEW | MAKES), new_port=free_port) as site:
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


@pytest.mark.parametrize("name", ["1547", "three 160"])
def test_our_client_reads_a_server_of_foreign_test_data(name: str) -> None:
    image = MAPS[name]
    with served(image.words) as server:
        link = ModbusLink("127.0.0.1", server.port, 5.0, RealClock(), NoObserver())
        session = DeviceSession("x", DRIVER, link, 1, clock=RealClock(), retry_longest_s=1.0, role="inverter")
        session.connect(None)
        device: SunSpecDevice = session.device
        words = session.read()
        sample = DRIVER.decode_inverter(device, "x", words, 0.0)
        session.close()

    theirs = foreign(image)
    assert device.inverter is not None
    model_id = device.inverter.id
    assert sample.ac_watts == theirs.models[model_id][0].points["W"].cvalue
    assert sample.nameplate.serial == theirs.models[1][0].points["SN"].cvalue
    read = [(point, ours, value) for point, ours, value in pairs(device, words, theirs) if ours is not None]
    assert len(read) > 15
    for point, ours, value in read:
        agree(point, ours, value)


def _whole_map(client: RawClient, unit: int) -> dict[int, int]:
    """Every word of a device at one moment, model by model."""
    address, words = 40002, dict(enumerate(client.read(40000, 2, unit), start=40000))
    while True:
        model_id, length = client.read(address, 2, unit)
        words |= {address: model_id, address + 1: length}
        if model_id == 0xFFFF:
            return words
        for first in range(address + 2, address + 2 + length, 100):
            count = min(100, address + 2 + length - first)
            words |= enumerate(client.read(first, count, unit), start=first)
        address += 2 + length
