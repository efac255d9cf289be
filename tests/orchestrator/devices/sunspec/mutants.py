"""Register images that no sane device would show: known maps with words changed, cut, swapped and moved, and noise.

Made from a seeded generator, fast enough for a hundred thousand of them; `test_fuzz` has the same for hypothesis, which
finds less in the same time and shrinks what it finds.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from msgspec import to_builtins

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import Role
from orchestrator.devices.sunspec.device import SunSpecDevice
from orchestrator.devices.sunspec.encoding.verify import register_name
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.devices.sunspec.models import MODELS
from orchestrator.errors import DeviceError
from tests.orchestrator.devices.sunspec.images import DRIVER, Image, cycle, discovery_of, registers_of

TELLING = (0, 1, 2, 10, 11, 50, 65, 66, 0x7FFF, 0x8000, 0x8001, 0xFFF6, 0xFFF5, 0xFFFE, 0xFFFF, 0x7FC0, 0xFF80)
"""Sentinels, borders of scale factors, infinite floats."""
READS_MOST = 300
"""More than that is a hang. A whole map of 100 models takes less."""
ORDER = InverterCommand(
    "x",
    60,
    1234.5,
    connect=False,
    battery=BatteryCommand(BatteryMode.CHARGE, 9e9, -9e9, 9e9, grid_charging=True),
    ac_limit_after_watts=100.0,
)
ROLES: tuple[Role | None, ...] = (None, "inverter", "meter")
Words = dict[int, int]


class Endless(AssertionError):
    """A discovery asks for more than any map has."""


class Counted(Image):
    """An image that does not answer for ever."""

    def answer(self, request: Any) -> Any:
        if self.reads >= READS_MOST:
            raise Endless(f"more than {READS_MOST} reads")
        return super().answer(request)


def mutant(dice: random.Random, images: Mapping[str, Image]) -> Image:
    """One image; the same dice make the same one."""
    if dice.random() < 0.1:
        return _with_holes(dice, _noise(dice))
    words = dict(images[dice.choice(sorted(images))].words)
    for _ in range(dice.choice((0, 1, 1, 2))):
        words = dice.choice((_other_length, _other_model, _swapped_models, _moved, _repeated))(dice, words)
    addresses = sorted(words)
    for _ in range(dice.choice((0, 1, 3, 10, 40))):
        words[dice.choice(addresses)] = _word(dice)
    return _with_holes(dice, words)


def check(image: Image, dice: random.Random) -> str:
    """Take the image for a device, whole: find it, read it, decode it, command it.

    Says what it was taken for; raises AssertionError where a sample holds nonsense or a write is not allowed, and
    whatever else is raised.
    """
    counted = Counted(image.words, image.code)
    role = dice.choice(ROLES)
    try:
        device = discovery_of(counted, DRIVER.discover(role))
    except DeviceError as fault:
        return fault.kind
    counted.reads = 0
    return _checked(device, counted, dice)


def _checked(device: SunSpecDevice, image: Image, dice: random.Random) -> str:
    assert all(1 <= read.count <= 125 and 0 <= read.address <= 0x10000 - read.count for read in device.reads)
    registers = cycle(image, device)
    if dice.random() < 0.3:
        registers = {at: _word(dice) if dice.random() < 0.1 else word for at, word in registers.items()}
    said = _sample(device, registers)
    registers |= registers_of(image, DRIVER.plan_readback(device))
    _check_writes(device, registers)
    if dice.random() < 0.1:
        _look_again(device, image)
    return said


def _sample(device: SunSpecDevice, registers: Words) -> str:
    try:
        sample: Any = (
            DRIVER.decode_meter(device, registers, 1.0)
            if device.is_meter
            else DRIVER.decode_inverter(device, "x", registers, 1.0)
        )
    except DeviceError as fault:
        return fault.kind
    assert all(math.isfinite(number) for number in _numbers(to_builtins(sample))), sample
    return "meter" if device.is_meter else "inverter"


def _check_writes(device: SunSpecDevice, registers: Words) -> None:
    for group in DRIVER.encode(device, ORDER, registers):
        for write in group.writes:
            names = {register_name(device, write.address + index) for index in range(len(write.values))}
            assert names <= WRITABLE, names
            assert all(0 <= word <= 0xFFFF for word in write.values)
        DRIVER.verify(device, (group,), registers)


def _look_again(device: SunSpecDevice, image: Image) -> None:
    try:
        discovery_of(image, DRIVER.look_again(device))
    except DeviceError:
        return


def _numbers(value: Any) -> Iterable[float]:
    """Every number in plain values."""
    if isinstance(value, dict):
        for each in value.values():
            yield from _numbers(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from _numbers(each)
    elif isinstance(value, int | float):
        yield value


def _word(dice: random.Random) -> int:
    return dice.choice(TELLING) if dice.random() < 0.6 else dice.randrange(0x10000)


def _noise(dice: random.Random) -> Words:
    """Behind the marker anything, or a chain of models with any content and any length."""
    words = [0x5375, 0x6E53]
    for _ in range(dice.randrange(12)):
        model_id = dice.choice((1, *MODELS, 64001, 0xFFFF, _word(dice)))
        length = MODELS[model_id].length if model_id in MODELS and dice.random() < 0.8 else dice.randrange(200)
        words += [model_id, length, *(_word(dice) for _ in range(length))]
    words += [_word(dice) for _ in range(dice.randrange(50))]
    return dict(enumerate(words, start=dice.choice((40000, 0, 50000))))


def _with_holes(dice: random.Random, words: Words) -> Image:
    if words and dice.random() < 0.3:
        addresses = sorted(words)
        for _ in range(dice.randrange(1, 6)):
            words.pop(dice.choice(addresses), None)
    if words and dice.random() < 0.1:
        last = dice.choice(sorted(words))
        words = {at: word for at, word in words.items() if at <= last}
    return Image(words, code=dice.choice((2, 2, 2, 3, 4, 6)))


def _chain(words: Words) -> list[tuple[int, int]]:
    """(address, words with header) of each model of a known map."""
    found, at = [], min(words) + 2
    while at in words and at + 1 in words and words[at] != 0xFFFF and len(found) < 100:
        found.append((at, 2 + words[at + 1]))
        at += 2 + words[at + 1]
    return found or [(min(words), 2)]


def _other_length(dice: random.Random, words: Words) -> Words:
    at, count = dice.choice(_chain(words))
    return words | {at + 1: dice.choice((0, 1, count - 3, count - 1, count + 18, 1400, 0xFFF0, _word(dice))) & 0xFFFF}


def _other_model(dice: random.Random, words: Words) -> Words:
    at, _ = dice.choice(_chain(words))
    return words | {at: dice.choice((*MODELS, 64001, _word(dice)))}


def _rebuilt(words: Words, change: Callable[[list[list[int]]], None]) -> Words:
    chain = _chain(words)
    models = [[words.get(at + index, 0xFFFF) for index in range(count)] for at, count in chain]
    change(models)
    row = [0x5375, 0x6E53, *(word for model in models for word in model), 0xFFFF, 0]
    return dict(enumerate(row[:4000], start=min(words)))


def _swapped_models(dice: random.Random, words: Words) -> Words:
    return _rebuilt(words, dice.shuffle)


def _repeated(dice: random.Random, words: Words) -> Words:
    return _rebuilt(words, lambda models: models.append(list(dice.choice(models))))


def _moved(dice: random.Random, words: Words) -> Words:
    by = dice.choice((0, 40000, 50000)) - min(words)
    return {at + by: word for at, word in words.items()}
