"""Makes that are only read on the network, read by a client that is not ours, which may not write."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pymodbus.client import ModbusTcpClient

from orchestrator.simulation.server import RunningSite
from tests.support.servers.served_makes import client, served_makes, settle

BATTERY_AND_UNIT = {
    "deye-3p-lv": (590, 1),
    "sunsynk-1p": (190, 1),
    "givenergy-gen3": (52, 0x11),
    "saj-h2": (0x40A6, 1),
    "alphaess-smile": (0x0126, 85),
}
"""Where each shows the power of its battery in W, discharging +."""


@pytest.fixture
def running() -> Iterator[RunningSite]:
    with served_makes({make: unit for make, (_, unit) in BATTERY_AND_UNIT.items()}) as running:
        yield running


def test_each_shows_a_battery_that_charges_with_a_minus_and_refuses_writes(running: RunningSite) -> None:
    running.call(settle)
    for make, (address, unit) in BATTERY_AND_UNIT.items():
        with client(running, make) as modbus:
            assert _watts(modbus, make, address, unit) == pytest.approx(-1000, abs=5), make
            assert modbus.write_register(address, 0, device_id=unit).exception_code == 2
            assert modbus.write_registers(address, [0, 0], device_id=unit).exception_code == 2


def _watts(modbus: ModbusTcpClient, make: str, address: int, unit: int) -> int | float:
    read = modbus.read_input_registers if make == "givenergy-gen3" else modbus.read_holding_registers
    watts = modbus.convert_from_registers(read(address, count=1, device_id=unit).registers, modbus.DATATYPE.INT16)
    assert isinstance(watts, int | float)
    return watts
