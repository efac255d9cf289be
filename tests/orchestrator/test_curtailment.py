"""Curtailed PV is found again, also for the last step up to a limit of the charging."""

from __future__ import annotations

import pytest

from tests.support.example_site import plant


def test_a_charge_limit_far_below_what_batteries_can_take_is_reached_from_behind_an_export_limit() -> None:
    loop = plant(pv_watts={"east": 2000.0, "west": 1000.0, "roof": 5000.0})
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=1750.0)
    loop.run(30)
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=2000.0)
    moments = loop.run(20)

    assert loop.history[-1].result is not None
    assert loop.history[-1].result.totals.battery_watts == pytest.approx(2000.0, rel=0.01)
    assert max(-moment.site_watts for moment in moments) < 100
