"""What a SiteConfig promises to the rest of the code, and what is said of one that is allowed but unwise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from orchestrator.config.file import parse_config
from orchestrator.config.sections import InverterConfig, MqttInverterConfig, SetpointsSection, SiteConfig
from orchestrator.config.warnings import has_new_values_seldom, warnings
from orchestrator.documents.schema import shape_of
from orchestrator.explain.words import say
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.values import PriorityMode
from tests.support.records.setpoint_fields import any_fields

SITE = """
site: {name: home}
meter: {host: 10.0.0.1, unit_id: 200, sign: import_positive}
inverters:
  - {name: east, host: 10.0.0.2}
  - {name: west, host: 10.0.0.3, battery: {capacity_wh: 5000}}
"""
RELEASED = "failsafe: {when_lost: release}"


def site(extra: str = "", text: str = SITE) -> SiteConfig:
    return parse_config(text + extra, environ={})


def test_a_configuration_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        site().control.interval_s = 2.0


def test_an_inverter_is_found_by_its_name() -> None:
    assert site().inverter("west").host == "10.0.0.3"
    with pytest.raises(KeyError):
        site().inverter("north")


def test_a_configuration_can_be_made_of_plain_values() -> None:
    made = SiteConfig.model_validate(
        {"site": {"name": "home"}, "meter": {"host": "a"}, "inverters": [{"name": "east", "host": "b"}]}
    )

    assert made.inverters[0].name == "east"


@given(
    st.floats(min_value=0, max_value=1e9), st.sampled_from(list(PriorityMode)), st.integers(min_value=0, max_value=3)
)
def test_setpoints_of_the_file_are_the_setpoints_of_the_loop(watts: float, mode: PriorityMode, storage: int) -> None:
    section = SetpointsSection.model_validate(
        {"fixed": {"export_limit_watts": watts, "battery_priority_mode": mode.value, "battery_storage_mode": storage}}
    )

    assert section.fixed == SetpointFields(
        export_limit_watts=watts, battery_priority_mode=mode, battery_storage_mode=storage
    )


def test_every_field_of_a_setpoint_can_be_written_in_the_file() -> None:
    keys = shape_of(SiteConfig).keys(("setpoints", "fixed"))

    assert keys == list(SetpointFields.__dataclass_fields__)


@given(any_fields)
def test_a_setpoint_that_is_written_out_again_is_the_same(fields: SetpointFields) -> None:
    section = SetpointsSection(fixed=fields)

    assert SetpointsSection.model_validate(section.model_dump()) == section
    assert SetpointsSection.model_validate_json(section.model_dump_json()) == section


@pytest.mark.parametrize(("written", "topic"), [({}, "a/b/command"), ({"command_topic": "c"}, "c")])
def test_commands_go_below_the_topic_unless_site_yaml_names_another(written: dict[str, str], topic: str) -> None:
    inverter = {"name": "east", "driver": "mqtt", "host": "h", "topic": "a/b", **written}

    assert MqttInverterConfig.model_validate(inverter).topic_of_commands == topic


def test_a_source_without_a_default_is_named_and_one_that_says_so_is_not() -> None:
    source = "setpoints: {mqtt: {host: 127.0.0.1, topic: a, name: utility}}"

    assert any("no default for utility" in said for said in warnings(site(source)))
    assert not any("no default" in said for said in warnings(site(source.replace("utility", "utility, default: {}"))))


def test_an_export_limit_beside_a_make_that_takes_no_ac_limit_is_warned_of() -> None:
    limit = "setpoints: {fixed: {export_limit_watts: 0}}"
    without = site(limit).model_copy(update={"inverters": (InverterConfig(name="a", host="h", driver="solis-hybrid"),)})
    with_one = without.model_copy(update={"inverters": (InverterConfig(name="a", host="h", driver="fronius-gen24"),)})

    assert any("no AC limit is known of the make of a" in said for said in warnings(without))
    assert not any("no AC limit is known" in said for said in warnings(with_one))


def test_a_careful_site_has_no_warnings() -> None:
    assert warnings(site(f"control: {{battery_power_flow: true, {RELEASED}}}")) == ()


@pytest.mark.parametrize(
    ("extra", "key"),
    [
        (
            f"control: {{battery_power_flow: true, battery_charge_buffer_watts: 500, {RELEASED}}}",
            "control.battery_charge_buffer_watts: ignored",
        ),
        ("", "control.battery_power_flow: false, so batteries are not commanded"),
        ("control: {battery_power_flow: false}", "control.battery_power_flow: false, so batteries are not commanded"),
        (
            f"control: {{battery_power_flow: true, {RELEASED}}}\nmetrics: {{host: 0.0.0.0}}",
            "metrics.host: 0.0.0.0 can be read from other machines",
        ),
        (
            f"control: {{battery_power_flow: true, interval_s: 30, {RELEASED}}}",
            "control.revert_s: 60 s is less than 3 cycles of 30 s",
        ),
        (
            "control: {battery_power_flow: true, failsafe: {when_lost: stay}}",
            "control.failsafe.when_lost: after a kill the AC limits stay",
        ),
        (
            "control: {battery_power_flow: true}\nsetpoints: {mqtt: {host: 127.0.0.1, topic: a, default: {}}}",
            "control.failsafe.when_lost: after a kill the AC limits stay",
        ),
        (
            f"control: {{battery_power_flow: true, {RELEASED}}}\n"
            "setpoints: {fixed: {battery_target_soc_percent: 0.9}}",
            "setpoints.fixed.battery_target_soc_percent: 0.9: less than one percent; are percents from 0 to 100 meant?",
        ),
        (
            f"control: {{battery_power_flow: true, {RELEASED}}}\nsetpoints: {{fixed: {{export_limit_watts: 0}}}}",
            "control.failsafe.when_lost: release: 60 s after a kill the AC limits have ended",
        ),
    ],
)
def test_what_is_unwise_is_said_once(extra: str, key: str) -> None:
    said = warnings(site(extra))

    assert len(said) == 1
    assert said[0].startswith(key)


@pytest.mark.parametrize("host", ["127.0.0.1", "127.1.2.3", "::1", "localhost"])
def test_metrics_of_this_machine_only_are_no_reason_for_a_warning(host: str) -> None:
    said = warnings(site(f"control: {{battery_power_flow: true, {RELEASED}}}\nmetrics: {{host: '{host}'}}"))

    assert said == ()


def test_a_meter_may_share_the_address_of_one_inverter_and_that_is_mentioned() -> None:
    config = site(
        f"control: {{battery_power_flow: true, {RELEASED}}}", SITE.replace("10.0.0.1, unit_id: 200", "10.0.0.2")
    )

    assert [said.split(",")[0] for said in warnings(config)] == ["meter.unit_id: the address of east"]


def test_a_meter_without_a_sign_is_mentioned() -> None:
    said = warnings(
        site(f"control: {{battery_power_flow: true, {RELEASED}}}", SITE.replace(", sign: import_positive", ""))
    )

    assert [text.split(":")[0] for text in said] == ["meter.sign"]


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("interval_s: 1", ()),
        (
            "interval_s: 2",
            (
                "meter.interval_s: 2 s: limits are followed up to 2 s late, because load and sun are seen "
                "only that often",
            ),
        ),
        (
            "interval_s: 60",
            (
                "meter.interval_s: 60 s: limits are followed up to 60 s late, because load and sun are seen only that "
                "often, and a meter that falls silent is noticed after 61.5 s, not within 5 s",
            ),
        ),
        ("driver: shelly-pro-3em", ()),
        (
            "driver: huawei-luna",
            (
                "meter.interval_s: 2 s: limits are followed up to 2 s late, because load and sun are seen "
                "only that often",
            ),
        ),
        ("driver: mqtt, topic: t, max_age_s: 5", ()),
        (
            "driver: mqtt, topic: t, max_age_s: 300",
            (
                "meter.max_age_s: 300 s: a meter that falls silent is noticed after 300 s, not within 5 s, and until "
                "then limits are followed by its last value",
            ),
        ),
    ],
)
def test_what_a_slow_meter_costs_is_said(keys: str, said: tuple[str, ...]) -> None:
    meter = f"meter: {{host: 10.0.0.1, sign: import_positive, {keys}}}"
    text = SITE.replace("meter: {host: 10.0.0.1, unit_id: 200, sign: import_positive}", meter)

    assert warnings(site(f"control: {{battery_power_flow: true, {RELEASED}}}", text)) == said


def test_a_meter_that_is_read_more_often_than_it_has_new_values_is_as_slow_as_these() -> None:
    said = has_new_values_seldom("some-meter", 5.0, 1.0)

    assert said is not None
    assert say(said) == (
        "meter.driver: some-meter has a new value every 5 s: limits are followed up to 5 s late, because load and sun "
        "are seen only that often"
    )
    assert has_new_values_seldom("some-meter", 1.0, 1.0) is None
    assert has_new_values_seldom("some-meter", None, 1.0) is None


def test_a_meter_that_is_no_slower_than_the_loop_is_no_reason_for_a_warning() -> None:
    text = SITE.replace("sign: import_positive}", "sign: import_positive, interval_s: 10}")

    assert warnings(site(f"control: {{battery_power_flow: true, interval_s: 10, {RELEASED}}}", text)) == ()


def test_a_site_without_batteries_needs_no_battery_control() -> None:
    without = SITE.replace(", battery: {capacity_wh: 5000}", "")

    assert warnings(site("control: {battery_power_flow: false}", without)) == ()
    assert warnings(site(text=without)) == (
        "control.battery_power_flow: not written, so batteries are not commanded, also where one is found",
    )


def test_a_simulated_battery_counts_as_one() -> None:
    simulated = """
simulation:
  inverters:
    east: {ac_rating_watts: 5000, battery: {capacity_wh: 5000, charge_watts: 2500, discharge_watts: 2500}}
"""
    said = warnings(site(simulated, SITE.replace(", battery: {capacity_wh: 5000}", "")))

    assert [text.split(":")[0] for text in said] == ["control.battery_power_flow"]


def test_a_long_time_out_behind_a_shared_host_and_port_is_mentioned() -> None:
    text = SITE.replace("10.0.0.1, unit_id: 200", "10.0.0.2, unit_id: 200, timeout_s: 5")

    said = warnings(site(f"control: {{battery_power_flow: true, {RELEASED}}}", text))

    assert [each.split(",")[0] for each in said] == ["timeout_s: above 2 s at 10.0.0.2:502"]


@pytest.mark.parametrize("percent", [0, 1, 0.0, 100])
def test_percents_that_can_be_meant_need_no_question(percent: float) -> None:
    fixed = f"setpoints: {{fixed: {{battery_target_soc_percent: {percent}}}}}"

    assert warnings(site(f"control: {{battery_power_flow: true, {RELEASED}}}\n{fixed}")) == ()
