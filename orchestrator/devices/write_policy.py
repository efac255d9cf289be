"""When a register is written: on a change, before half its revert time, and when the device shows another value.

Pure: the actor keeps the `WriteMemory` and hands in the time. Each cycle it calls `observe` with what it read, writes
what `due` returns, and calls `remember` for every group the device took. `forget` after a reconnect.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

from orchestrator.devices.base import Registers, WriteGroup

EXTRA_TRIES: Final = 2
"""How often a value that the device does not show is written again; after that only the refresh writes it."""


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """What was last written of one group: words by address, when, and how often it was tried without effect."""

    words: Mapping[int, int]
    written_at_s: float
    extra_tries: int = 0


@dataclass(frozen=True, slots=True)
class WriteMemory:
    """What was last written to one device, by the name of the group."""

    groups: Mapping[str, GroupMemory] = field(default_factory=lambda: MappingProxyType({}))


def due(
    groups: Iterable[WriteGroup], memory: WriteMemory, now_s: float, registers: Registers | None = None
) -> tuple[WriteGroup, ...]:
    """The groups that must be written now, in their order.

    `registers` are words that were read after the last write, None where there are none. A group that this process
    never wrote is due, because its revert timer is unknown, unless it has none and the device shows it already.
    """
    return tuple(group for group in groups if _is_due(group, memory.groups.get(group.name), now_s, registers or {}))


def remember(memory: WriteMemory, group: WriteGroup, now_s: float) -> WriteMemory:
    """The memory after the device took `group`."""
    words = _words(group)
    before = memory.groups.get(group.name)
    if before is None:
        after = GroupMemory(MappingProxyType(words), now_s)
    elif _changed(words, before):
        after = GroupMemory(MappingProxyType({**before.words, **words}), now_s)
    else:
        extra = 0 if _refresh_is_due(group, before, now_s) else 1
        after = replace(before, written_at_s=now_s, extra_tries=before.extra_tries + extra)
    return WriteMemory(MappingProxyType({**memory.groups, group.name: after}))


def observe(memory: WriteMemory, groups: Iterable[WriteGroup], registers: Registers) -> WriteMemory:
    """The memory after `registers` were read: what the device shows may be tried again later.

    Groups that are no longer commanded are forgotten, so that they are written when they come back.
    """
    wanted = {group.name: group for group in groups}
    kept = {
        name: replace(past, extra_tries=0) if past.extra_tries and _shown(wanted[name], registers) else past
        for name, past in memory.groups.items()
        if name in wanted
    }
    return WriteMemory(MappingProxyType(kept))


def forget(memory: WriteMemory, name: str | None = None) -> WriteMemory:
    """The memory without one group, or without any: they are written again."""
    kept = {} if name is None else {other: past for other, past in memory.groups.items() if other != name}
    return WriteMemory(MappingProxyType(kept))


def _is_due(group: WriteGroup, past: GroupMemory | None, now_s: float, registers: Registers) -> bool:
    if past is None:
        return group.refresh_s is not None or not _shown(group, registers)
    if _changed(_words(group), past):
        return True
    if _refresh_is_due(group, past, now_s):
        return True
    return past.extra_tries < EXTRA_TRIES and _contradicted(group, registers)


def _refresh_is_due(group: WriteGroup, past: GroupMemory, now_s: float) -> bool:
    return group.refresh_s is not None and now_s - past.written_at_s >= group.refresh_s


def _words(group: WriteGroup) -> dict[int, int]:
    return {at: word for write in group.writes for at, word in enumerate(write.values, start=write.address)}


def _changed(words: Mapping[int, int], past: GroupMemory) -> bool:
    """A group that leaves a register out does not change it."""
    return any(past.words.get(address) != word for address, word in words.items())


def _shown(group: WriteGroup, registers: Registers) -> bool:
    return all(registers.get(address) == word for address, word in _words(group).items())


def _contradicted(group: WriteGroup, registers: Registers) -> bool:
    return any(registers.get(address, word) != word for address, word in _words(group).items())
