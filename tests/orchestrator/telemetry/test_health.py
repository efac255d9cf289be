from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.reason.troubles import as_said
from orchestrator.telemetry.health import health_payload, judge
from tests.support.records.cycles import cycle_result

WELL = {"mode": "normal", "meter": True, "inverters": ["east"], "away": [], "troubles": {}}


def test_a_plant_that_decides_and_knows_its_meter_is_well() -> None:
    assert judge(WELL).is_well
    assert judge(WELL).lines == ("it runs and decides",)


def test_one_inverter_that_is_away_is_said_with_its_reason_and_the_plant_is_well() -> None:
    said = judge({**WELL, "away": ["west"], "troubles": {"west": "10.0.0.2:502 refuses the connection"}})

    assert said.is_well
    assert said.lines[1] == "west does not answer: 10.0.0.2:502 refuses the connection"


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"meter": False, "troubles": {"meter": "no connection"}}, "the meter does not answer: no connection"),
        ({"inverters": [], "away": ["east"]}, "east does not answer: nobody knows why"),
        ({"mode": "waiting"}, "it runs and has decided nothing yet"),
        ({"mode": None}, "it runs and has decided nothing yet"),
        ({"mode": "failsafe"}, "it runs in its failsafe: the meter cannot be believed"),
    ],
)
def test_a_plant_that_needs_somebody_is_not_well_and_says_why(changed: dict[str, object], line: str) -> None:
    said = judge({**WELL, **changed})

    assert not said.is_well
    assert line in said.lines


def test_what_a_cycle_says_of_the_health_is_what_was_known_in_it() -> None:
    cycle = cycle_result()
    troubles = {"meter": as_said("no connection"), "west": as_said("silent")}
    away = replace(cycle, snapshot=replace(cycle.snapshot, meter=None, away=("west",), troubles=troubles))

    assert judge(health_payload(cycle, "home", "abc")).is_well
    assert not judge(health_payload(away, "home", "abc")).is_well
    assert health_payload(away, "home", "abc")["troubles"] == {"meter": "no connection", "west": "silent"}
    assert not judge(health_payload(None, "home", "abc")).is_well
