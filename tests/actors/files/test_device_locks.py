from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from actors.files.device_locks import DeviceLocks, DeviceTaken
from orchestrator.config.sections import SiteConfig
from tests.support.servers.required import free_port


@pytest.fixture
def locks() -> Iterator[list[DeviceLocks]]:
    both = [DeviceLocks(), DeviceLocks()]
    yield both
    for each in both:
        each.release()


def site(*inverters: dict[str, Any], **control: Any) -> SiteConfig:
    sections = {"site": {"name": "test"}, "meter": {"host": "127.0.0.1", "port": 5020}, "control": control}
    return SiteConfig.model_validate({**sections, "inverters": inverters})


def inverter(port: int, host: str = "127.0.0.1", **more: Any) -> dict[str, Any]:
    return {"name": f"at-{port}", "host": host, "port": port, **more}


def test_a_device_is_commanded_by_one_only_and_the_message_names_the_process(locks: list[DeviceLocks]) -> None:
    one, other = locks
    port = free_port()
    one.hold(site(inverter(port)))

    with pytest.raises(DeviceTaken, match=rf"process {os.getpid()}\) commands at-{port} at 127.0.0.1:{port}/1"):
        other.hold(site(inverter(port, "LOCALHOST")))


def test_another_unit_behind_the_same_port_is_free(locks: list[DeviceLocks]) -> None:
    one, other = locks
    port = free_port()
    one.hold(site(inverter(port)))

    other.hold(site(inverter(port, unit_id=2)))


def test_a_unit_of_a_serial_line_is_one_device_by_whichever_name_of_its_port(
    locks: list[DeviceLocks], tmp_path: Path
) -> None:
    one, other = locks
    port, by_id = tmp_path / "ttyUSB0", tmp_path / "usb-adapter"
    port.touch()
    by_id.symlink_to(port)
    one.hold(site({"name": "east", "serial": {"port": str(port)}, "unit_id": 3}))

    other.hold(site({"name": "west", "serial": {"port": str(by_id)}, "unit_id": 4}))
    with pytest.raises(DeviceTaken, match=f"commands east at {port}/3"):
        other.hold(site({"name": "east", "serial": {"port": str(by_id)}, "unit_id": 3}))


def test_whoever_only_reads_needs_no_lock(locks: list[DeviceLocks]) -> None:
    one, other = locks
    port = free_port()
    one.hold(site(inverter(port)))

    other.hold(site(inverter(port, control=False)))
    other.hold(site(inverter(port), enabled=False))


def test_who_is_refused_one_device_takes_none(locks: list[DeviceLocks]) -> None:
    one, other = locks
    free, taken = free_port(), free_port()
    one.hold(site(inverter(taken)))
    with pytest.raises(DeviceTaken):
        other.hold(site(inverter(free), inverter(taken)))

    one.hold(site(inverter(free), inverter(taken)))


def test_a_device_that_was_taken_out_is_free_for_others(locks: list[DeviceLocks]) -> None:
    one, other = locks
    gone, stays = free_port(), free_port()
    one.hold(site(inverter(gone), inverter(stays)))

    one.hold_only(site(inverter(stays)))

    other.hold(site(inverter(gone)))
    with pytest.raises(DeviceTaken):
        other.hold(site(inverter(stays)))


def test_an_mqtt_device_is_locked_by_its_topic(locks: list[DeviceLocks]) -> None:
    one, other = locks
    by_mqtt = {"name": "east", "driver": "mqtt", "host": "127.0.0.1", "port": free_port()}
    one.hold(site({**by_mqtt, "topic": "a/b"}))

    other.hold(site({**by_mqtt, "topic": "a/c"}))
    with pytest.raises(DeviceTaken):
        other.hold(site({**by_mqtt, "topic": "a/b"}))
