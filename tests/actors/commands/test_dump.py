"""A device is dumped, served and dumped again; real dumps are read by the driver through the real server."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from dataclasses import replace

import pytest

from actors.clock import RealClock
from actors.commands.dump import dump
from actors.commands.image_server import CannotServe, ImageServer
from actors.commands.progress import watch
from actors.device.session import DeviceSession
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.commissioning.register_image import RegisterImage
from orchestrator.commissioning.scan_targets import Endpoint
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.errors import LinkTimeout, RequestRefused, WrongDevice
from orchestrator.samples import InverterSample
from tests.support.plants.virtual_site import RawClient
from tests.support.records.images import NAMES, fixture
from tests.support.servers.networks import network, writes_of


def dumped(port: int, unit_id: int = 1, host: str = "127.0.0.1", timeout_s: float = 10.0) -> RegisterImage:
    with contextlib.redirect_stderr(io.StringIO()), watch("reading", 0) as progress:
        return dump(Endpoint(host, port), unit_id, timeout_s, progress)


def served(name: str, *, writable: bool = False) -> ImageServer:
    return ImageServer(fixture(name), host="127.0.0.1", port=0, writable=writable)


@pytest.mark.parametrize("name", NAMES)
def test_a_fixture_that_is_served_is_dumped_as_it_was(name: str) -> None:
    image = fixture(name)
    with served(name) as server:
        again = dumped(server.port, server.unit_id or 1)

    assert (again.chain, again.words) == (image.chain, image.words)
    assert server.device.writes == []


@contextlib.contextmanager
def session(server: ImageServer) -> Iterator[DeviceSession]:
    link = ModbusLink("127.0.0.1", server.port, 10.0, RealClock(), NoObserver())
    try:
        yield DeviceSession("real", SunSpecDriver(), link, server.unit_id or 1, clock=RealClock(), retry_longest_s=1.0)
    finally:
        link.close()


def sample_of(name: str) -> InverterSample:
    """What the driver reads of a fixture over the wire."""
    with served(name) as server, session(server) as reader:
        reader.connect(None)
        return SunSpecDriver().decode_inverter(reader.device, "real", reader.read(), 0.0)


def test_the_driver_reads_a_served_sma() -> None:
    sample = sample_of("sma_sb36_day")

    assert (sample.nameplate.manufacturer, sample.ac_watts, sample.battery) == ("SMA", 1080, None)


def test_the_driver_reads_a_served_sma_at_night_around_its_holes() -> None:
    sample = sample_of("sma_sb36_night")

    assert (sample.nameplate.version, sample.ac_watts, sample.faults) == ("4.01.15.R", None, ())


def test_the_driver_reads_a_served_fimer() -> None:
    sample = sample_of("fimer_pvs_day")

    assert (sample.nameplate.manufacturer, sample.ac_watts) == ("FIMER", 141380)


def test_a_virtual_device_that_is_dumped_and_served_is_the_same_device() -> None:
    with network() as site:
        image = dumped(site.config.inverter("roof").port, host="127.0.0.4")
        assert writes_of(site, ["roof"]) == {"roof": 0}
    with ImageServer(image, host="127.0.0.1", port=0) as server, session(server) as reader:
        reader.connect("SIM-roof")

        assert [model.id for model in reader.device.models] == [1, 103, 120, 121, 122, 123, 160]


def test_an_image_takes_no_writes() -> None:
    with served("sma_sb36_day") as server, RawClient(server.port) as client:
        assert client.write(40350, 1, unit=126) == bytes([0x90, 1])


def test_a_writable_image_keeps_what_is_written_within_its_map() -> None:
    with served("sma_sb36_day", writable=True) as server, RawClient(server.port) as client:
        assert client.write(40350, 77, unit=126)[0] == 16
        assert client.read(40350, 1, unit=126) == (77,)
        assert client.write(39999, 1, unit=126) == bytes([0x90, 2])


def test_an_image_answers_for_its_own_unit_only() -> None:
    with served("sma_sb36_day") as server, RawClient(server.port) as client:
        assert client.ask(bytes([3, 0x9C, 0x40, 0, 2]), unit=1)[0] == 0x83
        assert client.read(40000, 2, unit=126) == (0x5375, 0x6E53)


def test_an_image_without_a_unit_answers_for_all() -> None:
    with served("fimer_pvs_day") as server, RawClient(server.port) as client:
        assert client.read(40000, 2, unit=0) == client.read(40000, 2, unit=255)


def test_a_port_that_is_taken_is_said() -> None:
    with served("sma_sb36_day") as server:
        taken = ImageServer(fixture("sma_sb36_day"), host="127.0.0.1", port=server.port)
        with pytest.raises(CannotServe, match="address already in use"), taken:
            pass


def test_a_unit_that_is_silent_is_not_dumped() -> None:
    with served("sma_sb36_day") as server, pytest.raises(LinkTimeout):
        dumped(server.port, unit_id=7, timeout_s=1.0)


def test_what_is_no_sunspec_device_is_not_dumped() -> None:
    image = fixture("fimer_pvs_day")
    moved = replace(image, chain=replace(image.chain, base=1000))
    with ImageServer(moved, host="127.0.0.1", port=0) as server, pytest.raises(WrongDevice):
        dumped(server.port)


def test_a_device_that_stays_busy_is_not_dumped_with_holes() -> None:
    from tests.support.faults import BUSY, fault

    with network() as site, fault(site, "roof", BUSY), pytest.raises(RequestRefused):
        dumped(site.config.inverter("roof").port, host="127.0.0.4")
