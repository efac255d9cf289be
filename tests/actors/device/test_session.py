from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest

from actors.clock import ManualClock, RealClock
from actors.commands.image_server import ImageServer
from actors.device.session import LOOK_AGAIN_S, DeviceSession, Unreachable
from actors.link import ModbusLink
from actors.observer import NoObserver
from orchestrator.devices.base import RegisterWrite, Role
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.errors import DeviceError, LinkDown, LinkError, WrongDevice
from tests.orchestrator.devices.sunspec.images import COMMON, INVERTER, changed, hybrid, image_of, model_words
from tests.support.servers.served_maps import served

NIGHT = dict.fromkeys(("WChaMax", "ChaState", "OutWRte", "InWRte", "InOutWRte_SF", "WMaxLimPct", "W", "St"))
DAY = hybrid()
METER_BEHIND = image_of(
    model_words(1, changed(COMMON, SN="INV")),
    model_words(103, INVERTER),
    model_words(1, changed(COMMON, SN="MET")),
    model_words(203, {"W": -91, "W_SF": 0, "Hz": 5000, "Hz_SF": -2}),
)


class Requests(NoObserver):
    def __init__(self) -> None:
        self.errors: list[str | None] = []

    def request_done(self, device: str, seconds: float, error: str | None) -> None:
        self.errors.append(error)


class Dawdling(ModbusLink):
    """What is not answered takes a second of the test's clock, which is what a device that is silent costs."""

    clock: ManualClock

    def read(self, *args: Any, **options: Any) -> tuple[int, ...]:
        try:
            return super().read(*args, **options)
        except LinkError:
            self.clock.advance(1.0)
            raise


class Bench:
    """A session with a device that is served; the test moves the clock."""

    def __init__(self, server: ImageServer, role: Role | None = None, *, write_single: bool = False) -> None:
        self.server, self.clock, self.requests = server, ManualClock(), Requests()
        self.link = ModbusLink("127.0.0.1", server.port, 10.0, RealClock(), self.requests)
        self.session = DeviceSession(
            "east",
            SunSpecDriver(),
            self.link,
            1,
            clock=self.clock,
            retry_longest_s=1.0,
            role=role,
            write_single=write_single,
        )

    def turn_to_day(self) -> None:
        """Give the served device the words of the day."""
        changed_words = [(at, word) for at, word in DAY.words.items() if self.server.device.read(at, 1) != (word,)]
        for at, word in changed_words:
            self.server.device.write(at, (word,), 0.0)


@pytest.fixture
def night() -> Iterator[Bench]:
    with served(hybrid(**NIGHT).words) as server:
        bench = Bench(server)
        yield bench
        bench.session.close()


def test_a_hybrid_found_at_night_is_found_whole_by_day(night: Bench) -> None:
    assert night.session.connect(None)
    assert not night.session.device.capabilities.battery
    assert not night.session.device.capabilities.limit_ac
    night.turn_to_day()

    assert not night.session.connect(None), "not before its time"
    night.clock.advance(LOOK_AGAIN_S)

    assert night.session.connect(None)
    assert night.session.device.capabilities.battery
    assert night.session.device.capabilities.limit_ac


def test_while_it_is_night_looking_again_costs_a_few_requests_each_five_minutes(night: Bench) -> None:
    night.session.connect(None)
    before = len(night.requests.errors)

    for _ in range(10):
        assert not night.session.connect(None)
        night.clock.advance(LOOK_AGAIN_S / 5)

    assert 0 < len(night.requests.errors) - before <= 2 * 2
    assert not night.session.device.capabilities.battery


def test_a_device_that_was_known_whole_is_not_asked_again() -> None:
    with served(DAY.words) as server:
        bench = Bench(server)
        bench.session.connect(None)
        before = len(bench.requests.errors)
        bench.clock.advance(LOOK_AGAIN_S)

        assert not bench.session.connect(None)
        assert len(bench.requests.errors) == before
        bench.session.close()


def test_another_device_that_wakes_at_the_address_is_not_taken(night: Bench) -> None:
    night.session.connect("SN-1")
    night.turn_to_day()
    serial = 40002 + 50
    night.server.device.write(serial, (0x4142,), 0.0)
    night.clock.advance(LOOK_AGAIN_S)

    with pytest.raises(WrongDevice, match=r"site\.yaml expects 'SN-1'"):
        night.session.connect("SN-1")
    assert night.session.device is None


def test_a_device_that_is_gone_when_it_is_looked_at_again_is_lost() -> None:
    with served(hybrid(**NIGHT).words) as server:
        bench = Bench(server)
        bench.session.connect(None)
    bench.clock.advance(LOOK_AGAIN_S)

    with pytest.raises(LinkDown):
        bench.session.connect(None)
    assert bench.session.device is None


def test_an_inverter_and_the_meter_behind_it_are_found_at_one_address() -> None:
    with served(METER_BEHIND.words) as server:
        inverter, meter = Bench(server, "inverter"), Bench(server, "meter")
        for bench in (inverter, meter):
            bench.session.connect(None)

        assert inverter.session.driver.nameplate(inverter.session.device).serial == "INV"
        assert meter.session.driver.nameplate(meter.session.device).serial == "MET"
        sample = meter.session.driver.decode_meter(meter.session.device, meter.session.read(), 0.0)
        assert sample.site_watts == -91
        inverter.session.close()
        meter.session.close()


def test_a_meter_that_is_not_in_the_map_of_the_inverter_is_missed() -> None:
    with served(DAY.words) as server:
        bench = Bench(server, "meter")

        with pytest.raises(WrongDevice, match="no meter model"):
            bench.session.connect(None)
        bench.session.close()


@pytest.mark.parametrize(("write_single", "counts"), [(False, [2]), (True, [1, 1])])
def test_a_device_may_want_each_register_in_a_request_of_its_own(write_single: bool, counts: list[int]) -> None:
    with served(DAY.words) as server:
        bench = Bench(server, write_single=write_single)
        bench.session.connect(None)

        bench.session.write(RegisterWrite(40300, (1, 2), "two"))

        assert [len(write.words) for write in server.device.writes] == counts
        assert server.device.read(40300, 2) == (1, 2)
        bench.session.close()


def test_a_device_that_is_silent_is_looked_for_every_two_seconds_what_each_attempt_takes_included() -> None:
    with served(DAY.words) as server:
        port = server.port
    clock = ManualClock()
    link = Dawdling("127.0.0.1", port, 10.0, RealClock(), NoObserver())
    link.clock = clock
    session = DeviceSession("east", SunSpecDriver(), link, 1, clock=clock, retry_longest_s=2.0)
    tried_at_s = []
    for _ in range(200):
        at_s = clock.now_s()
        with pytest.raises(DeviceError) as trouble:
            session.connect(None)
        if not isinstance(trouble.value, Unreachable):
            tried_at_s.append(at_s)
        clock.advance(0.25)

    waits_s = [later - sooner for sooner, later in pairwise(tried_at_s)]
    assert set(waits_s[3:]) == {2.0}
    link.close()
