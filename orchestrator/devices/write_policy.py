"""When a register is written: on a change, before half its revert time, and when the device shows another value.

Pure: the actor keeps the `WriteMemory` and hands in the time. Each cycle it calls `observe` with what it read, writes
what `due` returns, and calls `remember` for every group the device took. `forget` after a reconnect.

A device that shows another value than was written is never given up: it may have lost it (its control board restarted
while the connection stayed), or not have been ready. The tries get rarer, so that one that never obeys is not hammered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from orchestrator.devices.base import Registers, WriteGroup

QUICK_TRIES: Final = 2
"""How often a value that the device does not show is written again at once, that is with the next reading."""
FIRST_GAP_S: Final = 2.0
"""After these tries it waits for so long, and for twice as long after each that was in vain."""
LONGEST_GAP_S: Final = 30.0
LONGEST_FLASH_GAP_S: Final = 3600.0
"""Tries at what a device keeps in flash get rarer still: each of them may wear it."""

Contradicts = Callable[[WriteGroup, Registers], bool]
"""Whether words that were read show something else than a group wrote: see `contradicts`."""


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """What was last written of one group: words by address, when, and how often it was tried without effect.

    `was_shown`: since it was last changed the device has shown it.
    """

    words: Mapping[int, int]
    written_at_s: float
    extra_tries: int = 0
    was_shown: bool = False


@dataclass(frozen=True, slots=True)
class WriteMemory:
    """What was last written to one device, by the name of the group."""

    groups: Mapping[str, GroupMemory] = field(default_factory=lambda: MappingProxyType({}))


def contradicts(group: WriteGroup, registers: Registers) -> bool:
    """Whether a word was read that differs from what `group` writes there. What was not read contradicts nothing."""
    return any(registers.get(address, word) != word for address, word in _words(group).items())


def due(
    groups: Iterable[WriteGroup],
    memory: WriteMemory,
    now_s: float,
    registers: Registers | None = None,
    differs: Contradicts = contradicts,
) -> tuple[WriteGroup, ...]:
    """The groups that must be written now, in their order.

    `registers` are words that were read after the last write, None where there are none. A group that this process
    never wrote is due, because its revert timer is unknown, unless it has none and the device shows it already.
    `differs` may know better than a comparison of words, such as that a timer counts down.
    """
    seen = registers or {}
    return tuple(
        group for group in groups if _is_due(group, memory.groups.get(group.name), now_s, seen, differs=differs)
    )


def remember(memory: WriteMemory, group: WriteGroup, now_s: float, *, in_vain: bool = False) -> WriteMemory:
    """The memory after the device took `group`; `in_vain`: it was written because the device showed another value."""
    words = _words(group)
    before = memory.groups.get(group.name)
    if before is None:
        after = GroupMemory(MappingProxyType(words), now_s)
    elif _changed(words, before):
        after = GroupMemory(MappingProxyType({**before.words, **words}), now_s)
    else:
        after = replace(before, written_at_s=now_s, extra_tries=before.extra_tries + in_vain, was_shown=False)
    return WriteMemory(MappingProxyType({**memory.groups, group.name: after}))


def observe(
    memory: WriteMemory,
    groups: Iterable[WriteGroup],
    registers: Registers,
    differs: Contradicts = contradicts,
) -> WriteMemory:
    """The memory after `registers` were read: what the device shows may be tried again later.

    Groups that are no longer commanded are forgotten, so that they are written when they come back.
    """
    wanted = {group.name: group for group in groups}
    kept = {
        name: _seen(wanted[name], past, registers, differs) for name, past in memory.groups.items() if name in wanted
    }
    return WriteMemory(MappingProxyType(kept))


def lost(
    groups: Iterable[WriteGroup], memory: WriteMemory, registers: Registers, differs: Contradicts = contradicts
) -> tuple[WriteGroup, ...]:
    """The groups that the device had shown as they were written, and does not any more."""
    found = []
    for group in groups:
        past = memory.groups.get(group.name)
        if past is not None and past.was_shown and not _changed(_words(group), past) and differs(group, registers):
            found.append(group)
    return tuple(found)


def forget(memory: WriteMemory, name: str | None = None) -> WriteMemory:
    """The memory without one group, or without any: they are written again."""
    kept = {} if name is None else {other: past for other, past in memory.groups.items() if other != name}
    return WriteMemory(MappingProxyType(kept))


def _is_due(
    group: WriteGroup, past: GroupMemory | None, now_s: float, registers: Registers, *, differs: Contradicts
) -> bool:
    if past is None:
        return group.refresh_s is not None or not _shown(group, registers)
    if _changed(_words(group), past) or _refresh_is_due(group, past, now_s):
        return True
    return now_s - past.written_at_s >= _gap_s(group, past.extra_tries) and differs(group, registers)


def _gap_s(group: WriteGroup, tries: int) -> float:
    """How long to wait after the last write before the next try at a device that shows another value."""
    if tries < QUICK_TRIES:
        return 0.0
    longest_s = LONGEST_FLASH_GAP_S if any(write.flash for write in group.writes) else LONGEST_GAP_S
    return min(FIRST_GAP_S * 2.0 ** min(tries - QUICK_TRIES, 32), longest_s)


def _refresh_is_due(group: WriteGroup, past: GroupMemory, now_s: float) -> bool:
    return group.refresh_s is not None and now_s - past.written_at_s >= group.refresh_s


def _words(group: WriteGroup) -> dict[int, int]:
    return {at: word for write in group.writes for at, word in enumerate(write.values, start=write.address)}


def _changed(words: Mapping[int, int], past: GroupMemory) -> bool:
    """A group that leaves a register out does not change it."""
    return any(past.words.get(address) != word for address, word in words.items())


def _shown(group: WriteGroup, registers: Registers) -> bool:
    return all(registers.get(address) == word for address, word in _words(group).items())


def _seen(group: WriteGroup, past: GroupMemory, registers: Registers, differs: Contradicts) -> GroupMemory:
    """What is known of a group once `registers` were read."""
    words = _words(group)
    if _changed(words, past) or words.keys().isdisjoint(registers):
        return past
    if differs(group, registers):
        return replace(past, was_shown=False) if past.was_shown else past
    return past if past.was_shown and not past.extra_tries else replace(past, extra_tries=0, was_shown=True)
