"""The devices on the wire: real sockets, real time, as little of it as possible."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

from orchestrator.config.simulation import MeterSimulation
from orchestrator.simulation.server import RunningSite, serve
from tests.support import faults
from tests.support.plants.virtual_site import HYBRID, PV_ONLY, RawClient, site_config
from tests.support.servers.required import free_port, wait_until

READ_MARKER = struct.pack(">BHH", 3, 40000, 2)
MARKER = (0x5375, 0x6E53)
UNIT_IS_AWAY = bytes([0x83, 0x0B])


@pytest.fixture
def running() -> Iterator[RunningSite]:
    with serve(site_config({"east": HYBRID, "roof": PV_ONLY}), new_port=free_port) as site:
        yield site


def connect(running: RunningSite, name: str) -> RawClient:
    address = running.config.meter if name == "meter" else running.config.inverter(name)
    return RawClient(address.port)


def shared_port_config():
    """A meter, and two inverters behind one port."""
    config = site_config({"east": HYBRID, "roof": PV_ONLY})
    east, roof = config.inverters
    return config.model_copy(update={"inverters": (east, roof.model_copy(update={"port": east.port, "unit_id": 2}))})


def test_every_device_answers_at_its_own_address(running: RunningSite) -> None:
    for name, unit in (("east", 1), ("roof", 1), ("meter", 200)):
        with connect(running, name) as client:
            assert client.read(40000, 2, unit=unit) == MARKER


def test_an_unknown_unit_is_answered_by_the_gateway(running: RunningSite) -> None:
    with connect(running, "east") as client:
        assert client.ask(READ_MARKER, unit=7) == UNIT_IS_AWAY


def test_requests_in_one_packet_are_all_answered_in_order(running: RunningSite) -> None:
    with connect(running, "east") as client:
        sent = [client.send(READ_MARKER) for _ in range(5)]

        assert [client.receive()[0] for _ in sent] == sent


def test_time_passes_by_itself(running: RunningSite) -> None:
    running.call(lambda site: site.set_pv_available("roof", 3000))
    watts_address = running.call(lambda site: site.devices["roof"].registers.address("103.W"))

    with connect(running, "roof") as client:
        wait_until(lambda: client.read(watts_address, 1)[0] > 2500, "PV production")


def test_several_units_share_a_port() -> None:
    with serve(shared_port_config(), new_port=free_port) as running, connect(running, "east") as client:
        assert running.config.inverter("east").port == running.config.inverter("roof").port
        assert client.read(40002, 2, unit=1) == (1, 65)
        running.stop_device("roof")
        assert client.ask(READ_MARKER, unit=2) == UNIT_IS_AWAY
        assert client.read(40000, 2, unit=1) == MARKER


def test_a_stopped_device_is_gone_and_comes_back_at_its_address(running: RunningSite) -> None:
    client = connect(running, "east")
    with faults.stopped(running, "east"):
        with pytest.raises(ConnectionError):
            client.ask(READ_MARKER)
        with pytest.raises(ConnectionRefusedError):
            connect(running, "east")
        with connect(running, "roof") as other:
            assert other.read(40000, 2) == MARKER
    with connect(running, "east") as again:
        assert again.read(40000, 2) == MARKER


def test_a_silent_device_swallows_requests_and_writes(running: RunningSite) -> None:
    with connect(running, "east") as client:
        client.wait_at_most(0.2)
        with faults.fault(running, "east", faults.SILENT), pytest.raises(TimeoutError):
            client.write(limit_address(running), 5000, 0, 0, 0, 1)

        assert running.call(lambda site: site.devices["east"].writes) == []


def test_a_reset_breaks_the_connection_in_the_middle_of_a_reply(running: RunningSite) -> None:
    with (
        faults.fault(running, "east", faults.RESET),
        connect(running, "east") as client,
        pytest.raises(ConnectionResetError),
    ):
        client.read(40000, 100)


def test_an_exception_takes_the_place_of_the_reply(running: RunningSite) -> None:
    with connect(running, "east") as client, faults.fault(running, "east", faults.BUSY):
        assert client.ask(READ_MARKER) == bytes([0x83, 6])


def test_writes_alone_can_be_refused(running: RunningSite) -> None:
    with connect(running, "east") as client, faults.fault(running, "east", faults.REFUSES_WRITES):
        assert client.write(limit_address(running), 5000) == bytes([0x90, 3])
        assert client.read(limit_address(running), 1) == (10000,)


def test_a_slow_reply_still_carries_its_own_transaction(running: RunningSite) -> None:
    with connect(running, "east") as client:
        with faults.fault(running, "east", faults.slow(2.0)):
            late = client.send(READ_MARKER)
        prompt = client.send(READ_MARKER)

        # The prompt one comes first, unless the machine is so busy that the server reads the first request too late.
        assert sorted([client.receive()[0], client.receive()[0]]) == [late, prompt]


def test_a_zero_frame_has_the_right_shape(running: RunningSite) -> None:
    with connect(running, "east") as client, faults.fault(running, "east", faults.ZEROS):
        assert client.read(40000, 50) == (0,) * 50


def test_garbage_is_as_long_as_the_reply_and_not_the_reply(running: RunningSite) -> None:
    with connect(running, "east") as client:
        with faults.fault(running, "east", faults.GARBAGE):
            client.send(READ_MARKER)
            garbage = client.receive_bytes(13)

        assert MARKER not in struct.iter_unpack(">2H", garbage[9:])
        assert client.read(40000, 2) == MARKER


def test_a_frozen_meter_repeats_itself() -> None:
    config = site_config({"roof": PV_ONLY}, meter=MeterSimulation(period_s=0.02))
    with serve(config, new_port=free_port) as running, connect(running, "meter") as client:
        running.call(lambda site: site.set_load(1000))
        running.freeze("meter")
        first = client.read(40070, 105, unit=200)
        running.call(lambda site: site.set_load(5000))
        wait_until(lambda: running.call(lambda site: site.meter.site_watts) > 1000, "the new load")
        frozen = client.read(40070, 105, unit=200)
        running.set_fault("meter", None)

        assert frozen == first
        assert client.read(40070, 105, unit=200) != first


def test_a_peer_that_speaks_no_modbus_is_cut_off(running: RunningSite) -> None:
    with connect(running, "east") as client:
        client.send_bytes(b"GET / HTTP/1.1\r\n\r\n")
        with pytest.raises(ConnectionError):
            client.receive()


def test_a_port_that_is_taken_is_an_error_and_leaves_nothing_running(running: RunningSite) -> None:
    with pytest.raises(OSError, match="address already in use"):
        serve(running.config)
    with connect(running, "east") as client:
        assert client.read(40000, 2) == MARKER


def test_stopping_twice_is_harmless(running: RunningSite) -> None:
    running.stop()
    running.stop()

    with pytest.raises(ConnectionRefusedError):
        connect(running, "east")


@pytest.mark.parametrize("host", ["192.168.1.5", "inverter.example"])
def test_only_this_machine_is_served(host: str) -> None:
    config = site_config({"roof": PV_ONLY})
    roof = config.inverters[0].model_copy(update={"host": host})

    with pytest.raises(ValueError, match="only a loopback address"):
        serve(config.model_copy(update={"inverters": (roof,)}))


def test_two_devices_cannot_have_one_address() -> None:
    config = shared_port_config()
    east, roof = config.inverters
    twice = config.model_copy(update={"inverters": (east, roof.model_copy(update={"unit_id": east.unit_id}))})

    with pytest.raises(ValueError, match="roof has the address of another device"):
        serve(twice)


def test_inverters_that_are_not_simulated_are_left_to_the_network() -> None:
    config = site_config({"east": HYBRID, "roof": PV_ONLY})
    simulation = config.simulation.model_copy(update={"inverters": {"roof": PV_ONLY}})
    mixed = config.model_copy(update={"simulation": simulation})
    with serve(mixed, new_port=free_port) as running:
        assert running.config.inverter("east").port == config.inverter("east").port
        with connect(running, "roof") as client:
            assert client.read(40000, 2) == MARKER


def limit_address(running: RunningSite) -> int:
    return running.call(lambda site: site.devices["east"].registers.address("123.WMaxLimPct"))
