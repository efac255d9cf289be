"""Sections that say how people are told, and what must not be mixed with what."""

from __future__ import annotations

import pytest

from orchestrator.config.file import parse_config
from orchestrator.errors import ConfigError

SITE = """
site: {name: home}
meter: {host: 10.0.0.1}
inverters:
  - {name: east, host: 10.0.0.2}
"""
SERVED = "publish: {mqtt: {host: a, topic: site/home, home_assistant: {}}}"


def mistakes(extra: str) -> str:
    with pytest.raises(ConfigError) as refused:
        parse_config(SITE + extra, environ={})
    return str(refused.value)


def test_an_address_to_write_to_comes_from_the_environment_and_is_not_shown() -> None:
    config = parse_config(SITE + 'notify: {urls: ["${PHONE}"], events: [failsafe]}', environ={"PHONE": "json://s3cret"})

    assert config.notify is not None
    assert config.notify.urls[0].get_secret_value() == "json://s3cret"
    assert "s3cret" not in repr(config)


def test_a_kind_of_message_that_does_not_exist_is_named_with_those_that_do() -> None:
    said = mistakes("notify: {urls: [a], events: [failsave]}")

    assert "notify.events[0]" in said
    assert "failsafe" in said


def test_home_assistant_is_not_served_unless_it_is_asked_for() -> None:
    assert parse_config(SITE, environ={}).publish.for_home_assistant is None
    assert (
        parse_config(f"{SITE}publish: {{mqtt: {{host: a, topic: b}}}}", environ={}).publish.for_home_assistant is None
    )
    assert parse_config(SITE + SERVED, environ={}).source_names == ("home_assistant",)


@pytest.mark.parametrize("topic", ["energy", "home_assistant", "home_assistant/set/energize"])
def test_a_source_must_not_listen_to_what_we_say_ourselves(topic: str) -> None:
    source = f"setpoints: {{mqtt: {{host: a, topic: site/home/{topic}}}}}"

    assert "must not be a topic that is published" in mistakes(f"{SERVED}\n{source}")


def test_the_name_of_its_source_is_taken_where_it_is_served() -> None:
    source = "setpoints: {mqtt: {host: a, topic: b, name: home_assistant}}"

    assert "the name 'home_assistant' is reserved" in mistakes(f"{SERVED}\n{source}")
    assert parse_config(SITE + source, environ={}).setpoints.mqtt[0].name == "home_assistant"


def test_what_the_plant_says_does_not_lie_among_the_descriptions() -> None:
    said = mistakes("publish: {mqtt: {host: a, topic: homeassistant/home, home_assistant: {}}}")

    assert "publish.mqtt.topic: must not lie below home_assistant.prefix, 'homeassistant'" in said


@pytest.mark.parametrize("prefix", ["home assistant", "a/#", "/a", ""])
def test_a_prefix_is_a_plain_topic(prefix: str) -> None:
    said = mistakes(f"publish: {{mqtt: {{host: a, topic: b, home_assistant: {{prefix: '{prefix}'}}}}}}")

    assert "publish.mqtt.home_assistant.prefix: must be a topic of letters, digits" in said
