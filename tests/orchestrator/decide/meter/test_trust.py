"""A frozen and a reversed meter are noticed from the plant's own moves; an honest one never is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator.decide.memory import ControlState, MeterTrust
from orchestrator.decide.meter.trust import watch_meter
from orchestrator.decide.plant.units import Plant, see_plant
from orchestrator.samples import InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.virtual_site import site_config

CONFIG = site_config()


def plant(ac_watts: float, names: tuple[str, ...] = ("east", "west")) -> Plant:
    share = ac_watts / len(names)
    samples = tuple(InverterSample(n, 0.0, ac_watts=share, nameplate=Nameplate(ac_max_watts=5000.0)) for n in names)
    return see_plant(CONFIG, ControlState(), SiteSnapshot(0.0, None, samples), SetpointFields())


def meter(watts: float, changed_at_s: float, orientation: int = 1) -> MeterSample:
    return MeterSample(changed_at_s, watts, changed_at_s, orientation=orientation)


def watch(steps: list[tuple[float, float]], *, trust: MeterTrust | None = None, begin_s: float = 0.0) -> MeterTrust:
    """One (AC power, meter power) a second, the meter with a new value each time."""
    trust = trust or MeterTrust()
    for second, (ac, site) in enumerate(steps):
        now_s = begin_s + second
        trust = watch_meter(trust, meter(site, now_s), plant(ac), 1.0, now_s)
    return trust


BOTH = ("east", "west")
REVERSED = [(0.0, 1000.0), (1000.0, 2000.0), (3000.0, 4000.0), (3500.0, 4500.0)]
STEADY = [(1000.0, -500.0 + i) for i in range(6)]


def test_a_meter_that_keeps_one_value_while_ac_moves_is_frozen_after_three_seconds() -> None:
    trust = watch(STEADY)
    last = meter(-495.0, 5.0)
    for now_s in (6.0, 7.0, 8.0):
        trust = watch_meter(trust, last, plant(2000.0), 1.0, now_s)
        assert trust.fault is None
    trust = watch_meter(trust, last, plant(2000.0), 1.0, 9.0)

    assert trust.fault == "frozen"
    assert watch_meter(trust, meter(-1500.0, 10.0), plant(2000.0), 1.0, 10.0).fault is None


@pytest.mark.parametrize(("at_s", "fault"), [(8.7, None), (8.85, "frozen")])
def test_a_look_that_comes_a_little_early_counts_as_in_time(at_s: float, fault: str | None) -> None:
    trust = watch(STEADY)
    for now_s in (6.0, 7.0, 8.0, at_s):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(2000.0), 1.0, now_s)

    assert trust.fault == fault


def test_a_meter_that_was_frozen_before_the_start_is_found_as_soon() -> None:
    trust = watch_meter(MeterTrust(), meter(-495.0, 5.0), plant(1000.0), 1.0, 5.0)
    for now_s, fault in ((6.0, None), (7.0, None), (8.0, None), (9.0, "frozen")):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(2000.0), 1.0, now_s)
        assert trust.fault == fault


def test_a_meter_that_is_read_seldom_is_given_three_times_that_from_the_start() -> None:
    trust = watch_meter(MeterTrust(), meter(-495.0, 5.0), plant(1000.0), 1.0, 5.0, read_every_s=10.0)
    for now_s, fault in ((6.0, None), (14.0, None), (35.0, None), (36.0, "frozen")):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(2000.0), 1.0, now_s, read_every_s=10.0)
        assert trust.fault == fault


def test_inverters_that_come_and_go_do_not_hide_that_a_meter_is_frozen() -> None:
    trust = watch(STEADY)
    last = meter(-495.0, 5.0)
    for now_s, names in ((6.0, BOTH), (7.0, ("east",)), (8.0, BOTH)):
        trust = watch_meter(trust, last, plant(1000.0 * len(names), names), 1.0, now_s)
        assert trust.fault is None
    trust = watch_meter(trust, last, plant(2000.0), 1.0, 9.0)

    assert trust.fault == "frozen"


def test_who_comes_back_is_no_witness_of_what_was_before() -> None:
    trust = MeterTrust()
    for now_s in range(6):
        trust = watch_meter(trust, meter(-500.0 + now_s, now_s), plant(500.0, ("east",)), 1.0, now_s)
    for now_s in range(6, 20):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(1000.0), 1.0, now_s)

    assert trust.fault is None


def test_a_meter_that_keeps_one_value_while_nothing_moves_is_not_frozen() -> None:
    trust = watch(STEADY)
    for second in range(6, 600):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(1050.0), 1.0, float(second))
    assert trust.fault is None


def test_a_slow_meter_is_given_three_of_its_own_periods() -> None:
    trust = MeterTrust()
    for now_s in (0.0, 4.0, 8.0, 12.0, 16.0):
        trust = watch_meter(trust, meter(-500.0 + now_s, now_s), plant(1000.0), 1.0, now_s)
    for now_s in (17.0, 20.0, 28.0):
        trust = watch_meter(trust, meter(-484.0, 16.0), plant(2000.0), 1.0, now_s)
        assert trust.fault is None
    trust = watch_meter(trust, meter(-484.0, 16.0), plant(2000.0), 1.0, 29.0)
    assert trust.fault == "frozen"


def test_a_frozen_meter_stays_frozen_wherever_ac_power_goes_until_it_shows_another_value() -> None:
    trust = watch(STEADY)
    for now_s, ac in ((6.0, 2000.0), (9.0, 2000.0), (10.0, 1000.0), (11.0, 0.0)):
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(ac), 1.0, now_s)
    assert trust.fault == "frozen"


def test_a_meter_that_moves_with_ac_power_is_reversed() -> None:
    assert watch(REVERSED[:3]).fault is None
    assert watch(REVERSED).fault == "reversed"


def test_a_load_that_jumps_as_ac_power_rises_is_not_enough() -> None:
    steps = [(0.0, 1000.0), (1000.0, 4000.0), (2000.0, 3000.0), (3000.0, 2000.0), (4000.0, 1000.0)]
    assert watch(steps).fault is None


def test_the_evidence_starts_anew_when_the_sign_is_turned() -> None:
    turned = watch_meter(watch(REVERSED), meter(-4500, 4.0, orientation=-1), plant(3500.0), 1.0, 4.0)

    assert turned.fault is None


def test_what_is_known_of_the_meter_outlives_an_inverter_that_falls_silent() -> None:
    without = watch_meter(watch(REVERSED), meter(4500, 4.0), plant(1000.0, ("east",)), 1.0, 4.0)
    assert without.fault == "reversed"

    frozen = watch(STEADY)
    for now_s, names in ((6.0, BOTH), (9.0, BOTH), (10.0, BOTH), (11.0, ("east",))):
        frozen = watch_meter(frozen, meter(-495.0, 5.0), plant(2000.0, names), 1.0, now_s)
    assert frozen.fault == "frozen"


def test_an_inverter_that_comes_or_goes_is_no_move() -> None:
    trust = watch([(1000.0, 500.0)] * 4)
    for now_s, names in ((4.0, ("east",)), (5.0, BOTH), (6.0, ("west",)), (7.0, BOTH)):
        trust = watch_meter(trust, meter(500.0 + now_s, now_s), plant(1000.0 * len(names), names), 1.0, now_s)

    assert trust.sign.against == 0


def test_ac_power_that_swings_around_where_the_meter_saw_it_shows_a_frozen_meter_too() -> None:
    trust = watch(STEADY)
    for second in range(6, 16):
        ac = 2000.0 if second % 2 else 1000.0
        trust = watch_meter(trust, meter(-495.0, 5.0), plant(ac), 1.0, float(second))

    assert trust.fault == "frozen"


def test_a_time_without_anything_to_show_does_not_make_a_meter_slow() -> None:
    trust = watch([*STEADY, (1000.0, -600.0)])
    trust = watch_meter(trust, meter(-700.0, 60.0), plant(1000.0), 1.0, 60.0)
    for now_s in (61.0, 62.0, 63.0, 64.0):
        trust = watch_meter(trust, meter(-700.0, 60.0), plant(2000.0), 1.0, now_s)

    assert trust.fault == "frozen"


@given(st.lists(st.tuples(st.floats(-10000, 10000), st.floats(-200, 200)), min_size=1, max_size=60))
def test_an_honest_meter_is_never_suspected(moves: list[tuple[float, float]]) -> None:
    load, steps = 3000.0, []
    for ac, drift in moves:
        load += drift
        steps.append((ac, load - ac))
    for length in range(1, len(steps) + 1, 7):
        assert watch(steps[:length]).fault is None


@pytest.mark.parametrize("orientation", [1, -1])
def test_orientation_is_part_of_the_sample(orientation: int) -> None:
    assert watch_meter(MeterTrust(), meter(0, 0.0, orientation), plant(0.0), 1.0, 0.0).orientation == orientation
