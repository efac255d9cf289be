"""What stays behind: limits that are safe at zero load, and batteries handed back."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.commands import BatteryMode
from orchestrator.config.policy import limits_stay
from orchestrator.config.sections import SiteConfig
from orchestrator.decide.failsafe import final_commands
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from tests.support.plants.closed_loop import ClosedLoop
from tests.support.plants.example_site import plant

MQTT = {"host": "127.0.0.1", "topic": "t"}


def config(when_lost: str = "auto", export_limit_watts: float = 0.0, **setpoints: Any) -> SiteConfig:
    sections = plant().config.model_dump()
    sections["control"]["failsafe"] = {"when_lost": when_lost, "export_limit_watts": export_limit_watts}
    sections["setpoints"] = setpoints
    return SiteConfig.model_validate(sections)


def asking(**fields: Any) -> OperatingEnvelope:
    return merge([Setpoint("fixed", SetpointFields(**fields))])


@pytest.mark.parametrize(
    ("when_lost", "setpoints", "stay"),
    [
        ("auto", {}, False),
        ("auto", {"fixed": {"export_limit_watts": 5000.0}}, True),
        ("auto", {"mqtt": (MQTT,)}, True),
        ("release", {"fixed": {"export_limit_watts": 5000.0}}, False),
        ("stay", {}, True),
    ],
)
def test_limits_stay_where_export_can_be_limited_or_where_it_is_said(
    when_lost: str, setpoints: dict[str, Any], stay: bool
) -> None:
    assert limits_stay(config(when_lost, **setpoints)) is stay


def last_words(site: SiteConfig, **fields: Any) -> list[tuple[float | None, bool]]:
    loop = ClosedLoop(site)
    snapshot = loop.run(1)[-1].result.snapshot
    commands = final_commands(site, asking(**fields), snapshot)
    assert all(c.battery is None or c.battery.mode is BatteryMode.RELEASE for c in commands)
    return [(c.ac_limit_watts, c.ac_limit_reverts) for c in commands]


def test_on_a_stop_under_stay_the_limit_is_safe_at_zero_load_and_holds_for_ever() -> None:
    limits = last_words(config("stay", 1700.0), export_limit_watts=5000.0)
    assert limits == [(pytest.approx(500), False), (pytest.approx(400), False), (pytest.approx(800), False)]


def test_the_limit_that_stays_is_never_above_the_export_limit_in_force() -> None:
    limits = last_words(config("stay", 1700.0), export_limit_watts=170.0)
    assert sum(limit or 0.0 for limit, _ in limits) == pytest.approx(170)


def test_on_a_stop_without_any_limit_in_force_nothing_stays() -> None:
    assert last_words(config("stay")) == [(None, False)] * 3


def test_on_a_stop_under_release_limits_are_taken_away() -> None:
    assert last_words(config("release"), export_limit_watts=0.0) == [(None, False)] * 3


def test_in_shadow_mode_nothing_is_written_at_the_end() -> None:
    site = config("stay")
    shadow = site.model_copy(update={"control": site.control.model_copy(update={"enabled": False})})
    loop = ClosedLoop(site)
    assert final_commands(shadow, asking(export_limit_watts=0.0), loop.run(1)[-1].result.snapshot) == ()


# While the meter says nothing


def silent(*, export_limit_watts: float = 0.0, seconds: float = 20.0, **asked: Any) -> ClosedLoop:
    """A sunny plant whose batteries charge with all they can, long after its meter has fallen silent."""
    loop = plant(failsafe={"export_limit_watts": export_limit_watts})
    loop.ask(**asked)
    loop.run(40)
    loop.meter_silent = True
    loop.run(seconds)
    return loop


def windows(loop: ClosedLoop) -> dict[str, float]:
    """The most that each battery may be charged with."""
    commands = loop.run(1)[-1].commands
    return {c.inverter: c.battery.high_watts or 0.0 for c in commands if c.battery is not None}


def test_a_charging_limit_that_falls_is_obeyed_in_the_failsafe() -> None:
    loop = silent(export_limit_watts=0.0)
    assert sum(windows(loop).values()) > 3000

    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=500.0)

    assert sum(windows(loop).values()) == pytest.approx(500)
    loop.run(5)
    assert sum(i.state.battery_watts for i in loop.site.inverters.values()) <= 550


def test_a_charging_rate_that_falls_is_obeyed_in_the_failsafe_and_what_was_held_comes_back_with_it() -> None:
    loop = silent(export_limit_watts=0.0)
    before = windows(loop)

    loop.ask(export_limit_watts=0.0, battery_charge_rate_percent=10.0)
    assert windows(loop) == {"east": pytest.approx(500), "west": pytest.approx(400)}

    loop.ask(export_limit_watts=0.0)
    assert windows(loop) == {name: pytest.approx(watts) for name, watts in before.items()}


def test_ac_limits_never_rise_in_the_failsafe_where_its_export_limit_would_let_them() -> None:
    """The limits in force may be lower than what is safe at zero load: nobody knows whether more would be."""
    loop = plant(failsafe={"export_limit_watts": 9000.0})
    loop.ask(export_limit_watts=9000.0, generation_limit_watts=2000.0)
    before = {c.inverter: c.ac_limit_watts for c in loop.run(30)[-1].commands}
    loop.meter_silent = True
    loop.run(5)
    loop.ask(export_limit_watts=9000.0)
    after = {c.inverter: c.ac_limit_watts for c in loop.run(20)[-1].commands}

    assert all(limit is not None for limit in before.values())
    assert all(after[name] is not None for name in before)
    assert {name: max(after[name] or 0.0, limit or 0.0) for name, limit in before.items()} == before


def test_what_the_failsafe_allows_goes_to_those_whose_pv_nothing_can_store() -> None:
    loop = plant(pv_watts={"east": 4000.0, "west": 2000.0, "roof": 1500.0}, failsafe={"export_limit_watts": 2000.0})
    loop.ask(export_limit_watts=6000.0)
    loop.run(30)
    loop.meter_silent = True
    moment = loop.run(15)[-1]
    limits = {c.inverter: c.ac_limit_watts or 0.0 for c in moment.commands}

    assert sum(limits.values()) <= 2000.0 + 1e-6
    assert moment.powers[2].ac_watts == pytest.approx(1455, abs=30)
    assert sum(p.pv_available_watts - p.pv_watts for p in moment.powers) < 50.0


def test_while_the_room_is_not_enough_for_all_each_has_a_limit_below_its_rating() -> None:
    """The room goes to the roof, which made all it can: its limit is not lifted for that."""
    loop = plant(pv_watts={"east": 500.0, "west": 500.0, "roof": 8500.0}, failsafe={"export_limit_watts": 16000.0})
    loop.ask(export_limit_watts=16000.0)
    loop.run(30)
    loop.meter_silent = True
    limits = [c.ac_limit_watts for c in loop.run(15)[-1].commands]

    assert all(limit is not None for limit in limits)
    assert sum(limit or 0.0 for limit in limits) <= 16000.0
