from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.devices.base import Refused, Role
from orchestrator.devices.link.line_load import (
    METER_SHARE,
    SUNSPEC_INVERTER_WORDS,
    SUNSPEC_METER_WORDS,
    OnLine,
    cycle_words,
    load_of,
    meter_rest_s,
)
from orchestrator.devices.link.line_time import DEVICE_S, read_s, silence_s
from orchestrator.devices.link.ways import SerialWay
from orchestrator.devices.makes.library import profile_names
from orchestrator.devices.sunspec.driver import SunSpecDriver
from orchestrator.simulation.site import METER, VirtualSite
from tests.support.plants.virtual_site import site_config

SLOW = SerialWay("/dev/ttyUSB0", 9600)


@pytest.mark.parametrize(
    ("way", "milliseconds"),
    [
        (SerialWay("/dev/x", 9600), 1.0417),
        (SerialWay("/dev/x", 9600, "E"), 1.1458),
        (SerialWay("/dev/x", 9600, "N", 2), 1.1458),
        (SerialWay("/dev/x", 19200, "O", 2), 0.625),
    ],
)
def test_a_byte_is_a_start_bit_eight_of_data_parity_and_stop_bits(way: SerialWay, milliseconds: float) -> None:
    assert 1e3 * way.character_s == pytest.approx(milliseconds, abs=1e-3)


def test_the_silence_is_three_and_a_half_bytes_and_never_shorter_than_the_guide_allows() -> None:
    assert silence_s(SLOW) == pytest.approx(3.5 * 10 / 9600)
    assert silence_s(SerialWay("/dev/x", 115200)) == 0.00175


def test_a_read_of_ten_registers_is_33_bytes_two_silences_and_the_device() -> None:
    assert read_s(SLOW, 10) == pytest.approx(33 * 10 / 9600 + 2 * 3.5 * 10 / 9600 + DEVICE_S)


def test_at_9600_baud_a_cycle_of_six_units_does_not_fit_into_a_second_and_at_115200_it_does() -> None:
    devices = [OnLine("sungrow-sh")] * 6

    assert load_of(SLOW, devices, 0.25).cycle_s > 1.0
    assert load_of(SerialWay("/dev/x", 115200), [OnLine("sunspec")] * 6, 0.25).cycle_s < 1.0


@given(st.sampled_from((1200, 9600, 115200)), st.floats(0.1, 60.0), st.integers(0, 20))
def test_a_meter_takes_a_third_of_its_line_at_most_and_inverters_have_the_rest(
    baud_rate: int, interval_s: float, count: int
) -> None:
    way = SerialWay("/dev/x", baud_rate)
    alone = load_of(way, [OnLine("sunspec")] * count, interval_s)
    load = load_of(way, [OnLine("sunspec")] * count + [OnLine("sunspec", is_meter=True)], interval_s)

    assert load.meter_s / load.meter_every_s <= METER_SHARE
    assert alone.cycle_s <= load.cycle_s <= alone.cycle_s / (1.0 - METER_SHARE) + load.meter_s


@given(st.floats(0.001, 0.3))
def test_a_meter_rests_so_long_that_it_takes_its_share(took_s: float) -> None:
    assert took_s / (took_s + meter_rest_s(took_s)) == pytest.approx(METER_SHARE)


def test_after_a_reading_that_took_long_in_vain_the_next_comes_before_the_failsafe() -> None:
    assert meter_rest_s(2.0) < 1.0


def test_the_longest_gap_of_a_line_counts_for_all_of_its_devices() -> None:
    plain = load_of(SLOW, [OnLine("sungrow-sh")] * 2, 0.25)
    slowed = load_of(SLOW, [OnLine("sungrow-sh"), OnLine("sungrow-sh", min_gap_s=0.1)], 0.25)

    requests = 2 * len(cycle_words("sungrow-sh", False))
    assert slowed.cycle_s - plain.cycle_s == pytest.approx(requests * (0.1 - silence_s(SLOW)))


def read_in_a_cycle(site: VirtualSite, name: str, role: Role) -> tuple[int, ...]:
    """How many registers each read of a cycle has, once the device is found."""
    driver = SunSpecDriver()
    finding = driver.discover(role)
    request = next(finding)
    while True:
        words = site.devices[name].read(request.address, request.count)
        try:
            request = finding.send(words if isinstance(words, tuple) else Refused(2))
        except StopIteration as end:
            return tuple(each.count for each in driver.plan_reads(end.value))


def test_what_is_counted_for_a_sunspec_device_is_what_is_read_of_a_usual_one() -> None:
    site = VirtualSite(site_config())

    assert read_in_a_cycle(site, METER, "meter") == SUNSPEC_METER_WORDS
    assert read_in_a_cycle(site, "east", "inverter") == SUNSPEC_INVERTER_WORDS


@pytest.mark.parametrize("name", profile_names())
def test_something_is_known_of_what_each_make_reads(name: str) -> None:
    assert cycle_words(name, is_meter=False)
