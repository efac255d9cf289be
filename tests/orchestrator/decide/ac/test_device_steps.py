"""Limits in the steps of the devices: together they are what was wanted, to half a step."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.decide.ac.device_steps import in_steps
from orchestrator.decide.memory import InverterMemory
from orchestrator.decide.plant.units import Unit
from orchestrator.reason import because
from orchestrator.samples import InverterSample
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import EXAMPLE, plant
from tests.support.records.cycles import site_config

RATING_WATTS = 5000.0


def unit(name: str, limit_watts: float, step_watts: float, *, throttled: bool = True, wears: bool = False) -> Unit:
    ac_watts = limit_watts if throttled else limit_watts / 3
    sample = InverterSample(name, 0.0, ac_watts=ac_watts, ac_limit_step_watts=step_watts, ac_limit_wears=wears)
    config = site_config().inverter("east")
    return Unit(name, config, sample, InverterMemory(), RATING_WATTS, limit_watts, None)


def limits(units: list[Unit]) -> dict[str, float | None]:
    commands = [InverterCommand(each.name, 60.0, ac_limit_watts=each.limit_watts) for each in units]
    return {command.inverter: command.ac_limit_watts for command in in_steps(commands, units)}


@given(
    wanted=st.lists(
        st.tuples(st.floats(0.0, 0.98 * RATING_WATTS), st.sampled_from([25.0, 50.0, 100.0])), min_size=1, max_size=20
    )
)
def test_the_sum_is_what_was_wanted_to_half_a_step(wanted: list[tuple[float, float]]) -> None:
    units = [unit(f"i{n}", watts, step) for n, (watts, step) in enumerate(wanted)]

    given_watts = limits(units)

    for each, (watts, step) in zip(units, wanted, strict=True):
        limit = given_watts[each.name]
        assert limit is not None
        assert limit / step == pytest.approx(round(limit / step), abs=1e-4)
        assert abs(limit - watts) <= step * (1 + 1e-5)
    too_much = sum(watts or 0.0 for watts in given_watts.values()) - sum(watts for watts, _ in wanted)
    largest = max(step for _, step in wanted)
    assert -largest / 2 - 1e-3 <= too_much <= largest / 2 + 1e-3


def test_what_one_cannot_be_set_to_another_makes_up_for() -> None:
    assert limits([unit("a", 633.0, 50.0), unit("b", 633.0, 50.0), unit("c", 634.0, 50.0)]) == {
        "a": 650.0,
        "b": 600.0,
        "c": 650.0,
    }


def test_where_steps_differ_the_finest_one_decides_what_is_left() -> None:
    mixed = {"coarse": (630.0, 50.0)} | {f"fine{n}": (701.0, 12.5) for n in range(3)}

    given_watts = limits([unit(name, watts, step) for name, (watts, step) in mixed.items()])

    too_much = sum(watts or 0.0 for watts in given_watts.values()) - sum(watts for watts, _ in mixed.values())
    assert abs(too_much) <= 12.5 / 2


def test_many_fine_steps_are_shared_as_well() -> None:
    """0.1 % each: what a hundred of them lose is not less than noise."""
    wanted = {f"i{n}": 600.0 + 1.7 * n for n in range(100)}

    given_watts = limits([unit(name, watts, 5.0) for name, watts in wanted.items()])

    assert abs(sum(watts or 0.0 for watts in given_watts.values()) - sum(wanted.values())) <= 2.5


def test_a_limit_that_wears_its_device_is_not_moved_for_a_fine_step() -> None:
    wearing = [unit(f"i{n}", 600.0 + 1.7 * n, 5.0, wears=True) for n in range(100)]

    assert limits(wearing) == {each.name: each.limit_watts for each in wearing}


def test_limits_that_are_fine_enough_or_hold_nothing_back_stay_as_they_are() -> None:
    free, fine = unit("free", 633.0, 50.0, throttled=False), unit("fine", 633.0, 0.5)

    assert limits([free, fine]) == {"free": 633.0, "fine": 633.0}


def whole_percents(**changes: object) -> ClosedLoop:
    coarse = {
        name: each.model_copy(update={"limit_step_percent": 1.0, "battery": None}) for name, each in EXAMPLE.items()
    }
    return plant(coarse, pv_watts={"east": 5000.0, "west": 4000.0, "roof": 8000.0}, **changes)  # type: ignore[arg-type]


def test_noise_does_not_move_limits_in_whole_percents() -> None:
    loop = whole_percents(noise_watts=20.0)
    loop.ask(export_limit_watts=1500.0)
    loop.run(60)
    moments = loop.run(120)
    commanded = {tuple(command.ac_limit_watts for command in moment.commands) for moment in moments}

    assert len(commanded) <= 2


def test_without_a_meter_limits_in_whole_percents_are_rounded_down() -> None:
    loop = whole_percents(failsafe={"export_limit_watts": 777.0})
    loop.ask(export_limit_watts=1500.0)
    loop.run(30)
    loop.meter_silent = True
    loop.run(20)

    in_force = [inverter.controls.ac_limit_watts for inverter in loop.site.inverters.values()]
    assert sum(watts or 0.0 for watts in in_force) <= 777.0


def test_a_command_that_is_not_in_steps_keeps_all_else() -> None:
    command = InverterCommand("a", 60.0, ac_limit_watts=633.0, connect=True, reasons=(because("throttled"),))

    assert in_steps([command], [unit("a", 633.0, 50.0)]) == [replace(command, ac_limit_watts=650.0)]
