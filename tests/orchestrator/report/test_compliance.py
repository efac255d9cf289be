"""The report of the ledger."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestrator.ledger.excess import Excess, Outcome, SiteContext
from orchestrator.report.compliance import MOST_ROWS, compliance_csv, compliance_page
from orchestrator.report.page import Imprint
from orchestrator.report.period import period_of
from tests.support.page.markup import assert_stands_alone, rows, words

BRISBANE = ZoneInfo("Australia/Brisbane")
PERIOD = period_of("2026-06-01", "2026-06-07", BRISBANE, date(2026, 6, 7))
IMPRINT = Imprint("1.2.3", datetime(2026, 6, 8, 9, 30, tzinfo=BRISBANE), "Australia/Brisbane")
NOON = datetime(2026, 6, 2, 2, tzinfo=UTC)  # in Brisbane


def excess(limit: str = "export", duration_s: float = 3.0, day: int = 0, **values: object) -> Excess:
    usual = {"limit_watts": 1500.0, "source": "mqtt", "peak_watts": 800.0, "watt_hours": 0.5, "outcome": Outcome.ENDED}
    return Excess(limit, NOON + timedelta(days=day), duration_s=duration_s, **(usual | values))  # type: ignore[arg-type]


def page(excesses: Sequence[Excess], site: str = "home") -> str:
    return compliance_page(site, excesses, PERIOD, IMPRINT)


def test_each_limit_is_counted_against_the_rules() -> None:
    found = [excess(duration_s=seconds) for seconds in (4.0, 5.0, 6.0, 12.0, 20.0)] + [excess("import", 11.0)]
    table = rows(page(found))

    assert table["export"] == ["5", "3", "2", "1", "20 s", "47 s", "800 W", "2.5 Wh", "0"]
    assert table["import"][:4] == ["1", "1", "1", "0"]
    assert table["load"] == ["0", "0", "0", "0", "–", "0.0 s", "–", "0.0 Wh", "0"]


def test_each_excess_is_listed_in_the_time_of_the_site_with_what_was_going_on() -> None:
    context = SiteContext(limit_fell=True, load_watts=700.0, away=("roof",), reasons=("the sun came out",))
    table = rows(page([excess(context=context, outcome=Outcome.UNSEEN)]))

    row = table["2026-06-02 12:00:00"]
    assert row[:6] == ["export", "mqtt", "1500 W", "3.0 s", "800 W", "0.5 Wh"]
    assert row[6] == "700 W"
    assert row[-1] == "the limit fell; its end was not seen; away: roof; the sun came out"


def test_without_an_excess_it_says_so_and_draws_nothing() -> None:
    text = page([])

    assert "No limit was exceeded in this time" in words(text)
    assert "<svg" not in text


def test_the_page_needs_neither_network_nor_script() -> None:
    assert_stands_alone(page([excess()]))


def test_what_comes_from_outside_is_escaped() -> None:
    text = page([excess(source="<script>alert(1)</script>")], site="<b>home</b>")

    assert "<script>" not in text
    assert "<b>home</b>" not in text
    assert "&lt;script&gt;" in text


def test_every_excess_is_a_dot_beside_the_rules_and_every_day_a_stack_of_bars() -> None:
    text = page([excess(), excess(day=1), excess("import", day=1)])
    behind, before = (re.findall(f'<rect class="k{colour}"[^>]*height="([0-9.]+)"', text) for colour in (1, 0))

    assert text.count("<circle") == 3
    assert float(before[1]) == pytest.approx(float(before[0]))
    assert float(behind[1]) == pytest.approx(2 * float(before[1]), abs=0.2)
    assert [text.count(f">{rule} s</text>") for rule in (5, 10, 15)] == [1, 1, 1]


def test_a_page_shows_the_longest_of_very_many() -> None:
    many = [excess(duration_s=float(number)) for number in range(MOST_ROWS + 5)]
    text = page(many)

    assert f"The {MOST_ROWS} longest; 5 more are in the CSV." in words(text)
    assert len(list(csv.reader(io.StringIO(compliance_csv(many, PERIOD))))) == MOST_ROWS + 6


def test_the_csv_has_every_value_under_its_name() -> None:
    context = SiteContext(mode="failsafe", site_watts=-2300.04, away=("east", "roof"), reasons=('a "quoted" reason',))
    text = compliance_csv([excess(context=context)], PERIOD)
    (row,) = csv.DictReader(io.StringIO(text))

    assert row["began_at"] == "2026-06-02T12:00:00.000+10:00"
    assert (row["limit"], row["source"], row["limit_watts"], row["duration_s"]) == ("export", "mqtt", "1500.0", "3.0")
    assert (row["peak_watts"], row["watt_hours"], row["outcome"]) == ("800.0", "0.5", "ended")
    assert (row["mode"], row["site_watts"], row["load_watts"]) == ("failsafe", "-2300.0", "")
    assert (row["away"], row["reasons"], row["limit_fell"]) == ("east; roof", 'a "quoted" reason', "false")


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "UTC"])
def test_days_on_which_clocks_change_are_days(zone: str) -> None:
    period = period_of("2026-03-01", "2026-11-30", ZoneInfo(zone), date(2026, 11, 30))
    begins = [period.begin + timedelta(hours=number) for number in range(0, 6500, 13)]
    every_hour = [Excess("export", began_at, 0.0, "fixed", watt_hours=1.0) for began_at in begins]

    assert "<svg" in compliance_page("home", every_hour, period, IMPRINT)
