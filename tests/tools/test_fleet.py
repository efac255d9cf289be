"""The fleet that `make fleet` runs: its light sites behave as sites do, and a portfolio of them comes to its target."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.devices.mqtt.messages import read_site, write_command
from orchestrator.portfolio.outbox import Outbox
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.intake import Arrival
from tools.fleet.light import LightSite
from tools.fleet.virtual import Run

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def command(box: Outbox, watts: float) -> Arrival:
    battery = BatteryCommand(BatteryMode.CHARGE, watts, watts, watts)
    payload = write_command(InverterCommand("light", 60.0, battery=battery), NOON, {})
    return Arrival(box.put(payload, 60.0, 0.0), False, 0.0, NOON)


def test_a_light_site_follows_a_command_and_answers_it() -> None:
    site, box = LightSite.made("light"), Outbox(0.0, msgspec.json.encode)
    first, second = command(box, 500.0), command(box, 1e6)

    assert [each.answer for each in site.take(first)] == ["accepted"]
    assert [each.answer for each in site.take(second)] == ["clipped"]
    assert [each.answer for each in site.take(first)] == ["refused"]
    for _ in range(8):
        site.live(site.asked(1.0, NOON.timestamp()), 1.0)
    assert abs(site.battery_watts - site.power_watts) < 1.0
    later = NOON + timedelta(seconds=61)
    assert site.asked(61.0, later.timestamp()) == SetpointFields()


def test_what_a_light_site_says_is_read_as_a_site() -> None:
    site = LightSite.made("light")
    payload = msgspec.json.encode(site.payload(NOON.isoformat(), SetpointFields()))

    assert read_site(Arrival(payload, False, 0.0, NOON), "light").site_watts is not None


def test_a_portfolio_of_light_sites_reaches_a_target_within_10_s_and_holds_it_within_1_percent() -> None:
    run = Run(20)
    asked = SetpointFields(battery_target_watts=-20000.0)
    watts = [run.step(asked) for _ in range(16)]

    assert all(abs(each + 20000) <= 200 for each in watts[10:])
