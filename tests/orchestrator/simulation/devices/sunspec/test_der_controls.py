"""Model 704 as a virtual device obeys it: activation, revert values, refusals."""

from __future__ import annotations

import pytest

from orchestrator.simulation.devices.sunspec.der import SunSpecDer
from orchestrator.simulation.devices.sunspec.register_map import ExceptionCode
from orchestrator.simulation.devices.sunspec.words import INT32, split, whole
from orchestrator.simulation.plant.inverter import SimulatedInverter
from tests.support.plants.virtual_site import BATTERY_ONLY, HYBRID, PV_ONLY

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long


class Bench:
    """A 7xx inverter in steady light; points are named without the number of their model."""

    def __init__(self, settings: object, pv_watts: float = 0.0) -> None:
        self.inverter = SimulatedInverter("der", settings)  # type: ignore[arg-type]
        self.device = SunSpecDer(self.inverter)
        self.pv_watts = pv_watts

    def write(self, name: str, *words: int) -> ExceptionCode | None:
        return self.device.write(self.device.registers.address(f"704.{name}"), words, 0.0)

    def read(self, name: str, model: int = 704) -> int:
        words = self.device.read(self.device.registers.address(f"{model}.{name}"), 1)
        assert isinstance(words, tuple)
        return words[0]

    def run(self, seconds: float) -> Bench:
        for _ in range(round(seconds / 0.05)):
            self.device.advance(0.05)
            self.inverter.advance(0.05, self.pv_watts)
        return self

    def limit(self, percent: float, revert_s: int = 0, after: float = 100, after_enabled: int = 0) -> Bench:
        settings = (round(10 * percent), round(10 * after), after_enabled, *split(revert_s, 2))
        assert self.write("WMaxLimPct", *settings) is None
        assert self.write("WMaxLimPctEna", 1) is None
        return self

    def set_watts(self, watts: int, revert_s: int = 60) -> Bench:
        assert self.write("WSetMod", 1, *split(watts, 2), 0, 0) is None
        assert self.write("WSetEnaRvrt", 0, *split(revert_s, 2)) is None
        assert self.write("WSetEna", 1) is None
        return self

    @property
    def ac_watts(self) -> float:
        return self.inverter.state.ac_watts


def test_a_limit_holds_once_it_is_enabled() -> None:
    bench = Bench(PV_ONLY, 7000)
    bench.write("WMaxLimPct", 250)

    assert bench.run(20).ac_watts > 6000

    bench.write("WMaxLimPctEna", 1)

    assert bench.run(20).ac_watts == pytest.approx(2000, abs=5)


def test_a_limit_reverts_to_its_own_value() -> None:
    bench = Bench(PV_ONLY, 7000).limit(50, revert_s=30, after=10, after_enabled=1)

    assert bench.run(20).ac_watts == pytest.approx(4000, abs=5)
    assert bench.read("WMaxLimPctEna") == 1
    assert bench.run(20).ac_watts == pytest.approx(800, abs=5)
    assert bench.read("WMaxLimPct") == 100


def test_a_limit_may_revert_to_none() -> None:
    bench = Bench(PV_ONLY, 7000).limit(50, revert_s=30)

    assert bench.run(40).ac_watts > 6000
    assert bench.read("WMaxLimPctEna") == 0


def test_a_limit_that_is_written_again_starts_its_time_anew() -> None:
    bench = Bench(PV_ONLY, 7000).limit(50, revert_s=30).run(20)

    assert bench.limit(50, revert_s=30).run(20).ac_watts == pytest.approx(4000, abs=5)


def test_without_a_time_a_limit_holds_for_ever() -> None:
    assert Bench(PV_ONLY, 7000).limit(50).run(4000).ac_watts == pytest.approx(4000, abs=5)


@pytest.mark.parametrize("watts", [2000, -2000])
def test_a_set_point_is_power_at_ac_and_ends_with_its_time(watts: int) -> None:
    bench = Bench(BATTERY_ONLY).set_watts(watts, revert_s=40)

    assert bench.run(20).ac_watts == pytest.approx(watts, rel=0.01)
    assert bench.run(60).ac_watts == pytest.approx(0, abs=5)
    assert bench.read("WSetEna") == 0


def test_the_time_that_is_left_can_be_read() -> None:
    bench = Bench(BATTERY_ONLY).set_watts(1000, revert_s=60).run(10)

    words = bench.device.read(bench.device.registers.address("704.WSetRvrtRem"), 2)

    assert isinstance(words, tuple)
    assert whole(INT32, words) in (50, 51)


@pytest.mark.parametrize(
    ("name", "words"),
    [("WMaxLimPct", (1001,)), ("WMaxLimPctEna", (2,)), ("WSetMod", (0,)), ("WSet", split(2_000_000, 2))],
)
def test_a_value_out_of_range_is_refused_and_changes_nothing(name: str, words: tuple[int, ...]) -> None:
    bench = Bench(BATTERY_ONLY)
    before = bench.read(name)

    assert bench.write(name, *words) is ExceptionCode.ILLEGAL_VALUE
    assert bench.read(name) == before


def test_half_a_point_and_a_point_that_is_not_there_are_ignored() -> None:
    bench = Bench(BATTERY_ONLY)

    assert bench.write("WSet", 5) is None
    assert bench.write("VarSetEna", 1) is None
    assert bench.device.writes[-1].registers == ()
    assert bench.read("WSet") == 0


def test_the_power_of_a_hybrid_cannot_be_set() -> None:
    bench = Bench(HYBRID, 3000)

    assert bench.write("WSetEna", 1) is None
    assert bench.read("WSetEna") == 0xFFFF


def test_a_device_without_a_battery_has_no_model_713() -> None:
    assert [block.model.model_id for block in Bench(PV_ONLY).device.registers.blocks] == [1, 701, 702, 704, 714]
    assert [block.model.model_id for block in Bench(HYBRID).device.registers.blocks] == [1, 701, 702, 704, 713, 714]
