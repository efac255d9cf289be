"""Laws of the closed loop on random plants of 2 to 100 inverters, weather, loads, limits and faults, in virtual time.

Each plant is played once and all laws are checked on what was seen.
"""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from orchestrator.commands import BatteryMode
from orchestrator.config.simulation import BatterySimulation
from orchestrator.decide.failsafe import safe_room_watts
from orchestrator.simulation.measuring.history import Run
from orchestrator.simulation.measuring.measures import LIMITED, energy_gap_wh, limit_watts
from orchestrator.simulation.network.virtual import InverterFault
from orchestrator.simulation.scenarios.scenario import Scenario, moments
from orchestrator.simulation.scenarios.timeline import OK, Event
from orchestrator.simulation.virtual_time import Moment, VirtualTime
from tests.support.random_plants.random_scenarios import FAULT_FOR_S, SOC_MIN_PERCENT, random_scenario

QUICK, ALL = 15, 560
WITHIN_S = 5.0
"""A limit is never exceeded for longer."""
TOLERANCE_PERCENT = 2.0
AWAY_WITHIN_S = {InverterFault.SILENT: 3.0}
"""One that fails is known to be away in the next cycle; one that just says nothing after its patience."""
ROUNDING = 1e-6


@dataclass(frozen=True)
class Played:
    """A random plant that has lived: its scenario, what was seen, and the plant as it is at the end."""

    scenario: Scenario
    run: Run
    loop: VirtualTime

    @property
    def names(self) -> list[str]:
        return list(self.run.simulation.inverters)

    def batteries(self) -> list[tuple[int, BatterySimulation]]:
        return [(n, i.battery) for n, i in enumerate(self.run.inverters) if i.battery is not None]

    def faulty(self, at_s: float) -> set[str]:
        """The inverters that do not answer as they should."""
        past = [event for event in self.scenario.timeline if event.at_s < at_s]
        faults = {name: fault for event in past for name, fault in event.inverters.items()}
        return {name for name, fault in faults.items() if fault != OK}

    def until_next(self, event: Event, after_s: float) -> list[Moment]:
        """The moments from `after_s` after an event until the next event."""
        ends_s = min((e.at_s for e in self.scenario.timeline if e.at_s > event.at_s), default=1e9)
        return [m for m in self.run.moments if event.at_s + after_s < m.at_s <= ends_s]


def play(seed: int) -> Played:
    scenario = random_scenario(seed)
    config = scenario.site_config()
    loop = VirtualTime(config, keep_results=False)
    return Played(scenario, Run.of(config, tuple(moments(scenario, loop))), loop)


@pytest.mark.parametrize(
    "seed", [pytest.param(seed, marks=[pytest.mark.long] if seed >= QUICK else []) for seed in range(ALL)]
)
def test_every_law_holds_on_a_random_plant(seed: int) -> None:
    played = play(seed)

    limits_are_kept_wherever_that_is_possible(played)
    energy_balances(played)
    states_of_charge_stay_within_their_limits(played)
    no_battery_charges_another(played)
    a_silent_meter_leads_to_the_failsafe_and_back(played)
    an_honest_meter_is_believed(played)
    an_inverter_that_does_not_answer_is_left_alone_and_taken_back(played)
    a_lost_orchestrator_leaves_what_the_failsafe_says(played)


def limits_are_kept_wherever_that_is_possible(played: Played) -> None:
    tolerance = played.run.nameplate_watts * TOLERANCE_PERCENT / 100

    def above(moment: Moment, limit: str) -> bool:
        allowed = limit_watts(moment.wanted, limit)
        if allowed is None or moment.mode is None or not is_possible(played, moment, limit):
            return False
        return LIMITED[limit](moment) > allowed + tolerance

    for limit in ("export", "generation"):
        assert longest_run([above(m, limit) for m in played.run.moments]) <= WITHIN_S, limit


def is_possible(played: Played, moment: Moment, limit: str) -> bool:
    """Whether the others can make up for what the inverters do that do not answer."""
    faulty = played.faulty(moment.at_s)
    forced = sum(max(p.ac_watts, 0.0) for name, p in zip(played.names, moment.powers, strict=True) if name in faulty)
    if limit == "generation":
        return forced <= (moment.wanted.generation_limit_watts or 0.0)
    return forced <= moment.load_watts + (moment.wanted.export_limit_watts or 0.0)


def longest_run(flags: list[bool]) -> int:
    longest = now = 0
    for flag in flags:
        now = now + 1 if flag else 0
        longest = max(longest, now)
    return longest


def energy_balances(played: Played) -> None:
    assert energy_gap_wh(played.run) == pytest.approx(0, abs=ROUNDING)
    for moment in played.run.moments:
        for power in moment.powers:
            assert power.losses_watts >= -ROUNDING
            assert power.pv_watts <= power.pv_available_watts + ROUNDING


def states_of_charge_stay_within_their_limits(played: Played) -> None:
    for n, battery in played.batteries():
        soc = [100.0 * m.powers[n].stored_wh / battery.capacity_wh for m in played.run.moments]
        lowest = min(SOC_MIN_PERCENT, battery.soc_percent)
        assert max(soc) <= 100.0
        # What is asked for in one cycle still flows when the next one sees the minimum.
        assert min(soc) >= lowest - 0.2
        # A sample is a little older or younger than its moment: only what was so in two moments must have been seen.
        for moment, before, after in zip(played.run.moments[1:], soc, soc[1:], strict=False):
            for command in moment.commands:
                if command.inverter == played.names[n] and command.battery is not None:
                    assert command.battery.mode is not BatteryMode.CHARGE or min(before, after) < 100.0
                    assert (
                        command.battery.mode is not BatteryMode.DISCHARGE or max(before, after) > SOC_MIN_PERCENT - 0.1
                    )


def no_battery_charges_another(played: Played) -> None:
    for moment in played.run.moments:
        targets = [command.battery.watts for command in moment.commands if command.battery]
        assert not (max(targets, default=0.0) > 0 > min(targets, default=0.0)), moment.at_s


def a_silent_meter_leads_to_the_failsafe_and_back(played: Played) -> None:
    for event in played.scenario.timeline:
        if event.meter == OK:
            assert all(m.mode == "normal" for m in played.until_next(event, 1.0))
        elif event.meter is not None:
            for moment in played.until_next(event, WITHIN_S):
                assert moment.mode == "failsafe"
                assert all(c.battery.mode is BatteryMode.HOLD for c in moment.commands if c.battery)
                room = safe_room_watts(played.loop.config, moment.wanted)
                if room is not None:
                    assert sum(c.ac_limit_watts or 0.0 for c in moment.commands) <= room + ROUNDING


def an_honest_meter_is_believed(played: Played) -> None:
    silent = [event.at_s for event in played.scenario.timeline if event.meter not in {None, OK}]
    for moment in played.run.moments:
        if not any(at_s < moment.at_s <= at_s + FAULT_FOR_S + 1.0 for at_s in silent):
            assert moment.mode != "failsafe", moment.at_s


def an_inverter_that_does_not_answer_is_left_alone_and_taken_back(played: Played) -> None:
    for event in played.scenario.timeline:
        for name, fault in event.inverters.items():
            known_after_s = 1.0 if fault == OK else AWAY_WITHIN_S.get(InverterFault(fault), 1.0)
            for moment in played.until_next(event, known_after_s):
                commanded = {command.inverter for command in moment.commands}
                assert (name in commanded) is (fault == OK), (moment.at_s, name, fault)


def a_lost_orchestrator_leaves_what_the_failsafe_says(played: Played) -> None:
    if played.run.moments[-1].mode is not None:
        return
    stay = played.scenario.control.failsafe.when_lost == "stay"
    last = next(m for m in reversed(played.run.moments) if m.commands)
    for command in last.commands:
        controls = played.loop.site.inverters[command.inverter].controls
        assert (controls.low_watts, controls.high_watts) == (None, None)
        assert controls.ac_limit_watts == (command.ac_limit_watts if stay else None)
