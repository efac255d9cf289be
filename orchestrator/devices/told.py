"""What a device was told last, and whether telling it the same again could change anything.

A command becomes registers by what was read before, and registers are written again when they lapse or are lost. So a
command need not be repeated while none of the words that its making looked at has changed, the device shows what was
written, and no renewal is due. This is found out without making the registers anew, and for every driver alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import inf
from typing import Any

from orchestrator.devices.base import Registers, WriteGroup
from orchestrator.devices.write_policy import Contradicts, WriteMemory


class Looked(Mapping[int, int]):
    """Registers that remember which of them were looked at: `seen` has their words, None of those that are missing."""

    def __init__(self, words: Registers) -> None:
        self._words = words
        self.seen: dict[int, int | None] = {}

    def __getitem__(self, address: int) -> int:
        self.seen[address] = self._words.get(address)
        return self._words[address]

    def __iter__(self) -> Iterator[int]:
        self.seen.update(self._words)
        return iter(self._words)

    def __len__(self) -> int:
        self.seen.update(self._words)
        return len(self._words)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of a command that was carried out as a whole.

    `device` is what it was made for, `seen` are the words that were looked at, `groups` what was to be written, and
    `words` the same by address. `until_s` (monotonic) is when the first of them has to be written again.
    """

    device: Any
    seen: Mapping[int, int | None]
    groups: tuple[WriteGroup, ...]
    words: Mapping[int, int]
    until_s: float

    def holds(self, device: Any, registers: Registers, differs: Contradicts) -> bool:
        """Whether the same command would still mean the same, and the device shows it as far as it was read."""
        if device is not self.device or any(registers.get(at) != word for at, word in self.seen.items()):
            return False
        is_shown = all(registers.get(at, word) == word for at, word in self.words.items())
        return is_shown or not any(differs(group, registers) for group in self.groups)


def told(device: Any, looked: Looked, groups: tuple[WriteGroup, ...], memory: WriteMemory) -> Told:
    """After all of `groups` that were due have been written, as `memory` has it."""
    words = {
        at: word for group in groups for write in group.writes for at, word in enumerate(write.values, write.address)
    }
    return Told(device, looked.seen, groups, words, _due_s(groups, memory))


def _due_s(groups: Iterable[WriteGroup], memory: WriteMemory) -> float:
    """When the first renewal is due; infinity where none ever is."""
    times_s = [
        memory.groups[group.name].written_at_s + group.refresh_s
        for group in groups
        if group.refresh_s is not None and group.name in memory.groups
    ]
    return min(times_s, default=inf)
