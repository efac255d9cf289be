"""A device's registers: the SunSpec marker, its models one after the other, the end marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Protocol

from orchestrator.simulation.devices.sunspec.model import HEADER_WORDS, Model, encode_model
from orchestrator.simulation.devices.sunspec.words import Value, Words

BASE_ADDRESS = 40000
MARKER: Words = (0x5375, 0x6E53)
END: Words = (0xFFFF, 0)


class ExceptionCode(IntEnum):
    """Modbus exception replies."""

    ILLEGAL_FUNCTION = 1
    ILLEGAL_ADDRESS = 2
    ILLEGAL_VALUE = 3
    DEVICE_FAILURE = 4
    BUSY = 6
    NO_PATH = 0x0A
    NO_TARGET = 0x0B


@dataclass(frozen=True, slots=True)
class WriteRecord:
    """A write that was answered without exception. `registers` names the points that took it, such as "124.OutWRte".

    Words on read-only and unimplemented points are ignored: they are in `words`, but not in `registers`.
    """

    at_s: float
    address: int
    words: Words
    registers: tuple[str, ...]


class Registers(Protocol):
    """What the server serves: words that are read and written, without socket or clock."""

    reads: int
    """How many read requests were answered."""
    writes: list[WriteRecord]
    """Every write that was accepted, oldest first."""

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from the 0-based `address`."""

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; None is acceptance. `now_s` stamps the record."""


class Addresses(Protocol):
    """Where what is a device's lies."""

    def address(self, name: str) -> int:
        """The first address of the register called `name`. Raises KeyError."""


class Restarts(Protocol):
    """A device whose control board may start anew while the connection stays: it loses what it was told."""

    def restart_controls(self) -> None:
        """Forget every command that is not kept for ever, without a word."""


class Device(Registers, Protocol):
    """A simulated device: its registers change over time."""

    @property
    def registers(self) -> Addresses:
        """Where each of its points lies."""

    def advance(self, dt_s: float) -> None:
        """Let the device's own timers run for `dt_s`."""


@dataclass(frozen=True, slots=True)
class Block:
    """One model at its address; `values` gives the present value of every point that is implemented."""

    address: int
    model: Model
    values: Callable[[], Mapping[str, Value]]

    @property
    def end(self) -> int:
        """The first address behind the model."""
        return self.address + HEADER_WORDS + self.model.length


class RegisterMap:
    """The chain of models from 40000 on. Words are made when they are read, so they are never stale."""

    def __init__(self, models: Sequence[tuple[Model, Callable[[], Mapping[str, Value]]]]) -> None:
        self.blocks: list[Block] = []
        address = BASE_ADDRESS + len(MARKER)
        for model, values in models:
            self.blocks.append(Block(address, model, values))
            address = self.blocks[-1].end
        self._end = address

    def holds(self, address: int, count: int) -> bool:
        """Whether all `count` words from `address` on are part of the map."""
        return address >= BASE_ADDRESS and address + count <= self._end + len(END)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from `address`, or ILLEGAL_ADDRESS where the map does not reach."""
        if not self.holds(address, count):
            return ExceptionCode.ILLEGAL_ADDRESS
        words = [0] * count
        _overlay(words, address, BASE_ADDRESS, MARKER)
        _overlay(words, address, self._end, END)
        for block in self.blocks:
            if block.address < address + count and address < block.end:
                _overlay(words, address, block.address, encode_model(block.model, block.values()))
        return tuple(words)

    def names(self, address: int, words: Words) -> dict[str, int]:
        """The written words by the points whose first word they hit, named "<model>.<point>"."""
        hit: dict[str, int] = {}
        for block in self.blocks:
            for point in block.model.points:
                index = block.address + point.offset - address
                if 0 <= index < len(words):
                    hit[f"{block.model.model_id}.{point.name}"] = words[index]
        return hit

    def address(self, name: str) -> int:
        """Where the point "<model>.<point>" lies. Raises KeyError where the map has no such point."""
        model_id, _, point = name.partition(".")
        for block in self.blocks:
            if str(block.model.model_id) == model_id:
                return block.address + block.model.offset(point)
        raise KeyError(name)


def _overlay(words: list[int], address: int, source_address: int, source: Words) -> None:
    """Copy that part of `source` (at `source_address`) which lies within `words` (at `address`)."""
    first = max(address, source_address)
    last = min(address + len(words), source_address + len(source))
    if first < last:
        words[first - address : last - address] = source[first - source_address : last - source_address]
