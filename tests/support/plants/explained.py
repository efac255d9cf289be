"""A plant that has settled, and what is said of its last cycle, in words and in codes."""

from __future__ import annotations

import re
from typing import Any

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import BatteryConfig
from orchestrator.explain.codes import code_paths
from orchestrator.explain.words import say_all
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import SUNNY, plant

_NUMBER = re.compile(r",?(?: at| of)? -?\d[\d.,e+-]* (?:W|%)")
"""A number with its unit, with the word that leads to it: " 1200 W", " of 5000 W", " at 98 %"."""


def settled(seconds: float = 30, *, pv: dict[str, float] = SUNNY, load: float = 1000.0, **asked: Any) -> ClosedLoop:
    """The example site after so long, with PV by inverter and the load in W; `asked` are fields of a setpoint."""
    loop = plant(pv_watts=pv, load_watts=load)
    loop.ask(**asked)
    loop.run(seconds)
    return loop


def command_of(loop: ClosedLoop, name: str) -> InverterCommand:
    """Its last command."""
    command = loop.history[-1].result.command(name)
    assert command is not None
    return command


def site(loop: ClosedLoop) -> tuple[str, ...]:
    """What is said of the site."""
    return say_all(loop.history[-1].result.reasons)


def why(loop: ClosedLoop, name: str) -> tuple[str, ...]:
    """What is said of one inverter."""
    return say_all(command_of(loop, name).reasons)


def words(loop: ClosedLoop, name: str) -> list[str]:
    """The same without the numbers."""
    return [without_numbers(reason) for reason in why(loop, name)]


def site_codes(loop: ClosedLoop) -> tuple[str, ...]:
    """The codes of what is said of the site."""
    return code_paths(loop.history[-1].result.reasons)


def codes(loop: ClosedLoop, name: str) -> tuple[str, ...]:
    """The codes of what is said of one inverter."""
    return code_paths(command_of(loop, name).reasons)


def without_numbers(said: str) -> str:
    """The words of a reason whose numbers do not matter."""
    return _NUMBER.sub("", said)


def with_own_battery(loop: ClosedLoop, **values: Any) -> ClosedLoop:
    """The same with the first inverter's battery described in site.yaml."""
    first = loop.config.inverters[0].model_copy(update={"battery": BatteryConfig(**values)})
    loop.config = loop.config.model_copy(update={"inverters": (first, *loop.config.inverters[1:])})
    return loop
