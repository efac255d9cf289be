import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.config.simulation import LoadSimulation, SunSimulation
from orchestrator.simulation.plant.weather import drift, load_watts, sunlight

TIMES = st.floats(0, 1e6)


@given(at_s=TIMES, seed=st.text(max_size=5))
def test_sunlight_is_a_part_of_the_peak(at_s: float, seed: str) -> None:
    sun = SunSimulation(period_s=60, night_fraction=0.4, cloud_depth=1.0, cloud_period_s=3)

    assert 0 <= sunlight(sun, seed, at_s) <= 1


def test_night_is_dark_and_noon_is_bright() -> None:
    sun = SunSimulation(period_s=100, night_fraction=0.4, start_fraction=0, cloud_depth=0)

    assert sunlight(sun, "any", 30) == 1
    assert sunlight(sun, "any", 61) == 0
    assert sunlight(sun, "any", 130) == 1


def test_clouds_take_at_most_their_depth() -> None:
    sun = SunSimulation(period_s=100, night_fraction=0, start_fraction=0.5, cloud_depth=0.3, cloud_period_s=0.001)
    noons = [sunlight(sun, str(seed), 0) for seed in range(50)]

    assert 0.7 <= min(noons) < 0.8
    assert 0.9 < max(noons) <= 1


@given(at_s=TIMES)
def test_drift_has_no_jumps(at_s: float) -> None:
    assert abs(drift("seed", at_s, 10) - drift("seed", at_s + 0.01, 10)) < 0.01


def test_the_same_seed_gives_the_same_load_and_another_seed_another() -> None:
    load = LoadSimulation(base_watts=500, variation_watts=1000, appliance_watts=2000, noise_watts=50)

    assert load_watts(load, "1", 123.4) == load_watts(load, "1", 123.4)
    assert load_watts(load, "1", 123.4) != load_watts(load, "2", 123.4)


@given(at_s=TIMES)
def test_load_stays_between_its_parts(at_s: float) -> None:
    load = LoadSimulation(base_watts=10, variation_watts=20, appliance_watts=0, noise_watts=50)

    assert 0 <= load_watts(load, "1", at_s) <= 80


def test_the_appliance_is_on_at_times_and_off_at_others() -> None:
    load = LoadSimulation(base_watts=100, variation_watts=0, appliance_watts=2000, appliance_period_s=10)

    assert {load_watts(load, "1", at_s) for at_s in range(0, 600, 10)} == {100, 2100}


def test_contrast_makes_clear_sky_and_full_shade_of_a_slow_rise_and_fall() -> None:
    def lights(contrast: float) -> list[float]:
        sun = SunSimulation(
            period_s=1e6, night_fraction=0, start_fraction=0.5, cloud_depth=0.5, cloud_contrast=contrast
        )
        return [sunlight(sun, "seed", float(at_s)) for at_s in range(0, 3000, 7)]

    soft, sharp = lights(1.0), lights(20.0)
    assert sum(light in (pytest.approx(1, abs=0.01), pytest.approx(0.5, abs=0.01)) for light in soft) < 40
    assert sum(light in (pytest.approx(1, abs=0.01), pytest.approx(0.5, abs=0.01)) for light in sharp) > 350


def test_a_sky_without_clouds_knows_no_seed() -> None:
    sun = SunSimulation(cloud_depth=0.0)

    assert sunlight(sun, "one", 9000.0) == sunlight(sun, "another", 9000.0) > 0
