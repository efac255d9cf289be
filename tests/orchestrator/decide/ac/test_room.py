"""The laws of handing out the room for AC power."""

from __future__ import annotations

from math import fsum

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import force_setattr

from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.ac.room import expected_watts, hand_out_room, room_for_ac
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory
from orchestrator.decide.plant.units import Plant, see_plant
from orchestrator.samples import BatterySample, InverterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from tests.support.plants.virtual_site import site_config

RATING = 5000.0


def make_plant(outputs: list[tuple[float, float | None, float | None]]) -> Plant:
    """Inverters of 5 kW, each with its AC power, its limit and its battery power (None: no battery)."""
    names = [f"i{n}" for n in range(len(outputs))]
    config = site_config({name: InverterSimulation(ac_rating_watts=RATING) for name in names})
    samples = tuple(
        InverterSample(
            name,
            at_s=0.0,
            ac_watts=ac,
            pv_watts=max(ac + (stored or 0.0), 0.0),
            nameplate=Nameplate(ac_max_watts=RATING),
            battery=None if stored is None else BatterySample(stored, 50.0, 4000.0, 4000.0, 10000.0),
            battery_controllable=stored is not None,
        )
        for name, (ac, _limit, stored) in zip(names, outputs, strict=True)
    )
    memory = {name: InverterMemory(LimitMemory(limit)) for name, (_ac, limit, _s) in zip(names, outputs, strict=True)}
    state = ControlState(inverters=memory)
    return see_plant(config, state, SiteSnapshot(0.0, None, samples), SetpointFields())


def limits_of(plant: Plant, room_watts: float, targets_watts: dict[str, float]) -> dict[str, float]:
    expected = {u.name: expected_watts(u, targets_watts) for u in plant.units}
    return hand_out_room(plant, room_watts, targets_watts, expected)


outputs = st.lists(
    st.tuples(
        st.floats(-RATING, RATING),
        st.none() | st.floats(0, RATING),
        st.none() | st.floats(-4000, 4000),
    ),
    min_size=1,
    max_size=20,
)


@given(outputs, st.floats(0, 2e5))
def test_limits_add_up_to_the_room_but_for_the_headroom(
    seen: list[tuple[float, float | None, float | None]], room: float
) -> None:
    plant = make_plant(seen)
    limits = limits_of(plant, room, {})

    assert set(limits) == {u.name for u in plant.units}
    assert all(0 <= limit <= RATING + 1e-6 for limit in limits.values())
    assert fsum(limits.values()) <= room + 0.02 * plant.rating_watts + 1e-3


@given(outputs)
def test_with_room_for_all_nobody_is_limited(seen: list[tuple[float, float | None, float | None]]) -> None:
    plant = make_plant(seen)
    limits = limits_of(plant, plant.rating_watts, {})
    assert limits == pytest.approx(dict.fromkeys(limits, RATING))


def test_the_room_a_shaded_inverter_leaves_goes_to_the_throttled_ones() -> None:
    plant = make_plant([(1500, 1500, None), (1500, 1500, None), (500, None, None)])
    limits = limits_of(plant, 4500, {})

    assert limits["i0"] == limits["i1"] == pytest.approx(2000)
    assert 500 < limits["i2"] <= 500 + 0.03 * RATING


def test_commanded_discharge_comes_before_pv() -> None:
    plant = make_plant([(3000, 3000, None), (0, None, 0.0)])
    limits = limits_of(plant, 2000, {"i1": -1500.0})

    assert limits["i1"] >= 1500
    assert limits["i0"] <= 500 + 1


def test_throttled_hybrids_come_after_throttled_pv_because_they_can_store() -> None:
    plant = make_plant([(1000, 1000, None), (1000, 1000, 2000.0)])
    assert limits_of(plant, 1000, {"i1": 2000.0}) == pytest.approx({"i0": 1000, "i1": 0})
    assert limits_of(plant, 3000, {"i1": 2000.0}) == pytest.approx({"i0": 2000, "i1": 1000})


def test_room_that_a_hybrid_uses_goes_to_throttled_pv_step_by_step() -> None:
    plant = make_plant([(1000, 1000, None), (1000, 1000, 2000.0)])
    limits = limits_of(plant, 2000, {"i1": 2000.0})

    assert limits["i0"] == pytest.approx(1000 + 0.015 * RATING)
    assert limits["i1"] == pytest.approx(2000 - limits["i0"])


def test_the_room_is_load_export_limit_and_what_batteries_draw() -> None:
    plant = make_plant([(3000, None, None), (-1000, None, 1000.0)])
    room = room_for_ac(plant, load_watts=1500, export_limit_watts=500, generation_limit_watts=None)

    assert room == pytest.approx(1500 + 500 + 1000, abs=20)


def test_the_generation_limit_caps_the_room() -> None:
    plant = make_plant([(3000, None, None)])
    assert room_for_ac(plant, load_watts=9000, export_limit_watts=500, generation_limit_watts=800) == 800
    assert room_for_ac(plant, load_watts=9000, export_limit_watts=None, generation_limit_watts=None) is None


def test_pv_that_has_room_left_gets_no_more_of_it_while_power_is_imported() -> None:
    """i0 has not used up its limit, so the sun holds it: what is left goes to the hybrid that stands at its limit."""
    plant = make_plant([(1000, 3000, None), (1000, 1000, 2000.0)])
    targets = {"i1": 2000.0}
    expected = {u.name: expected_watts(u, targets) for u in plant.units}
    force_setattr(plant.units[0], "throttled", True)

    calm = hand_out_room(plant, 4000, targets, expected, dt_s=1.0)
    short = hand_out_room(plant, 4000, targets, expected, dt_s=1.0, import_watts=1500.0)

    assert calm["i0"] > 2900
    assert short["i0"] == pytest.approx(1250)
    assert short["i1"] == pytest.approx(2750)


def test_where_batteries_are_full_hybrids_keep_the_room_that_they_use() -> None:
    """What they make less could not be stored, and it would be imported until others make it."""
    plant = make_plant([(1000, 1000, None), (1000, 1000, 2000.0)])
    targets = {"i1": 2000.0}
    expected = {u.name: expected_watts(u, targets) for u in plant.units}

    limits = hand_out_room(plant, 2000, targets, expected, storable_watts=0.0)

    assert limits == pytest.approx({"i0": 1000, "i1": 1000})


def test_what_a_limit_is_about_to_take_from_pv_is_not_kept_for_it() -> None:
    """i0 still makes 3 kW, on its way down to 1 kW: the hybrid does not give way for that."""
    plant = make_plant([(3000, 1000, None), (1000, 1000, 2000.0)])
    limits = limits_of(plant, 2000, {"i1": 2000.0})

    assert limits["i0"] <= 1000 + 0.05 * RATING
    assert limits["i1"] >= 2000 - limits["i0"] - 1
