"""Devices that no sane make would be: the registers of a virtual device with words changed, cut and swapped, and noise.

Made from a seeded generator, fast enough for a hundred thousand of them.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from msgspec import to_builtins

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import Role
from orchestrator.devices.makes.schema import writes_of
from orchestrator.devices.profiles.device import ProfileDevice
from orchestrator.devices.sunspec.decoding.plausible import POWER_MARGIN, PV_MARGIN, WATTS_MAX
from orchestrator.devices.sunspec.encoding.verify import register_name
from orchestrator.devices.sunspec.encoding.writes import WRITABLE
from orchestrator.errors import DeviceError
from orchestrator.samples import InverterSample
from tests.orchestrator.devices.profiles.makes import (
    DRIVERS,
    NAMES,
    carried_out,
    cycle_of,
    device_of_make,
    found,
    words_of_make,
)
from tests.orchestrator.devices.sunspec.images import Image

TELLING: Final = (0, 1, 2, 100, 0x7FFF, 0x8000, 0x8001, 0xFFFE, 0xFFFF, 0x7FC0, 0x7F80, 0xFF80, 0xFF7F)
"""Sentinels, infinite floats, and words that are often the high one of a small number."""
READS_MOST: Final = 400
ORDERS: Final = tuple(
    InverterCommand("x", 60.0, limit, connect=connect, battery=battery)
    for limit in (None, 1234.5)
    for connect in (None, False)
    for battery in (
        None,
        BatteryCommand.release(),
        BatteryCommand(BatteryMode.CHARGE, 9e9, 9e9, 9e9, grid_charging=True),
        BatteryCommand(BatteryMode.HOLD, 0.0, 0.0, None, grid_charging=False),
        BatteryCommand(BatteryMode.DISCHARGE, -700.0, -9e9, -700.0),
    )
)
ROLES: Final[tuple[Role | None, ...]] = ("inverter", "inverter", "inverter", None, "meter")


class Endless(AssertionError):
    """A discovery asks for more than any device has."""


class Counted(Image):
    """An image that does not answer for ever."""

    def answer(self, request: Any) -> Any:
        assert 1 <= request.count <= 125
        assert request.address % 0x10000 + request.count <= 0x10000
        if self.reads >= READS_MOST:
            raise Endless(f"more than {READS_MOST} reads")
        return super().answer(request)


def check_mutants(seeds: range) -> Counter[str]:
    """What so many devices were taken for. The seed of one that fails is in the message."""
    taken_for: Counter[str] = Counter()
    for seed in seeds:
        try:
            taken_for[_check(random.Random(seed))] += 1
        except Exception as error:
            raise AssertionError(f"mutant {seed}: {error!r}") from error
    return taken_for


def bounds_of(device: ProfileDevice, sample: InverterSample) -> list[str]:
    """The readings of a sample that are beyond what the device can be; its SunSpec map may name a rating of its own."""
    ratings = (device.rated_watts, None if device.base is None else device.base.rated_watts)
    rating = max((watts for watts in ratings if watts is not None), default=WATTS_MAX)
    battery = sample.battery
    found = [
        ("ac", sample.ac_watts, -POWER_MARGIN * rating, POWER_MARGIN * rating),
        ("pv", sample.pv_watts, 0.0, PV_MARGIN * rating),
        *(("string", watts, 0.0, WATTS_MAX) for watts in sample.string_watts),
        ("limit", sample.ac_limit_watts, 0.0, WATTS_MAX),
    ]
    if battery is not None:
        found += [
            ("battery", battery.watts, -WATTS_MAX, WATTS_MAX),
            ("soc", battery.soc_percent, 0.0, 100.0),
            ("charge_max", battery.charge_max_watts, 0.0, WATTS_MAX),
            ("discharge_max", battery.discharge_max_watts, 0.0, WATTS_MAX),
        ]
    return [name for name, value, low, high in found if value is not None and not low <= value <= high]


def numbers(value: Any) -> Iterable[float]:
    """Every number in plain values."""
    if isinstance(value, dict):
        for each in value.values():
            yield from numbers(each)
    elif isinstance(value, tuple | list):
        for each in value:
            yield from numbers(each)
    elif isinstance(value, int | float):
        yield value


def _check(dice: random.Random) -> str:
    name = dice.choice(NAMES)
    role = dice.choice(ROLES)
    words = dict(words_of_make(name))
    finds = dice.random() < 0.4
    image = Counted(_spoiled(dice, words) if finds else words, dice.choice((2, 2, 3, 4, 6)))
    try:
        device = found(name, image, role) if finds or role != "inverter" else device_of_make(name)
    except DeviceError as fault:
        return fault.kind
    image = Counted(_spoiled(dice, words), image.code)
    for _ in range(dice.choice((0, 0, 1, 3))):
        device = DRIVERS[name].without(device, dice.choice(device.reads)) if device.reads else device
    registers = cycle_of(name, device, image)
    taken_for = _decoded(name, device, registers, role)
    _check_writes(name, device, registers, dice)
    if dice.random() < 0.05:
        _look_again(name, device, image)
    return taken_for


def _decoded(name: str, device: ProfileDevice, registers: dict[int, int], role: Role | None) -> str:
    driver = DRIVERS[name]
    try:
        if role == "meter":
            meter = driver.decode_meter(device, registers, 1.0)
            assert all(math.isfinite(number) for number in numbers(to_builtins(meter))), meter
            assert abs(meter.site_watts) <= WATTS_MAX
            return "meter"
        sample = driver.decode_inverter(device, "x", registers, 1.0)
    except DeviceError as fault:
        return fault.kind
    assert all(math.isfinite(number) for number in numbers(to_builtins(sample))), sample
    assert bounds_of(device, sample) == []
    return "inverter"


def _check_writes(name: str, device: ProfileDevice, registers: dict[int, int], dice: random.Random) -> None:
    driver = DRIVERS[name]
    named = (driver.profile.registers[write.register_] for write in writes_of(driver.profile))
    own = {at for it in named for at in range(it.place, it.end)}
    groups = driver.encode(device, dice.choice(ORDERS), registers)
    for write in (write for group in groups for write in group.writes):
        assert all(0 <= word <= 0xFFFF for word in write.values)
        for at in range(write.address, write.address + len(write.values)):
            assert at in own or (device.base and register_name(device.base, at) in WRITABLE), at
    driver.verify(device, groups, registers)


def _look_again(name: str, device: ProfileDevice, image: Counted) -> None:
    image.reads = 0
    try:
        carried_out(DRIVERS[name].look_again(device, "inverter"), image)
    except DeviceError:
        return


def _spoiled(dice: random.Random, words: dict[int, int]) -> dict[int, int]:
    if dice.random() < 0.03:
        return {at: _word(dice) for at in words}
    if dice.random() < 0.03:
        return dict.fromkeys(words, dice.choice((0, 0xFFFF, 0x8000)))
    words, places = dict(words), sorted(words)
    for _ in range(dice.choice((0, 1, 3, 10, 40))):
        words[dice.choice(places)] = _word(dice)
    for _ in range(dice.choice((0, 0, 0, 1, 5))):
        words.pop(dice.choice(places), None)
    if dice.random() < 0.05:
        first, second = dice.choice(places), dice.choice(places)
        words = {at: word for at, word in words.items() if not min(first, second) <= at <= max(first, second)}
    return words


def _word(dice: random.Random) -> int:
    return dice.choice(TELLING) if dice.random() < 0.6 else dice.randrange(0x10000)
