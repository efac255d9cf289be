"""The scoreboard adds up, and does not call a site settled that is not."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from bench.scoreboard import Scored, measure, report
from orchestrator.simulation.rehearsal.day import WAYS
from orchestrator.simulation.scenarios.scenario import Scenario, parse_scenario

CALM = """
title: a limit that falls
duration_s: 40
fixed: {export_limit_watts: 5000}
inverters:
  roof: {pv_peak_watts: 8000, ac_rating_watts: 8000}
timeline:
  - {at_s: 0, pv_watts: {roof: 7000}}
  - {at_s: 20, setpoint: {export_limit_watts: 1000}}
expect:
  - {measure: longest_above_s, at_most: 5}
"""
CLOUDY = (
    CALM.replace("  - {at_s: 0, pv_watts: {roof: 7000}}\n", "")
    .replace("export_limit_watts: 5000", "")
    .replace("duration_s: 40", "duration_s: 120\nsun: {cloud_depth: 0.9, cloud_period_s: 5}")
)


@dataclass
class Told:
    """A Watch that remembers."""

    begun: list[str] = field(default_factory=list)
    parts: list[float] = field(default_factory=list)

    def begin(self, text: str) -> None:
        self.begun.append(text)

    def wait(self, seconds: float) -> None:
        raise AssertionError("nothing waits in virtual time")

    def done(self, part: float) -> None:
        self.parts.append(part)


def scored(**scenarios: str) -> list[Scored]:
    return measure({name: parse_scenario(text) for name, text in scenarios.items()}, Told())


def test_each_scenario_is_played_in_each_way() -> None:
    told = Told()
    found = measure({"calm": parse_scenario(CALM)}, told)

    assert [each.way for each in found] == list(WAYS)
    assert told.begun == ["scenario calm"]


def test_the_orchestrator_keeps_what_nobody_else_does() -> None:
    ours, nobody, _ = scored(calm=CALM)

    assert (ours.held, ours.expected) == (1, 1)
    assert (nobody.held, nobody.expected) == (0, 1)
    assert nobody.score.seconds_above_limits > 30
    assert ours.score.seconds_above_limits < 10


def test_the_last_rows_are_the_sums_of_each_way() -> None:
    once, twice = report(scored(one=CALM)).splitlines(), report(scored(one=CALM, two=CALM)).splitlines()
    nobody, sums = once[4].split(), twice[-2].split()

    assert nobody[:2] == sums[:2] == ["no", "control"]
    assert float(sums[2]) == pytest.approx(2 * float(nobody[2]))
    assert sums[-3:] == ["0", "of", "2"]


def test_where_the_orchestrator_is_killed_it_is_summed_up_apart() -> None:
    killed = CALM.replace("expect:", "  - {at_s: 30, orchestrator: killed}\nexpect:")
    table = report(scored(one=CALM, killed_two=killed)).splitlines()

    assert [line.split("  ")[1] for line in table[-6::3]] == ["all of them", "all but killed_..."]
    assert table[-2].split()[2:] == table[4].split()[2:]


def test_a_site_under_clouds_has_not_settled() -> None:
    calm, *_ = scored(calm=CALM)
    cloudy, *_ = scored(cloudy=CLOUDY)

    assert calm.settling_s is not None
    assert 0 < calm.settling_s < 15
    assert cloudy.settling_s is None


def test_a_long_scenario_says_how_far_it_is() -> None:
    told = Told()
    scenario = parse_scenario(CALM.replace("duration_s: 40", "duration_s: 1000"))
    measure({"long": Scenario.model_validate(scenario)}, told)

    assert told.parts == pytest.approx([0.5 / 3, 1 / 3, 1.5 / 3, 2 / 3, 2.5 / 3, 1.0], abs=0.001)
