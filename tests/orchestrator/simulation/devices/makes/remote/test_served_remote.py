"""Makes with a remote control on the network, read and commanded by a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.simulation.server import RunningSite
from tests.support.servers.served_makes import client, served_makes, settle

UNITS = {"solax-gen4": 1, "foxess-h3": 247, "solis-hybrid": 1, "sofar-hyd": 1, "sigenergy": 247, "growatt-mod": 1}


@pytest.fixture
def running() -> Iterator[RunningSite]:
    with served_makes(UNITS) as running:
        yield running


def test_solax_takes_its_block_with_function_16_and_shows_power_low_word_first(running: RunningSite) -> None:
    with client(running, "solax-gen4") as modbus:
        assert (
            modbus.write_registers(0x7C, [1, 1, 2000, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0], device_id=1).exception_code == 4
        )
        assert not modbus.write_register(0x0000, 2014, device_id=1).isError()
        assert modbus.write_register(0x7C, 1, device_id=1).exception_code == 2
        assert not modbus.write_registers(0x7C, [1, 1, 2000, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0], device_id=1).isError()
        running.call(settle)
        words = modbus.read_input_registers(0x16, count=1, device_id=1).registers

    assert modbus.convert_from_registers(words, modbus.DATATYPE.INT16) == pytest.approx(2940, abs=5)


def test_foxess_is_commanded_register_by_register(running: RunningSite) -> None:
    with client(running, "foxess-h3") as modbus:
        for address, word in ((44001, 60), (44000, 1)):
            assert not modbus.write_register(address, word, device_id=247).isError()
        assert modbus.write_register(44002, 0, device_id=247).exception_code == 2
        assert not modbus.write_registers(44002, [0xFFFF, 0x10000 - 2000], device_id=247).isError()
        running.call(settle)
        words = modbus.read_holding_registers(31036, count=1, device_id=247).registers

    assert modbus.convert_from_registers(words, modbus.DATATYPE.INT16) == pytest.approx(-2940, abs=5)


def test_solis_shows_its_readings_with_function_4_and_its_settings_with_3(running: RunningSite) -> None:
    with client(running, "solis-hybrid") as modbus:
        for address, word in ((43129, 200), (43135, 2)):
            assert not modbus.write_register(address, word, device_id=1).isError()
        running.call(settle)
        words = modbus.read_input_registers(33149, count=2, device_id=1).registers
        assert modbus.read_input_registers(33135, count=1, device_id=1).registers == [1]
        assert modbus.read_holding_registers(33149, count=2, device_id=1).exception_code == 2

    assert modbus.convert_from_registers(words, modbus.DATATYPE.UINT32) == pytest.approx(2000, abs=5)


def test_sofar_knows_functions_3_and_16_alone(running: RunningSite) -> None:
    with client(running, "sofar-hyd") as modbus:
        assert modbus.write_register(0x1110, 3, device_id=1).exception_code == 1
        assert modbus.read_input_registers(0x0606, count=1, device_id=1).exception_code == 1
        assert not modbus.write_registers(0x1110, [3], device_id=1).isError()


def test_sigenergy_has_its_plant_at_another_unit_than_its_inverter(running: RunningSite) -> None:
    with client(running, "sigenergy") as modbus:
        for address, words in ((40029, [1]), (40031, [5]), (40034, [0, 1500])):
            assert not modbus.write_registers(address, words, device_id=247).isError()
        running.call(settle)
        plant = modbus.read_holding_registers(30037, count=2, device_id=247).registers
        inverter = modbus.read_input_registers(30599, count=2, device_id=1).registers
        assert modbus.read_holding_registers(30037, count=2, device_id=1).exception_code == 2

    assert modbus.convert_from_registers(plant, modbus.DATATYPE.INT32) == pytest.approx(-1500, abs=5)
    assert inverter == plant


def test_growatt_shows_its_readings_with_function_4_high_word_first(running: RunningSite) -> None:
    with client(running, "growatt-mod") as modbus:
        for address, word in ((30100, 1), (30409, 0x10000 - 20), (30407, 1)):
            assert not modbus.write_register(address, word, device_id=1).isError()
        running.call(settle)
        words = modbus.read_input_registers(31200, count=2, device_id=1).registers

    assert modbus.convert_from_registers(words, modbus.DATATYPE.INT32) == pytest.approx(-10000, abs=50)
