"""Each field of an MQTT setpoint, published by Mosquitto's own client, does to the physics of the plant what it says.

A row is one field: the plant stands in a situation, `before` is seen; the field is published, `after` is seen. What was
published is withdrawn behind each test, and each waits until the plant is as it should be before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.setpoints.fields import ROWS as FIELD_ROWS
from orchestrator.setpoints.payload import VALID_UNTIL
from tests.support.plants.example_site import DARK, EXAMPLE, SUNNY
from tests.support.plants.running_plant import NAMES, Expected, RunningPlant, about, above, below, running_plant
from tests.support.plants.shared import Shared, shared

HALF_FULL = {"east": 50.0, "west": 50.0}

QUICK = {name: each.model_copy(update={"lag_s": 0.2}) for name, each in EXAMPLE.items()}
INTERVAL_S = 0.4
"""Quick inverters and a loop as quick: everything takes a third of its time."""


@dataclass(frozen=True)
class Situation:
    """Sun, load and fixed setpoints that do not change; `seen` is what the plant makes of it."""

    pv_watts: Mapping[str, float]
    load_watts: float
    seen: Expected


SURPLUS = Situation(SUNNY, 1000.0, {"charging": above(8500), "export": about(4600, 450)})
"""More than batteries and export limit take: both are at their limits, and PV is curtailed."""

DAY = Situation(
    {"east": 2000.0, "west": 1000.0, "roof": 3000.0},
    1000.0,
    {"charging": about(4810, 150), "drawn": above(1600), "export": about(0, 130)},
)
"""The batteries take all that the load leaves, in part from the PV inverter; none is at a limit."""

NIGHT = Situation(DARK, 3000.0, {"charging": about(-3090, 150), "import": about(0, 130)})
"""The batteries carry the load."""

FROM_GRID = {"batteryGridChargingEnabled": True}
CHARGES_FROM_GRID: Expected = {"charging": above(8600), "import": about(12000, 150)}
IDLE = about(0, 60)
ONE, ZERO = about(1, 0), about(0, 0)


@dataclass(frozen=True)
class Row:
    """`payload` in `situation` leads to `after`; what is published before it is `without`, and leads to `before`."""

    payload: Mapping[str, object]
    situation: Situation
    after: Expected
    without: Mapping[str, object] = field(default_factory=dict)
    before: Expected = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The field that makes the difference."""
        return next(name for name in self.payload if name not in self.without)


ROWS = (
    Row({"batteryChargeRatePercent": 20}, DAY, {"east charging": about(1000, 60), "west charging": about(800, 60)}),
    Row({"batteryTargetSocPercent": 40}, DAY, {"charging": IDLE, "export": above(4500)}),
    Row({"batterySocTargetPercent": 40}, DAY, {"charging": IDLE, "export": above(4500)}),
    Row({"batteryChargeMaxWatts": 1500}, DAY, {"charging": about(1500, 60), "export": about(3320, 150)}),
    Row({"batteryTargetWatts": 1500}, DAY, {"charging": about(1500, 60), "export": about(3320, 150)}),
    Row({"batteryPriorityMode": "export_first"}, DAY, {"charging": IDLE, "export": about(4820, 100)}),
    Row({"opModLoadLimW": 500}, DAY, {"drawn": about(450, 100)}),
    Row({"opModGenLimW": 1000}, DAY, {"generation": about(970, 80), "charging": above(2000)}),
    Row(
        {"opModEnergize": False},
        DAY,
        {"generation": below(20), "charging": IDLE, "import": about(1000, 60)},
    ),
    Row(
        {"opModConnect": False},
        DAY,
        {f"{name} Conn": ZERO for name in NAMES} | {f"{name} ac": IDLE for name in NAMES} | {"east StorCtl_Mod": ZERO},
        before={f"{name} Conn": ONE for name in NAMES} | {"east StorCtl_Mod": about(3, 0)},
    ),
    Row(
        {"batteryDischargeRatePercent": 20},
        NIGHT,
        {"east charging": about(-1000, 60), "west charging": about(-800, 60), "import": above(1200)},
    ),
    Row({"batterySocMinPercent": 60}, NIGHT, {"charging": IDLE, "import": about(3000, 60)}),
    Row({"batteryDischargeMaxWatts": 1200}, NIGHT, {"charging": about(-1200, 60), "import": about(1830, 80)}),
    Row({"batteryExportTargetWatts": 2000}, NIGHT, {"export": about(2000, 150), "charging": below(-5000)}),
    Row(
        {"batteryStorageMode": 0},
        NIGHT,
        {"east StorCtl_Mod": ZERO, "west StorCtl_Mod": ZERO, "charging": IDLE, "import": about(3000, 60)},
        before={"east StorCtl_Mod": about(3, 0), "west StorCtl_Mod": about(3, 0)},
    ),
    Row(
        {"batteryStorageMode": 1},
        NIGHT,
        {"east StorCtl_Mod": ONE, "west StorCtl_Mod": ONE},
        before={"east StorCtl_Mod": about(3, 0)},
    ),
    Row(
        {"batteryGridChargingEnabled": True},
        NIGHT,
        CHARGES_FROM_GRID | {"east ChaGriSet": ONE, "west ChaGriSet": ONE},
    ),
    Row(
        FROM_GRID | {"batteryGridChargingMaxWatts": 1000},
        NIGHT,
        {"charging": about(1000, 80), "import": about(4030, 120)},
        without=FROM_GRID,
        before=CHARGES_FROM_GRID,
    ),
    Row(
        FROM_GRID | {"batteryImportTargetWatts": 4000},
        NIGHT,
        {"import": about(4000, 150), "charging": above(800)},
        without=FROM_GRID,
        before=CHARGES_FROM_GRID,
    ),
    Row(
        FROM_GRID | {"opModImpLimW": 5000},
        NIGHT,
        {"import": about(4950, 120), "charging": above(1700)},
        without=FROM_GRID,
        before=CHARGES_FROM_GRID,
    ),
    Row({"opModExpLimW": 0}, SURPLUS, {"export": below(100), "charging": above(8000)}),
    Row({"batterySocMaxPercent": 45}, SURPLUS, {"charging": IDLE, "export": about(4600, 450), "pv": below(7000)}),
)


@pytest.fixture(scope="module")
def shared_plant(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shared[RunningPlant]]:
    def quick_plant() -> AbstractContextManager[RunningPlant]:
        return running_plant(tmp_path_factory.mktemp("plant"), inverters=QUICK, interval_s=INTERVAL_S)

    with shared(quick_plant) as plant:
        yield plant


@pytest.fixture
def plant(shared_plant: Shared[RunningPlant], request: pytest.FixtureRequest) -> Iterator[RunningPlant]:
    """The plant, to be left without a setpoint."""
    with shared_plant.lent_to(request) as plant:
        yield plant
        plant.forget_setpoints()


def stand(plant: RunningPlant, situation: Situation) -> None:
    """Sun, load and half full batteries."""
    plant.set(pv_watts=situation.pv_watts, load_watts=situation.load_watts, soc_percent=HALF_FULL)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.name}={row.payload[row.name]}")
def test_a_field_of_the_payload_shows_its_effect_on_the_plant(plant: RunningPlant, row: Row) -> None:
    stand(plant, row.situation)
    if row.without:
        plant.setpoint.publish(row.without)
    plant.see(row.before if row.without else {**row.situation.seen, **row.before})
    assert any(plant.look()[name] not in wanted for name, wanted in row.after.items()), "nothing would change"

    plant.setpoint.publish(row.payload)
    plant.see(row.after)


def test_every_field_of_the_payload_has_a_row() -> None:
    assert {row.name for row in ROWS} == {name for each in FIELD_ROWS for name in each.wire_names}


def test_a_setpoint_ends_by_itself_when_its_time_is_over(plant: RunningPlant) -> None:
    stand(plant, DAY)
    plant.see(DAY.seen)
    ends = datetime.now(UTC) + timedelta(seconds=15)
    plant.setpoint.publish({"batteryPriorityMode": "export_first", VALID_UNTIL: ends.isoformat()})
    plant.see({"export": above(4500)}, for_s=0.1)

    assert datetime.now(UTC) < ends
    plant.see(DAY.seen)
    assert datetime.now(UTC) > ends


def test_an_empty_object_asks_for_nothing(plant: RunningPlant) -> None:
    stand(plant, DAY)
    plant.setpoint.publish({"batteryPriorityMode": "export_first"})
    plant.see({"export": above(4500)})

    plant.setpoint.publish({})
    plant.see(DAY.seen)
