"""A device need not be told again what it obeys: then nothing would be written."""

from __future__ import annotations

from random import Random

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.base import Registers, RegisterWrite, WriteGroup
from orchestrator.devices.told import Looked, Told, told
from orchestrator.devices.write_policy import WriteMemory, contradicts, due, observe, remember
from tests.makes.test_makes import MAKES
from tests.support.devices.cut_bench import CutBench
from tests.support.devices.quick_cases import quick_cases

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

QUICK = ("sunspec-1xx", "sunspec-7xx", "huawei-luna", "victron-gx")
VALID_FOR_S = 60.0
COMMANDS = tuple(
    InverterCommand("east", VALID_FOR_S, limit_watts, ac_limit_reverts=False, battery=battery)
    for limit_watts in (3000.0, None)
    for battery in (
        BatteryCommand(BatteryMode.CHARGE, 900.0, 900.0, 900.0, grid_charging=False),
        BatteryCommand(BatteryMode.DISCHARGE, -1500.0, -1500.0, -1500.0, grid_charging=False),
        BatteryCommand(BatteryMode.IDLE, 0.0, 0.0, 0.0, grid_charging=False),
    )
)


class Player:
    """Tells a virtual device of a make all that is decided, and notes when it would not have had to."""

    def __init__(self, make: str) -> None:
        self.bench = CutBench(make, MAKES[make].plant)
        self._memory = WriteMemory()
        self._told: Told | None = None
        self._last: InverterCommand | None = None

    def differs(self, group: WriteGroup, registers: Registers) -> bool:
        verify = self.bench.driver.verify
        return contradicts(group, registers) and bool(verify(self.bench.device, (group,), registers))

    def tell(self, command: InverterCommand) -> tuple[bool, tuple[WriteGroup, ...]]:
        """Whether it obeyed this already, and what had to be written."""
        bench, now_s = self.bench, self.bench.site.now_s
        words, last = bench.read(), self._told
        obeyed = last is not None and last.holds(bench.device, words, self.differs) and now_s < last.until_s
        looked = Looked(words)
        groups = bench.driver.encode(bench.device, command, looked)
        self._memory = observe(self._memory, groups, words, self.differs)
        wanted = due(groups, self._memory, now_s, words, self.differs)
        for group in wanted:
            bench.take(group.writes)
            self._memory = remember(self._memory, group, now_s)
        was_same = self._last is not None and self._last.asks_the_same(command)
        self._told, self._last = told(bench.device, looked, groups, self._memory), command
        return obeyed and was_same, wanted


@pytest.mark.parametrize("make", quick_cases(sorted(MAKES), QUICK))
def test_nothing_is_due_for_a_device_that_is_seen_to_obey_the_same_command(make: str) -> None:
    player, dice, command = Player(make), Random(make), COMMANDS[0]
    site, spared = player.bench.site, 0
    for _ in range(150):
        if dice.random() < 0.1:
            site.in_time["east"].lose_commands()
        if dice.random() < 0.1 and MAKES[make].plant.pv_peak_watts:
            site.set_pv_available("east", dice.choice((0.0, 1000.0, 4000.0)))
        if dice.random() < 0.1:
            command = dice.choice(COMMANDS)
        site.advance(1.0)
        obeyed, wanted = player.tell(command)
        spared += obeyed
        assert not (obeyed and wanted), f"after {site.now_s:g} s"

    assert spared >= (20 if make in QUICK else 0)  # some makes are commanded by what they read, which moves


def test_a_word_that_was_looked_at_and_has_changed_asks_for_the_command_again() -> None:
    looked = Looked({1: 10, 2: 20, 3: 30})
    assert (looked[1], looked.get(9), 2 in looked) == (10, None, True)
    last = told("device", looked, (), WriteMemory())

    def holds(words: dict[int, int], device: str = "device") -> bool:
        return last.holds(device, words, contradicts)

    assert holds({1: 10, 2: 20, 3: 99})
    assert not holds({1: 11, 2: 20, 3: 30})
    assert not holds({1: 10, 2: 20, 3: 30, 9: 1})
    assert not holds({1: 10, 3: 30})
    assert not holds({1: 10, 2: 20}, device="another")


def test_who_looks_at_all_words_is_told_again_when_any_of_them_changes() -> None:
    looked = Looked({1: 10, 2: 20})
    assert dict(looked) == {1: 10, 2: 20}

    assert not told("device", looked, (), WriteMemory()).holds("device", {1: 10, 2: 21}, contradicts)


def test_the_first_renewal_that_is_due_asks_for_the_command_again() -> None:
    groups = tuple(
        WriteGroup(name, (RegisterWrite(at, (1,), name),), refresh_s=refresh_s)
        for at, (name, refresh_s) in enumerate({"slow": 30.0, "quick": 20.0, "never": None}.items())
    )
    memory = WriteMemory()
    for at_s, group in zip((100.0, 105.0, 0.0), groups, strict=True):
        memory = remember(memory, group, at_s)

    assert told("device", Looked({}), groups, memory).until_s == 125.0
    assert told("device", Looked({}), groups[2:], memory).until_s == float("inf")


def test_a_device_that_shows_another_value_is_told_again_unless_its_driver_knows_better() -> None:
    group = WriteGroup("limit", (RegisterWrite(1, (5, 6), "limit"),))
    last = told("device", Looked({}), (group,), WriteMemory())

    assert last.holds("device", {1: 5, 2: 6}, contradicts)
    assert last.holds("device", {1: 5}, contradicts), "what was not read contradicts nothing"
    assert not last.holds("device", {1: 5, 2: 7}, contradicts)
    assert last.holds("device", {1: 5, 2: 7}, lambda _group, _registers: False)
