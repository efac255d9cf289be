"""A device made of a register image: it answers with the words of the image, for ever."""

from __future__ import annotations

from collections.abc import Mapping

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Words


class ImageDevice:
    """Words by address. A request that touches a word that is missing is refused whole, with exception 2.

    Where it is not `writable` every write is refused with exception 1; where it is, written words are read back.
    """

    def __init__(self, words: Mapping[int, int], *, writable: bool = False) -> None:
        self.reads = 0
        self.writes: list[WriteRecord] = []
        self._words = dict(words)
        self._writable = writable

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""
        if not self._holds(address, count):
            return ExceptionCode.ILLEGAL_ADDRESS
        self.reads += 1
        return tuple(self._words[at] for at in range(address, address + count))

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; they have no other effect than to be read back."""
        if not self._writable:
            return ExceptionCode.ILLEGAL_FUNCTION
        if not self._holds(address, len(words)):
            return ExceptionCode.ILLEGAL_ADDRESS
        self._words.update(enumerate(words, address))
        self.writes.append(WriteRecord(now_s, address, words, ()))
        return None

    def _holds(self, address: int, count: int) -> bool:
        return all(at in self._words for at in range(address, address + count))
