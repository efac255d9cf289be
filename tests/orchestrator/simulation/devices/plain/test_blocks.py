"""Reserved registers of a block are read as 0; what a document does not name is refused."""

from __future__ import annotations

from orchestrator.simulation.devices.plain.blocks import reserve
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice
from orchestrator.simulation.devices.plain.words import U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode

CELLS = [Cell("power", 102, lambda: 70000, U32), Cell("input", 101, lambda: 5, inputs=True)]


def test_holes_of_a_block_are_zero_and_what_is_named_stays() -> None:
    device = PlainDevice(reserve(CELLS, (100, 105)))

    assert device.read(100, 6) == (0, 0, 1, 4464, 0, 0)
    assert device.read(99, 2) is ExceptionCode.ILLEGAL_ADDRESS
    assert device.read(105, 2) is ExceptionCode.ILLEGAL_ADDRESS
    assert device.read_inputs(100, 3) is ExceptionCode.ILLEGAL_ADDRESS


def test_a_block_of_input_registers_leaves_the_holding_registers_alone() -> None:
    device = PlainDevice(reserve(CELLS, (100, 102), inputs=True))

    assert device.read_inputs(100, 3) == (0, 5, 0)
    assert device.read(100, 1) is ExceptionCode.ILLEGAL_ADDRESS


def test_reserved_registers_cannot_be_written() -> None:
    assert PlainDevice(reserve(CELLS, (100, 105))).write(100, (1,), 0.0) is ExceptionCode.ILLEGAL_ADDRESS
