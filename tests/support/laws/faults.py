"""Faults, and plants that are switched off; and the books."""

from __future__ import annotations

from collections.abc import Iterator
from math import fsum, inf

from orchestrator.commands import BatteryMode
from orchestrator.simulation.network.virtual import InverterFault
from tests.support.laws.base import TOLERANCE_PART, WITHIN_S, Wild, changed, least
from tests.support.random_plants.possible import Part, Seen

ROUNDING_WATTS = 1e-6
STARTS_WITHIN_S = 3.0
SPEAKS_WITHIN_S = 1.0


def switched_off_means_off(wild: Wild) -> Iterator[str]:
    """`energize` and `connect` false end the AC power of all that obey; foreign batteries may still draw."""

    def is_broken(seen: Seen) -> bool:
        wanted = seen.moment.wanted
        if seen.moment.mode is None or (wanted.energize is not False and wanted.connect is not False):
            return False
        return any(_makes_power(part, may_draw=wanted.energize is False) for part in seen.parts if part.obeys)

    for at_s in wild.lasting(is_broken, changed("setpoint", "fault")):
        yield f"{at_s:g} s: switched off, and makes power"


def _makes_power(part: Part, *, may_draw: bool) -> bool:
    watts = part.power.ac_watts
    foreign = part.simulation.battery is not None and not part.battery_obeys
    if foreign and may_draw and (watts < 0 or part.simulation.pv_peak_watts == 0):
        return False
    return abs(watts) > TOLERANCE_PART * part.simulation.ac_rating_watts


def a_silent_meter_leads_to_the_failsafe_and_back(wild: Wild) -> Iterator[str]:
    """Within 5 s, and back as soon as the meter speaks; an orchestrator that starts waits for its devices first."""
    for seen in wild.seen:
        trouble, at_s = seen.trouble, seen.moment.at_s
        silent_s, running_s = at_s - trouble.meter_since_s, at_s - trouble.started_s
        if trouble.silent_meter and min(silent_s, running_s - STARTS_WITHIN_S) > WITHIN_S:
            if seen.moment.mode != "failsafe":
                yield f"{at_s:g} s: no failsafe though the meter is silent"
        elif not trouble.silent_meter and silent_s > SPEAKS_WITHIN_S and seen.moment.mode == "failsafe":
            yield f"{at_s:g} s: failsafe though the meter speaks"


def the_failsafe_holds_while_the_meter_is_silent(wild: Wild) -> Iterator[str]:
    """AC limits that are safe at zero load; batteries hold, where they are not switched off or released."""
    for seen in wild.seen:
        wanted, commands = seen.moment.wanted, seen.moment.commands
        if seen.moment.mode != "failsafe" or wanted.energize is False or wanted.connect is False:
            continue
        holding = [command.battery.mode is BatteryMode.HOLD for command in commands if command.battery]
        if wanted.battery_storage_mode != 0 and not all(holding):
            yield f"{seen.moment.at_s:g} s: failsafe, and a battery does not hold"
        room = 0.0 if wanted.export_limit_watts is not None else least(wanted.generation_limit_watts)
        if fsum(least(command.ac_limit_watts) for command in commands) > room + ROUNDING_WATTS:
            yield f"{seen.moment.at_s:g} s: failsafe, and AC limits above {room:.0f} W"


def those_that_answer_are_commanded(wild: Wild) -> Iterator[str]:
    """A command for each inverter that answers and is ours, none for others, a few seconds after a fault."""
    for seen in wild.seen:
        if seen.moment.mode in {"normal", "failsafe"}:
            for part in seen.parts:
                is_new = seen.moment.at_s - seen.trouble.since_s.get(part.name, -inf) <= WITHIN_S
                away = seen.trouble.faults.get(part.name, InverterFault.FROZEN) is not InverterFault.FROZEN
                if not is_new and (part.command is None) is (part.settings.control and not away):
                    yield f"{seen.moment.at_s:g} s: {part.name} is {'not ' if part.command is None else ''}commanded"


def energy_balances(wild: Wild) -> Iterator[str]:
    """What comes in goes out, nothing is made from nothing."""
    for seen in wild.seen:
        gap = seen.moment.site_watts - seen.moment.load_watts + fsum(part.power.ac_watts for part in seen.parts)
        powers = [part.power for part in seen.parts]
        if abs(gap) > 1e-6 or any(p.losses_watts < -1e-6 or p.pv_watts > p.pv_available_watts + 1e-6 for p in powers):
            yield f"{seen.moment.at_s:g} s: energy does not balance"
