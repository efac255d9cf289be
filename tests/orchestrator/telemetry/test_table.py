"""What people see of a cycle, to the letter."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from rich.console import Console

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.decide.plant.headroom import LiveNumbers
from orchestrator.decide.power_flow import BatteryPowerFlow
from orchestrator.decide.records import CycleResult, SiteTotals
from orchestrator.reason import because
from orchestrator.samples import BatterySample, InverterSample, MeterSample, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from orchestrator.setpoints.values import PriorityMode
from orchestrator.telemetry.table import command_text, directed, limits_text, plain_line, render

FIXED = Setpoint(
    "fixed", SetpointFields(export_limit_watts=5000.0, import_limit_watts=10000.0, battery_soc_min_percent=10.0)
)
UTILITY = Setpoint(
    "utility", SetpointFields(export_limit_watts=1500.0, battery_priority_mode=PriorityMode.EXPORT_FIRST)
)
CHARGE = BatteryCommand(BatteryMode.CHARGE, 2000.0, 2000.0, 2000.0, grid_charging=True)
THROTTLED = because("throttled")

RUNNING = CycleResult(
    snapshot=SiteSnapshot(
        100.0,
        MeterSample(100.0, -1480.4),
        (
            InverterSample("east", 100.0, ac_watts=3000.2, pv_watts=5000.0, battery=BatterySample(2000.0, 54.4)),
            InverterSample("roof", 100.0, ac_watts=2500.0, pv_watts=2600.0),
        ),
        ("west",),
    ),
    envelope=merge((FIXED, UTILITY)),
    flow=BatteryPowerFlow(2000.0, 1500.0, None, "charge"),
    commands=(
        InverterCommand("east", 60.0, 3000.0, battery=CHARGE, reasons=(because("share_by_capacity"), THROTTLED)),
        InverterCommand("roof", 60.0, 2500.0, reasons=(THROTTLED,)),
    ),
    reasons=(because("export_limit", watts=1500.0, source="utility"),),
    totals=SiteTotals(-1480.4, 4019.8, 5500.2, 7600.0, 2000.0),
)


def shown(result: CycleResult, width: int = 80, *, shadow: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    console.print(render(result, "home", shadow))
    assert isinstance(console.file, io.StringIO)
    return "\n".join(line.rstrip() for line in console.file.getvalue().splitlines())


def test_a_table_fits_80_columns() -> None:
    expected = """\
home  running  away: west
site export 1480 W  load 4020 W  PV 7600 W  battery charging 2000 W
why     export limit 1500 W (utility)
limits  export limit 1500 W (utility), import limit 10000 W (fixed), battery soc
min 10 % (fixed), battery priority mode export_first (utility)

 inverter  AC W  PV W  battery W  SoC %  command and reason
 ──────────────────────────────────────────────────────────────────────────────
 east      3000  5000       2000     54  limit 3000 W, charge 2000 W (also AC)
                                         share by capacity; throttled
 roof      2500  2600                    limit 2500 W
                                         throttled
 west         -     -          -      -  does not answer
"""
    assert shown(RUNNING) == expected


def test_a_long_reason_is_cut_where_there_is_little_room() -> None:
    limit = because("export_limit", watts=1500.0, source="utility")
    why = because("ac_limit", watts=2500.0, why=because("leaves_room", limit=limit, watts=2500.0))
    command = InverterCommand("roof", 60.0, 2500.0, reasons=(why, because("throttled")))
    result = replace(RUNNING, commands=(command,))

    assert " export limit 1500 W (utility) leaves …" in shown(result)
    assert "throttled" in shown(result, width=120)


def test_a_reason_does_not_repeat_the_command_beside_it() -> None:
    off = because("energize_false", source="a")
    reasons = (
        because("charge", watts=2000.0, why=because("share_by_capacity")),
        because("ac_limit", watts=0.0, why=off),
        because("battery_idle", why=off),
        because("limit_held"),
        because("part_of_all", why=because("surplus")),
    )
    command = InverterCommand("east", 60.0, 3000.0, battery=CHARGE, reasons=reasons)
    lines = shown(replace(RUNNING, commands=(command,)), width=200).splitlines()

    east = next(line for line in lines if line.startswith(" east"))
    assert east.endswith("share by capacity; energize false (a); held: change under 1 %")


def test_the_room_that_is_left_is_a_line_of_its_own() -> None:
    live = LiveNumbers(6000.4, 12000.0, 7500.0, 5000.0)

    assert "\nroom    up 6000 W, down 12000 W; balanced charge 7500 W, discharge 5000 W\n" in shown(
        replace(RUNNING, live=live)
    )
    without_batteries = replace(live, balanced_charge_watts=None, balanced_discharge_watts=None)
    assert "\nroom    up 6000 W, down 12000 W\n" in shown(replace(RUNNING, live=without_batteries))


def test_a_wide_table_puts_each_inverter_on_one_line() -> None:
    east = next(line for line in shown(RUNNING, width=120).splitlines() if line.startswith(" east"))

    assert east.endswith("limit 3000 W, charge 2000 W (also AC)  share by capacity; throttled")


def test_the_example_site_fits_a_small_terminal() -> None:
    third = replace(RUNNING.snapshot.inverters[0], name="west")
    snapshot = replace(RUNNING.snapshot, inverters=(*RUNNING.snapshot.inverters, third), away=())

    live = LiveNumbers(6000.4, 12000.0, 7500.0, 5000.0)

    assert len(shown(replace(RUNNING, snapshot=snapshot, live=live)).splitlines()) <= 18


def test_shadow_mode_says_that_nothing_is_written() -> None:
    text = shown(RUNNING, shadow=True)

    assert text.splitlines()[0] == "home  running  away: west  SHADOW MODE: nothing is written"
    assert "would write" in text
    assert " command " not in text


def test_failsafe_is_said_and_the_load_is_unknown() -> None:
    silent = replace(
        RUNNING,
        mode="failsafe",
        meter_fault="silent",
        snapshot=replace(RUNNING.snapshot, meter=None),
        totals=SiteTotals(None, None, 5500.0),
    )

    lines = shown(silent).splitlines()
    assert lines[0] == "home  FAILSAFE: the meter is silent  away: west"
    assert lines[1] == "site -  load -  PV 0 W  battery 0 W"


def test_waiting_is_said_before_there_is_anything_to_see() -> None:
    waiting = CycleResult(SiteSnapshot(0.0, None), OperatingEnvelope(), None, (), mode="waiting")

    assert shown(waiting).splitlines()[0] == "home  waiting for the first readings"
    assert "limits  none" in shown(waiting)


def test_a_fault_is_shown_before_the_reasons() -> None:
    sample = replace(RUNNING.snapshot.inverters[1], faults=("W",))
    result = replace(RUNNING, snapshot=SiteSnapshot(100.0, RUNNING.snapshot.meter, (sample,)))

    assert "fault: W; throttled" in shown(result, width=120)


def test_one_line_says_it_all() -> None:
    assert plain_line(RUNNING) == (
        "site export 1480 W  load 4020 W  PV 7600 W  battery charging 2000 W | "
        "east AC 3000 W battery 2000 W 54 % [limit 3000 W, charge 2000 W (also AC)] | "
        "roof AC 2500 W [limit 2500 W] | west away | "
        "limits export limit 1500 W (utility), import limit 10000 W (fixed), battery soc min 10 % (fixed), "
        "battery priority mode export_first (utility) | why export limit 1500 W (utility)"
    )


def test_one_line_says_what_is_not_normal() -> None:
    line = plain_line(replace(RUNNING, mode="failsafe", meter_fault="silent"), shadow=True)

    assert line.endswith("| FAILSAFE: the meter is silent | shadow mode")


@pytest.mark.parametrize(
    ("command", "text"),
    [
        (None, "-"),
        (InverterCommand("a", 60.0), "no limit"),
        (InverterCommand("a", 60.0, 0.0, connect=False), "disconnect, limit 0 W"),
        (InverterCommand("a", 60.0, battery=BatteryCommand(BatteryMode.IDLE, 0, 0, 0)), "battery idle"),
        (
            InverterCommand("a", 60.0, battery=BatteryCommand(BatteryMode.DISCHARGE, -500, -500, -500)),
            "discharge 500 W",
        ),
        (
            InverterCommand("a", 60.0, battery=BatteryCommand(BatteryMode.HOLD, 0, 0, 1200)),
            "hold, charge at most 1200 W",
        ),
        (InverterCommand("a", 60.0, battery=BatteryCommand.release()), "battery released"),
    ],
)
def test_a_command_is_said_in_words(command: InverterCommand | None, text: str) -> None:
    assert command_text(command) == text


@pytest.mark.parametrize(
    ("watts", "text"), [(None, "-"), (0.2, "0 W"), (-0.2, "0 W"), (12.0, "import 12 W"), (-12.0, "export 12 W")]
)
def test_a_sign_is_a_word(watts: float | None, text: str) -> None:
    assert directed(watts, "import", "export") == text


def test_switches_are_said_as_yes_and_no() -> None:
    asked = merge((Setpoint("utility", SetpointFields(connect=False, battery_storage_mode=2)),))

    assert limits_text(asked) == "connect no (utility), battery storage mode 2 (utility)"


@given(st.integers(min_value=40, max_value=200), st.integers(min_value=0, max_value=30))
def test_no_line_is_wider_than_the_terminal(width: int, away: int) -> None:
    snapshot = replace(RUNNING.snapshot, away=tuple(f"inverter-{n}" for n in range(away)))

    assert all(len(line) <= width for line in shown(replace(RUNNING, snapshot=snapshot), width).splitlines())
