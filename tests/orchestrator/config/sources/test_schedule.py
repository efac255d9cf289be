"""`setpoints.schedules` of site.yaml: what is taken, and what is said of mistakes."""

from __future__ import annotations

import pytest

from orchestrator.config.changes import changes_between
from orchestrator.config.file import parse_config
from orchestrator.config.policy import export_can_be_limited
from orchestrator.config.sections import SiteConfig
from orchestrator.errors import ConfigError
from orchestrator.setpoints.fields import SetpointFields

SITE = """site: {name: home, timezone: Europe/Berlin}
meter: {host: 10.0.0.1}
inverters:
  - {name: east, host: 10.0.0.2}
setpoints:
  schedules:
    - name: tariff
      rows:
"""
ZERO = "fields: {export_limit_watts: 0}"


def site(*rows: str) -> SiteConfig:
    return parse_config(SITE + "".join(f"        - {{{row}}}\n" for row in rows), environ={})


def mistakes(*rows: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        site(*rows)
    return str(refused.value).splitlines()


def test_a_row_without_days_holds_every_day() -> None:
    (timetable,) = site(f"hours: 10:00-16:00, {ZERO}").timetables()
    (row,) = timetable.rows

    assert timetable.source == "tariff"
    assert str(timetable.zone) == "Europe/Berlin"
    assert (row.days, row.begin_minute, row.end_minute) == (frozenset(range(7)), 600, 960)
    assert row.fields == SetpointFields(export_limit_watts=0.0)


@pytest.mark.parametrize(
    ("days", "numbers"), [("mon-fri", {0, 1, 2, 3, 4}), ("'sat, sun'", {5, 6}), ("fri-mon", {4, 5, 6, 0}), ("tue", {1})]
)
def test_days_are_a_span_or_a_list_of_them(days: str, numbers: set[int]) -> None:
    (timetable,) = site(f"days: {days}, hours: 00:00-24:00, {ZERO}").timetables()

    assert timetable.rows[0].days == numbers


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (f"hours: 10-16, {ZERO}", "hours: must be hours such as '10:00-16:00', '22:00-06:00' or '00:00-24:00'"),
        (f"hours: 10:00-25:00, {ZERO}", "hours: must be hours such as"),
        (f"hours: 10:00-10:00, {ZERO}", "hours: must not end when they begin; a whole day is '00:00-24:00'"),
        (f"days: monday, hours: 10:00-16:00, {ZERO}", "days: must be days such as 'mon-fri', 'sat, sun' or 'mon-sun'"),
        ("hours: 10:00-16:00, fields: {}", "fields: asks for nothing"),
        ("hours: 10:00-16:00, field: {connect: true}", "unknown key 'field'; did you mean 'fields'?"),
        ("hours: 10:00-16:00, export_limit_watts: 0", "'export_limit_watts' under 'setpoints.schedules.rows.fields'?"),
        ("times: 10:00-16:00, " + ZERO, "unknown key 'times'; did you mean 'hours'?"),
        ("hours: 10:00-16:00, fields: {opModExpLimW: 0}", "here it is 'export_limit_watts'"),
        (
            "hours: 10:00-16:00, fields: {battery_soc_min_percent: 60, battery_soc_max_percent: 50}",
            "battery_soc_min_percent: must be below battery_soc_max_percent, which is 50",
        ),
    ],
)
def test_a_mistake_is_told_with_its_line_and_key(row: str, said: str) -> None:
    told = mistakes(row)

    assert any(line.startswith("site.yaml:9:") and "setpoints.schedules[0].rows[0]." in line for line in told)
    assert any(said in line for line in told)


def test_a_table_without_rows_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"schedules\[0\]\.rows: must be a list of 1 to 200 entries"):
        parse_config(f"{SITE.removesuffix(chr(10))} []\n", environ={})


def test_rows_that_overlap_are_refused_also_over_midnight_and_over_the_week() -> None:
    sunday = f"days: sun, hours: 22:00-07:00, {ZERO}"

    assert mistakes(sunday, f"days: mon-fri, hours: 06:00-08:00, {ZERO}") == [
        "site.yaml:10:27: setpoints.schedules[0].rows[1].hours: overlaps with rows[0] on mon 06:00; "
        "hours of one schedule must be apart"
    ]
    assert site(sunday, f"days: mon-fri, hours: 07:00-08:00, {ZERO}").setpoints.schedules


def test_the_name_of_a_schedule_is_that_of_no_other_source() -> None:
    mqtt = "  mqtt: {name: tariff, host: a, topic: b}\n"
    with pytest.raises(ConfigError, match=r"setpoints\.mqtt is called 'tariff'|must be unique"):
        parse_config(SITE + f"        - {{hours: 10:00-16:00, {ZERO}}}\n" + mqtt, environ={})


def test_a_schedule_that_limits_export_keeps_ac_limits_when_the_orchestrator_is_lost() -> None:
    assert export_can_be_limited(site(f"hours: 10:00-16:00, {ZERO}"))
    assert not export_can_be_limited(site("hours: 10:00-16:00, fields: {import_limit_watts: 0}"))


def test_a_reload_tells_the_site_of_another_table_and_replaces_nobody() -> None:
    changes = changes_between(site(f"hours: 10:00-16:00, {ZERO}"), site(f"hours: 10:00-15:00, {ZERO}"))

    assert changes.site
    assert not changes.mqtt
