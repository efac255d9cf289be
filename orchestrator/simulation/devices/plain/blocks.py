"""Blocks of a document with reserved registers in them: those are read as 0, registers outside are refused."""

from __future__ import annotations

from collections.abc import Iterable

from orchestrator.simulation.devices.plain.map import Cell

Block = tuple[int, int]
"""The first and the last address of a block, 0-based."""


def reserve(cells: Iterable[Cell], *blocks: Block, inputs: bool = False) -> list[Cell]:
    """`cells` and, in each block, a register that reads 0 wherever they leave a hole."""
    named = list(cells)
    taken = {at for cell in named if cell.inputs == inputs for at in range(cell.address, cell.end)}
    holes = [at for first, last in blocks for at in range(first, last + 1) if at not in taken]
    return [*named, *(Cell(f"reserved {at}", at, _zero, inputs=inputs) for at in holes)]


def _zero() -> float:
    return 0
