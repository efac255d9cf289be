"""What was written to one device, and what stood there before: so that it can be left as it was found."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from actors.session import DeviceSession
from orchestrator.drivers.base import ReadRequest, RegisterWrite, WriteGroup
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
        lost = tuple(name for group in groups for name in self._put_back(group))
        differing = self._differing(groups)
        if not lost and not differing:
            self._written.clear()
        return tuple(dict.fromkeys((*lost, *differing)))

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

    def _put_back(self, group: WriteGroup) -> tuple[str, ...]:
        return tuple(write.register for write in group.writes if not self._written_back(write))

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

    def _differing(self, groups: tuple[WriteGroup, ...]) -> tuple[str, ...]:
        """Registers that show another value than the one found. One that cannot be read any more is not judged."""
        names: list[str] = []
        for write in (write for group in groups for write in group.writes):
            try:
                words = self._session.read_more(ReadRequest(write.address, len(write.values)))
            except DeviceError:
                continue
            if words and any(words[at] != value for at, value in enumerate(write.values, write.address)):
                names.append(write.register)
        return tuple(names)


def _joined(first: WriteGroup, second: WriteGroup) -> WriteGroup:
    """A group with the writes of both; what was in the first keeps its place."""
    known = {(write.address, len(write.values)) for write in first.writes}
    new = tuple(write for write in second.writes if (write.address, len(write.values)) not in known)
    return replace(first, writes=(*new, *first.writes))
