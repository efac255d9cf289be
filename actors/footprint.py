"""What was written to one device, and what stood there before: so that it can be left as it was found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from actors.session import DeviceSession
from orchestrator.drivers.base import ReadRequest, Registers, RegisterWrite, WriteGroup
from orchestrator.errors import DeviceError, NonsenseReply, RequestRefused

TRIES: Final = 5
RETRY_AFTER_S: Final = 0.5


class Footprint:
    """Writes to one device, recording each register before it is first written; `restore` writes all of them back."""

    def __init__(self, session: DeviceSession) -> None:
        self._session = session
        self._found: dict[int, int] = {}
        self._written: dict[str, WriteGroup] = {}
        self._pause = threading.Event()

    def write(self, groups: Iterable[WriteGroup]) -> tuple[str, ...]:
        """Write, and return the names of registers that are refused; a group ends with the first of them.

        Raises LinkError, and NonsenseReply where a register cannot be read: then it cannot be put back, and nothing is
        written.
        """
        groups = tuple(groups)
        for group in groups:
            self._record(group)
        return tuple(name for group in groups for name in self._write_group(group))

    def restore(self) -> tuple[str, ...]:
        """Write what was found, each group in its own order; the names of registers that do not show it afterwards.

        Tries again while the device does not answer. Never raises DeviceError: what it cannot put back, it names.
        """
        groups = tuple(self._as_found(group) for group in self._written.values())
        lost = [write for group in groups for write in group.writes if not self._written_back(write)]
        registers = self._read_back(groups)
        unseen = [write.register for write in lost if write.address not in registers]
        left = tuple(dict.fromkeys((*unseen, *self._differing(groups, registers))))
        if not left:
            self._written.clear()
        return left

    def _record(self, group: WriteGroup) -> None:
        for write in group.writes:
            missing = [at for at in range(write.address, write.address + len(write.values)) if at not in self._found]
            if not missing:
                continue
            words = self._session.read_more(ReadRequest(write.address, len(write.values)))
            if not words:
                raise NonsenseReply(f"{write.register} cannot be read, so it could not be put back; it is left alone")
            self._found |= {at: words[at] for at in missing}

    def _write_group(self, group: WriteGroup) -> tuple[str, ...]:
        known = self._written.get(group.name)
        self._written[group.name] = group if known is None else _joined(known, group)
        for write in group.writes:
            try:
                self._session.write(write)
            except RequestRefused:
                return (write.register,)
        return ()

    def _as_found(self, group: WriteGroup) -> WriteGroup:
        return replace(group, writes=tuple(self._found_write(write) for write in group.writes), refresh_s=None)

    def _found_write(self, write: RegisterWrite) -> RegisterWrite:
        addresses = range(write.address, write.address + len(write.values))
        return replace(write, values=tuple(self._found[address] for address in addresses))

    def _written_back(self, write: RegisterWrite) -> bool:
        for left in reversed(range(TRIES)):
            try:
                self._session.write(write)
            except RequestRefused:
                return False
            except DeviceError:
                if left:
                    self._pause.wait(RETRY_AFTER_S)
            else:
                return True
        return False

    def _read_back(self, groups: Iterable[WriteGroup]) -> dict[int, int]:
        registers: dict[int, int] = {}
        for write in (write for group in groups for write in group.writes):
            with contextlib.suppress(DeviceError):  # of one that cannot be read any more it counts whether it was taken
                registers |= self._session.read_more(ReadRequest(write.address, len(write.values)))
        return registers

    def _differing(self, groups: tuple[WriteGroup, ...], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value; the driver knows which of them may count down."""
        if self._session.device is not None:
            return self._session.driver.verify(self._session.device, groups, registers)
        writes = (write for group in groups for write in group.writes)
        return tuple(write.register for write in writes if not _is_shown(write, registers))


def _is_shown(write: RegisterWrite, registers: Registers) -> bool:
    return all(registers.get(at, value) == value for at, value in enumerate(write.values, write.address))


def _joined(first: WriteGroup, second: WriteGroup) -> WriteGroup:
    """A group with the writes of both; what was in the first keeps its place."""
    known = {(write.address, len(write.values)) for write in first.writes}
    new = tuple(write for write in second.writes if (write.address, len(write.values)) not in known)
    return replace(first, writes=(*new, *first.writes))
