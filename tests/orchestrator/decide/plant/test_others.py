"""What is safe at zero load counts everybody: those that are not ours, take no limit, or are away."""

from __future__ import annotations

from math import fsum
from typing import Any

import pytest
from msgspec.structs import replace

from orchestrator.config.sections import SiteConfig
from orchestrator.control import step
from orchestrator.decide.failsafe import final_commands
from orchestrator.decide.memory import ControlState, InverterMemory, LimitMemory
from orchestrator.decide.plant.away import left_for_the_others
from orchestrator.decide.plant.others import others_left_alone_watts, others_watts
from orchestrator.samples import InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import Setpoint, merge
from tests.support.plants.virtual_site import site_config

RATING_WATTS = 5000.0
FAILSAFE_WATTS = 6000.0


def config(**west: Any) -> SiteConfig:
    """east and roof are ours; west is as told."""
    sections = site_config().model_dump()
    sections["control"]["failsafe"] = {"when_lost": "stay", "export_limit_watts": FAILSAFE_WATTS}
    sections["inverters"] = [dict(each) for each in sections["inverters"]]
    sections["inverters"][1] |= west
    return SiteConfig.model_validate(sections)


def sample(name: str, **fields: Any) -> InverterSample:
    plate = Nameplate(ac_max_watts=RATING_WATTS)
    return InverterSample(name, 0.0, **{"ac_watts": 1000.0, "pv_watts": 1000.0, "nameplate": plate, **fields})


EAST, WEST, ROOF = sample("east"), sample("west"), sample("roof")
ALL = SiteSnapshot(0.0, None, (EAST, WEST, ROOF))
WEST_AWAY = SiteSnapshot(1.0, None, (EAST, ROOF), ("west",), (WEST,))
WEST_UNHEARD = SiteSnapshot(1.0, None, (EAST, ROOF), ("west",))


def seen(**west: Any) -> SiteSnapshot:
    return replace(ALL, inverters=(EAST, replace(WEST, **west), ROOF))


@pytest.mark.parametrize(
    ("site", "snapshot", "watts"),
    [
        (config(), ALL, 0.0),
        (config(control=False), ALL, RATING_WATTS),
        (config(control=False), seen(ac_limit_watts=2000.0), 2000.0),
        (config(control=False), seen(ac_limit_watts=500.0), 1000.0),
        (config(), seen(ac_limit_controllable=False), RATING_WATTS),
        (config(), WEST_AWAY, RATING_WATTS),
        (config(), WEST_UNHEARD, 0.0),
        (config(ac_max_watts=3000.0), WEST_UNHEARD, 3000.0),
    ],
)
def test_what_the_others_may_make_while_we_look_on(site: SiteConfig, snapshot: SiteSnapshot, watts: float) -> None:
    assert others_watts(site, {}, snapshot) == watts


def test_one_that_is_away_is_held_by_the_higher_of_its_last_limits() -> None:
    memories = {"west": InverterMemory(away=True, limit=LimitMemory(1500.0))}
    snapshot = replace(WEST_AWAY, last_heard=(replace(WEST, ac_limit_watts=800.0),))

    assert others_watts(config(), memories, snapshot) == 1500.0
    assert others_left_alone_watts(config(), memories, snapshot) == 1500.0


def test_once_we_are_gone_a_limit_that_is_not_ours_may_be_lifted() -> None:
    assert others_left_alone_watts(config(control=False), {}, seen(ac_limit_watts=2000.0)) == RATING_WATTS


def test_a_battery_that_is_ours_holds_while_we_look_on_and_may_give_all_once_we_are_gone() -> None:
    snapshot = seen(ac_limit_controllable=False, has_pv=False, battery_controllable=True)

    assert others_watts(config(), {}, snapshot) == 0.0
    assert others_left_alone_watts(config(), {}, snapshot) == RATING_WATTS


def limits_watts(site: SiteConfig, snapshot: SiteSnapshot, **asked: Any) -> dict[str, float | None]:
    """The AC limits of the failsafe: the meter has been silent for long."""
    envelope = merge([Setpoint("fixed", SetpointFields(**asked))])
    state = replace(ControlState(), started_at_s=-1000.0)
    result = step(site, state, snapshot, envelope, snapshot.at_s)
    assert result.mode == "failsafe"
    return {command.inverter: command.ac_limit_watts for command in result.commands}


@pytest.mark.parametrize("asked", [{"export_limit_watts": 20000.0}, {"generation_limit_watts": FAILSAFE_WATTS}])
def test_in_the_failsafe_ours_get_what_those_that_are_not_ours_leave(asked: dict[str, float]) -> None:
    limits = limits_watts(config(control=False), ALL, **asked)

    assert limits == {"east": pytest.approx(500.0), "roof": pytest.approx(500.0)}


def test_in_the_failsafe_ours_get_what_one_that_is_away_leaves() -> None:
    limits = limits_watts(config(), WEST_AWAY, export_limit_watts=20000.0)

    assert limits == {"east": pytest.approx(500.0), "roof": pytest.approx(500.0)}


def test_in_the_failsafe_ours_get_nothing_where_the_others_may_make_all() -> None:
    site = config(control=False, ac_max_watts=RATING_WATTS)

    assert limits_watts(site, ALL, export_limit_watts=3000.0) == {"east": 0.0, "roof": 0.0}


@pytest.mark.parametrize(("site", "snapshot"), [(config(control=False), ALL), (config(), WEST_AWAY)])
def test_what_is_left_behind_on_a_stop_counts_the_others(site: SiteConfig, snapshot: SiteSnapshot) -> None:
    asked = merge([Setpoint("fixed", SetpointFields(export_limit_watts=20000.0))])
    limits = [command.ac_limit_watts for command in final_commands(site, asked, snapshot)]

    assert limits == [pytest.approx(500.0), pytest.approx(500.0)]


def test_what_a_limit_reverts_to_counts_the_others() -> None:
    snapshot = replace(ALL, meter=MeterSample(0.0, 500.0))
    asked = merge([Setpoint("fixed", SetpointFields(export_limit_watts=20000.0))])
    result = step(config(control=False), ControlState(), snapshot, asked, 0.0)

    after = [command.ac_limit_after_watts or 0.0 for command in result.commands]
    assert result.mode == "normal"
    assert fsum(after) == pytest.approx(FAILSAFE_WATTS - RATING_WATTS)


def test_under_the_generation_limit_one_that_was_never_heard_counts_as_site_yaml_says() -> None:
    wanted = SetpointFields(generation_limit_watts=FAILSAFE_WATTS)
    left = left_for_the_others(config(ac_max_watts=4000.0), {}, WEST_UNHEARD, wanted, 1.0)

    assert left.generation_limit_watts == pytest.approx(2000.0)
