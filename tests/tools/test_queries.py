"""The queries of deploy/, their variables, and the table of their answers."""

from __future__ import annotations

import re

from tools.queries.catalogue import Asked, all_queries, rule_queries
from tools.queries.prometheus import Answer, Asking
from tools.queries.table import markdown

ALERT = Asked("alert", "Away", 'orchestrator_up{inverter!="meter"} == 0 or rate(orchestrator:x:y[1m]) > 2')
PANEL = Asked("panel", "Site / Grid / Grid", "orchestrator_site_power_watts\n  or  b | c")


def test_the_longest_variable_is_replaced_first() -> None:
    asked = Asked("panel", "", '$in $inverter[$__range] "$plant"')

    filled = asked.filled_in({"in": "1", "inverter": "east", "__range": "15s", "plant": "a:1"})

    assert filled.expr == '1 east[15s] "a:1"'


def test_the_selectors_of_an_expression_have_no_comparison() -> None:
    assert ALERT.selectors() == ('orchestrator_up{inverter!="meter"}', "orchestrator:x:y")


def test_no_variable_is_left_once_all_are_filled_in() -> None:
    values = {"plant": "a", "site": "b", "inverter": "c", "__rate_interval": "1m", "__range": "1h"}

    assert [asked.where for asked in all_queries(of_portfolio=True) if "$" in asked.filled_in(values).expr] == []


def test_every_rule_is_asked() -> None:
    kinds = [asked.kind for asked in rule_queries()]

    assert kinds.count("alert") == 12
    assert kinds.index("alert") == kinds.count("recording rule")


def test_a_panel_without_series_is_in_trouble_and_an_alert_with_series_too() -> None:
    assert Asking(PANEL, Answer({})).trouble == "no series"
    assert Asking(PANEL, Answer({"": "1"})).trouble == ""
    assert Asking(PANEL, Answer({}, "bad_data: parse error")).trouble == "bad_data: parse error"
    assert Asking(ALERT, Answer({})).trouble == ""
    assert Asking(ALERT, Answer({"inverter=east": "0"})).trouble == "fires"
    assert Asking(ALERT, Answer({}), ("orchestrator_up",)).trouble == "no series for orchestrator_up"


def test_the_table_has_a_line_for_each_query_with_its_values() -> None:
    values = {f"inverter=i{number}": f"{number}.0" for number in range(6)}
    head, rule, panel, alert = markdown([Asking(PANEL, Answer(values)), Asking(ALERT, Answer({}))]).splitlines()

    assert head.count("|") == rule.count("|") == 5
    assert "`orchestrator_site_power_watts or b \\| c` | 6 | 0 (inverter=i0); 1 (inverter=i1)" in panel
    assert panel.endswith("and 2 more |")
    assert re.search(r"\| 0 \| none, as it should be \|$", alert)
