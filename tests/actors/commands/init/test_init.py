"""`orchestrator init`: what it makes of options and of answers, at virtual devices of several makes."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from orchestrator.cli.main import main
from orchestrator.config.file import load_config
from orchestrator.config.sections import InverterConfig, MeterConfig
from orchestrator.simulation.server import RunningSite
from tests.support.servers.networks import NETWORK, network_of_makes, writes_of
from tests.support.servers.required import free_port

MAKES = ("kostal-plenticore", "huawei-luna", "goodwe-et", "solis-hybrid")


class Typed(io.StringIO):
    """Somebody who has typed all answers beforehand, at a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(scope="module")
def site() -> Iterator[RunningSite]:
    with network_of_makes(MAKES) as running:
        yield running
        assert set(writes_of(running).values()) == {0}


def searching(site: RunningSite, target: str = NETWORK) -> list[str]:
    """Options that find its devices quickly."""
    assert isinstance(site.config.meter, MeterConfig)
    return ["--scan", target, "--ports", str(site.config.meter.port), "--units", "1,71,200,247", "--timeout", "3"]


def by_script(site: RunningSite, file: Path, *more: str) -> int:
    return main(["init", str(file), "--yes", *searching(site), *more])


def test_what_is_asked_for_again_is_what_was_wrong(
    site: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    site.call(lambda virtual: virtual.set_load(3000.0))
    answers = ["9", "1,4", "House", "house", "", "none", "10 kWh", "1", "draw", "much", "5kW", "none", "15"]
    answers += ["", "Mars/Olympus", "Europe/Berlin", "y", "y", "y"]
    monkeypatch.setattr("sys.stdin", Typed("\n".join([*answers, ""])))
    file = tmp_path / "site.yaml"

    assert main(["init", str(file), *searching(site)]) == 0
    out = capsys.readouterr().out
    for word in ("none of the numbers", "is no name", "is no number of watts", "is no time zone", "The meter shows +"):
        assert word in out
    config = load_config(file)
    assert [each.name for each in config.inverters] == ["house", "solis-12549"]
    assert config.inverters[1].battery.capacity_wh == 10000
    assert isinstance(config.meter, MeterConfig)
    assert config.meter.sign == "import_positive"
    assert not config.control.enabled
    assert config.setpoints.fixed.asked() == {"export_limit_watts": 5000, "battery_soc_min_percent": 15}


def test_who_does_not_want_the_file_has_none(
    site: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = [*[""] * 2, "none", *[""] * 7, "n"]  # of one inverter without what it does not say, and no meter
    monkeypatch.setattr("sys.stdin", Typed("\n".join([*answers, ""])))

    assert main(["init", str(tmp_path / "site.yaml"), *searching(site, "127.0.0.2")]) == 1
    out = capsys.readouterr().out
    assert "No meter was found" not in out  # what the inverter reads itself is offered
    assert "Nothing is written." in out
    assert list(tmp_path.iterdir()) == []


def test_the_answers_may_end_before_the_questions(
    site: RunningSite, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", Typed("all\n"))

    assert main(["init", str(tmp_path / "site.yaml"), *searching(site)]) == 130
    assert "interrupted; nothing is written" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_is_there_is_replaced_only_by_who_says_so(site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("precious")

    assert by_script(site, file, "--meter", "1") == 2
    assert file.read_text() == "precious"
    assert by_script(site, file, "--replace") == 0
    assert (tmp_path / "site.yaml.old").read_text() == "precious"
    assert load_config(file).site.name == "home"


def test_a_script_gives_its_answers_as_options(site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "plant.yaml"
    answers = ["--only", "4,1", "--names", "barn,house", "--rating", "barn=5kW", "--capacity", "barn=10kWh"]
    site_answers = ["--name", "Hof", "--timezone", "UTC", "--export-limit", "none", "--soc-min", "none"]
    wished = [
        "--meter",
        f"127.0.0.1:{site.config.meter.port}/200 sunspec",
        "--sign",
        "export_positive",
        "--no-batteries",
    ]

    assert by_script(site, file, *answers, *site_answers, *wished, "--no-shadow") == 0

    config = load_config(file)
    assert [(each.name, each.driver) for each in config.inverters] == [
        ("barn", "solis-hybrid"),
        ("house", "kostal-plenticore"),
    ]
    assert isinstance(config.inverters[1], InverterConfig)
    assert config.inverters[1].unit_id == 71
    assert isinstance(config.meter, MeterConfig)
    assert config.meter.sign == "export_positive"
    assert (config.control.enabled, config.control.battery_power_flow) == (True, False)
    assert config.setpoints.fixed.asked() == {}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (["--only", "9"], "say all, or numbers from 1 to 4"),
        (["--names", "a,b"], "--names has 2 names for 4 inverters"),
        (["--meter", "10.0.0.1 solar"], "must be a driver that there is"),
        (["--export-limit", "much"], "is no number of watts"),
        (["--rating", "5000"], "say NAME=VALUE"),
    ],
)
def test_a_wrong_option_is_refused_before_anything_is_written(
    site: RunningSite, tmp_path: Path, capsys: pytest.CaptureFixture[str], wrong: list[str], says: str
) -> None:
    assert by_script(site, tmp_path / "site.yaml", *wrong) == 2
    assert says in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_comments_is_replaced_without_a_question_and_kept(site: RunningSite, tmp_path: Path) -> None:
    file = tmp_path / "site.yaml"
    file.write_text("# nothing yet\n\n")

    assert by_script(site, file) == 0
    assert (tmp_path / "site.yaml.old").read_text() == "# nothing yet\n\n"
    assert load_config(file).site.name == "home"


def test_a_script_that_finds_nothing_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["init", str(tmp_path / "site.yaml"), "--yes", "--scan", f"127.0.0.1:{free_port()}"]) == 1
    assert "no inverter was found" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_where_nobody_can_be_asked_it_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["init"]) == 2
    assert "say --yes" in capsys.readouterr().err
