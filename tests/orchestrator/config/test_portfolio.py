"""A portfolio in site.yaml: what is right, and what is said of what is wrong."""

from __future__ import annotations

from typing import Any

import pytest

from orchestrator.config.file import load_config
from orchestrator.config.sections import MqttInverterConfig, SumMeterConfig
from orchestrator.errors import ConfigError

PORTFOLIO = """\
site: {name: village}
meter: {driver: sum}
inverters:
  - {name: north, driver: site, host: 127.0.0.1, topic: sites/north, other_hosts: ["127.0.0.1:1884", broker.lan]}
  - {name: south, driver: site, host: 127.0.0.1, topic: sites/south}
"""
SITE = """\
site: {name: north}
meter: {driver: mqtt, host: 127.0.0.1, topic: meter}
inverters: [{name: east, driver: mqtt, host: 127.0.0.1, topic: east}]
publish: {mqtt: {host: 127.0.0.1, topic: sites/north, portfolio: {default: {export_limit_watts: 0}}}}
"""


def problems(tmp_path: Any, text: str) -> str:
    file = tmp_path / "site.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as error:
        load_config(file)
    return str(error.value)


def test_sites_share_a_broker_and_are_read_below_their_topic(tmp_path: Any) -> None:
    file = tmp_path / "site.yaml"
    file.write_text(PORTFOLIO)
    config = load_config(file)
    north, _south = config.sites

    assert isinstance(config.meter, SumMeterConfig)
    assert isinstance(north, MqttInverterConfig)
    assert north.topic_of_state == "sites/north/aggregate"
    assert north.topic_of_commands == "sites/north/aggregate/command"
    assert north.topic_of_answers == "sites/north/aggregate/answer"
    assert north.nodes == (("127.0.0.1", 1883), ("127.0.0.1", 1884), ("broker.lan", 1883))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            PORTFOLIO.replace("name: south, driver: site", "name: south, driver: mqtt"),
            "5:19: inverters[1].driver: must be 'site'",
        ),
        (PORTFOLIO.replace("sites/south", "sites/north"), "inverters[1].topic: must be a topic of its own"),
        (PORTFOLIO.replace("driver: sum", "driver: site"), "no meter is known of 'site'"),
        (PORTFOLIO.replace("name: south, driver: site", "name: south, driver: sum"), "'sum' is a meter"),
        (PORTFOLIO.replace("driver: sum", "driver: sum, max_age: 3"), "did you mean 'max_age_s'"),
        (PORTFOLIO.replace("127.0.0.1:1884", "http://x"), "inverters[0].other_hosts"),
        (SITE.replace("portfolio: {default", "portfolio: {defaults"), "did you mean 'default'"),
        (
            SITE + "setpoints: {mqtt: {name: portfolio, host: 127.0.0.1, topic: other}}\n",
            "the name 'portfolio' is reserved",
        ),
        (
            SITE + "setpoints: {mqtt: {host: 127.0.0.1, topic: sites/north/aggregate/command}}\n",
            "must not be a topic that is published",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line_and_key(tmp_path: Any, text: str, said: str) -> None:
    assert said in problems(tmp_path, text)
