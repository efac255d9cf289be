"""Links over a serial line: the virtual site's devices at a pseudo-terminal, with all that goes wrong on a line."""

from __future__ import annotations

import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.clock import RealClock
from actors.device.session import DeviceSession
from actors.link import LinkNeeds, LinkPool, WireLink
from actors.observer import NoObserver
from actors.system import DRIVERS
from actors.wire.wires import wire_to
from orchestrator.config.sections import SiteConfig
from orchestrator.devices.link.ways import SerialWay, TcpWay
from orchestrator.errors import DeviceError, LinkCorrupt, LinkDown, LinkHalfFrame, LinkTimeout
from orchestrator.simulation.network.line import LineTroubles
from orchestrator.simulation.server import RunningSite, serve
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import free_port, wait_until

QUICK_BAUD = 115200
METER_UNIT, ROOF_UNIT = 200, 3


class Noted(NoObserver):
    """What was told of a line, and of requests."""

    def __init__(self) -> None:
        self.passed_over: Counter[str] = Counter()
        self.faults: Counter[str] = Counter()

    def line_noted(self, line: str, what: str, count: int) -> None:
        self.passed_over[what] += count

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        if error is not None:
            self.faults[error] += 1


def site_on_a_line(port: Path) -> SiteConfig:
    """The meter and one inverter of the usual virtual site on a line, the others where they are."""
    sections = site_config().model_dump(exclude_unset=True)
    line = {"port": str(port), "baud_rate": QUICK_BAUD}
    sections["meter"] = {"serial": line, "unit_id": METER_UNIT}
    for each in sections["inverters"]:
        if each["name"] == "roof":
            each |= {"serial": line, "unit_id": ROOF_UNIT}
            del each["host"], each["port"]
    return SiteConfig.model_validate(sections)


@pytest.fixture
def running(tmp_path: Path) -> Iterator[RunningSite]:
    with serve(site_on_a_line(tmp_path / "line"), new_port=free_port) as running:
        yield running


@pytest.fixture
def port(running: RunningSite) -> str:
    line = running.config.meter.line  # type: ignore[union-attr]
    assert line is not None
    return line.port


class Reader:
    """The meter and the roof, read over one link."""

    def __init__(self, where: str, link: WireLink, noted: Noted) -> None:
        self.where, self.link, self.noted = where, link, noted
        units = {"meter": METER_UNIT, "roof": ROOF_UNIT}
        self.sessions = {
            name: DeviceSession(
                name,
                DRIVERS["sunspec"],
                link,
                unit,
                clock=RealClock(),
                retry_longest_s=0.1,
                role="meter" if name == "meter" else "inverter",
            )
            for name, unit in units.items()
        }

    def read(self, name: str) -> dict[int, int]:
        session = self.sessions[name]
        session.connect(None, at_once=True)
        return session.read()

    def watts(self) -> float:
        words = self.read("meter")
        return DRIVERS["sunspec"].decode_meter(self.sessions["meter"].device, words, 0.0).site_watts


def reader(way: SerialWay | TcpWay, timeout_s: float = 10.0) -> Reader:
    noted = Noted()
    return Reader(str(way), WireLink(wire_to(way), timeout_s, RealClock(), noted), noted)


@pytest.fixture
def bench(port: str) -> Iterator[Reader]:
    bench = reader(SerialWay(port, QUICK_BAUD))
    yield bench
    bench.link.close()


def test_two_devices_on_one_line_are_found_and_read(running: RunningSite, bench: Reader) -> None:
    wait_until(lambda: abs(bench.watts() - running.call(lambda site: site.meter.site_watts)) < 100, "the meter's power")
    assert bench.sessions["meter"].driver.nameplate(bench.sessions["meter"].device).serial
    bench.read("roof")
    assert bench.sessions["roof"].driver.nameplate(bench.sessions["roof"].device).serial
    assert not bench.noted.faults.keys() - {"refused"}


@pytest.mark.parametrize(
    ("troubles", "counted"),
    [
        (LineTroubles(echo=True), "echo"),
        (LineTroubles(noise=3), "noise"),
        (LineTroubles(corrupt_every=5), "crc"),
        (LineTroubles(half_every=9), "half_frame"),
    ],
    ids=["echo", "noise", "crc", "half frames"],
)
def test_on_a_line_with_troubles_all_that_is_read_is_right_and_the_troubles_are_counted(
    running: RunningSite, port: str, bench: Reader, troubles: LineTroubles, counted: str
) -> None:
    right = bench.read("roof").keys(), bench.read("meter").keys()
    running.set_line_troubles(port, troubles)

    for _ in range(6):
        assert (bench.read("roof").keys(), bench.read("meter").keys()) == right
        assert abs(bench.watts()) < 20000
    assert bench.noted.passed_over[counted] > 0
    assert not bench.noted.faults.keys() - {"refused"}


@pytest.mark.parametrize(
    ("troubles", "fault", "kind"),
    [
        (LineTroubles(corrupt_every=1), LinkCorrupt, "crc"),
        (LineTroubles(half_every=1), LinkHalfFrame, "half_frame"),
    ],
    ids=["crc", "half frames"],
)
def test_a_line_that_only_fails_is_a_named_fault_and_heals(
    running: RunningSite, bench: Reader, troubles: LineTroubles, fault: type[DeviceError], kind: str
) -> None:
    bench.read("meter")
    running.set_line_troubles(bench.where, troubles)
    with pytest.raises(fault, match=f"^{bench.where}: "):
        bench.read("meter")
    assert bench.noted.faults[kind] == 1
    assert bench.sessions["meter"].device is not None

    running.set_line_troubles(bench.where, LineTroubles())
    bench.read("meter")


def test_a_device_whose_answers_are_spoiled_three_times_on_end_is_found_anew(
    running: RunningSite, bench: Reader
) -> None:
    bench.read("meter")
    running.set_line_troubles(bench.where, LineTroubles(corrupt_every=1))
    for times in range(1, 4):
        with pytest.raises(LinkCorrupt):
            bench.read("meter")
        assert (bench.sessions["meter"].device is None) is (times == 3)


def test_on_a_silent_line_the_words_name_unit_and_settings(running: RunningSite, port: str) -> None:
    running.set_line_troubles(port, LineTroubles(lost_every=1))
    hasty = reader(SerialWay(port, QUICK_BAUD), timeout_s=0.1)

    with pytest.raises(LinkTimeout, match=f"^{port}: no answer in time from unit {METER_UNIT} at 115200 8N1: "):
        hasty.read("meter")
    hasty.link.close()


@pytest.mark.long
def test_answers_that_come_late_are_never_taken_for_those_to_later_requests(running: RunningSite, port: str) -> None:
    """Every 4th answer comes after it was given up; what is read of both devices is theirs all the same."""
    bench = reader(SerialWay(port, QUICK_BAUD), timeout_s=0.4)
    right = {name: bench.read(name) for name in bench.sessions}
    names = {name: bench.sessions[name].driver.nameplate(bench.sessions[name].device) for name in right}
    running.set_line_troubles(port, LineTroubles(late_every=4, late_s=0.5))

    came = 0
    for _ in range(6):
        for name, session in bench.sessions.items():
            try:
                words = bench.read(name)
            except LinkTimeout:
                continue
            came += 1
            assert words.keys() == right[name].keys()
            assert session.driver.nameplate(session.device) == names[name]
    assert came > 0
    assert bench.noted.passed_over["late"] > 0
    bench.link.close()


def test_a_pulled_cable_is_said_and_the_devices_come_back_by_themselves(
    running: RunningSite, port: str, bench: Reader
) -> None:
    bench.read("meter")
    running.pull(port)

    with pytest.raises(LinkDown, match=f"{port} is gone"):
        bench.read("meter")
    with pytest.raises(LinkDown, match=f"no such port {port}: is the adapter plugged in"):
        bench.read("meter")

    running.plug(port)
    bench.read("meter")
    bench.read("roof")


def test_a_line_is_held_by_one_program(bench: Reader, port: str) -> None:
    bench.read("meter")
    other = reader(SerialWay(port, QUICK_BAUD))

    with pytest.raises(LinkDown, match=f"{port} is held by another program"):
        other.read("meter")


def test_what_is_no_serial_port_is_called_so(tmp_path: Path) -> None:
    plain = tmp_path / "file"
    plain.touch()

    with pytest.raises(LinkDown, match=f"{plain} is no serial port"):
        reader(SerialWay(str(plain))).read("meter")


def test_a_pool_has_one_link_for_a_line_and_opens_it_anew_for_another_speed(port: str) -> None:
    pool = LinkPool(RealClock(), NoObserver())
    slow, quick = SerialWay(port, 9600), SerialWay(port, QUICK_BAUD)
    pool.expect(slow, LinkNeeds(1.0))
    link = pool.link(slow)
    assert link.connect()
    assert pool.link(SerialWay(port)) is link

    pool.expect_only({quick: LinkNeeds(1.0)})
    assert pool.link(quick) is not link
    assert pool.link(quick).connect()
    pool.close()


def test_a_gateway_that_passes_frames_on_is_read_over_tcp(running: RunningSite, port: str) -> None:
    """socat stands in for the gateway."""
    socat = shutil.which("socat")
    if socat is None:
        pytest.skip("socat is missing")
    tcp_port = free_port()
    listening = f"TCP-LISTEN:{tcp_port},bind=127.0.0.1,reuseaddr,fork"
    with subprocess.Popen([socat, listening, f"FILE:{port},raw,echo=0,b{QUICK_BAUD}"]) as gateway:
        bench = reader(TcpWay("127.0.0.1", tcp_port, "rtu"), timeout_s=5.0)
        wait_until(bench.link.connect, "socat listens")
        try:
            right = bench.read("meter").keys()
            running.set_line_troubles(port, LineTroubles(corrupt_every=3, echo=True))
            for _ in range(4):
                assert bench.read("meter").keys() == right
            assert bench.noted.passed_over["crc"] > 0
        finally:
            bench.link.close()
            gateway.terminate()
