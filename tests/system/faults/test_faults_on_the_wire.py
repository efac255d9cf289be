"""One device talks nonsense, or not at all: nobody else notices, no actor crashes, and it comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.simulation.network.faults import Fault
from tests.support.faults import BROKEN, BUSY, GARBAGE, REFUSES_WRITES, RESET, SILENT, ZEROS, fault, slow
from tests.support.plants.example_site import DARK, EXAMPLE
from tests.support.plants.running_plant import (
    BUSY_MACHINE_S,
    NAMES,
    Expected,
    RunningPlant,
    about,
    below,
    gaps_s,
    goes_on,
    nearly_always,
    running_plant,
)
from tests.support.plants.shared import Shared, shared
from tests.support.servers.required import wait_until

QUICK = {name: each.model_copy(update={"lag_s": 0.2}) for name, each in EXAMPLE.items()}
FAILSAFE_WITHIN_S = 5.0 + BUSY_MACHINE_S

BALANCED: Expected = {"import": about(0, 120)}
NIGHT: Expected = {"east charging": about(-2060, 80), "west charging": about(-1030, 60), "import": about(0, 80)}
MUTE: dict[str, Fault] = {
    "silent": SILENT,
    "reset in the middle of a reply": RESET,
    "exception": BROKEN,
    "busy": BUSY,
    "all zeros": ZEROS,
    "garbage": GARBAGE,
}
QUICK_SUITE = ("silent", "all zeros", "garbage")
TALKING: dict[str, Fault] = {"0.4 s late": slow(0.4), "refuses writes": REFUSES_WRITES}


@pytest.fixture(scope="module")
def shared_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[RunningPlant]]:
    with shared(lambda: running_plant(tmp_path_factory.mktemp("plant"), inverters=QUICK)) as plant:
        yield plant


@pytest.fixture
def plant(shared_plant: Shared[RunningPlant], request: pytest.FixtureRequest) -> Iterator[RunningPlant]:
    """The plant by night; whatever was done to it, nothing crashed."""
    with shared_plant.lent_to(request) as plant:
        plant.set(pv_watts=DARK, load_watts=3000.0, soc_percent={"east": 50.0, "west": 50.0})
        plant.see(NIGHT)
        yield plant
        assert plant.diary.restarts == []
        assert not plant.system.failed.is_set()


@pytest.mark.parametrize("made", MUTE.values(), ids=MUTE.keys())
def test_a_device_that_cannot_be_understood_is_away_and_the_others_go_on(plant: RunningPlant, made: Fault) -> None:
    with fault(plant.site, "west", made):
        wait_until(lambda: plant.results[-1].snapshot.away == ("west",), "west is away")
        without = plant.next_results(6)
        # The other battery goes on, and follows a load that moves meanwhile.
        plant.set(load_watts=4000.0)
        plant.see(BALANCED | {"east charging": about(-3090, 100)})

    assert goes_on(without), gaps_s(without)
    assert nearly_always(result.snapshot.away == ("west",) and result.command("east") for result in without)
    wait_until(lambda: plant.results[-1].snapshot.away == (), "west is back")
    plant.see({"east charging": about(-2750, 100), "west charging": about(-1375, 80)} | BALANCED)


@pytest.mark.parametrize("made", TALKING.values(), ids=TALKING.keys())
def test_a_device_with_a_trouble_of_its_own_stays_in_the_plant_and_delays_nobody(
    plant: RunningPlant, made: Fault
) -> None:
    with fault(plant.site, "west", made):
        results = plant.next_results(6)
        plant.set(load_watts=4000.0)
        plant.see(BALANCED)

    assert goes_on(results), gaps_s(results)
    assert nearly_always(result.snapshot.away == () for result in results)
    plant.set(load_watts=3000.0)
    plant.see(NIGHT)


def _quick_or_long(name: str) -> object:
    return pytest.param(MUTE[name], marks=() if name in QUICK_SUITE else pytest.mark.long)


@pytest.mark.parametrize("made", [_quick_or_long(name) for name in MUTE], ids=MUTE.keys())
def test_a_meter_that_cannot_be_understood_is_a_silent_meter(plant: RunningPlant, made: Fault) -> None:
    with fault(plant.site, "meter", made):
        plant.see({f"{name} WMaxLimPct": about(0, 0) for name in NAMES}, within_s=FAILSAFE_WITHIN_S, for_s=0.1)
        plant.see({"generation": below(20), "import": about(3000, 30)})
        assert plant.results[-1].mode == "failsafe"

    plant.see(NIGHT)
