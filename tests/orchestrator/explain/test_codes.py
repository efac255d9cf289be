"""What follows from the codes of a reason without its words."""

from __future__ import annotations

import pytest

from orchestrator.explain.codes import beside_its_command, code_path, meaning, passes
from orchestrator.explain.words import ROWS
from orchestrator.reason import Reason, because

RATE = because("rate_of_battery", percent=40.0, source="mqtt")
AT_LIMIT = because("at_power_limit", watts=2000.0, detail=RATE)
CHARGE = because("charge", watts=2000.0, why=AT_LIMIT)
OF_TWO = tuple(because("of_battery", name=name, why=because("full", percent=100.0)) for name in ("a", "b"))


@pytest.mark.parametrize(
    ("reason", "path"),
    [
        (because("throttled"), "throttled"),
        (CHARGE, "charge/at_power_limit/rate_of_battery"),
        (because("at_power_limit", watts=2000.0, detail=None), "at_power_limit"),
        (because("not_served", watts=900.0, why=OF_TWO), "not_served/of_battery/full"),
        (because("not_served", watts=900.0, why=()), "not_served"),
        (because("of_a_later_version", why=CHARGE), "of_a_later_version"),
    ],
)
def test_the_path_leads_from_a_reason_to_what_is_behind_it(reason: Reason, path: str) -> None:
    assert code_path(reason) == path


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("throttled", "throttled"),
        ("charge/at_power_limit/rate_of_battery", "at_power_limit"),
        ("charge/at_power_limit/on_battery_ramp", "on_battery_ramp"),
        ("charge/surplus/on_site_ramp", "on_site_ramp"),
        ("part_of_all/charge/surplus/on_site_ramp", "part_of_all"),
        ("held/small_change", "small_change"),
        ("charge", "charge"),
        ("charge/of_a_later_version", "charge"),
    ],
)
def test_the_meaning_is_that_of_the_code_that_tells_most(path: str, code: str) -> None:
    assert meaning(path) == ROWS[code].meaning


def test_what_is_not_known_means_nothing_and_does_not_pass() -> None:
    assert meaning("") == ""
    assert meaning("of_a_later_version") == ""
    assert not passes(because("of_a_later_version"))


def test_steps_of_a_ramp_pass_and_limits_last() -> None:
    assert [code for code in ("throttled", "limit_rises", "limit_held", "held") if not passes(because(code))] == []
    assert [code for code in ("charge", "ac_limit", "not_following") if passes(because(code))] == []


def test_beside_a_command_only_its_cause_is_left_to_say() -> None:
    assert beside_its_command(CHARGE) == AT_LIMIT
    assert beside_its_command(because("limit_held")) == because("limit_held")
    assert beside_its_command(because("failsafe", why=because("meter_silent"))).code == "failsafe"
    assert beside_its_command(because("charge", watts=1.0)) == because("charge", watts=1.0)
