"""Serial lines in site.yaml: what is meant, and what is said of the time that they take."""

from __future__ import annotations

from math import ceil

import pytest
from pydantic import ValidationError

from orchestrator.config.changes import changes_between
from orchestrator.config.file import parse_config
from orchestrator.config.sections import InverterConfig, MeterConfig, SiteConfig
from orchestrator.config.warnings import line_loads, line_text, warnings
from orchestrator.devices.link.ways import SerialWay, TcpWay
from orchestrator.loop.kept import meter_address
from orchestrator.loop.presence import patience_s


def site(inverters: int = 2, baud_rate: int = 9600, more: str = "") -> SiteConfig:
    line = f"serial: {{port: /dev/ttyUSB0, baud_rate: {baud_rate}, parity: E}}"
    units = "\n".join(f"  - {{name: unit-{n}, {line}, unit_id: {n}{more}}}" for n in range(1, inverters + 1))
    return parse_config(
        f"site: {{name: home}}\nmeter: {{{line}, unit_id: 200, sign: import_positive}}\ninverters:\n{units}\n"
    )


def test_devices_of_one_line_share_one_way() -> None:
    config = site()

    assert {device.way for device in config.modbus_devices()} == {SerialWay("/dev/ttyUSB0", 9600, "E", 1)}


def test_serial_is_a_line_where_it_is_a_mapping_and_a_number_where_it_is_a_text() -> None:
    by_line = site(1, more=', serial_number: "4711"').inverter("unit-1")
    by_host = InverterConfig.model_validate({"name": "east", "host": "10.0.0.2", "serial": "4711"})

    assert isinstance(by_line, InverterConfig)
    assert (by_line.expected_serial, by_line.line is not None) == ("4711", True)
    assert (by_host.expected_serial, by_host.line, by_host.way) == ("4711", None, TcpWay("10.0.0.2", 502))


@pytest.mark.parametrize("section", [MeterConfig, InverterConfig])
def test_a_device_without_any_address_is_refused(section: type[MeterConfig | InverterConfig]) -> None:
    with pytest.raises(ValidationError, match="a device on a serial line has serial"):
        section.model_validate({"name": "east"} if section is InverterConfig else {})


def test_another_speed_of_the_line_replaces_its_devices_and_another_port_makes_them_others() -> None:
    former, quicker = site(), site(baud_rate=19200)
    moved = parse_config(
        "site: {name: home}\nmeter: {host: 10.0.0.1}\ninverters:\n"
        "  - {name: unit-1, serial: {port: /dev/ttyUSB1, parity: E}, unit_id: 1}\n"
    )

    assert changes_between(former, quicker).replaced == ("unit-1", "unit-2")
    assert changes_between(former, moved).added == ("unit-1",)
    assert meter_address(former.meter) != meter_address(moved.meter)


def test_a_line_that_is_too_slow_for_the_cycle_is_a_warning_and_a_quick_one_is_none() -> None:
    slow, quick = site(6), site(2, baud_rate=115200)

    (said,) = [each for each in warnings(slow) if each.startswith("serial: ")]
    assert "/dev/ttyUSB0 (9600 8E1): to read all that is on it takes about" in said
    assert not [each for each in warnings(quick) if each.startswith("serial: ")]


def test_a_line_on_which_samples_grow_too_old_asks_for_a_longer_window() -> None:
    slow, slower = site(2), site(6)

    assert not [each for each in warnings(slow) if each.startswith("control.sample_window_s: ")]
    (said,) = [each for each in warnings(slower) if each.startswith("control.sample_window_s: 5 s, but ")]
    needed_s = ceil(2.0 * next(iter(line_loads(slower).values())).cycle_s)
    assert said.endswith(f"{needed_s} s here is the least")


def test_how_long_a_line_takes_is_said_with_its_meter() -> None:
    ((way, load),) = line_loads(site(2, baud_rate=19200)).items()

    assert line_text(way, load) == (
        f"/dev/ttyUSB0 (19200 8E1): to read all that is on it takes about {load.cycle_s:.2g} s, "
        f"with the meter read every {load.meter_every_s:.2g} s"
    )


def test_on_a_line_an_inverter_is_away_when_its_sample_is_too_old_not_when_it_is_slow() -> None:
    on_line, by_host = site(1).inverter("unit-1"), InverterConfig.model_validate({"name": "a", "host": "10.0.0.2"})

    assert patience_s(on_line, 1.0) > 1000.0
    assert patience_s(by_host, 1.0) == 2.0
