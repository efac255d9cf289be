"""`orchestrator init` as people use it: at a terminal, against virtual devices of several makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.config.file import load_config
from orchestrator.config.sections import MeterConfig
from orchestrator.simulation.server import RunningSite
from tests.support.servers.networks import network_of_makes, writes_of
from tests.support.servers.required import wait_until
from tests.system.commands.conversation import conversation

MAKES = ("kostal-plenticore", "huawei-luna", "goodwe-et", "solis-hybrid")
NOBODY = "127.0.0.1:1"


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSite]:
    with network_of_makes(MAKES) as running:
        yield running
        assert set(writes_of(running).values()) == {0}


@pytest.mark.long
def test_somebody_at_a_terminal_gets_a_site_in_shadow_mode(site: RunningSite, tmp_path: Path) -> None:
    site.call(lambda virtual: virtual.set_load(3000.0))
    with conversation(tmp_path, "init", "--ports", str(site.config.meter.port)) as person:
        person.answer("Where are they?", "192.168.1.0/99")
        person.answer("is no network", "127.0.0.0/29")
        person.answer("more somewhere else?")
        person.answer("belong to this site?", "5")
        person.answer("none of the numbers", "1,2,4")
        person.answer("Name of KOSTAL", "house")
        person.answer("Name of Huawei", "house")
        person.answer("is taken", "barn")
        person.answer("Name of Solis")
        person.answer("does not say its AC rating", "5 kW")
        person.answer("does not say the capacity", "10 kWh")
        person.answer("Which one is at the grid connection?")
        person.answer("draw from the grid now", "draw")
        person.answer("Most export", "3000")
        person.answer("Most import")
        person.answer("state of charge", "15 %")
        person.answer("the site called?", "Hof 7")
        person.answer("time zone", "Europe/Berlin")
        person.answer("batteries to be commanded")
        person.answer("shadow mode?")
        person.answer("Write this to site.yaml?", "y")
        assert person.exit_code() == 0
        assert "site.yaml is fine. Now run it: orchestrator run site.yaml" in person.said

    config = load_config(tmp_path / "site.yaml")
    assert [each.name for each in config.inverters] == ["house", "barn", "solis-12549"]
    assert [each.driver for each in config.inverters] == ["kostal-plenticore", "huawei-luna", "solis-hybrid"]
    assert isinstance(config.meter, MeterConfig)
    assert (config.meter.unit_id, config.meter.sign) == (200, "import_positive")
    assert (config.site.name, config.site.timezone) == ("Hof 7", "Europe/Berlin")
    assert (config.control.enabled, config.control.battery_power_flow) == (False, True)
    assert config.setpoints.fixed.export_limit_watts == 3000
    assert config.setpoints.fixed.battery_soc_min_percent == 15
    assert config.inverters[2].ac_max_watts == 5000
    assert config.inverters[2].battery.capacity_wh == 10000


@pytest.mark.long
@pytest.mark.parametrize("key", [b"\x03", b"\x04"], ids=["Ctrl-C", "Ctrl-D"])
def test_who_stops_in_the_middle_has_no_file(site: RunningSite, tmp_path: Path, key: bytes) -> None:
    search = ["--scan", f"127.0.0.2:{site.config.meter.port}", "--units", "71"]
    with conversation(tmp_path, "init", *search) as person:
        person.answer("belong to this site?")
        person.press("Name of KOSTAL", key)
        assert person.exit_code() == 130
        assert "interrupted; nothing is written" in person.said
        assert "Traceback" not in person.said

    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_where_nothing_is_found_it_says_what_to_look_at_and_asks_again(tmp_path: Path) -> None:
    with conversation(tmp_path, "init", "--scan", NOBODY) as person:
        person.answer("Where are they?", "no")
        assert person.exit_code() == 1
        assert "Is Modbus TCP switched on" in person.said
        assert "no inverter was found, so nothing is written" in person.said


@pytest.mark.long
def test_a_file_that_is_there_is_left_alone_by_who_does_not_agree(tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("precious")
    with conversation(tmp_path, "init", "--scan", NOBODY) as person:
        person.answer("site.yaml exists. Make a new one?")
        assert person.exit_code() == 1
        assert "is left as it is" in person.said

    assert file.read_text() == "precious"


@pytest.mark.long
def test_a_run_without_a_site_opens_the_page_that_makes_one(tmp_path: Path) -> None:
    """At a terminal. Where another page has its usual place on this machine, that is said."""
    with conversation(tmp_path, "run", "site.yaml") as person:
        wait_until(
            lambda: "Set up site.yaml in a browser" in person.said or "cannot listen on 127.0.0.1:9464" in person.said,
            "the page",
        )

    assert list(tmp_path.glob("site.yaml*")) == []
