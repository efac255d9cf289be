"""Contacts as inputs of a Modbus device, read over a real socket: words, refusals, and a device that goes away."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from actors.commands.run.modbus_contacts import ModbusContacts
from actors.messages import SetpointReceived, SetpointRefused
from orchestrator.config.sections import SiteConfig
from orchestrator.setpoints.fields import SetpointFields
from tests.support.devices.modbus_inputs import Inputs
from tests.support.inboxes import Inbox
from tests.support.records.cycles import site_config
from tests.support.servers.required import free_port, wait_until


@pytest.fixture
def device() -> Iterator[Inputs]:
    with Inputs(0) as device:
        yield device
        device.shutdown()


def config_for(port: int, rows: list[dict[str, Any]], **entry: Any) -> SiteConfig:
    usual: dict[str, Any] = {"name": "ripple", "host": "127.0.0.1", "port": port, "address": 3, "interval_s": 0.1}
    usual |= {"timeout_s": 20.0, "validity_s": 60.0}
    contact = {"rated_watts": 10000.0, "rows": rows}
    default = SetpointFields(generation_limit_watts=0.0)
    return site_config(setpoints={"modbus_contacts": [{**usual, "default": default, "contact": contact, **entry}]})


STEPS = [{"says": word, "percent": percent} for word, percent in (("1000", 100.0), ("0100", 60.0), ("0010", 30.0))]


class Running:
    """Contacts that are read, and what is told of them."""

    def __init__(self, config: SiteConfig) -> None:
        self.inbox = Inbox()
        self.contacts = ModbusContacts(config, self.inbox.tell)

    def wait_for(self, watts: float) -> None:
        wait_until(lambda: self.told()[-1:] == [watts], f"a limit of {watts}")

    def told(self) -> list[float | None]:
        found = [each.setpoint for each in list(self.inbox.messages) if isinstance(each, SetpointReceived)]
        return [each.fields.generation_limit_watts for each in found]


@pytest.fixture
def run() -> Iterator[Any]:
    running: list[Running] = []

    def start(config: SiteConfig) -> Running:
        running.append(Running(config))
        return running[-1]

    yield start
    for each in running:
        each.contacts.stop()


def set_bits(device: Inputs, function: int, word: str) -> None:
    device.values |= {(function, 3 + index): int(bit) for index, bit in enumerate(word)}


@pytest.mark.parametrize(("table", "function"), [("coil", 1), ("discrete_input", 2)])
def test_four_relays_are_a_word_and_each_step_is_told(device: Inputs, run: Any, table: str, function: int) -> None:
    set_bits(device, function, "1000")
    running = run(config_for(device.port, STEPS, table=table, count=4))
    running.wait_for(10000.0)
    set_bits(device, function, "0100")
    running.wait_for(6000.0)
    set_bits(device, function, "0010")
    running.wait_for(3000.0)


@pytest.mark.parametrize(("table", "function"), [("holding_register", 3), ("input_register", 4)])
def test_a_register_is_its_number(device: Inputs, run: Any, table: str, function: int) -> None:
    device.values[function, 3] = 60
    rows = [{"says": "100", "percent": 100.0}, {"says": "60", "percent": 60.0}]

    run(config_for(device.port, rows, table=table)).wait_for(6000.0)


def test_a_word_that_is_unknown_is_refused_once_and_renews_nothing(device: Inputs, run: Any) -> None:
    set_bits(device, 2, "1100")
    running = run(config_for(device.port, STEPS, count=4))
    refused = running.inbox.wait_for(SetpointRefused)
    asked = device.asked
    wait_until(lambda: device.asked > asked + 3, "further readings")

    assert refused.reason == 'the contact says "1100"; known are "1000", "0100", "0010"'
    assert len([each for each in running.inbox.messages if isinstance(each, SetpointRefused)]) == 1
    assert running.told() == []


def test_a_device_that_goes_away_says_nothing_and_is_found_again(
    device: Inputs, run: Any, caplog: pytest.LogCaptureFixture
) -> None:
    set_bits(device, 2, "1000")
    running = run(config_for(device.port, STEPS, count=4))
    running.wait_for(10000.0)
    device.values.clear()
    wait_until(lambda: "the device refuses discrete_input 3" in caplog.text, "the refusal")
    told = len(running.told())
    asked = device.asked
    wait_until(lambda: device.asked > asked + 3, "further readings")
    assert len(running.told()) == told
    set_bits(device, 2, "0100")

    running.wait_for(6000.0)
    assert caplog.text.count("its last word holds for 60 s, then its default") == 1


def test_nobody_at_the_address_is_said_once_and_found_when_he_comes(run: Any, caplog: pytest.LogCaptureFixture) -> None:
    port = free_port()
    running = run(config_for(port, STEPS, count=4))
    wait_until(lambda: f"nobody answers at 127.0.0.1:{port}" in caplog.text, "that nobody answers")
    with Inputs(port) as device:
        set_bits(device, 2, "0010")
        running.wait_for(3000.0)
        device.shutdown()

    assert caplog.text.count("nobody answers") == 1


def test_another_configuration_ends_and_begins_what_differs(device: Inputs, run: Any) -> None:
    set_bits(device, 2, "1000")
    running = run(config_for(device.port, STEPS, count=4))
    running.wait_for(10000.0)
    running.contacts.configure(config_for(device.port, [{"says": "1000", "percent": 50.0}], count=4))
    running.wait_for(5000.0)
    running.contacts.configure(site_config())

    wait_until(lambda: not [t for t in threading.enumerate() if t.name == "contact-ripple"], "the end of its threads")


def test_where_no_contact_is_configured_there_is_no_thread() -> None:
    before = threading.active_count()

    ModbusContacts(site_config(), lambda _: None)
    assert threading.active_count() == before
