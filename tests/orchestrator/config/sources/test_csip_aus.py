"""`setpoints.csip_aus`: what is wrong gets a message with its line and key."""

from __future__ import annotations

import pytest

from orchestrator.config.changes import forgotten_sources
from orchestrator.config.file import parse_config
from orchestrator.config.policy import export_can_be_limited
from orchestrator.errors import ConfigError

SITE = """site: {name: home}
meter: {host: 127.0.0.1}
inverters: [{name: east, host: 127.0.0.1, unit_id: 2}]
setpoints:
  csip_aus:
    server: https://utility.example:8443/dcap
    ca_file: ca.pem
    certificate_file: site.pem
    key_file: site.key
    rated_watts: 5000
    default: {export_limit_watts: 1500}
"""


def mistakes(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    return str(caught.value)


def test_a_section_is_read_and_may_limit_export() -> None:
    config = parse_config(SITE)

    assert config.setpoints.csip_aus is not None
    assert config.setpoints.csip_aus.name == "csip-aus"
    assert export_can_be_limited(config)


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("https://utility", "http://utility", "site.yaml:6:5: setpoints.csip_aus.server: must be a URL such as https"),
        (
            "rated_watts: 5000",
            "rated_watts: 0",
            "site.yaml:10:5: setpoints.csip_aus.rated_watts: must be a number above 0",
        ),
        ("rated_watts", "rated_wats", "setpoints.csip_aus.rated_wats: unknown key"),
        ("{export_limit_watts: 1500}", "{}", "site.yaml:11:5: setpoints.csip_aus.default: asks for nothing"),
        ("key_file", "lfdi: 12\n    key_file", "site.yaml:9:5: setpoints.csip_aus.lfdi: must be"),
        ("key_file", "rated_vars: high\n    key_file", "csip_aus.rated_vars: must be a number above 0"),
        (
            "key_file",
            "least_power_factor: 80\n    key_file",
            "least_power_factor: must be a number above 0 and at most 1",
        ),
        ("key_file", "name: fixed\n    key_file", "the name 'fixed' is reserved"),
        ("export_limit_watts: 1500", "battery_soc_min_percent: 50, battery_soc_max_percent: 20", "must be below"),
    ],
)
def test_a_mistake_is_named_with_its_line_and_key(before: str, after: str, message: str) -> None:
    assert message in mistakes(SITE.replace(before, after))


def test_its_name_must_be_that_of_no_other_source() -> None:
    mqtt = "  mqtt: {name: csip-aus, host: 127.0.0.1, topic: a}\n"

    assert "is called 'csip-aus' already" in mistakes(SITE + mqtt)


def test_another_server_or_certificate_is_another_source() -> None:
    config = parse_config(SITE)

    assert forgotten_sources(config, parse_config(SITE.replace("8443", "8444"))) == ("csip-aus",)
    assert forgotten_sources(config, parse_config(SITE.replace("5000", "6000"))) == ()
