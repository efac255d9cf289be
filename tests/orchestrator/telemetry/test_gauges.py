"""One cycle as metric values."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from orchestrator.decide.plant.headroom import InverterNumbers, LiveNumbers
from orchestrator.decide.records import CycleResult
from orchestrator.reason import because
from orchestrator.samples import BatterySample, SiteBounds
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.telemetry.gauges import GAUGES, gauge_values
from tests.support.records.cycles import cycle_result, inverter_sample


def series(result: CycleResult) -> dict[tuple[str, ...], float]:
    return {(value.name, *value.labels): value.value for value in gauge_values(result)}


def test_the_values_of_a_cycle_have_their_names() -> None:
    result = cycle_result(inverters=(inverter_sample(at_s=99.5),), away=("roof",))

    assert series(result) == {
        ("site_power_watts",): -500.0,
        ("site_load_watts",): 1500.0,
        ("site_pv_watts",): 3000.0,
        ("site_battery_watts",): 1000.0,
        ("limit_watts", "export", "fixed"): 5000.0,
        ("inverter_up", "east"): 1.0,
        ("inverter_ac_watts", "east"): 2000.0,
        ("inverter_pv_watts", "east"): 3000.0,
        ("inverter_battery_watts", "east"): 1000.0,
        ("inverter_battery_soc_ratio", "east"): 0.5,
        ("inverter_ac_limit_watts", "east"): 4000.0,
        ("inverter_battery_target_watts", "east"): 1000.0,
        ("inverter_battery_following", "east"): 1.0,
        ("inverter_reason", "east", "charge/share_by_capacity"): 1.0,
        ("inverter_up", "roof"): 0.0,
        ("sample_age_seconds", "east"): 0.5,
        ("sample_age_seconds", "meter"): 0.0,
    }


def test_what_the_plant_could_do_has_its_names() -> None:
    live = LiveNumbers(3000.0, 4000.0, 7500.0, None, {"east": InverterNumbers(1000.0, 2000.0, 0.9)})
    values = series(replace(cycle_result(), live=live))

    assert {key: value for key, value in values.items() if "headroom" in key[0] or "balanced" in key[0]} == {
        ("site_headroom_watts", "up"): 3000.0,
        ("site_headroom_watts", "down"): 4000.0,
        ("site_balanced_watts", "charge"): 7500.0,
        ("inverter_headroom_watts", "east", "up"): 1000.0,
        ("inverter_headroom_watts", "east", "down"): 2000.0,
    }
    assert values["inverter_response_seconds", "east"] == 0.9


def test_every_value_belongs_to_a_described_gauge_and_has_its_labels() -> None:
    labels = {kind.name: len(kind.labels) for kind in GAUGES}

    for value in gauge_values(cycle_result(away=("roof",))):
        assert len(value.labels) == labels[value.name]


def test_an_inverter_that_is_away_has_only_its_absence() -> None:
    result = cycle_result(inverters=(), away=("roof",))

    assert [value for value in gauge_values(result) if "roof" in value.labels] == [
        value for value in gauge_values(result) if value.name == "inverter_up"
    ]


def test_without_any_inverter_the_sums_are_unknown() -> None:
    names = {value.name for value in gauge_values(cycle_result(inverters=()))}

    assert names.isdisjoint({"site_pv_watts", "site_battery_watts"})


def test_a_silent_meter_has_no_values() -> None:
    names = {value.name for value in gauge_values(cycle_result(site_watts=None))}

    assert names.isdisjoint({"site_power_watts", "site_load_watts"})


@pytest.mark.parametrize("unknown", [None, float("nan"), float("inf")])
def test_what_is_no_finite_number_has_no_series(unknown: float | None) -> None:
    sample = inverter_sample(ac_watts=unknown, battery=BatterySample(soc_percent=unknown))
    result = cycle_result(inverters=(sample,), limits=SetpointFields())

    assert ("inverter_ac_watts", "east") not in series(result)
    assert ("inverter_battery_soc_ratio", "east") not in series(result)


def test_the_label_of_a_reason_is_its_code_and_those_of_its_cause_without_any_number() -> None:
    limit = because("ac_limit", watts=983.0, why=because("leaves_room", limit=because("export_limit"), watts=983.0))
    twice = (because("charge", watts=1.0, why=because("full")), because("charge", watts=2.0, why=because("full")))
    command = replace(cycle_result().commands[0], reasons=(limit, *twice))
    values = gauge_values(replace(cycle_result(), commands=(command,)))
    labels = [value.labels[1] for value in values if value.name == "inverter_reason"]

    assert labels == ["ac_limit/leaves_room/export_limit", "charge/full"]


def test_a_battery_that_does_not_follow_its_command_is_seen() -> None:
    result = replace(cycle_result(), not_following=("east",))

    assert series(result)["inverter_battery_following", "east"] == 0.0


def test_a_portfolio_counts_its_sites_by_mode_and_a_site_counts_none() -> None:
    said = {"north": "normal", "south": "failsafe", "west": "a mode of another version", "east": ""}
    sites = tuple(inverter_sample(name, site=SiteBounds(0.0, mode=mode)) for name, mode in said.items())

    def counts(result: CycleResult) -> dict[str, float]:
        return {key[1]: value for key, value in series(result).items() if key[0] == "portfolio_sites"}

    assert counts(cycle_result(inverters=sites, away=("island",))) == {
        "normal": 1.0,
        "failsafe": 1.0,
        "waiting": 0.0,
        "other": 2.0,
        "silent": 1.0,
    }
    assert counts(cycle_result(away=("roof",))) == {}
