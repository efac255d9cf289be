"""The phases of a site.yaml: where an inverter is, and what limits on each phase need to know."""

from __future__ import annotations

import pytest

from orchestrator.config.file import parse_config
from orchestrator.config.sections import SiteConfig
from orchestrator.config.warnings import warnings
from tests.support.records.site_text import changed_site, refusal

SITE = """site: {name: home}
meter: {host: 10.0.0.1, driver: eastron-sdm630}
inverters:
  - {name: roof, host: 10.0.0.2, phases: 3}
  - {name: garage, host: 10.0.0.3, phase: 2}
control:
  limits_per_phase: true
  phase_limits: {export_limit_watts: 5000}
"""


def site(*changes: tuple[str, str]) -> SiteConfig:
    return changed_site(SITE, *changes)


@pytest.mark.parametrize(
    ("former", "new", "message"),
    [
        (", phase: 2", "", "site.yaml:5:5: inverters[1].phase: this key is missing; control.limits_per_phase needs it"),
        (", phase: 2", "", "the one of the meter that it is on; or phases: 3"),
        ("phases: 3", "phases: 3, phase: 1", "inverters[0].phase: is for an inverter with one phase"),
        ("phase: 2", "phase: 4", "site.yaml:5:36: inverters[1].phase: must be 1, 2 or 3 (got 4)"),
        ("phase: 2", "phsae: 2", "unknown key 'phsae'; did you mean 'phase'?"),
        ("eastron-sdm630", "eastron-sdm72", "control.limits_per_phase: needs the powers of the phases, which no meter"),
        ("limits_per_phase: true", "limits_per_phase: false", "phase_limits: does nothing without limits_per_phase: t"),
        ("limits_per_phase", "limit_per_phase", "unknown key 'limit_per_phase'; did you mean 'limits_per_phase'?"),
        ("export_limit_watts", "export_limit_wats", "did you mean 'export_limit_watts'?"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(former: str, new: str, message: str) -> None:
    assert message in refusal(SITE, (former, new))


def test_a_meter_of_which_nobody_knows_whether_it_shows_its_phases_is_named() -> None:
    sunspec = warnings(site((", driver: eastron-sdm630", "")))

    assert [text for text in sunspec if text.startswith("control.limits_per_phase")]
    assert not [text for text in warnings(site()) if text.startswith("control.limits_per_phase")]


def test_without_limits_on_phases_nothing_of_them_is_needed() -> None:
    plain = parse_config(SITE.partition("control:")[0].replace(", phase: 2", ""), environ={})

    assert not plain.control.limits_per_phase
