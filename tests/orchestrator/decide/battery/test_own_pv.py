"""PV behind an AC limit of next to nothing charges its own battery, whatever there is of it, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.config.simulation import InverterSimulation
from orchestrator.decide.battery.sharing import Sharing, share_target
from orchestrator.decide.following import Disobeys
from orchestrator.decide.plant.units import see_plant
from orchestrator.samples import InverterSample, SiteSnapshot
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import EXAMPLE, battery, plant

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

SUN = {"east": 4000.0, "west": 2500.0, "roof": 3000.0}


def behind_the_roof(**control: Any) -> ClosedLoop:
    """The roof covers the load, batteries may not charge: the PV of both hybrids is hidden behind a limit of 0."""
    loop = plant(pv_watts=SUN, load_watts=1000.0, **control)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.run(40)
    loop.ask(export_limit_watts=0.0)
    return loop


def held_back_watts(moment: Moment) -> float:
    return sum(power.pv_available_watts - power.pv_watts for power in moment.powers[:2])


def windows(loop: ClosedLoop) -> list[tuple[float | None, float | None]]:
    return [(c.battery.low_watts, c.battery.high_watts) for c in loop.history[-1].commands if c.battery]


def test_hidden_pv_charges_its_own_battery_without_being_looked_for() -> None:
    loop = behind_the_roof()
    loop.run(5)

    assert held_back_watts(loop.history[-1]) < 1000.0
    assert max(moment.site_watts for moment in loop.history[-5:]) < 100.0


def test_a_window_is_open_only_while_the_battery_may_not_charge_from_ac() -> None:
    loop = behind_the_roof()
    loop.run(60)

    for command in (c for m in loop.history for c in m.commands if c.battery is not None):
        battery = command.battery
        assert battery is not None
        is_open = (battery.high_watts or 0.0) > (battery.low_watts or 0.0)
        assert not is_open or not battery.grid_charging


def test_a_battery_with_an_open_window_is_not_said_to_disobey() -> None:
    loop = behind_the_roof()
    for _ in range(20):
        loop.run(1)
        states = [memory.following.states for memory in loop.state.inverters.values()]
        assert not any(Disobeys.STUBBORN in each or Disobeys.DEAF in each for each in states)


def test_a_load_that_needs_the_hybrids_pins_their_batteries_again() -> None:
    loop = behind_the_roof()
    loop.run(20)
    loop.site.set_load(8000.0)
    loop.run(20)

    assert all(low == high for low, high in windows(loop))
    assert abs(loop.true_site_watts) < 100.0


@pytest.mark.parametrize(
    ("control", "asked"),
    [
        ({}, {"battery_charge_max_watts": 3000.0}),
        ({}, {"generation_limit_watts": 6000.0}),
        ({"ramp_watts_per_s": 300.0}, {}),
        ({"allocation": "fewest_units"}, {}),
    ],
)
def test_what_is_asked_of_the_batteries_together_keeps_windows_shut(
    control: dict[str, Any], asked: dict[str, Any]
) -> None:
    loop = behind_the_roof(**control)
    loop.ask(export_limit_watts=0.0, **asked)
    for _ in range(20):
        loop.run(1)
        assert all(low == high for low, high in windows(loop))


def test_a_battery_that_is_told_a_power_and_no_window_stays_pinned_and_its_pv_is_looked_for() -> None:
    class ToldAPower(ClosedLoop):
        def seen(self, snapshot: SiteSnapshot) -> SiteSnapshot:
            return replace(snapshot, inverters=tuple(told_a_power(each) for each in snapshot.inverters))

    loop = ToldAPower(behind_the_roof().config)
    for name, watts in SUN.items():
        loop.site.set_pv_available(name, watts)
    loop.ask(export_limit_watts=0.0)
    for _ in range(60):
        loop.run(1)
        assert all(low == high for low, high in windows(loop))
    assert held_back_watts(loop.history[-1]) < 500.0


def told_a_power(sample: InverterSample) -> InverterSample:
    if sample.battery is None:
        return sample
    return replace(sample, battery=replace(sample.battery, takes_window=False))


def test_what_is_stored_of_own_pv_is_its_share_and_the_others_get_the_rest() -> None:
    loop = behind_the_roof()
    loop.run(60)
    asked = [command.battery.watts for command in loop.history[-1].commands if command.battery]
    charged = [power.battery_watts for power in loop.history[-1].powers[:2]]

    assert asked == pytest.approx(charged, abs=100.0)
    assert sum(charged) == pytest.approx(sum(SUN.values()) - 1000.0, rel=0.05)


def test_what_is_stored_of_own_pv_is_not_given_to_others() -> None:
    """By capacity east would get two thirds; what west stores behind its limit it keeps, and no more than there is."""
    loop = behind_the_roof()
    loop.run(30)
    stored = {"east": 2000.0, "west": 1900.0}

    assert shares_watts(loop, 3900.0, stored) == pytest.approx(stored)
    assert shares_watts(loop, 4500.0, stored) == pytest.approx({"east": 2600.0, "west": 1900.0})
    assert shares_watts(loop, 3000.0, stored) == pytest.approx({"east": 2000.0, "west": 1000.0})


def test_where_batteries_are_levelled_all_beyond_its_share_is_given_to_others_or_nothing() -> None:
    """A little more would be stored all the same, behind an open window, and so would what others may not draw."""
    loop = behind_the_roof(allocation="equal_soc")
    loop.site.set_soc("west", 80.0)
    loop.run(30)
    much, little = {"east": 2000.0, "west": 1900.0}, {"east": 3500.0, "west": 400.0}

    assert shares_watts(loop, 3900.0, much, levels=True) == pytest.approx({"east": 3600.0, "west": 300.0}, abs=50.0)
    assert shares_watts(loop, 3900.0, little, levels=True) == pytest.approx(little)
    loop.ask(export_limit_watts=0.0, load_limit_watts=0.0)
    assert shares_watts(loop, 3900.0, much, levels=True)["west"] == pytest.approx(1900.0)


def shares_watts(
    loop: ClosedLoop, target_watts: float, stored: dict[str, float], **of_sharing: bool
) -> dict[str, float]:
    """The shares of a target in W while the batteries store so much of their own PV behind open windows."""
    inverters = {
        name: replace(each, battery=replace(each.battery, open_to_watts=4000.0))
        for name, each in loop.state.inverters.items()
    }
    last = loop.history[-1].result
    assert last is not None
    samples = tuple(storing(each, stored) for each in last.snapshot.inverters)
    seen = see_plant(
        loop.config, replace(loop.state, inverters=inverters), replace(last.snapshot, inverters=samples), loop.wanted
    )
    sharing = Sharing(loop.config.control, loop.wanted, 0.0, loop.now_s, **of_sharing)  # type: ignore[arg-type]
    return {name: share.watts for name, share in share_target(seen, target_watts, sharing).shares.items()}


def beside_a_roof(west_percent: float, shed_percent: float) -> ClosedLoop:
    """Under `equal_soc` the shed charges from the roof, and then the sun comes to west, behind its limit of nothing."""
    shed = InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0, shed_percent))
    west = InverterSimulation(
        pv_peak_watts=4000.0, ac_rating_watts=4000.0, battery=battery(5000.0, 4000.0, west_percent)
    )
    inverters = {"west": west, "shed": shed, "roof": EXAMPLE["roof"]}
    dark = {"west": 0.0, "shed": 0.0, "roof": 2000.0}
    loop = plant(inverters, pv_watts=dark, load_watts=500.0, allocation="equal_soc")
    loop.ask(export_limit_watts=0.0)
    loop.run(30)
    loop.site.set_pv_available("west", 3000.0)
    return loop


def test_under_equal_soc_a_battery_leaves_its_own_pv_to_emptier_ones_through_its_ac_limit() -> None:
    loop = beside_a_roof(west_percent=90.0, shed_percent=40.0)
    moments = loop.run(20)

    west, shed, _ = moments[-1].powers
    assert west.battery_watts < 50.0
    assert west.pv_watts == pytest.approx(3000.0, abs=50.0)
    assert west.ac_watts == pytest.approx(3000.0 * 0.97, abs=50.0)
    assert shed.battery_watts == pytest.approx((5000.0 * 0.97 - 500.0) * 0.97, abs=100.0)
    assert sum(abs(moment.site_watts) for moment in moments) / 3600 < 1.0
    assert sum(moment.powers[0].pv_available_watts - moment.powers[0].pv_watts for moment in moments) / 3600 < 1.0


@pytest.mark.parametrize(
    ("west_percent", "shed_percent"), [(80.0, 100.0), (20.0, 90.0)], ids=["the other is full", "the other is fuller"]
)
def test_under_equal_soc_a_battery_keeps_its_own_pv_where_the_other_takes_none(
    west_percent: float, shed_percent: float
) -> None:
    loop = beside_a_roof(west_percent, shed_percent)
    moments = loop.run(20)

    assert moments[-1].powers[0].battery_watts > 2900.0
    assert abs(moments[-1].site_watts) < 100.0


def test_under_equal_soc_no_own_pv_is_left_to_a_battery_that_waits_for_its_own() -> None:
    """Nothing of that would be drawn from AC, so AC limits do not rise, and PV that was just found would be lost."""
    loop = behind_the_roof(allocation="equal_soc")
    loop.site.set_soc("west", 80.0)
    loop.run(8)

    assert held_back_watts(loop.history[-1]) < 100.0


def storing(sample: InverterSample, watts: dict[str, float]) -> InverterSample:
    if sample.battery is None:
        return sample
    stored_watts = watts[sample.name]
    return replace(sample, pv_watts=stored_watts, battery=replace(sample.battery, watts=stored_watts))
