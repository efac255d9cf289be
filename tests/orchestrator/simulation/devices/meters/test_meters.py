"""Virtual meters as a foreign client reads them: raw words at the numbers of the makes' documents."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.simulation import MeterSimulation
from orchestrator.simulation.devices.catalogue import METERS
from orchestrator.simulation.devices.plain.map import PlainDevice
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.plant.meter import SimulatedMeter

EXPORTED_WATTS = 1500.0
IMPORT_WH, EXPORT_WH = 1_000_000.0, 2_000_000.0


def meter(make: str, **settings: Any) -> PlainDevice:
    """A meter of `make` at a site that exports 1500 W: 750, 450 and 300 W on its phases."""
    measured = SimulatedMeter(MeterSimulation(**settings))
    measured.measure(1.0, 0.0, -EXPORTED_WATTS)
    measured.import_wh, measured.export_wh = IMPORT_WH, EXPORT_WH
    device = METERS[make](measured)
    assert isinstance(device, PlainDevice)
    return device


@pytest.mark.parametrize(
    ("make", "address", "words"),
    [
        ("carlo-gavazzi-em24-e1", 0x28, (0xC568, 0xFFFF)),  # -15000, low word first
        ("carlo-gavazzi-em24-e1", 0x0B, (1651,)),
        ("carlo-gavazzi-em24-e1", 0x4E, (20000, 0)),  # 0.1 kWh
        ("carlo-gavazzi-em340", 0x12, (0xE2B4, 0xFFFF)),  # -7500
        ("carlo-gavazzi-em340", 0x34, (10000, 0)),
        ("goodwe-et", 35139, (0, 1500)),  # feeding in is positive
        ("huawei-luna", 37100, (1,)),
        ("huawei-luna", 37113, (0, 1500)),  # feeding in is positive
        ("huawei-luna", 37134, (0, 450)),
        ("huawei-luna", 37121, (1, 34464)),  # 0.01 kWh
        ("janitza-umg", 19026, (0xC4BB, 0x8000)),
        ("janitza-umg", 19068, (0x4974, 0x2400)),
        ("kostal-ksem", 0, (0, 0, 0, 15000)),
        ("kostal-ksem", 512, (0, 0, 0x0098, 0x9680, 0, 0, 0x0131, 0x2D00)),  # 0.1 Wh
        ("kostal-ksem", 142, (0x0003, 0x8270)),  # 230000 mV
        ("schneider-iem3000", 3059, (0xBFC0, 0)),  # -1.5 kW
        ("schneider-iem3000", 3031, (0x4366, 0)),  # 230.0 V
        ("schneider-iem3000", 49, (0x6945, 0x4D33)),  # "iEM3"
        ("schneider-iem3000", 3207, (0, 0, 0x001E, 0x8480)),
        ("siemens-pac2200", 65, (0xC4BB, 0x8000)),
        ("siemens-pac2200", 801, (0x412E, 0x8480, 0, 0)),
        ("sma", 30865, (0, 0, 0, 1500)),
        ("sma-home-manager", 30581, (0x000F, 0x4240, 0x001E, 0x8480)),
        ("victron-gx-grid", 2600, (0xFD12, 0xFE3E, 0xFED4)),
        ("victron-gx-grid", 2620, (2300,)),  # 0.1 V
    ],
)
def test_holding_registers_are_as_the_document_says(make: str, address: int, words: tuple[int, ...]) -> None:
    assert meter(make).read(address, len(words)) == words


@pytest.mark.parametrize(
    ("make", "address", "words"),
    [
        ("carlo-gavazzi-em24", 0x28, (0xC568, 0xFFFF)),
        ("carlo-gavazzi-em24", 0x04, (2300, 0)),  # 0.1 V
        ("carlo-gavazzi-em24", 0x37, (500,)),
        ("carlo-gavazzi-em24", 0x5C, (20000, 0)),
        ("eastron-sdm630", 0x34, (0xC4BB, 0x8000)),
        ("eastron-sdm630", 0x48, (0x447A, 0)),  # 1000 kWh
        ("eastron-sdm72", 0x4A, (0x44FA, 0)),
        ("shelly-pro-3em", 1013, (0x8000, 0xC4BB)),  # low word first
        ("shelly-pro-3em", 6, (0x5053, 0x4D45)),  # "SPEM", each pair turned round
        ("siemens-pac2200", 65, (0xC4BB, 0x8000)),
        ("sungrow-sh", 5600, (0xFA24, 0xFFFF, 0xFD12, 0xFFFF)),  # low word first
    ],
)
def test_input_registers_are_as_the_document_says(make: str, address: int, words: tuple[int, ...]) -> None:
    assert meter(make).read_inputs(address, len(words)) == words


@pytest.mark.parametrize(
    ("make", "address", "count", "refusal"),
    [
        ("carlo-gavazzi-em24", 0x00, 12, ExceptionCode.ILLEGAL_VALUE),
        ("carlo-gavazzi-em340", 0x00, 51, ExceptionCode.ILLEGAL_VALUE),
        ("kostal-ksem", 0, 6, ExceptionCode.ILLEGAL_ADDRESS),
        ("schneider-iem3000", 3059, 3, ExceptionCode.ILLEGAL_ADDRESS),
        ("siemens-pac2200", 26, 1, ExceptionCode.ILLEGAL_ADDRESS),
        ("siemens-pac2200", 25, 3, ExceptionCode.ILLEGAL_ADDRESS),
    ],
)
def test_what_a_meter_does_not_answer_is_refused(make: str, address: int, count: int, refusal: ExceptionCode) -> None:
    assert meter(make).read(address, count) == refusal


@pytest.mark.parametrize("make", METERS)
def test_nothing_of_a_meter_can_be_written(make: str) -> None:
    device = meter(make)

    assert {device.write(address, (1,), 0.0) for address in (0, 0x28, 1013, 2600, 3059, 19026, 30865, 37113)} == {
        ExceptionCode.ILLEGAL_ADDRESS
    }
    assert device.writes == []


@pytest.mark.parametrize("make", METERS)
def test_a_meter_that_is_mounted_the_other_way_shows_import_where_there_is_export(make: str) -> None:
    turned = meter(make, sign="export_positive")
    upright = meter(make)

    reads = [(turned.read, upright.read), (turned.read_inputs, upright.read_inputs)]
    addresses = (0, 0x28, 0x34, 65, 1013, 2600, 3059, 5600, 19026, 30865, 35139, 37113)
    shown = [(one(at, 2), other(at, 2)) for one, other in reads for at in addresses]
    assert any(one != other for one, other in shown)
