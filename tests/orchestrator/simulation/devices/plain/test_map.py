"""Cells have places and names of their own, and some addresses mean one thing when read and another when written."""

from __future__ import annotations

import pytest

from orchestrator.simulation.devices.plain.apart import ApartDevice
from orchestrator.simulation.devices.plain.map import Cell, PlainDevice, input_cell
from orchestrator.simulation.devices.plain.words import U32
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode


def test_two_cells_share_neither_a_name_nor_an_address() -> None:
    with pytest.raises(ValueError, match="share a name"):
        PlainDevice([Cell("power", 100, lambda: 1), Cell("power", 101, lambda: 2)])
    with pytest.raises(ValueError, match="share an address"):
        PlainDevice([Cell("power", 100, lambda: 1, U32), Cell("state", 101, lambda: 2)])


def test_what_is_written_may_lie_where_something_else_is_read() -> None:
    device = ApartDevice(
        [Cell("version", 100, lambda: 7), input_cell("power", 100, lambda: 5)],
        [Cell("command", 100, lambda: 0, U32, writable=True)],
    )

    assert device.write(100, (0, 1), 0.0) is None
    assert [record.registers for record in device.writes] == [("command",)]
    assert (device.read(100, 1), device.read_inputs(100, 1)) == ((7,), (5,))
    assert device.read(101, 1) is ExceptionCode.ILLEGAL_ADDRESS
