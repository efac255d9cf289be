"""What every device does with its registers: the chain, the edges, and points that take no write."""

from __future__ import annotations

import pytest

from orchestrator.config.simulation import MeterSimulation
from orchestrator.simulation.devices.sunspec.meter import SunSpecMeter
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, WriteRecord
from orchestrator.simulation.plant.meter import SimulatedMeter
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY


def chain(bench: Bench) -> list[int]:
    """The model ids, found as a client finds them: header by header."""
    assert bench.device.read(40000, 2) == (0x5375, 0x6E53)
    address, found = 40002, []
    while True:
        header = bench.device.read(address, 2)
        assert isinstance(header, tuple)
        found.append(header[0])
        if header[0] == 0xFFFF:
            assert header[1] == 0
            return found
        address += 2 + header[1]


@pytest.mark.parametrize(
    ("settings", "models"),
    [
        (HYBRID, [1, 103, 120, 121, 122, 123, 124, 160, 0xFFFF]),
        (BATTERY_ONLY, [1, 103, 120, 121, 122, 123, 124, 160, 0xFFFF]),
        (PV_ONLY, [1, 103, 120, 121, 122, 123, 160, 0xFFFF]),
    ],
)
def test_only_a_battery_brings_model_124(settings, models) -> None:
    assert chain(Bench(settings)) == models


def test_nothing_is_read_or_written_outside_of_the_map() -> None:
    device = Bench(PV_ONLY).device
    last = device.registers.blocks[-1].end + 1

    assert device.read(last, 1) == (0,)
    for address, count in [(39999, 1), (39999, 2), (last, 2), (0, 1)]:
        assert device.read(address, count) is ExceptionCode.ILLEGAL_ADDRESS
        assert device.write(address, (0,) * count, 0.0) is ExceptionCode.ILLEGAL_ADDRESS


def test_any_part_of_the_map_reads_as_the_whole_of_it() -> None:
    device = Bench(HYBRID, pv_watts=3000).run(5).device
    end = device.registers.blocks[-1].end + 2
    one_by_one = [device.read(address, 1) for address in range(40000, end)]
    by_100 = [device.read(address, min(100, end - address)) for address in range(40000, end, 100)]

    assert [word for (word,) in one_by_one] == [word for words in by_100 for word in words]


@pytest.mark.parametrize("name", ["103.W", "121.WMax", "124.WChaMax", "124.WChaGra", "124.WDisChaGra", "124.VAChaMax"])
def test_a_write_to_a_point_that_cannot_be_written_is_ignored_without_exception(name: str) -> None:
    bench = Bench(HYBRID)
    before = bench.read(name)

    assert bench.write(name, 1234) is None
    assert bench.read(name) == before


def test_the_log_tells_which_points_took_a_write() -> None:
    bench = Bench(HYBRID)
    bench.now_s = 7.5
    bench.write("124.ChaSt", 4, 1000)
    address = bench.device.registers.address("124.ChaSt")

    assert bench.device.writes == [WriteRecord(7.5, address, (4, 1000), ("124.OutWRte",))]


def test_reads_are_counted() -> None:
    bench = Bench(HYBRID)
    for _ in range(3):
        bench.read("103.W")

    assert bench.device.reads == 3


def test_points_that_are_not_implemented_read_as_their_sentinels() -> None:
    hybrid, pv_only = Bench(HYBRID), Bench(PV_ONLY)

    assert hybrid.read("123.OutPFSet") == 0x8000
    assert hybrid.read("123.OutPFSet_SF") == 0x8000
    assert hybrid.read("124.VAChaMax") == 0xFFFF
    assert hybrid.read("103.DCV") == 0xFFFF
    assert pv_only.read("120.MaxChaRte") == 0xFFFF
    assert pv_only.read("120.WHRtg_SF") == 0x8000


def test_model_160_names_the_modules_of_a_hybrid_in_the_manner_of_fronius() -> None:
    device = Bench(HYBRID, pv_watts=3000).run(5).device
    address = device.registers.address("160.N") - 8
    names = []
    for index in range(4):
        words = device.read(address + 10 + 20 * index + 1, 8)
        assert isinstance(words, tuple)
        names.append(b"".join(word.to_bytes(2, "big") for word in words).rstrip(b"\0").decode())

    assert names == ["String 1", "String 2", "StCha 3", "StDisCha 4"]


@pytest.mark.parametrize(("sign", "word"), [("import_positive", 2500), ("export_positive", 0x10000 - 2500)])
def test_the_sign_of_a_meter_is_configured(sign: str, word: int) -> None:
    meter = SimulatedMeter(MeterSimulation(sign=sign))
    device = SunSpecMeter(meter, largest_watts=20000)
    meter.measure(0.1, 0.1, 2500)

    assert device.read(device.registers.address("203.W"), 1) == (word,)
    assert device.write(device.registers.address("203.W"), (1,), 0.0) is None
    assert device.write(39999, (1,), 0.0) is ExceptionCode.ILLEGAL_ADDRESS
    assert device.read(device.registers.address("203.W"), 1) == (word,)


def test_a_large_meter_counts_in_larger_steps() -> None:
    meter = SimulatedMeter(MeterSimulation())
    device = SunSpecMeter(meter, largest_watts=400_000)
    meter.measure(0.1, 0.1, 345_678)

    assert device.read(device.registers.address("203.W_SF"), 1) == (2,)
    assert device.read(device.registers.address("203.W"), 1) == (3457,)
