"""What was written to one device, and what stood there before: so that it can be left as it was found."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from actors.device.session import DeviceSession
from orchestrator.devices.base import ReadRequest, Registers, RegisterWrite, WriteGroup
from orchestrator.errors import DeviceError, NonsenseReply, RequestRefused

TRIES: Final = 5
RETRY_AFTER_S: Final = 0.5


class Footprint:
    """Writes to one device, recording each register before it is first written; `restore` writes all of them back.

    `note`, if any, is told of each write before it is sent.
    """

    def __init__(self, session: DeviceSession, note: Callable[[RegisterWrite], None] | None = None) -> None:
        self._session = session
        self._note = note
        self._found: dict[int, int] = {}
        self._written: dict[str, WriteGroup] = {}
        self._unreadable: dict[str, None] = {}
        self._pause = threading.Event()

    @property
    def unreadable(self) -> tuple[str, ...]:
        """The names of registers that were written and that no device of this kind shows: they cannot be put back."""
        return tuple(self._unreadable)

    def write(self, groups: Iterable[WriteGroup]) -> tuple[str, ...]:
        """Write, and return the names of registers that are refused; a group ends with the first of them.

        Raises LinkError, and NonsenseReply where a register cannot be read that should be: then it cannot be put back,
        and nothing is written.
        """
        groups = tuple(groups)
        for group in groups:
            self._record(group)
        return tuple(name for group in groups for name in self._write_group(group))

    def restore(self) -> tuple[str, ...]:
        """Write what was found, the last group first, each in its own order; what shows it already is left alone.

        Returns the names of registers that do not show it afterwards. Tries again while the device does not answer.
        Never raises DeviceError: what it cannot put back, it names.
        """
        groups = tuple(self._as_found(group) for group in reversed(self._written.values()))
        changed = [group for group in groups if not self._is_as_found(group)]
        lost = [write for group in changed for write in group.writes if not self._written_back(write)]
        left = self._not_shown(groups, lost)
        for _ in range(TRIES):
            if lost or not left:
                break
            self._pause.wait(RETRY_AFTER_S)  # a device may take a moment to show what it took
            left = self._not_shown(groups, lost)
        if not left:
            self._written.clear()
            self._unreadable.clear()
        return left

    def _record(self, group: WriteGroup) -> None:
        readable = self._readable()
        for write in group.writes:
            if readable is not None and not readable.issuperset(_addresses(write)):
                self._unreadable[write.register] = None
                continue
            missing = [at for at in _addresses(write) if at not in self._found]
            if not missing:
                continue
            words = self._session.read_more(ReadRequest(write.address, len(write.values)))
            if not words.keys() >= set(missing):
                raise NonsenseReply(f"{write.register} cannot be read, so it could not be put back; it is left alone")
            self._found |= {at: words[at] for at in missing}

    def _readable(self) -> frozenset[int] | None:
        """Where the driver reads what was written; None while it does not know the device."""
        if self._session.device is None:
            return None
        requests = self._session.driver.plan_readback(self._session.device)
        return frozenset(at for each in requests for at in range(each.address, each.address + each.count))

    def _write_group(self, group: WriteGroup) -> tuple[str, ...]:
        known = self._written.get(group.name)
        self._written[group.name] = group if known is None else _joined(known, group)
        for write in group.writes:
            try:
                self._send(write)
            except RequestRefused:
                return (write.register,)
        return ()

    def _send(self, write: RegisterWrite) -> None:
        if self._note is not None:
            self._note(write)
        self._session.write(write)

    def _as_found(self, group: WriteGroup) -> WriteGroup:
        known = (write for write in group.writes if write.address in self._found)
        return replace(group, writes=tuple(self._found_write(write) for write in known), refresh_s=None)

    def _found_write(self, write: RegisterWrite) -> RegisterWrite:
        return replace(write, values=tuple(self._found[address] for address in _addresses(write)))

    def _is_as_found(self, group: WriteGroup) -> bool:
        """Whether the device has gone back by itself: a make may take the old value for a new command."""
        registers = self._read_back((group,))
        return all(registers.get(at) == self._found[at] for write in group.writes for at in _addresses(write))

    def _written_back(self, write: RegisterWrite) -> bool:
        for left in reversed(range(TRIES)):
            try:
                self._send(write)
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

    def _not_shown(self, groups: tuple[WriteGroup, ...], lost: list[RegisterWrite]) -> tuple[str, ...]:
        registers = self._read_back(groups)
        unseen = [write.register for write in lost if write.address not in registers]
        return tuple(dict.fromkeys((*unseen, *self._differing(groups, registers))))

    def _differing(self, groups: tuple[WriteGroup, ...], registers: Registers) -> tuple[str, ...]:
        """The names of registers that show another value; the driver knows which of them may count down."""
        if self._session.device is not None:
            return self._session.driver.verify(self._session.device, groups, registers)
        writes = (write for group in groups for write in group.writes)
        return tuple(write.register for write in writes if not _is_shown(write, registers))


def _addresses(write: RegisterWrite) -> range:
    return range(write.address, write.address + len(write.values))


def _is_shown(write: RegisterWrite, registers: Registers) -> bool:
    return all(registers.get(at, value) == value for at, value in enumerate(write.values, write.address))


def _joined(first: WriteGroup, second: WriteGroup) -> WriteGroup:
    """A group with the writes of both; what was in the first keeps its place."""
    known = {(write.address, len(write.values)) for write in first.writes}
    new = tuple(write for write in second.writes if (write.address, len(write.values)) not in known)
    return replace(first, writes=(*new, *first.writes))
