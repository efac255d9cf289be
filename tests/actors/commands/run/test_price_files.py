"""Prices in a file: read when they are new, refused when they are wrong, and never in the way of the plant."""

from __future__ import annotations

import json
import os
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from actors.clock import ManualClock
from actors.commands.run.price_files import LOOK_EVERY_S, PriceFiles
from actors.messages import SetpointReceived, SetpointRefused
from orchestrator.config.changes import forgotten_sources
from orchestrator.config.file import load_config
from orchestrator.config.policy import export_can_be_limited
from orchestrator.loop.in_force import in_force
from orchestrator.setpoints.fields import SetpointFields
from orchestrator.setpoints.merge import merge
from tests.support.records.cycles import site_config

ZERO = {"export_limit_watts": 0.0}


def config_for(path: Path, below: float = 0.0) -> Any:
    entry = {
        "name": "market",
        "prices_file": str(path),
        "default": {"export_limit_watts": 2000.0},
        "prices": [{"below": below, "fields": ZERO}],
    }
    return site_config(setpoints={"price_files": [entry]})


def write(path: Path, clock: ManualClock, price: float = -0.1, hours: int = 1) -> None:
    """Replaces the file, as its docs say."""
    start = clock.wall()
    entry = {"start": start.isoformat(), "end": (start + timedelta(hours=hours)).isoformat(), "price": price}
    other = path.with_suffix(".new")
    other.write_text(json.dumps({"prices": [entry]}))
    other.replace(path)


class Site:
    """What a plant is told, and what it asks for by that."""

    def __init__(self, path: Path) -> None:
        self.told: list[Any] = []
        self.clock = ManualClock()
        self.config = config_for(path)
        self.files = PriceFiles(self.config, self.told.append, self.clock)

    def look(self) -> list[Any]:
        """What is told when it is looked next time."""
        self.told.clear()
        self.clock.advance(LOOK_EVERY_S)
        self.files.look()
        return list(self.told)


def test_a_file_is_read_once_and_again_when_it_is_another_one(tmp_path: Path) -> None:
    site = Site(tmp_path / "prices.json")
    write(tmp_path / "prices.json", site.clock)
    (told,) = site.look()

    assert isinstance(told, SetpointReceived)
    assert [step.fields for step in told.setpoint.plan] == [SetpointFields(**ZERO)]
    assert site.look() == []
    write(tmp_path / "prices.json", site.clock, price=0.1)
    (told,) = site.look()
    assert [step.fields for step in told.setpoint.plan] == [SetpointFields()]


def test_it_holds_while_its_price_does_and_then_the_default(tmp_path: Path) -> None:
    site = Site(tmp_path / "prices.json")
    write(tmp_path / "prices.json", site.clock)
    (told,) = site.look()
    now_s, wall_s = site.clock.now_s(), site.clock.wall().timestamp()

    for later_s, watts in ((0.0, 0.0), (3590.0, 0.0), (3600.0, 2000.0)):
        holding = in_force(site.config, {"market": told.setpoint}, now_s + later_s, wall_s + later_s)
        assert merge(holding).fields.export_limit_watts == watts
    assert merge(in_force(site.config, {}, now_s, wall_s)).whose("export_limit_watts") == "default of market"


def test_a_wrong_file_is_refused_and_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "prices.json"
    site = Site(path)
    for content in ("", "{", "x" * 70000):
        path.write_text(content)
        (told,) = site.look()
        assert isinstance(told, SetpointRefused)
        assert site.look() == []

    assert len(caplog.records) == 3
    assert "what was read before stays" in caplog.text


def test_a_file_that_is_not_there_or_no_file_holds_up_nobody(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    site = Site(tmp_path / "prices.json")
    assert site.look() == site.look() == []
    os.mkfifo(tmp_path / "prices.json")
    assert site.look() == site.look() == []

    assert [record.getMessage().partition("; ")[0].partition("cannot be read: ")[2] for record in caplog.records] == [
        "No such file or directory",
        "it is no file",
    ]


def test_prices_that_had_passed_by_a_wrong_clock_count_when_it_is_put_right(tmp_path: Path) -> None:
    site = Site(tmp_path / "prices.json")
    write(tmp_path / "prices.json", site.clock)
    site.clock.set_wall(site.clock.wall() + timedelta(days=1))
    assert [type(told) for told in site.look()] == [SetpointRefused]
    site.clock.set_wall(site.clock.wall() - timedelta(days=1))

    assert [type(told) for told in site.look()] == [SetpointReceived]


def test_another_table_reads_the_file_anew_and_the_same_one_does_not(tmp_path: Path) -> None:
    path = tmp_path / "prices.json"
    site = Site(path)
    write(path, site.clock)
    site.look()

    site.files.configure(config_for(path))
    assert site.look() == []
    site.files.configure(config_for(path, below=-0.5))
    assert [type(told) for told in site.look()] == [SetpointReceived]
    site.files.configure(site_config())
    assert site.look() == []


def test_where_no_file_is_configured_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "stat", lambda _self: pytest.fail("looked"))
    files = PriceFiles(site_config(), lambda _: pytest.fail("told"), ManualClock())

    files.look()


def test_its_name_is_relative_to_the_site_and_its_limits_are_known(tmp_path: Path) -> None:
    (tmp_path / "site.yaml").write_text(
        "site: {name: home}\nmeter: {host: a}\ninverters: [{name: east, host: b}]\nsetpoints:\n  price_files:\n"
        "    - name: market\n      prices_file: p.json\n      default: {}\n"
        "      prices: [{below: 0, fields: {export_limit_watts: 0}}]\n"
    )
    config = load_config(tmp_path / "site.yaml", {})

    assert config.setpoints.price_files[0].prices_file == str(tmp_path / "p.json")
    assert export_can_be_limited(config)
    assert forgotten_sources(config, site_config()) == ("market",)
