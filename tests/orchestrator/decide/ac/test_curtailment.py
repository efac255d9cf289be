"""Curtailed PV is found again, also for the last step up to a limit of the charging."""

from __future__ import annotations

import pytest

from tests.support.plants.example_site import EXAMPLE, plant


def test_a_charge_limit_far_below_what_batteries_can_take_is_reached_from_behind_an_export_limit() -> None:
    loop = plant(pv_watts={"east": 2000.0, "west": 1000.0, "roof": 5000.0})
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=1750.0)
    loop.run(30)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=2000.0)
    moments = loop.run(20)

    assert loop.history[-1].result is not None
    assert loop.history[-1].result.totals.battery_watts == pytest.approx(2000.0, rel=0.01)
    assert max(-moment.site_watts for moment in moments) < 100


def test_what_is_imported_above_its_limit_is_not_left_to_ac_limits_that_rise_step_by_step() -> None:
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 7000.0})
    for name in ("east", "west"):
        loop.site.set_soc(name, 100.0)
    loop.ask(export_limit_watts=0.0, import_limit_watts=500.0)
    loop.run(30)
    loop.site.set_load(6000.0)
    loop.run(1)

    asked = sum(command.battery.watts for command in loop.history[-1].commands if command.battery)
    assert asked == pytest.approx(-4500, abs=100)


def test_while_ac_limits_end_an_import_quickly_batteries_go_on_charging() -> None:
    """The load takes what PV can give, and it comes within some steps: batteries do not turn for it."""
    slow = {name: each.model_copy(update={"lag_s": 1.6}) for name, each in EXAMPLE.items()}
    loop = plant(slow, pv_watts={"east": 0.0, "west": 0.0, "roof": 8000.0}, load_watts=500.0)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=1500.0)
    loop.run(60)
    loop.site.set_load(4000.0)
    asked = [sum(c.battery.watts for c in m.commands if c.battery) for m in loop.run(15)]

    assert min(asked) > 1400.0
    assert abs(loop.true_site_watts) < 100.0


def test_an_import_that_slow_inverters_end_by_and_by_is_left_to_them() -> None:
    """With a lag of 4 s each second leaves 0.78 of it: batteries that gave way would push PV out for good."""
    slow = {name: each.model_copy(update={"lag_s": 4.0}) for name, each in EXAMPLE.items()}
    loop = plant(slow, pv_watts={"east": 0.0, "west": 0.0, "roof": 8000.0}, load_watts=500.0)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=1500.0)
    loop.run(60)
    loop.site.set_load(5000.0)
    asked = [sum(c.battery.watts for c in m.commands if c.battery) for m in loop.run(20)]

    assert min(asked) > 1400.0


def test_what_batteries_are_about_to_take_makes_room_before_any_limit_binds() -> None:
    """At noon the batteries turn to charging: PV that starts is not cut for a second until they are seen to take it."""
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 8000.0}, load_watts=500.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(1)

    limit = next(c.ac_limit_watts for c in loop.history[-1].commands if c.inverter == "roof")
    assert limit is None or limit > 4000.0
