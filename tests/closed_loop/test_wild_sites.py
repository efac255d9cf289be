"""Laws of the closed loop on random plants of 2 to 100 inverters that are asked for everything at once.

Beside `test_random_sites`: every field of a setpoint, limits and load that change every few seconds, settings of
site.yaml, slow meters and inverters, several faults at once. Each plant is played once, all laws look at it.
"""

from __future__ import annotations

import pytest
from _pytest.mark.structures import ParameterSet

from tests.support.laws import LAWS, Wild
from tests.support.random_plants.possible import witness
from tests.support.random_plants.wild_scenarios import wild_scenario

QUICK, ALL = 15, 300

FOUND = (404, 1132, 1148, 1511, 2180, 2417, 3321, 3501, 3825, 3860, 4124, 4280)
"""Plants beyond them that broke a law once."""


def _plant(seed: int) -> ParameterSet:
    return pytest.param(seed, marks=[pytest.mark.long] if seed >= QUICK else [])


@pytest.mark.parametrize("seed", [_plant(seed) for seed in (*range(ALL), *FOUND)])
def test_every_law_holds_whatever_is_asked_for(seed: int) -> None:
    scenario = wild_scenario(seed)
    wild = Wild(scenario, witness(scenario))

    broken = {law.__name__: lines for law in LAWS if (lines := list(law(wild)))}

    assert broken == {}
