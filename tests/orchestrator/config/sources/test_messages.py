"""`prices` and `contact` of a topic in site.yaml: what is taken, and what is said of mistakes."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orchestrator.config.changes import forgotten_sources
from orchestrator.config.file import parse_config
from orchestrator.config.sections import MqttSource, SiteConfig
from orchestrator.errors import ConfigError
from orchestrator.setpoints.fields import SetpointFields

SITE = """site: {name: home}
meter: {host: 10.0.0.1}
inverters:
  - {name: east, host: 10.0.0.2}
setpoints:
  mqtt:
    name: utility
    host: broker
    topic: a/b
"""
LOSS = "    validity_s: 60\n    default: {export_limit_watts: 0}\n"
STEPS = """    contact:
      rated_watts: 10000
      rows:
        - {says: "1", percent: 100}
        - {says: "2", percent: 60}
        - {says: "3", percent: 30}
        - {says: "4", percent: 0}
"""
RELAY = """    contact:
      rows:
        - {says: off}
        - {says: on, fields: {export_limit_watts: 0}}
        - {says: dim, section_14a: {devices: 2}, fields: {import_limit_watts: 9000}}
"""


def site(extra: str) -> SiteConfig:
    return parse_config(SITE + extra, environ={})


def source(extra: str) -> MqttSource:
    return site(extra).setpoints.mqtt[0]


def said(source: MqttSource, word: str) -> SetpointFields:
    now = datetime(2026, 6, 1, tzinfo=UTC)
    return source.language.read(
        word.encode(), source=source.name, received_at_s=0.0, wall_now=now, validity_s=source.validity_s
    ).fields


def mistakes(extra: str) -> str:
    with pytest.raises(ConfigError) as refused:
        site(extra)
    return str(refused.value)


def test_four_steps_are_parts_of_the_rated_power() -> None:
    contact = source(LOSS + STEPS)

    assert [said(contact, word).generation_limit_watts for word in "1234"] == [10000.0, 6000.0, 3000.0, 0.0]
    exported = source(LOSS + STEPS + "      percent_limits: export_limit_watts\n")
    assert said(exported, "2") == SetpointFields(export_limit_watts=6000.0)


def test_a_relay_asks_for_fields_and_the_stricter_of_two_holds() -> None:
    relay = source(LOSS + RELAY)

    assert said(relay, "off") == SetpointFields()
    assert said(relay, "on") == SetpointFields(export_limit_watts=0.0)
    assert said(relay, "dim") == SetpointFields(import_limit_watts=7560.0)


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        (STEPS, "site.yaml:10:5: setpoints.mqtt.contact: needs validity_s beside it: how long its last word counts"),
        ("    validity_s: 60\n" + STEPS, "contact: needs default beside it: what holds when nothing is heard of it"),
        (LOSS + STEPS.replace("      rated_watts: 10000\n", ""), "rows[0].percent: needs rated_watts under contact"),
        (LOSS + STEPS.replace('"4"', '"1"'), "rows[3].says: must be unique; rows[0] is for '1' already"),
        (LOSS + STEPS.replace('"4"', "4"), "rows[3].says: must be a word of 1 to 64 characters, in quotes where"),
        (LOSS + "    contact: {rows: []}\n", "contact.rows: must be a list of 1 to 64 entries"),
        (LOSS + RELAY.replace("devices: 2", "device: 2"), "unknown key 'device'; did you mean 'devices'?"),
        (LOSS + STEPS + "    prices: [{below: 0, fields: {connect: true}}]\n", "takes 'prices' or 'contact', and not"),
        ("    prices: []\n", "prices: must be a list of 1 to 50 entries"),
        ("    prices: [{fields: {connect: true}}]\n", "prices[0].below: needs below or at_least, or both"),
        ("    prices: [{below: 0, fields: {}}]\n", "prices[0].fields: asks for nothing"),
        ("    prices: [{belaw: 0, fields: {connect: true}}]\n", "unknown key 'belaw'; did you mean 'below'?"),
        (
            "    prices: [{below: 0.1, at_least: 0.2, fields: {connect: true}}]\n",
            "site.yaml:10:15: setpoints.mqtt.prices[0].below: must be above at_least, which is 0.2 (got 0.1)",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(extra: str, message: str) -> None:
    assert message in mistakes(extra)


def test_what_a_topic_said_is_forgotten_once_its_messages_are_of_another_kind() -> None:
    assert forgotten_sources(site(LOSS), site(LOSS + STEPS)) == ("utility",)
    assert forgotten_sources(site(LOSS + STEPS), site(LOSS + STEPS.replace("60", "50"))) == ()
