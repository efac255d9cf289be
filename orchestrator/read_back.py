"""Whether a device took what was written: some ignore a write without saying so."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.drivers.base import ReadRequest, Registers, RegisterWrite


def unread(writes: Iterable[RegisterWrite], registers: Registers) -> tuple[ReadRequest, ...]:
    """The reads that are missing to check `writes`: those whose words are not all among `registers`."""
    return tuple(
        ReadRequest(write.address, len(write.values))
        for write in writes
        if any(address not in registers for address in _addresses(write))
    )


def ignored(writes: Iterable[RegisterWrite], registers: Registers) -> tuple[str, ...]:
    """The names of the writes that `registers`, read later, do not show. Words that were not read prove nothing."""
    return tuple(write.register for write in writes if _differs(write, registers))


def _differs(write: RegisterWrite, registers: Registers) -> bool:
    return any(
        registers.get(address, value) != value for address, value in zip(_addresses(write), write.values, strict=True)
    )


def _addresses(write: RegisterWrite) -> range:
    return range(write.address, write.address + len(write.values))
