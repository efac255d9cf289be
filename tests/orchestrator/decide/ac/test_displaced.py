"""PV that is held back for discharge under a generation limit is found, and looking for it costs next to nothing."""

from __future__ import annotations

import pytest

from orchestrator.decide.memory import Probe
from orchestrator.simulation.virtual_time import Moment
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import EXAMPLE, plant

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

LIMIT_WATTS = 2000.0


def site(pv_watts: dict[str, float], *, says_throttled: bool = False) -> ClosedLoop:
    """Hybrids that cut their own PV where it does not fit beside the discharge."""
    changes = {"discharge_goes_first": True, "says_throttled": says_throttled}
    inverters = {name: each.model_copy(update=changes) for name, each in EXAMPLE.items()}
    return plant(inverters, pv_watts=pv_watts, load_watts=3500.0)


def made_watts(moment: Moment) -> float:
    return sum(max(power.ac_watts, 0.0) for power in moment.powers)


@pytest.mark.parametrize("says_throttled", [True, False])
@pytest.mark.parametrize("pv_watts", [(500.0, 500.0), (800.0, 0.0), (0.0, 600.0)])
def test_pv_behind_its_own_discharge_is_found_within_half_a_minute(
    says_throttled: bool, pv_watts: tuple[float, float]
) -> None:
    loop = site({"east": pv_watts[0], "west": pv_watts[1], "roof": 200.0}, says_throttled=says_throttled)
    loop.ask(generation_limit_watts=LIMIT_WATTS)
    loop.run(10)
    loop.ask(generation_limit_watts=LIMIT_WATTS, connect=False)
    loop.run(20)
    loop.ask(generation_limit_watts=LIMIT_WATTS)
    loop.run(30)
    moments = loop.run(30)

    for moment in moments:
        assert sum(power.pv_watts for power in moment.powers) >= 0.95 * (sum(pv_watts) + 200.0)
        assert 0.9 * LIMIT_WATTS <= made_watts(moment) <= 1.02 * LIMIT_WATTS


def test_pv_of_an_inverter_without_a_battery_takes_the_place_of_discharge() -> None:
    loop = site({"east": 0.0, "west": 0.0, "roof": 200.0})
    loop.ask(generation_limit_watts=LIMIT_WATTS)
    loop.run(20)
    loop.site.set_pv_available("roof", 3000.0)
    loop.run(60)
    moments = loop.run(10)

    assert min(moment.powers[2].ac_watts for moment in moments) > 0.8 * LIMIT_WATTS


def test_in_the_dark_hardly_anything_less_is_discharged_than_the_limit_allows() -> None:
    loop = site({"east": 0.0, "west": 0.0, "roof": 0.0})
    loop.ask(generation_limit_watts=LIMIT_WATTS)
    loop.run(30)
    moments = loop.run(300)
    asked = [sum(-command.battery.watts for command in m.commands if command.battery) for m in moments]

    assert sum(LIMIT_WATTS - watts for watts in asked) / len(asked) < 0.005 * LIMIT_WATTS

    loop.site.set_pv_available("east", 600.0)
    loop.run(70)

    assert loop.history[-1].powers[0].pv_watts > 0.9 * 600.0


@pytest.mark.parametrize(("room_watts", "tries"), [(1000.0, True), (0.0, False)])
def test_no_step_imports_more_than_the_import_limit_leaves(room_watts: float, tries: bool) -> None:
    loop = site({"east": 500.0, "west": 500.0, "roof": 200.0})
    loop.run(30)
    import_watts = 3500.0 - LIMIT_WATTS
    loop.ask(generation_limit_watts=LIMIT_WATTS, import_limit_watts=import_watts - 60.0 + room_watts)
    moments = loop.run(60)
    reasons = {reason.code for moment in moments[10:] for reason in moment.reasons}

    assert ("tries_less_discharge" in reasons) is tries


def test_without_a_generation_limit_nothing_is_tried() -> None:
    loop = site({"east": 500.0, "west": 500.0, "roof": 0.0})
    loop.ask(export_limit_watts=0.0)
    loop.run(60)

    assert loop.state.site.displaced == Probe()
