from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.overrides import apply_overrides
from orchestrator.config.sections import InverterConfig
from orchestrator.samples import BatterySample, InverterSample, Nameplate

SAMPLE = InverterSample(
    "east",
    1.0,
    battery=BatterySample(capacity_wh=8000.0, charge_max_watts=5000.0, discharge_max_watts=4000.0),
    nameplate=Nameplate(ac_max_watts=5000.0),
    battery_controllable=True,
)


def overridden(sample: InverterSample = SAMPLE, **config: Any) -> InverterSample:
    return apply_overrides(InverterConfig.model_validate({"name": "east", "host": "h", **config}), sample)


def test_without_overrides_the_sample_stays_as_it_is() -> None:
    assert overridden() == SAMPLE


@pytest.mark.parametrize(("stated", "used"), [(3000.0, 3000.0), (9000.0, 5000.0), (None, 5000.0)])
def test_of_two_ac_ratings_the_lower_is_used(stated: float | None, used: float) -> None:
    assert overridden(ac_max_watts=stated).nameplate.ac_max_watts == used


@pytest.mark.parametrize(("stated", "used"), [(3000.0, 3000.0), (9000.0, 5000.0)])
def test_of_two_battery_powers_the_lower_is_used(stated: float, used: float) -> None:
    battery = overridden(battery={"charge_max_watts": stated}).battery

    assert battery is not None
    assert (battery.charge_max_watts, battery.discharge_max_watts) == (used, 4000.0)


def test_the_capacity_of_site_yaml_replaces_that_of_the_device() -> None:
    battery = overridden(battery={"capacity_wh": 9500.0}).battery

    assert battery is not None
    assert battery.capacity_wh == 9500.0


def test_what_the_device_does_not_say_comes_from_site_yaml() -> None:
    silent = InverterSample("east", 1.0, battery=BatterySample())
    sample = overridden(silent, ac_max_watts=5000.0, battery={"discharge_max_watts": 3000.0})

    assert sample.nameplate.ac_max_watts == 5000.0
    assert sample.battery == BatterySample(discharge_max_watts=3000.0)


def test_to_apply_site_yaml_twice_is_the_same_as_once() -> None:
    config = InverterConfig.model_validate(
        {"name": "east", "host": "h", "ac_max_watts": 3000.0, "battery": {"control": False, "charge_max_watts": 900.0}}
    )
    once = apply_overrides(config, SAMPLE)

    assert once != SAMPLE
    assert apply_overrides(config, once) == once


def test_no_battery_is_made_up() -> None:
    assert overridden(InverterSample("east", 1.0), battery={"capacity_wh": 9500.0}).battery is None


def test_what_must_not_be_controlled_is_marked_so() -> None:
    assert not overridden(battery={"control": False}).battery_controllable
    assert overridden(battery={"control": False}).ac_limit_controllable
    assert not overridden(control=False).battery_controllable
    assert not overridden(control=False).ac_limit_controllable
