"""A device whose registers lie at addresses that its document fixes: what makes use besides SunSpec, or in place of it.

A make is a subclass: it lists its cells, says in `refuses` what it does not accept, and obeys in `taken`. It is written
from the make's document, and never from our profile of it, so that a mistake in one shows against the other.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from orchestrator.simulation.devices.plain.words import U16, Plain, from_words, to_words
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode, Registers, WriteRecord
from orchestrator.simulation.devices.sunspec.words import Words

READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY = 3, 4, 6, 16
"""The Modbus functions that devices know."""

ALL_FUNCTIONS: Final = frozenset({READ_HOLDING, READ_INPUT, WRITE_ONE, WRITE_MANY})
Number = float


@dataclass(frozen=True, slots=True)
class Cell:
    """One register, or several that hold one value, from the 0-based wire `address` on.

    `value` gives what it shows now, in its unit; the raw number is value / `gain`. `inputs` puts it into the input
    registers (function 4) in place of the holding registers (function 3). A cell that is not `writable` refuses writes;
    one that is not `readable` refuses reads.
    """

    name: str
    address: int
    value: Callable[[], float | str]
    kind: Plain = U16
    gain: float = 1.0
    writable: bool = False
    readable: bool = True
    inputs: bool = False

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.kind.words


def input_cell(
    name: str, address: int, value: Callable[[], float | str], kind: Plain = U16, *, gain: float = 1.0
) -> Cell:
    """A cell among the input registers."""
    return Cell(name, address, value, kind, gain, inputs=True)


class Places:
    """Where each cell of a table lies, and the words of any stretch of it."""

    def __init__(self, cells: Iterable[Cell], *, little: bool, holes_are_zero: bool) -> None:
        self._little = little
        self._holes_are_zero = holes_are_zero
        cells = tuple(cells)
        self._cells = {cell.name: cell for cell in cells}
        if len(self._cells) != len(cells):
            raise ValueError("two cells share a name")
        self._at = {at: cell for cell in self._cells.values() for at in range(cell.address, cell.end)}
        if len(self._at) != sum(cell.kind.words for cell in self._cells.values()):
            raise ValueError("two cells share an address")

    def address(self, name: str) -> int:
        """The first address of the cell called `name`. Raises KeyError."""
        return self._cells[name].address

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` words from `address`; ILLEGAL_ADDRESS where a cell is not readable, or at a hole that counts."""
        words: list[int] = []
        for at in range(address, address + count):
            cell = self._at.get(at)
            if cell is None and self._holes_are_zero:
                words.append(0)
            elif cell is None or not cell.readable:
                return ExceptionCode.ILLEGAL_ADDRESS
            else:
                words.append(self._words(cell)[at - cell.address])
        return tuple(words)

    def written(self, address: int, words: Words) -> Mapping[str, Number] | ExceptionCode:
        """The values, in their units, of the cells that `words` cover whole; refused where one is not writable."""
        values: dict[str, Number] = {}
        at, end = address, address + len(words)
        while at < end:
            cell = self._at.get(at)
            if cell is None or not cell.writable or cell.address != at or cell.end > end:
                return ExceptionCode.ILLEGAL_ADDRESS
            raw = from_words(cell.kind, words[at - address : cell.end - address], little=self._little)
            values[cell.name] = raw * cell.gain
            at = cell.end
        return values

    def _words(self, cell: Cell) -> Words:
        value = cell.value()
        raw = value if isinstance(value, str) else value / cell.gain
        return to_words(cell.kind, raw, little=self._little)


class PlainDevice:
    """Serves cells. `functions` are the Modbus functions that the device knows; others get exception 1.

    `little`: the low word of a value comes first. `holes_are_zero`: registers that the document does not name are
    read as 0 in place of being refused. `others` are registers of the same device under other unit ids.
    """

    single_writes: Container[int] = range(0)
    """Addresses that are written one register at a time: there function 16 is refused (exception 2)."""

    block_writes: Container[int] = range(0)
    """First addresses of blocks that are written with function 16 alone: there function 6 is refused (exception 2)."""

    def __init__(
        self,
        cells: Iterable[Cell],
        *,
        functions: frozenset[int] = ALL_FUNCTIONS,
        little: bool = False,
        holes_are_zero: bool = False,
        others: Mapping[int, Registers] = MappingProxyType({}),
    ) -> None:
        self.reads = 0
        self.writes: list[WriteRecord] = []
        self.functions = functions
        self.others = others
        cells = tuple(cells)
        self.registers = Places((c for c in cells if not c.inputs), little=little, holes_are_zero=holes_are_zero)
        self.inputs = Places((c for c in cells if c.inputs), little=little, holes_are_zero=holes_are_zero)

    def read(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` holding registers from the 0-based `address`."""
        self.reads += 1
        return self.registers.read(address, count)

    def read_inputs(self, address: int, count: int) -> Words | ExceptionCode:
        """`count` input registers from the 0-based `address`."""
        self.reads += 1
        return self.inputs.read(address, count)

    def write(self, address: int, words: Words, now_s: float) -> ExceptionCode | None:
        """Write `words` from the 0-based `address`; a refusal changes nothing."""
        written = self.registers.written(address, words)
        if isinstance(written, ExceptionCode):
            return written
        refusal = self.refuses(written)
        if refusal is not None:
            return refusal
        self.writes.append(WriteRecord(now_s, address, words, tuple(written)))
        self.taken(written)
        return None

    def refuses(self, written: Mapping[str, Number]) -> ExceptionCode | None:  # noqa: ARG002
        """Why the device does not accept these values (by name of cell, in their units); None where it does."""
        return None

    def taken(self, written: Mapping[str, Number]) -> None:
        """Obey accepted values."""

    def advance(self, dt_s: float) -> None:
        """Let the device's own timers run for `dt_s`."""
