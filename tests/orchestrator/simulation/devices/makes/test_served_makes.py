"""Makes on the network, read and commanded by a client that is not ours: functions, word order and unit ids."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.simulation.server import RunningSite
from tests.support.servers.served_makes import client, served_makes, settle

UNITS = {"sungrow-sh": 1, "huawei-luna": 1, "goodwe-et": 247}


@pytest.fixture
def running() -> Iterator[RunningSite]:
    with served_makes(UNITS) as running:
        yield running


def test_sungrow_is_read_with_function_4_low_word_first_and_written_with_16(running: RunningSite) -> None:
    with client(running, "sungrow-sh") as modbus:
        assert not modbus.write_register(13079, 600, device_id=1).isError()
        assert not modbus.write_registers(13049, [3, 0xAA, 3000], device_id=1).isError()
        running.call(settle)
        words = modbus.read_input_registers(5213, count=2, device_id=1).registers
        assert modbus.read_holding_registers(13033, count=2, device_id=1).exception_code == 2

    watts = modbus.convert_from_registers(words, modbus.DATATYPE.INT32, word_order="little")
    assert watts == pytest.approx(-3000, abs=5)


def test_huawei_is_read_with_function_3_high_word_first(running: RunningSite) -> None:
    with client(running, "huawei-luna") as modbus:
        for address, words in ((47087, [1]), (47247, [0, 3000]), (47083, [10]), (47100, [1])):
            assert not modbus.write_registers(address, words, device_id=1).isError()
        running.call(settle)
        words = modbus.read_holding_registers(37765, count=2, device_id=1).registers
        assert modbus.read_input_registers(37765, count=2, device_id=1).exception_code == 2

    watts = modbus.convert_from_registers(words, modbus.DATATYPE.INT32)
    assert watts == pytest.approx(3000, abs=5)


def test_goodwe_answers_as_unit_247_and_is_written_with_function_6(running: RunningSite) -> None:
    with client(running, "goodwe-et") as modbus:
        assert modbus.read_holding_registers(35182, count=2, device_id=1).exception_code == 0x0B
        assert not modbus.write_register(47512, 2000, device_id=247).isError()
        assert not modbus.write_register(47511, 12, device_id=247).isError()
        assert modbus.write_register(47511, 4, device_id=247).exception_code == 3
        running.call(settle)
        words = modbus.read_holding_registers(35182, count=2, device_id=247).registers

    watts = modbus.convert_from_registers(words, modbus.DATATYPE.INT32)
    assert watts == pytest.approx(2000, abs=5)
