"""`setpoints.voltage_guard` of site.yaml: what is taken, and what is said of mistakes."""

from __future__ import annotations

import pytest

from orchestrator.config.changes import forgotten_sources
from orchestrator.config.file import parse_config
from orchestrator.config.policy import export_can_be_limited
from orchestrator.config.sections import SiteConfig
from orchestrator.loop.in_force import fresh_sources, in_force
from orchestrator.setpoints.merge import merge
from orchestrator.setpoints.voltage_guard import GuardState, guard_setpoint
from tests.support.records.site_text import changed_site, refusal

SITE = """site: {name: home}
meter: {host: 10.0.0.1}
inverters:
  - {name: east, host: 10.0.0.2}
setpoints:
  voltage_guard:
    start_volts: 252
    stop_volts: 256
    rated_watts: 12000
    default_watts: 2000
"""


def site(*changes: tuple[str, str]) -> SiteConfig:
    return changed_site(SITE, *changes)


@pytest.mark.parametrize(
    ("former", "new", "message"),
    [
        (
            "stop_volts: 256",
            "stop_volts: 252.5",
            "site.yaml:8:5: setpoints.voltage_guard.stop_volts: must be at least 253, 1 V above start_volts",
        ),
        ("rated_watts", "release_volts: 252\n    rated_watts", "release_volts: must be at most 251.5, 0.5 V below"),
        (
            "rated_watts",
            "least_watts: 12000\n    rated_watts",
            "least_watts: must be below rated_watts, which is 12000",
        ),
        ("start_volts: 252", "start_volts: 400", "start_volts: must be at most 390: it is the voltage of a phase"),
        ("start_volts: 252", "start_volts: 25.2", "start_volts: must be a number from 50 to 600"),
        ("    default_watts: 2000\n", "", "default_watts: this key is missing"),
        ("start_volts", "strat_volts", "unknown key 'strat_volts'; did you mean 'start_volts'?"),
        ("voltage_guard", "voltage_gard", "unknown key 'voltage_gard'; did you mean 'voltage_guard'?"),
        ("{host: 10.0.0.1}", "{host: 10.0.0.1, driver: eastron-sdm72}", "setpoints.voltage_guard: needs the voltages"),
        ("  voltage_guard:", "  schedules: [{name: voltage_guard, rows: []}]\n  voltage_guard:", "is reserved"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(former: str, new: str, message: str) -> None:
    assert message in refusal(SITE, (former, new))


def test_what_is_not_written_follows_from_the_rest() -> None:
    section = site().setpoints.voltage_guard

    assert section is not None
    assert (section.line.release_volts, section.line.ramp_watts_per_s) == (251.0, 20.0)


def test_a_meter_of_a_make_that_shows_voltages_is_taken() -> None:
    assert site(("{host: 10.0.0.1}", "{host: 10.0.0.1, driver: eastron-sdm630}")).setpoints.voltage_guard is not None


def test_its_default_holds_until_the_meter_has_shown_a_voltage_and_when_it_shows_none_any_more() -> None:
    config, line = site(), site().setpoints.voltage_guard
    assert line is not None
    asked = guard_setpoint(line.line, GuardState(6000.0, 10.0, 10.0))

    before = merge(in_force(config, {}, 0.0))
    meanwhile = merge(in_force(config, {"voltage_guard": asked}, 39.9))
    lost = merge(in_force(config, {"voltage_guard": asked}, 40.0))

    assert before.whose("export_limit_watts") == lost.whose("export_limit_watts") == "default of voltage_guard"
    assert (meanwhile.fields.export_limit_watts, lost.fields.export_limit_watts) == (6000.0, 2000.0)
    assert fresh_sources(config, {"voltage_guard": asked}, 39.9, 39.9) == {"voltage_guard": True}
    assert fresh_sources(config, {"voltage_guard": asked}, 40.0, 40.0) == {"voltage_guard": False}


def test_its_limit_counts_among_those_that_hold_and_it_is_forgotten_with_its_section() -> None:
    assert export_can_be_limited(site())
    assert site().source_names == ("voltage_guard",)
    text = SITE.partition("setpoints:")[0]
    assert forgotten_sources(site(), parse_config(text, environ={})) == ("voltage_guard",)
