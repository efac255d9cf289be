"""One cycle for people: a table for a terminal, one plain line for everything else.

Signs are said in words (import, export, charging), powers are in W. What is unknown is a dash, never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from orchestrator.commands import BatteryCommand, BatteryMode, InverterCommand
from orchestrator.decide.memory import MeterFault
from orchestrator.decide.plant.headroom import LiveNumbers
from orchestrator.decide.records import CycleResult
from orchestrator.explain.codes import beside_its_command
from orchestrator.explain.words import say, say_all, say_if_known
from orchestrator.samples import METER, InverterSample
from orchestrator.setpoints.merge import OperatingEnvelope

UNKNOWN = "-"
WIDE_COLUMNS = 120
_NOTICEABLE_WATTS = 0.5
_SAID_OF_THE_SITE = ("part_of_all",)
"""Codes of reasons that stand above the inverters already."""

_MODES = {
    "normal": ("running", "green"),
    "failsafe": ("FAILSAFE: the meter cannot be believed", "bold red"),
    "waiting": ("waiting for the first readings", "yellow"),
}
_FAULTS: Mapping[MeterFault, str] = {
    "silent": "the meter is silent",
    "frozen": "the meter is frozen",
    "reversed": "the meter has the wrong sign",
}


def render(result: CycleResult, site: str, shadow: bool = False) -> RenderableType:
    """The whole plant. `site` is its name; `shadow` means that commands are shown and not written.

    Fits 80 columns, where reasons are cut to one line; from 120 columns on they are shown in full.
    """
    lines: list[RenderableType] = [_heading(result, site, shadow), flow_text(result)]
    if METER in result.snapshot.troubles:
        lines.append(Text(f"meter   does not answer: {say(result.snapshot.troubles[METER])}", style="red"))
    if result.reasons:
        lines.append(Text(f"why     {'; '.join(say_all(result.reasons))}"))
    lines.append(Text(f"limits  {limits_text(result.envelope)}"))
    if (room := room_text(result.live)) is not None:
        lines.append(Text(f"room    {room}"))
    lines.append(_Inverters(result, shadow))
    return Group(*lines)


def plain_line(result: CycleResult, shadow: bool = False) -> str:
    """The same in one line, for logs and pipes."""
    parts = [str(flow_text(result)), *(_inverter_words(sample, result) for sample in result.snapshot.inverters)]
    parts.extend(_away_words(name, result) for name in result.snapshot.away)
    parts.append(f"limits {limits_text(result.envelope)}")
    if result.reasons:
        parts.append(f"why {'; '.join(say_all(result.reasons))}")
    if result.mode != "normal":
        parts.append(_mode_words(result))
    if shadow:
        parts.append("shadow mode")
    return " | ".join(parts)


def _away_words(name: str, result: CycleResult) -> str:
    why = say_if_known(result.snapshot.troubles.get(name))
    return f"{name} away ({why})" if why else f"{name} away"


def flow_text(result: CycleResult) -> Text:
    """What flows at the connection, in the load, from the PV and into the batteries."""
    totals = result.totals
    return Text.assemble(
        ("site ", "bold"),
        directed(totals.site_watts, "import", "export"),
        ("  load ", "bold"),
        watts_text(totals.load_watts, " W"),
        ("  PV ", "bold"),
        watts_text(totals.pv_watts, " W"),
        ("  battery ", "bold"),
        directed(totals.battery_watts, "charging", "discharging"),
    )


def limits_text(envelope: OperatingEnvelope) -> str:
    """Everything that somebody asks for, with who asked: `export limit 5000 W (fixed)`."""
    asked = [
        f"{field_text(name, value)} ({envelope.whose(name) or UNKNOWN})"
        for name, value in envelope.fields.asked().items()
    ]
    return ", ".join(asked) or "none"


def room_text(live: LiveNumbers) -> str | None:
    """What the plant could do from here: headroom up and down, and the power that keeps the batteries together."""
    if live.headroom_up_watts is None or live.headroom_down_watts is None:
        return None
    words = f"up {live.headroom_up_watts:.0f} W, down {live.headroom_down_watts:.0f} W"
    if live.balanced_charge_watts is None or live.balanced_discharge_watts is None:
        return words
    balanced = f"charge {live.balanced_charge_watts:.0f} W, discharge {live.balanced_discharge_watts:.0f} W"
    return f"{words}; balanced {balanced}"


def command_text(command: InverterCommand | None) -> str:
    """What is asked of one inverter, such as `limit 3000 W, charge 2000 W`."""
    if command is None:
        return UNKNOWN
    parts = ["disconnect"] if command.connect is False else []
    if command.ac_limit_watts is not None:
        parts.append(f"limit {command.ac_limit_watts:.0f} W")
    if command.battery is not None:
        parts.append(_battery_text(command.battery))
    return ", ".join(parts) or "no limit"


def watts_text(watts: float | None, unit: str = "") -> str:
    """A power as a whole number of W, or a dash where it is not known."""
    return UNKNOWN if watts is None else f"{round(watts)}{unit}"


def directed(watts: float | None, positive: str, negative: str) -> str:
    """A power with its sign in words, such as `export 4980 W`."""
    if watts is None or abs(watts) < _NOTICEABLE_WATTS:
        return watts_text(watts, " W")
    return f"{positive if watts > 0 else negative} {abs(watts):.0f} W"


def _mode_words(result: CycleResult) -> str:
    return f"FAILSAFE: {_FAULTS[result.meter_fault]}" if result.meter_fault else _MODES[result.mode][0]


def _heading(result: CycleResult, site: str, shadow: bool) -> Text:
    heading = Text.assemble((site, "bold"), "  ", (_mode_words(result), _MODES[result.mode][1]))
    if result.snapshot.away:
        heading.append(f"  away: {', '.join(result.snapshot.away)}", "bold red")
    if shadow:
        heading.append("  SHADOW MODE: nothing is written", "bold yellow")
    return heading


@dataclass(frozen=True, slots=True)
class _Inverters:
    """One row each. How much room there is, is known only when it is drawn."""

    result: CycleResult
    shadow: bool

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        wide = options.max_width >= WIDE_COLUMNS
        table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0))
        table.add_column("inverter", no_wrap=True)
        for heading in ("AC W", "PV W", "battery W", "SoC %"):
            table.add_column(heading, justify="right", no_wrap=True)
        command = "would write" if self.shadow else "command"
        if wide:
            table.add_column(command, no_wrap=True)
            table.add_column("reason", ratio=1)
        else:
            table.add_column(f"{command} and reason", ratio=1, no_wrap=True)
        for sample in self.result.snapshot.inverters:
            table.add_row(*_readings(sample), *_orders(sample, self.result, wide=wide))
        for name in self.result.snapshot.away:
            unknown = [UNKNOWN] * 4
            table.add_row(name, *unknown, *self._absence(name, wide=wide), style="red")
        yield table

    def _absence(self, name: str, *, wide: bool) -> tuple[str, ...]:
        why = say_if_known(self.result.snapshot.troubles.get(name))
        return ("does not answer", why) if wide else ("\n".join(filter(None, ("does not answer", why))),)


def _readings(sample: InverterSample) -> tuple[str, ...]:
    battery = sample.battery
    return (
        sample.name,
        watts_text(sample.ac_watts),
        watts_text(sample.pv_watts),
        watts_text(battery.watts) if battery else "",
        watts_text(battery.soc_percent) if battery else "",
    )


def _orders(sample: InverterSample, result: CycleResult, *, wide: bool) -> tuple[RenderableType, ...]:
    """What is asked of an inverter and why: side by side, or one below the other."""
    command = result.command(sample.name)
    own = (reason for reason in (command.reasons if command else ()) if reason.code not in _SAID_OF_THE_SITE)
    reasons = (*(f"fault: {fault}" for fault in sample.faults), *(say(beside_its_command(each)) for each in own))
    words, why = command_text(command), "; ".join(dict.fromkeys(reasons))
    return (words, why) if wide else (Text.assemble(words, ("\n" + why if why else "", "dim")),)


def _inverter_words(sample: InverterSample, result: CycleResult) -> str:
    battery = sample.battery
    words = f"{sample.name} AC {watts_text(sample.ac_watts, ' W')}"
    if battery is not None:
        words += f" battery {watts_text(battery.watts, ' W')} {watts_text(battery.soc_percent, ' %')}"
    return f"{words} [{command_text(result.command(sample.name))}]"


def _battery_text(battery: BatteryCommand) -> str:
    from_ac = " (also AC)" if battery.grid_charging else ""
    match battery.mode:
        case BatteryMode.CHARGE:
            return f"charge {abs(battery.watts):.0f} W{from_ac}"
        case BatteryMode.DISCHARGE:
            return f"discharge {abs(battery.watts):.0f} W"
        case BatteryMode.HOLD:
            return f"hold, charge at most {battery.high_watts or 0:.0f} W"
        case BatteryMode.RELEASE:
            return "battery released"
    return "battery idle"


def field_text(name: str, value: object) -> str:
    """`export_limit_watts`, 5000 as `export limit 5000 W`."""
    for suffix, unit in (("_watts", " W"), ("_percent", " %")):
        if name.endswith(suffix) and isinstance(value, float | int):
            return f"{name.removesuffix(suffix).replace('_', ' ')} {value:g}{unit}"
    if isinstance(value, bool):
        return f"{name.replace('_', ' ')} {'yes' if value else 'no'}"
    return f"{name.replace('_', ' ')} {value}"
