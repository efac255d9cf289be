"""PV behind an AC limit of next to nothing charges its own battery, whatever there is of it, and nothing else does."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.decide.battery.sharing import Sharing, share_target
from orchestrator.decide.following import Disobeys
from orchestrator.decide.plant.units import see_plant
from orchestrator.samples import InverterSample, SiteSnapshot
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import plant

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
    inverters = {
        name: replace(each, battery=replace(each.battery, open_to_watts=4000.0))
        for name, each in loop.state.inverters.items()
    }
    last = loop.history[-1].result
    assert last is not None
    samples = tuple(storing(each, {"east": 2000.0, "west": 1900.0}) for each in last.snapshot.inverters)
    seen = see_plant(
        loop.config, replace(loop.state, inverters=inverters), replace(last.snapshot, inverters=samples), loop.wanted
    )

    def shares(target_watts: float) -> dict[str, float]:
        sharing = Sharing(loop.config.control, loop.wanted, 0.0, loop.now_s)
        return {name: share.watts for name, share in share_target(seen, target_watts, sharing).shares.items()}

    assert shares(3900.0) == pytest.approx({"east": 2000.0, "west": 1900.0})
    assert shares(4500.0) == pytest.approx({"east": 2600.0, "west": 1900.0})
    assert shares(3000.0) == pytest.approx({"east": 2000.0, "west": 1000.0})


def storing(sample: InverterSample, watts: dict[str, float]) -> InverterSample:
    if sample.battery is None:
        return sample
    return replace(sample, battery=replace(sample.battery, watts=watts[sample.name]))
