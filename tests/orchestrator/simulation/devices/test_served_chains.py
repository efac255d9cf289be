"""Makes with a SunSpec chain beside their own registers, and SMA, on the network with a client that is not ours."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.simulation.server import RunningSite
from tests.support.servers.served_makes import client, served_makes, settle

UNITS = {"solaredge-storedge": 1, "sma": 3, "kostal-plenticore": 71}


@pytest.fixture
def running() -> Iterator[RunningSite]:
    with served_makes(UNITS) as running:
        yield running


def test_solaredge_takes_single_registers_by_either_function_and_floats_low_word_first(running: RunningSite) -> None:
    with client(running, "solaredge-storedge") as modbus:
        limit = modbus.convert_to_registers(1500.0, modbus.DATATYPE.FLOAT32, word_order="little")
        assert not modbus.write_register(0xE004, 4, device_id=1).isError()
        assert not modbus.write_registers(0xE010, limit, device_id=1).isError()
        assert not modbus.write_registers(0xE00D, [4], device_id=1).isError()
        assert modbus.write_register(0xE00E, 1500, device_id=1).exception_code == 2
        running.call(settle)
        power = modbus.read_holding_registers(0xE174, count=2, device_id=1).registers
        chain = modbus.read_holding_registers(40000, count=121, device_id=1).registers

    watts = modbus.convert_from_registers(power, modbus.DATATYPE.FLOAT32, word_order="little")
    assert watts == pytest.approx(-1500, abs=5)
    assert (chain[:4], chain[69]) == ([0x5375, 0x6E53, 1, 65], 103)


def test_sma_takes_ten_words_at_once_and_answers_functions_3_and_4(running: RunningSite) -> None:
    with client(running, "sma") as modbus:
        assert not modbus.write_registers(40236, [0, 2289], device_id=3).isError()
        assert not modbus.write_registers(40793, [0, 3000, 0, 3000, 0, 0, 0, 0, 0, 0], device_id=3).isError()
        running.call(settle)
        words = modbus.read_holding_registers(31393, count=2, device_id=3).registers
        again = modbus.read_input_registers(31393, count=2, device_id=3).registers

    assert words == again
    assert modbus.convert_from_registers(words, modbus.DATATYPE.UINT32) == pytest.approx(3000, abs=5)


def test_kostal_takes_its_ac_limit_by_function_6_only_and_floats_by_function_16(running: RunningSite) -> None:
    with client(running, "kostal-plenticore") as modbus:
        charge = modbus.convert_to_registers(-3000.0, modbus.DATATYPE.FLOAT32, word_order="little")
        assert modbus.write_registers(40217, [5000], device_id=71).exception_code == 2
        assert not modbus.write_register(40217, 5000, device_id=71).isError()
        assert modbus.write_register(1034, charge[0], device_id=71).exception_code == 2
        assert not modbus.write_registers(1034, charge, device_id=71).isError()
        running.call(settle)
        power = modbus.read_holding_registers(582, count=1, device_id=71).registers
        limit = modbus.read_holding_registers(40217, count=1, device_id=71).registers

    assert limit == [5000]
    assert modbus.convert_from_registers(power, modbus.DATATYPE.INT16) == pytest.approx(-3000, abs=5)
