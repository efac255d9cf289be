"""While a source that may ask for a limit was never heard, the AC limits that were found in the devices hold."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from orchestrator.commands import InverterCommand
from orchestrator.control import step
from orchestrator.decide.memory import ControlState
from orchestrator.loop.in_force import unheard_sources
from orchestrator.samples import InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope
from tests.support.records.cycles import inverter_sample, site_config

UNHEARD = ("mqtt",)
BROKER = {"host": "127.0.0.1", "topic": "site/home/setpoints"}


class Plant:
    """East, of 5 kW, with an AC limit of its own; steps of one second, all of its output exported."""

    def __init__(self, found_watts: float | None) -> None:
        self.config = site_config(inverters=({"name": "east", "host": "127.0.0.1", "unit_id": 1},))
        self.state = ControlState()
        self.limit_watts = found_watts
        self.now_s = 100.0

    def step(self, unheard: Sequence[str] = (), **asked: Any) -> InverterCommand:
        makes_watts = 5000.0 if self.limit_watts is None else self.limit_watts
        snapshot = SiteSnapshot(
            self.now_s, MeterSample(self.now_s, -makes_watts, changed_at_s=self.now_s), (self._sample(makes_watts),)
        )
        envelope = OperatingEnvelope(SetpointFields(**asked), {}, tuple(unheard))
        result = step(self.config, self.state, snapshot, envelope, self.now_s)
        self.state, self.now_s = result.state, self.now_s + 1.0
        (command,) = result.commands
        self.limit_watts = command.ac_limit_watts
        return command

    def steps(self, count: int, unheard: Sequence[str] = (), **asked: Any) -> float | None:
        """The AC limit after so many steps."""
        for _ in range(count):
            command = self.step(unheard, **asked)
        return command.ac_limit_watts

    def _sample(self, makes_watts: float) -> InverterSample:
        return inverter_sample(
            at_s=self.now_s,
            ac_watts=makes_watts,
            pv_watts=makes_watts,
            battery=None,
            ac_limit_watts=self.limit_watts,
            ac_limit_controllable=True,
            nameplate=Nameplate(ac_max_watts=5000.0),
        )


def test_a_limit_that_was_found_does_not_rise_while_the_source_is_unheard() -> None:
    assert Plant(1000.0).steps(20, UNHEARD) == 1000.0


def test_it_rises_once_the_source_was_heard() -> None:
    plant = Plant(1000.0)
    plant.steps(5, UNHEARD)

    assert plant.steps(20) is None


def test_a_limit_that_fell_meanwhile_rises_to_the_one_that_was_found_and_no_further() -> None:
    plant = Plant(3000.0)

    assert plant.steps(5, UNHEARD, export_limit_watts=500.0) == pytest.approx(500.0, abs=60)
    assert plant.steps(30, UNHEARD) == 3000.0


def test_an_inverter_that_was_found_without_a_limit_is_limited_by_what_is_asked_only() -> None:
    plant = Plant(None)

    assert plant.steps(3, UNHEARD) is None
    assert plant.steps(5, UNHEARD, export_limit_watts=2000.0) == pytest.approx(2000.0, abs=60)
    assert plant.steps(30, UNHEARD) is None


@pytest.mark.parametrize(
    ("default", "heard", "unheard"),
    [(None, (), ("mqtt",)), (None, ("mqtt",), ()), ({}, (), ()), ({"export_limit_watts": 0.0}, (), ())],
)
def test_a_source_without_default_is_unheard_until_it_speaks(
    default: dict[str, float] | None, heard: tuple[str, ...], unheard: tuple[str, ...]
) -> None:
    config = site_config(setpoints={"mqtt": ({**BROKER, "default": default},)})

    assert unheard_sources(config, heard) == unheard
