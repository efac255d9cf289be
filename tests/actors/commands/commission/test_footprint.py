"""What was found is recorded once, before the first write, and put back in the order that devices need."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import pytest

from actors.clock import RealClock
from actors.commands.commission.footprint import Footprint
from actors.commands.image_server import ImageServer
from actors.device.session import DeviceSession
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.devices.base import RegisterWrite, WriteGroup
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.errors import NonsenseReply
from orchestrator.simulation.devices.image import ImageDevice
from tests.support.records.images import fixture

AT = 40350


@contextlib.contextmanager
def footprint(
    *, writable: bool = True, note: Callable[[RegisterWrite], None] | None = None
) -> Iterator[tuple[Footprint, ImageDevice]]:
    server = ImageServer(fixture("sma_sb36_day"), host="127.0.0.1", port=0, unit_id=1, writable=writable)
    with server:
        link = ModbusLink("127.0.0.1", server.port, 10.0, RealClock(), NoObserver())
        session = DeviceSession("east", SunSpecDriver(), link, 1, clock=RealClock(), retry_longest_s=1.0)
        try:
            yield Footprint(session, note), server.device
        finally:
            link.close()


def group(name: str, *writes: RegisterWrite) -> WriteGroup:
    return WriteGroup(name, writes)


def words(device: ImageDevice, count: int = 6) -> tuple[int, ...]:
    found = device.read(AT, count)
    assert isinstance(found, tuple)
    return found


def test_what_was_written_is_put_back_settings_first() -> None:
    with footprint() as (written, device):
        found = words(device)
        settings, activation = RegisterWrite(AT, (11, 12), "settings"), RegisterWrite(AT + 4, (13,), "activation")

        assert written.write([group("battery", settings, activation)]) == ()
        assert words(device) != found
        assert written.restore() == ()

        assert words(device) == found
        assert [record.address for record in device.writes] == [AT, AT + 4, AT, AT + 4]


def test_writes_that_overlap_put_back_what_stood_there_first() -> None:
    with footprint() as (written, device):
        found = words(device)
        written.write([group("one", RegisterWrite(AT, (1, 1, 1), "one"))])
        written.write([group("two", RegisterWrite(AT + 1, (2, 2, 2), "two"))])

        assert written.restore() == ()
        assert words(device) == found


def test_a_second_restore_writes_nothing() -> None:
    with footprint() as (written, device):
        written.write([group("one", RegisterWrite(AT, (1,), "one"))])
        written.restore()
        device.writes.clear()

        assert written.restore() == ()
        assert device.writes == []


def test_the_group_that_was_written_last_is_put_back_first() -> None:
    with footprint() as (written, device):
        written.write(
            [group("settings", RegisterWrite(AT, (1,), "one")), group("battery", RegisterWrite(AT + 4, (2,), "two"))]
        )
        device.writes.clear()

        assert written.restore() == ()
        assert [record.address for record in device.writes] == [AT + 4, AT]


def test_what_has_gone_back_by_itself_is_left_alone() -> None:
    with footprint() as (written, device):
        found = words(device, 1)
        written.write([group("one", RegisterWrite(AT, (found[0] ^ 1,), "one"))])
        device.write(AT, found, 0.0)
        device.writes.clear()

        assert written.restore() == ()
        assert device.writes == []


def test_each_write_is_noted_before_it_is_sent_those_that_put_back_too() -> None:
    noted: list[int] = []
    with footprint(note=lambda write: noted.append(len(write.values))) as (written, device):
        written.write([group("one", RegisterWrite(AT, (1, 2), "one"))])
        written.restore()

        assert noted == [2] * len(device.writes) == [2, 2]


def test_what_cannot_be_read_is_never_written() -> None:
    with footprint() as (written, device):
        with pytest.raises(NonsenseReply, match="left alone"):
            written.write([group("one", RegisterWrite(39000, (1,), "nowhere"))])

        assert device.writes == []


def test_a_device_that_refuses_the_step_is_as_it_was_found() -> None:
    with footprint(writable=False) as (written, _):
        assert written.write([group("one", RegisterWrite(AT, (1,), "one"))]) == ("one",)
        assert written.restore() == ()
