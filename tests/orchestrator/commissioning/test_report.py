"""The report says in one look what passed and what is unsafe."""

from __future__ import annotations

import io
from datetime import UTC, datetime

from rich.console import Console

from orchestrator.commissioning.report import TEMPLATE, CommissionReport, page_values, summary, table
from orchestrator.commissioning.verdicts import Check, Verdict
from orchestrator.report.page import Imprint, render

CHECKS = (
    Check("east", "AC limit", Verdict.PASSED, "from 3000 W to 2500 W was asked, 2500 W came after 1.0 s"),
    Check("east", "AC limit: meter", Verdict.UNSAFE, "the sign of the meter is wrong <b>"),
    Check("west", "battery power", Verdict.NOT_TRIED, "more sun"),
)


def test_the_summary_counts_the_verdicts() -> None:
    assert summary(CommissionReport("home", CHECKS)) == "home: 1 passed, 1 unsafe, 1 not tried"
    assert summary(CommissionReport("home", (), interrupted=True)) == "home: interrupted; nothing was checked"


def test_a_report_is_safe_when_it_is_whole_and_nothing_is_unsafe() -> None:
    assert CommissionReport("home", CHECKS[:1]).is_safe
    assert not CommissionReport("home", CHECKS).is_safe
    assert not CommissionReport("home", CHECKS[:1], interrupted=True).is_safe


def test_the_table_has_a_row_for_each_check() -> None:
    out = io.StringIO()
    Console(file=out, width=120).print(table(CommissionReport("home", CHECKS)))

    lines = out.getvalue().splitlines()
    assert len(lines) == 4
    assert lines[2].split("  ")[0] == "east"
    assert "unsafe" in lines[2]


def test_the_page_is_whole_escaped_and_readable_on_a_phone() -> None:
    imprint = Imprint("1.0", datetime(2030, 1, 31, 12, tzinfo=UTC), "UTC")
    page = render(
        TEMPLATE, "home: commissioning", imprint, page_values(CommissionReport("home", CHECKS, interrupted=True))
    )

    assert 'name="viewport"' in page
    assert "http://" not in page
    assert "https://" not in page
    assert "the sign of the meter is wrong &lt;b&gt;" in page
    assert '<td class="left bad">unsafe</td>' in page
    assert page.index("<h2>east</h2>") < page.index("<h2>west</h2>")
    assert "Interrupted" in page
