"""Model 123: the connection, the AC limit, and the timers that take both back."""

import pytest

from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from tests.orchestrator.simulation.devices.bench import Bench
from tests.support.plants.virtual_site import HYBRID, PV_ONLY


def limited(percent: float, revert_s: int = 0) -> Bench:
    """A PV inverter of 8 kW with light for 6 kW, whose limit was written as one block of five words."""
    bench = Bench(PV_ONLY, pv_watts=6000)
    assert bench.write("123.WMaxLimPct", round(percent * 100), 0, revert_s, 0, 1) is None
    return bench


def test_a_limit_in_one_block_is_obeyed() -> None:
    bench = limited(25).run(10)

    assert bench.ac_watts == pytest.approx(2000, abs=5)
    assert bench.read("103.St") == 5
    assert bench.read("122.StActCtl") == 0  # the upper half of bitfield32
    assert bench.read("123.WMaxLim_Ena") == 1


def test_a_limit_without_enable_does_nothing() -> None:
    bench = Bench(PV_ONLY, pv_watts=6000)
    bench.write("123.WMaxLimPct", 2500)

    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)
    assert bench.read("123.WMaxLimPct") == 2500


def test_a_changed_limit_waits_until_enable_is_written_again() -> None:
    bench = limited(25).run(10)
    bench.write("123.WMaxLimPct", 5000)
    waiting_watts = bench.run(10).ac_watts
    bench.write("123.WMaxLim_Ena", 1)

    assert waiting_watts == pytest.approx(2000, abs=5)
    assert bench.run(10).ac_watts == pytest.approx(4000, abs=5)


def test_disabling_takes_the_limit_away() -> None:
    bench = limited(25).run(10)
    bench.write("123.WMaxLim_Ena", 0)

    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_a_limit_reverts_when_its_time_is_over() -> None:
    bench = limited(25, revert_s=30).run(29)
    before = (bench.read("123.WMaxLim_Ena"), bench.ac_watts)
    bench.run(10)

    assert before == (1, pytest.approx(2000, abs=5))
    assert bench.read("123.WMaxLim_Ena") == 0
    assert bench.ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_writing_the_limit_again_restarts_its_time() -> None:
    bench = limited(25, revert_s=30)
    for _ in range(3):
        bench.run(20)
        bench.write("123.WMaxLimPct", 2500, 0, 30, 0, 1)

    assert bench.run(20).read("123.WMaxLim_Ena") == 1


def test_a_limit_without_a_revert_time_stays() -> None:
    assert limited(25).run(600).ac_watts == pytest.approx(2000, abs=5)


def test_a_limit_of_a_hybrid_leaves_its_pv_to_the_battery() -> None:
    bench = Bench(HYBRID, pv_watts=4000)
    bench.write("123.WMaxLimPct", 0, 0, 0, 0, 1)
    bench.run(10)

    assert bench.ac_watts == pytest.approx(0, abs=5)
    assert bench.battery_watts == pytest.approx(4000, abs=5)


def test_disconnecting_stops_ac_and_reverts() -> None:
    bench = Bench(PV_ONLY, pv_watts=6000)
    bench.write("123.Conn_RvrtTms", 20, 0)
    apart = (bench.run(19).ac_watts, bench.read("123.Conn"), bench.read("103.St"), bench.read("122.ECPConn"))
    bench.run(10)

    assert apart == (0, 0, 8, 0)
    assert bench.read("123.Conn") == 1
    assert bench.ac_watts == pytest.approx(6000 * 0.97, abs=5)


def test_connecting_again_stops_the_timer() -> None:
    bench = Bench(PV_ONLY, pv_watts=6000)
    bench.write("123.Conn_RvrtTms", 20, 0)
    bench.write("123.Conn", 1)

    assert bench.run(10).ac_watts == pytest.approx(6000 * 0.97, abs=5)


@pytest.mark.parametrize(
    ("point", "value"),
    [
        ("WMaxLimPct", 10001),
        ("WMaxLimPct", 0xFFFF),
        ("WMaxLim_Ena", 2),
        ("Conn", 2),
        ("WMaxLimPct_RvrtTms", 0xFFFF),
        ("WMaxLimPct_WinTms", 1),
        ("WMaxLimPct_RmpTms", 1),
    ],
)
def test_an_unsupported_value_is_refused(point: str, value: int) -> None:
    bench = Bench(PV_ONLY)
    before = bench.read(f"123.{point}")

    assert bench.write(f"123.{point}", value) is ExceptionCode.ILLEGAL_VALUE
    assert bench.read(f"123.{point}") == before
    assert bench.device.writes == []


def test_a_block_with_one_unsupported_value_changes_nothing() -> None:
    bench = limited(25)

    assert bench.write("123.WMaxLimPct", 5000, 0, 60, 0, 7) is ExceptionCode.ILLEGAL_VALUE
    assert bench.read("123.WMaxLimPct") == 2500
    assert bench.run(10).ac_watts == pytest.approx(2000, abs=5)
