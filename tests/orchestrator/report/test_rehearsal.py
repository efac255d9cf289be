"""The report of `simulate`."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from functools import cache
from zoneinfo import ZoneInfo

import pytest

from orchestrator.config.sections import SiteConfig
from orchestrator.config.simulation import LoadSimulation, SunSimulation
from orchestrator.report.page import Imprint
from orchestrator.report.rehearsal import MOST_INVERTERS, Rehearsal, comparison, rehearsal_csv, rehearsal_page
from orchestrator.simulation.rehearsal.day import WAYS, rehearse
from tests.support.page.markup import assert_stands_alone, read, rows, words
from tests.support.plants.example_site import EXAMPLE
from tests.support.plants.virtual_site import PV_ONLY, site_config

pytestmark = pytest.mark.no_cover  # whole plants over time: tracing them takes several times as long

BRISBANE = ZoneInfo("Australia/Brisbane")
MIDNIGHT = datetime(2026, 6, 1, tzinfo=BRISBANE)
IMPRINT = Imprint("1.2.3", datetime(2026, 6, 8, 9, 30, tzinfo=BRISBANE), "Australia/Brisbane")
ASSUMED = ("Weather: as you <like> it.",)


@cache
def rehearsal(inverters: int = 0) -> Rehearsal:
    """Twelve sunny minutes of the example plant, or of so many PV inverters."""
    simulated = {f"pv{number}": PV_ONLY for number in range(inverters)} or dict(EXAMPLE)
    config = site_config(simulated, sun=SunSimulation(start_fraction=0.2), load=LoadSimulation(base_watts=500.0))
    sections = config.model_dump() | {"setpoints": {"fixed": {"export_limit_watts": 1000.0}}}
    config = SiteConfig.model_validate(sections)
    ways = tuple(rehearse(config, way, hours=0.2, begin=MIDNIGHT, progress=lambda _: None) for way in WAYS)
    return Rehearsal(config, "clear", 0.2, MIDNIGHT, ASSUMED, ways)


@pytest.fixture(scope="module")
def page() -> str:
    return rehearsal_page(rehearsal(), IMPRINT)


def test_the_ways_stand_beside_each_other(page: str) -> None:
    table = rows(page)

    assert table[""] == ["orchestrator", "no control", "same command to all"]
    assert table["longer than 5 s"][1] != "0"
    assert table["longer than 5 s"][0] == "0"
    for name, values in comparison(rehearsal().ways):
        assert name in table
        assert len(values) == 3


def test_sources_and_uses_of_energy_are_the_same_sum(page: str) -> None:
    sums = [row[1] for row in read(page).rows if row[0] == "= together"]

    assert len(sums) == 2
    assert sums[0] == sums[1]


def test_there_is_a_chart_of_the_site_of_the_ways_of_the_batteries_and_of_each_inverter(page: str) -> None:
    labels = [attributes["aria-label"] for tag, attributes in read(page).tags if tag == "svg"]

    assert labels == [
        "Power of the site",
        "Grid power, controlled in different ways",
        "State of charge",
        *("east: power", "east: battery", "west: power", "west: battery", "roof: power"),
    ]


def test_every_line_has_a_legend(page: str) -> None:
    for name in ("PV possible", "export limit", "AC limit commanded", "commanded", "no control"):
        assert name in words(page)


def test_what_was_assumed_is_said_and_escaped(page: str) -> None:
    assert "Weather: as you <like> it." in words(page)
    assert "<like>" not in page


def test_the_page_needs_neither_network_nor_script(page: str) -> None:
    assert_stands_alone(page)


@pytest.mark.long
def test_very_many_inverters_are_not_all_drawn() -> None:
    text = rehearsal_page(rehearsal(MOST_INVERTERS + 2), IMPRINT)

    assert text.count("<svg") == 2 + MOST_INVERTERS
    assert "2 more inverters are in the CSV." in words(text)


def test_the_csv_has_every_minute_of_every_way() -> None:
    lines = list(csv.DictReader(io.StringIO(rehearsal_csv(rehearsal()))))

    assert [line["way"] for line in lines] == [way.name for way in WAYS for _ in range(12)]
    assert lines[0]["time"] == "2026-06-01T00:00:30+10:00"
    assert float(lines[5]["export_limit_watts"]) == 1000
    assert lines[20]["east.ac_limit_watts"] == ""
    assert 0 < float(lines[5]["east.soc_percent"]) < 100
