"""What a battery may do, and who says so: from the device's word and site.yaml to the reason that people read."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.overrides import apply_overrides
from orchestrator.config.policy import commands_battery
from orchestrator.config.sections import SiteConfig
from orchestrator.control import step
from orchestrator.decide.memory import ControlState
from orchestrator.decide.plant.battery_limits import LimitedBy
from orchestrator.decide.plant.units import Battery, see_plant
from orchestrator.explain.words import say
from orchestrator.loop.presence import Presence, freeze
from orchestrator.samples import BatterySample, InverterSample, MeterSample, Nameplate, SiteSnapshot
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import OperatingEnvelope, Setpoint, merge
from tests.support.plants.virtual_site import HYBRID, site_config

NOW_S = 100.0
SAID = InverterSample(
    "east",
    NOW_S,
    ac_watts=0.0,
    pv_watts=0.0,
    battery=BatterySample(0.0, 50.0, charge_max_watts=5000.0, discharge_max_watts=4000.0, capacity_wh=10000.0),
    nameplate=Nameplate(ac_max_watts=5000.0),
    battery_controllable=True,
)


def site(**battery: Any) -> SiteConfig:
    config = site_config({"east": HYBRID})
    (east,) = config.inverters
    stated = east.battery.model_copy(update=battery)
    return config.model_copy(update={"inverters": (east.model_copy(update={"battery": stated}),)})


def frozen(config: SiteConfig, site_watts: float = 0.0, *, applied_before: bool = False) -> SiteSnapshot:
    """The snapshot of the loop. `applied_before`: somebody has applied site.yaml to the sample already."""
    said = apply_overrides(config.inverters[0], SAID) if applied_before else SAID
    answers = Presence(2.0).reported(1, said, None, now_s=NOW_S, in_time=True)
    return freeze({"east": answers}, MeterSample(NOW_S, site_watts, NOW_S), config, NOW_S)


def battery(config: SiteConfig, **wanted: Any) -> Battery:
    (each,) = see_plant(config, ControlState(), frozen(config), SetpointFields(**wanted)).batteries
    return each


def reason(config: SiteConfig, site_watts: float, *, applied_before: bool = False, **wanted: Any) -> str:
    envelope: OperatingEnvelope = merge([Setpoint("fixed", SetpointFields(**wanted))])
    snapshot = frozen(config, site_watts, applied_before=applied_before)
    (command,) = step(config, ControlState(), snapshot, envelope, NOW_S).commands
    return say(command.reasons[0])


@pytest.mark.parametrize("applied_before", [False, True])
def test_a_cap_of_site_yaml_is_named_where_it_binds(applied_before: bool) -> None:
    config = site(charge_max_watts=1000.0, discharge_max_watts=700.0)

    assert reason(config, -4900.0, applied_before=applied_before) == (
        "charge 1000 W: at its power limit of 1000 W, charge_max_watts (site.yaml)"
    )
    assert reason(config, 3000.0, applied_before=applied_before) == (
        "discharge 700 W: at its power limit of 700 W, discharge_max_watts (site.yaml)"
    )


def test_a_cap_of_site_yaml_is_not_named_where_the_device_can_do_less() -> None:
    assert reason(site(charge_max_watts=9000.0), -9000.0) == "charge 5000 W: at its power limit of 5000 W"


def test_a_rate_that_was_asked_for_goes_on_top_of_the_cap_and_is_named() -> None:
    capped = battery(site(charge_max_watts=1000.0), battery_charge_rate_percent=50.0)

    assert (capped.charge_max_watts, capped.charge_limited_by) == (500.0, LimitedBy.RATE)


@pytest.mark.parametrize(
    ("stated", "watts", "by"),
    [(None, 5000.0, LimitedBy.DEVICE), (2000.0, 2000.0, LimitedBy.CONFIG), (0.0, 0.0, LimitedBy.CONFIG)],
)
def test_a_limit_says_what_it_comes_from(stated: float | None, watts: float, by: LimitedBy) -> None:
    seen = battery(site(charge_max_watts=stated))

    assert (seen.charge_max_watts, seen.charge_limited_by) == (watts, by)


@pytest.mark.parametrize(
    ("control", "inverter", "own", "takes", "ours"),
    [
        (True, True, True, True, True),
        (False, True, True, True, False),
        (True, False, True, True, False),
        (True, True, False, True, False),
        (True, True, True, False, False),
    ],
)
def test_a_battery_is_commanded_only_where_site_allows_it_and_the_device_takes_commands(
    control: bool, inverter: bool, own: bool, takes: bool, ours: bool
) -> None:
    config = site(control=own)
    (east,) = config.inverters
    east = east.model_copy(update={"control": inverter})
    loop = config.control.model_copy(update={"battery_power_flow": control})
    config = config.model_copy(update={"inverters": (east,), "control": loop})
    said = InverterSample("east", NOW_S, battery=BatterySample(), battery_controllable=takes)
    snapshot = SiteSnapshot(NOW_S, None, (said,))

    assert commands_battery(config, east, said) is ours
    assert bool(see_plant(config, ControlState(), snapshot, SetpointFields()).batteries) is ours


def test_no_battery_is_no_battery_to_command() -> None:
    config = site()

    assert not commands_battery(config, config.inverters[0], InverterSample("east", NOW_S, battery_controllable=True))
