"""Whether a device took what was written: by its registers, one by one."""

from __future__ import annotations

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import WriteGroup
from orchestrator.devices.makes.command_schema import writes_of_battery
from orchestrator.devices.makes.registers import to_words
from orchestrator.devices.profiles.plan import written_names
from tests.orchestrator.devices.profiles.makes import DRIVERS, NAMES, cycle_of_make, device_of_make

Words = dict[int, int]
CHARGE = InverterCommand(
    "x", 70_000.0, 2500.0, battery=BatteryCommand(BatteryMode.CHARGE, 1500.0, 1500.0, 1500.0, grid_charging=True)
)


def written(name: str) -> tuple[tuple[WriteGroup, ...], Words]:
    """What is written where the readings are known, and nothing that was written."""
    profile = DRIVERS[name].profile
    ours = {at for key in written_names(profile) for at in _places(name, key)}
    readings = {at: word for at, word in cycle_of_make(name).items() if at not in ours}
    groups = DRIVERS[name].encode(device_of_make(name), CHARGE, readings)
    return groups, {at: word for g in groups for w in g.writes for at, word in enumerate(w.values, w.address)}


def _places(name: str, key: str) -> range:
    register = DRIVERS[name].profile.registers[key]
    return range(register.place, register.end)


def shows_battery(name: str) -> bool:
    """Whether what the battery was told can be read back."""
    profile = DRIVERS[name].profile
    return any(profile.registers[write.register_].read_back for write in writes_of_battery(profile.commands))


def names(name: str, groups: tuple[WriteGroup, ...], words: Words) -> tuple[str, ...]:
    return DRIVERS[name].verify(device_of_make(name), groups, words)


@pytest.mark.parametrize("name", [name for name in NAMES if DRIVERS[name].profile.read_only is None])
def test_a_device_that_shows_what_was_written_took_it(name: str) -> None:
    groups, words = written(name)

    assert groups
    assert names(name, groups, words) == ()
    assert names(name, groups, {}) == ()


@pytest.mark.parametrize("name", [name for name in NAMES if shows_battery(name)])
def test_each_register_that_shows_another_value_is_named(name: str) -> None:
    profile = DRIVERS[name].profile
    groups, words = written(name)
    judged = {
        key: it
        for key, it in profile.registers.items()
        if key in written_names(profile) and it.place in words and not it.counts_down
    }

    assert judged
    for key, it in judged.items():
        assert names(name, groups, words | {it.end - 1: words[it.end - 1] ^ 1}) == (key,)


@pytest.mark.parametrize(
    ("shown", "differs"), [(70_000, False), (69_999, False), (3, False), (0, True), (70_001, True)]
)
def test_a_timer_may_have_counted_down_but_not_to_its_end(shown: int, differs: bool) -> None:
    name = "solaredge-storedge"
    timer = DRIVERS[name].profile.registers["command_timeout"]
    groups, words = written(name)
    words |= dict(enumerate(to_words(timer, shown, "little"), timer.place))

    assert names(name, groups, words) == (("command_timeout",) if differs else ())


def test_a_register_that_cannot_be_read_back_is_not_judged() -> None:
    name = "sma"
    groups, words = written(name)
    words[DRIVERS[name].profile.registers["limit_percent_of_rating"].place] ^= 1

    assert names(name, groups, words) == ()
