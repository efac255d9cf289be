"""What is handed out at the end when the loop is dead."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orchestrator.commands import InverterCommand
from orchestrator.config.sections import SiteConfig
from orchestrator.loop.kept import Kept
from orchestrator.loop.last_words import commands_without_reports, last_commands
from orchestrator.loop.messages import Release, Report, StopAsked, TimePassed
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint
from tests.support.plants.loop_bench import Bench, sample, site_config

NOW_S = 1000.0


def asked(watts: float) -> dict[str, Setpoint]:
    return {"mqtt": Setpoint("mqtt", SetpointFields(export_limit_watts=watts))}


def answers(*names: str) -> dict[str, tuple[Report, ...]]:
    return {name: (Report(name, -1, sample(name, NOW_S)),) for name in names}


def limits(commands: tuple[InverterCommand, ...]) -> dict[str, float | None]:
    return {each.inverter: each.ac_limit_watts for each in commands}


def failsafe_of(watts: float) -> SiteConfig:
    return site_config(failsafe={"export_limit_watts": watts})


@given(st.floats(0, 9000), st.floats(0, 9000))
def test_they_are_those_of_a_loop_that_stops(allowed_watts: float, limit_watts: float) -> None:
    config = failsafe_of(allowed_watts)
    bench = Bench(config, Kept(setpoints=asked(limit_watts)))
    bench.round("east", "west", watts=100.0)
    bench.tell(StopAsked())
    of_the_loop = tuple(action.command for action in bench.of(Release))

    alone = last_commands(config, Kept(setpoints=asked(limit_watts)), {}, answers("east", "west"), now_s=NOW_S)

    assert alone == of_the_loop
    assert len(alone) == 2


def test_one_that_is_not_ours_or_does_not_answer_counts_with_all_that_it_may_make() -> None:
    config = failsafe_of(5000.0)
    west_away = answers("east") | {
        "west": (Report("west", 0, sample("west", NOW_S - 5)), Report("west", -1, fault="timeout"))
    }
    inverters = tuple(i.model_copy(update={"control": i.name == "east"}) for i in config.inverters)
    not_ours = config.model_copy(update={"inverters": inverters})

    assert limits(last_commands(config, Kept(), {}, answers("east", "west"), now_s=NOW_S)) == {
        "east": 2500,
        "west": 2500,
    }
    assert limits(last_commands(config, Kept(), {}, west_away, now_s=NOW_S)) == {"east": 0.0}
    assert limits(last_commands(not_ours, Kept(), {}, answers("east", "west"), now_s=NOW_S)) == {"east": 0.0}


def test_the_limit_that_is_known_to_hold_in_one_that_is_away_counts_for_it() -> None:
    bench = Bench(failsafe_of(5000.0))
    bench.tell(TimePassed())
    bench.round("east", "west", watts=100.0)
    bench.advance(1.0)
    bench.round("east", "west", watts=-9000.0)
    commanded = bench.commands("west")[-1].command.ac_limit_watts
    assert commanded is not None
    obeys = replace(sample("west", NOW_S), ac_limit_watts=commanded)
    west = (Report("west", 0, obeys), Report("west", -1, fault="timeout"))

    alone = last_commands(bench.config, bench.kept, {}, answers("east") | {"west": west}, now_s=NOW_S + 1)

    assert limits(alone) == {"east": 5000.0 - commanded}
    assert 0.0 < commanded < 5000.0


def test_of_two_setpoints_of_one_source_the_stricter_holds() -> None:
    """The loop may have died before it heard of the newest."""
    config, both = failsafe_of(5000.0), answers("east", "west")

    assert limits(last_commands(config, Kept(setpoints=asked(4000.0)), asked(0.0), both, now_s=NOW_S))["east"] == 0.0
    assert limits(last_commands(config, Kept(setpoints=asked(0.0)), asked(4000.0), both, now_s=NOW_S))["east"] == 0.0


def test_nobody_is_told_anything_in_shadow_mode_or_without_a_word() -> None:
    assert last_commands(site_config(enabled=False), Kept(), {}, answers("east", "west"), now_s=NOW_S) == ()
    assert last_commands(site_config(), Kept(), {}, {}, now_s=NOW_S) == ()


def test_those_of_whom_nobody_knows_anything_make_nothing_where_limits_stay() -> None:
    def told(config: SiteConfig, **asked: float) -> dict[str, float | None]:
        setpoints = {"mqtt": Setpoint("mqtt", SetpointFields(**asked))}
        return limits(commands_without_reports(config, Kept(setpoints=setpoints), {}, ["east"], now_s=NOW_S))

    assert told(failsafe_of(5000.0), export_limit_watts=3000.0) == {"east": 0.0}
    assert told(site_config(failsafe={"when_lost": "release"}), export_limit_watts=3000.0) == {"east": None}
    assert told(site_config(enabled=False), export_limit_watts=3000.0) == {}
