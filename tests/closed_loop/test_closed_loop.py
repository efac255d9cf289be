"""What must be seen at the end, in virtual time: the first issue's numbers on the pure core and the pure physics."""

from __future__ import annotations

from itertools import pairwise

import pytest

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.config.simulation import InverterSimulation
from tests.support.plants.closed_loop import ClosedLoop, Moment
from tests.support.plants.example_site import DARK, EXAMPLE, SUNNY, battery, plant

NAMEPLATE_WATTS = 17000.0


def export_watts(moments: list[Moment]) -> list[float]:
    return [max(-m.site_watts, 0.0) for m in moments]


def mean_import_watts(moments: list[Moment]) -> float:
    return sum(max(m.site_watts, 0.0) for m in moments) / len(moments)


def battery_command(moment: Moment, name: str) -> BatteryCommand:
    command = moment.result.command(name)
    assert command is not None
    assert command.battery is not None
    return command.battery


def battery_watts(loop: ClosedLoop) -> dict[str, float]:
    return {name: i.state.battery_watts for name, i in loop.site.inverters.items() if i.settings.battery}


def test_an_export_limit_of_zero_is_kept_while_the_batteries_go_on_charging() -> None:
    loop = plant()
    loop.ask(export_limit_watts=5000.0)
    loop.run(30)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(60)

    assert max(export_watts(moments[5:])) < 100
    assert battery_watts(loop) == pytest.approx({"east": 5000, "west": 4000}, rel=0.03)
    assert mean_import_watts(moments[5:]) < 50


def test_empty_batteries_reach_their_full_charging_within_20_s_from_behind_an_export_limit_of_zero() -> None:
    loop = plant()
    loop.ask(export_limit_watts=0.0, battery_charge_max_watts=0.0)
    loop.run(20)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(30)

    assert sum(battery_watts(loop).values()) == pytest.approx(9000, rel=0.03)
    reached = next(m for m in moments if m.result.totals.battery_watts > 0.95 * 9000)
    assert reached.at_s - moments[0].at_s <= 20
    over = [e > 0.02 * NAMEPLATE_WATTS for e in export_watts(moments)]
    assert sum(over) <= 5


def test_export_first_exports_before_it_charges() -> None:
    loop = plant()
    loop.ask(export_limit_watts=3000.0, battery_priority_mode="export_first")
    moments = loop.run(60)

    assert export_watts(moments)[-1] == pytest.approx(3000, abs=100)
    assert max(export_watts(moments[6:])) < 3000 + 0.02 * NAMEPLATE_WATTS
    assert sum(battery_watts(loop).values()) == pytest.approx(9000, rel=0.05)


def test_export_first_leaves_the_battery_what_export_refuses() -> None:
    loop = plant(pv_watts={"east": 3000.0, "west": 1000.0, "roof": 3000.0})
    loop.ask(export_limit_watts=3000.0, battery_priority_mode="export_first")
    loop.run(40)

    assert -loop.true_site_watts == pytest.approx(3000, abs=100)
    assert sum(battery_watts(loop).values()) == pytest.approx(7000 * 0.97 - 1000 - 3000, rel=0.08)


@pytest.mark.parametrize(("pv", "load"), [(DARK, 3000.0), ({"east": 2000.0, "west": 1000.0, "roof": 1500.0}, 1000.0)])
def test_two_batteries_share_two_to_one(pv: dict[str, float], load: float) -> None:
    loop = plant(pv_watts=pv, load_watts=load)
    loop.run(30)

    watts = battery_watts(loop)
    assert watts["east"] == pytest.approx(2 * watts["west"], rel=0.02)
    assert abs(loop.true_site_watts) < 50


def test_what_a_full_battery_leaves_goes_to_the_other_within_two_cycles() -> None:
    loop = plant(pv_watts={"east": 2000.0, "west": 2000.0, "roof": 1000.0})
    loop.ask(export_limit_watts=0.0)
    loop.run(30)
    total = loop.history[-1].result.totals.battery_watts
    loop.site.set_soc("east", 100.0)
    moments = loop.run(10)

    assert battery_command(moments[0], "west").watts == pytest.approx(total, rel=0.05)
    assert battery_watts(loop)["west"] == pytest.approx(total, rel=0.1)
    assert battery_command(moments[1], "east").mode is BatteryMode.IDLE


def test_what_an_empty_battery_leaves_comes_from_the_other_within_two_cycles() -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0)
    loop.ask(battery_soc_min_percent=10.0)
    loop.run(20)
    loop.site.set_soc("west", 10.0)
    moments = loop.run(8)

    assert battery_command(moments[1], "east").watts == pytest.approx(-3000 / 0.97, rel=0.05)
    assert moments[-1].site_watts < 100


def test_the_others_take_the_share_of_an_inverter_that_is_away_and_it_rejoins_without_a_jump() -> None:
    loop = plant(pv_watts=DARK, load_watts=3000.0)
    loop.run(20)
    loop.away = {"west"}
    loop.site.apply(InverterCommand("west", valid_for_s=60, battery=BatteryCommand.release()), loop.site.now_s)
    away = loop.run(10)
    loop.away = set()
    back = loop.run(20)

    assert battery_command(away[2], "east").watts == pytest.approx(-3000 / 0.97, rel=0.05)
    assert away[-1].site_watts < 100
    assert max(abs(m.site_watts) for m in back[6:]) < 100
    assert battery_watts(loop)["east"] == pytest.approx(2 * battery_watts(loop)["west"], rel=0.03)


def test_surplus_of_the_pv_inverter_charges_the_batteries_of_the_hybrids() -> None:
    loop = plant(pv_watts={"east": 0.0, "west": 0.0, "roof": 7500.0})
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    moments = loop.run(60)

    assert mean_import_watts(moments) < 50
    assert sum(battery_watts(loop).values()) == pytest.approx((7500 * 0.97 - 1000) * 0.97, rel=0.05)
    assert battery_command(moments[-1], "east").grid_charging is True


def test_three_pv_inverters_use_the_room_that_a_shaded_one_leaves() -> None:
    pv = InverterSimulation(pv_peak_watts=5000.0, ac_rating_watts=5000.0)
    loop = plant({"a": pv, "b": pv, "c": pv}, pv_watts={"a": 5000.0, "b": 5000.0, "c": 800.0})
    for limit in (5000.0, 0.0, 1500.0):
        loop.ask(export_limit_watts=limit)
        moments = loop.run(30)

        assert max(export_watts(moments[5:])) < limit + 0.02 * 15000
        delivered = sum(export_watts(moments[10:])) / 20
        assert delivered >= 0.97 * limit


def test_import_follows_load_steps_within_five_seconds() -> None:
    loop = plant(pv_watts=DARK)
    loop.run(10)
    for load in (6000.0, 2000.0):
        loop.site.set_load(load)
        moments = loop.run(15)
        assert all(abs(m.site_watts) < 100 for m in moments[5:])


def test_noise_alone_changes_no_direction_and_writes_nothing() -> None:
    loop = plant(pv_watts={"east": 3000.0, "west": 2000.0, "roof": 3000.0}, noise_watts=20.0)
    loop.ask(export_limit_watts=0.0)
    loop.run(60)
    moments = loop.run(600)

    for name, rating in (("east", 5000.0), ("west", 4000.0)):
        targets = [battery_command(m, name).watts for m in moments]
        assert all(a * b > 0 for a, b in pairwise(targets))
        assert max(targets) - min(targets) < 0.02 * rating
        assert sum(a != b for a, b in pairwise(targets)) <= 6


def test_the_meter_falling_silent_leads_to_the_failsafe_within_five_seconds_and_back() -> None:
    loop = plant()
    loop.ask(export_limit_watts=2000.0)
    loop.run(30)
    charging = battery_watts(loop)
    loop.meter_silent = True
    silent = loop.run(10)

    failsafe = next(m for m in silent if m.result.mode == "failsafe")
    assert failsafe.at_s - silent[0].at_s <= 5
    limits = [c.ac_limit_watts for c in silent[-1].result.commands]
    assert limits == [0, 0, 0]
    for name in ("east", "west"):
        held = battery_command(silent[-1], name)
        assert held.mode is BatteryMode.HOLD
        assert held.low_watts == 0
        assert held.high_watts == pytest.approx(charging[name], abs=50)
        assert held.grid_charging is False

    loop.meter_silent = False
    assert max(export_watts(loop.run(30)[6:])) < 2000 + 0.02 * NAMEPLATE_WATTS
    assert loop.history[-1].result.mode == "normal"


def test_without_an_export_limit_a_silent_meter_limits_nothing_but_batteries_hold() -> None:
    loop = plant()
    loop.run(20)
    loop.meter_silent = True
    silent = loop.run(8)

    assert all(c.ac_limit_watts is None for c in silent[-1].result.commands)
    assert battery_command(silent[-1], "east").mode is BatteryMode.HOLD


def test_battery_and_pv_inverter_at_export_limit_zero_charge_from_the_other_within_20_s() -> None:
    inverters = {
        "pv": InverterSimulation(pv_peak_watts=8000.0, ac_rating_watts=8000.0),
        "bat": InverterSimulation(ac_rating_watts=5000.0, battery=battery(10000.0, 5000.0)),
    }
    loop = plant(inverters, pv_watts={"pv": 7000.0})
    loop.ask(export_limit_watts=0.0)
    loop.run(20)
    moments = loop.run(40)

    assert mean_import_watts(moments) < 50
    assert max(export_watts(moments)) < 0.02 * 13000
    assert battery_watts(loop)["bat"] > 0.9 * 5000
    assert all(c.ac_limit_watts is None for m in moments for c in m.result.commands if c.inverter == "bat")


@pytest.mark.parametrize("idle_s", [0.0, 3.0])
def test_a_battery_rests_before_it_turns(idle_s: float) -> None:
    loop = plant({"east": EXAMPLE["east"]}, pv_watts={"east": 4000.0})
    inverter = loop.config.inverters[0]
    rested = inverter.model_copy(update={"battery": inverter.battery.model_copy(update={"idle_between_s": idle_s})})
    loop.config = loop.config.model_copy(update={"inverters": (rested,)})
    loop.run(10)
    loop.site.set_load(6000.0)
    moments = loop.run(12)

    turned = next(m for m in moments if battery_command(m, "east").watts < 0)
    came_to_rest = next(m for m in moments if m.powers[0].battery_watts < 50.0) if idle_s else moments[0]
    assert turned.at_s - came_to_rest.at_s == pytest.approx(max(idle_s - 1, 0.0), abs=1.01)


def test_the_same_seed_gives_the_same_run() -> None:
    first, second = plant(noise_watts=50.0), plant(noise_watts=50.0)
    assert [m.site_watts for m in first.run(30)] == [m.site_watts for m in second.run(30)]


def test_everything_is_served_from_sun_alone_when_batteries_are_full() -> None:
    loop = plant(pv_watts=SUNNY)
    loop.site.set_soc("east", 100.0)
    loop.site.set_soc("west", 100.0)
    loop.ask(export_limit_watts=0.0)
    moments = loop.run(60)[10:]

    assert mean_import_watts(moments) < 50
    assert max(export_watts(moments)) < 100
