"""Whatever a device answers: a device and a sample without nonsense, or a named error, and never anything else."""

from __future__ import annotations

import math
import random
import time
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import to_builtins

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.encoding.verify import register_name
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.errors import DeviceError
from orchestrator.samples import InverterSample, MeterSample
from tests.orchestrator.devices.sunspec.images import (
    BANK,
    BATTERY_PORT,
    COMMON,
    DRIVER,
    PV_PORTS,
    Image,
    cycle,
    der,
    discovery_of,
    dump,
    hybrid,
    image_of,
    model_words,
)
from tests.orchestrator.devices.sunspec.mutants import check as check_mutant
from tests.orchestrator.devices.sunspec.mutants import mutant

TELLING = st.sampled_from([0, 1, 2, 10, 11, 0x7FFF, 0x8000, 0x8001, 0xFFF6, 0xFFF5, 0xFFFE, 0xFFFF])
WORD = TELLING | st.integers(0, 0xFFFF)
METER = image_of(model_words(1, COMMON), model_words(203, {"W": 5, "W_SF": 0, "Hz": 5000, "Hz_SF": -2}))
FLOAT = image_of(model_words(1, COMMON), model_words(113, {"A": 1.0, "W": 500.0, "St": 4}))
IMAGES = {
    "hybrid": hybrid(),
    "meter": METER,
    "float": FLOAT,
    "sma": dump("sma_sb36_day"),
    "night": dump("sma_sb36_night"),
    "fimer": dump("fimer_pvs_day"),
    "7xx": der(),
    "7xx hybrid": der(ports=(BATTERY_PORT, *PV_PORTS)),
    "802": image_of(model_words(1, COMMON), model_words(103, {"W": 1, "W_SF": 0, "DCW": 2}), model_words(802, BANK)),
    "meter behind": image_of(
        *(model_words(1, COMMON), model_words(103, {"W": 1, "W_SF": 0, "A_SF": -1})),
        *(model_words(1, COMMON), model_words(203, {"W": 5, "W_SF": 0, "Hz": 5000, "Hz_SF": -2})),
    ),
}
SECONDS_MOST = 230.0
ORDER = InverterCommand(
    "x", 60, 1234.5, connect=False, battery=BatteryCommand(BatteryMode.CHARGE, 9e9, -9e9, 9e9, grid_charging=True)
)


@st.composite
def mutated(draw: st.DrawFn) -> Image:
    words = dict(IMAGES[draw(st.sampled_from(sorted(IMAGES)))].words)
    addresses = st.sampled_from(sorted(words))
    words |= draw(st.dictionaries(addresses, WORD, max_size=30))
    for hole in draw(st.sets(addresses, max_size=5)):
        words.pop(hole, None)
    return Image(words, code=draw(st.sampled_from([2, 2, 2, 3, 4, 6])))


def numbers(value: Any) -> list[float]:
    if isinstance(value, dict):
        return [number for each in value.values() for number in numbers(each)]
    if isinstance(value, tuple | list):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, int | float) else []


def found(image: Image) -> SunSpecDevice | None:
    try:
        return discovery_of(image)
    except DeviceError:
        return None


def sample_of(device: SunSpecDevice, registers: dict[int, int]) -> InverterSample | MeterSample | None:
    try:
        if device.is_meter:
            return DRIVER.decode_meter(device, registers, 1.0)
        return DRIVER.decode_inverter(device, "x", registers, 1.0)
    except DeviceError:
        return None


def check(device: SunSpecDevice, registers: dict[int, int]) -> None:
    sample = sample_of(device, registers)
    assert sample is None or all(math.isfinite(number) for number in numbers(to_builtins(sample)))


def check_writes(device: SunSpecDevice, registers: dict[int, int]) -> None:
    for group in DRIVER.encode(device, ORDER, registers):
        for write in group.writes:
            names = {register_name(device, write.address + index) for index in range(len(write.values))}
            assert names <= WRITABLE
            assert all(0 <= word <= 0xFFFF for word in write.values)
        DRIVER.verify(device, (group,), registers)


def test_the_maps_that_are_mutated_work_as_they_are() -> None:
    for name, image in IMAGES.items():
        device = discovery_of(image)
        assert sample_of(device, cycle(image, device)) is not None, name


@settings(max_examples=100, deadline=None)
@given(mutated())
def test_a_mutated_map_gives_a_device_that_works_or_a_named_error(image: Image) -> None:
    device = found(image)
    if device is None:
        return
    assert image.reads < 200
    assert all(1 <= read.count <= 125 and 0 <= read.address <= 0xFFFF for read in device.reads)
    registers = cycle(image, device)
    check(device, registers)
    check_writes(device, registers)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from(sorted(IMAGES)), st.data())
def test_mutated_registers_give_a_sample_without_nonsense_or_a_named_error(name: str, data: st.DataObject) -> None:
    image = IMAGES[name]
    device = discovery_of(image)
    registers = cycle(image, device)
    registers |= data.draw(st.dictionaries(st.sampled_from(sorted(registers)), WORD, max_size=40))
    for address in data.draw(st.sets(st.sampled_from(sorted(registers)), max_size=10)):
        del registers[address]

    check(device, registers)
    check_writes(device, registers)


@settings(max_examples=100, deadline=None)
@given(st.lists(WORD, max_size=300))
def test_random_words_behind_the_marker_give_a_device_or_a_named_error(words: list[int]) -> None:
    image = Image(dict(enumerate([0x5375, 0x6E53, *words], start=40000)))

    device = found(image)
    if device is None:
        return
    check(device, cycle(image, device))


def check_mutants(seeds: range) -> Counter[str]:
    """What so many images were taken for. The seed of one that fails is in the message."""
    taken_for: Counter[str] = Counter()
    for seed in seeds:
        dice = random.Random(seed)
        image = mutant(dice, IMAGES)
        try:
            taken_for[check_mutant(image, dice)] += 1
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {error!r}") from error
    return taken_for


@pytest.mark.no_cover
def test_some_hundred_mutants_are_samples_or_named_faults() -> None:
    taken_for = check_mutants(range(600))

    assert taken_for.keys() <= {"inverter", "meter", "nonsense", "refused", "wrong_device"}
    assert min(taken_for["inverter"], taken_for["meter"], taken_for["wrong_device"], taken_for["refused"]) > 10


@pytest.mark.long
@pytest.mark.timeout(5 * SECONDS_MOST)
def test_a_hundred_thousand_mutants_are_samples_or_named_faults_in_time() -> None:
    began_s = time.process_time()

    taken_for = check_mutants(range(1000, 101_000))

    assert sum(taken_for.values()) == 100_000
    assert time.process_time() - began_s < SECONDS_MOST
