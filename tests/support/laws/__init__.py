"""Laws of the closed loop for plants of `wild_scenarios`; `LAWS` are all of them."""

from __future__ import annotations

from tests.support.laws.base import Law, Wild
from tests.support.laws.batteries import (
    batteries_charge_from_the_grid_only_where_they_may,
    batteries_keep_what_is_asked_of_them,
    no_command_leads_beyond_the_states_of_charge,
    states_of_charge_stay_between_minimum_and_maximum,
)
from tests.support.laws.faults import (
    a_silent_meter_leads_to_the_failsafe_and_back,
    energy_balances,
    switched_off_means_off,
    the_failsafe_holds_while_the_meter_is_silent,
    those_that_answer_are_commanded,
)
from tests.support.laws.limits import a_limit_that_falls_is_commanded_at_once, limits_are_kept
from tests.support.laws.served import never_is_all_at_zero, nothing_is_left_undone_that_limits_allow

__all__ = ["LAWS", "Law", "Wild"]

LAWS: tuple[Law, ...] = (
    limits_are_kept,
    a_limit_that_falls_is_commanded_at_once,
    batteries_keep_what_is_asked_of_them,
    no_command_leads_beyond_the_states_of_charge,
    states_of_charge_stay_between_minimum_and_maximum,
    batteries_charge_from_the_grid_only_where_they_may,
    nothing_is_left_undone_that_limits_allow,
    never_is_all_at_zero,
    switched_off_means_off,
    a_silent_meter_leads_to_the_failsafe_and_back,
    the_failsafe_holds_while_the_meter_is_silent,
    those_that_answer_are_commanded,
    energy_balances,
)
