"""`orchestrator simulate` as people type it."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.command_line import REPOSITORY, example_site, orchestrator
from tests.support.page.markup import assert_stands_alone, words

REAL_SITE = """
site: {name: farm, timezone: Europe/Berlin}
meter: {host: 192.0.2.1}
inverters:
  - {name: barn, host: 192.0.2.2, ac_max_watts: 30000}
  - {name: house, host: 192.0.2.3, battery: {capacity_wh: 10000}}
control: {battery_power_flow: true}
setpoints: {fixed: {export_limit_watts: 5000}}
"""


HEARS_CTRL_C = """
import signal, sys
from orchestrator.cli.main import main
signal.signal(signal.SIGINT, signal.default_int_handler)
sys.exit(main())
"""
"""The command line as on a terminal, also where these tests run in the background, which ignores Ctrl-C."""


def simulate(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "orchestrator.cli", "simulate", *arguments]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=240, check=False)


def test_the_example_site_is_rehearsed_and_its_page_and_csv_are_written(tmp_path: Path) -> None:
    site, page = example_site(tmp_path), tmp_path / "out.html"
    done = simulate(str(site), "--hours", "0.2", "--weather", "cloudy", "--report", str(page), "--csv")

    assert done.returncode == 0, done.stderr
    for text in ("orchestrator", "no control", "same command to all", "self-consumption", "import avoided"):
        assert text in done.stdout
    assert f"written: {page}, {tmp_path / 'out.csv'}" in done.stdout
    assert "home: 0.2 hours rehearsed" in words(page.read_text())
    assert_stands_alone(page.read_text())
    with (tmp_path / "out.csv").open() as file:
        assert len(list(csv.DictReader(file))) == 3 * 12
    assert not (tmp_path / "state").exists()


@pytest.mark.long
def test_a_real_site_without_a_simulation_is_rehearsed_with_assumptions_that_are_said(tmp_path: Path) -> None:
    site = tmp_path / "farm.yaml"
    site.write_text(REAL_SITE)
    done = simulate(str(site), "--hours", "0.05")

    assert done.returncode == 0, done.stderr
    said = " ".join(done.stdout.split())
    assert "Inverter barn: rated 30000 W (as site.yaml says)" in said
    assert "Inverter house: rated 5000 W (assumed)" in said
    assert list(tmp_path.iterdir()) == [site]


@pytest.mark.long
def test_away_from_a_terminal_each_way_is_one_line(tmp_path: Path) -> None:
    done = simulate(str(example_site(tmp_path)), "--hours", "0.02")

    assert done.stderr.splitlines() == [
        "rehearsing: orchestrator",
        "rehearsing: no control",
        "rehearsing: same command to all",
    ]


@pytest.mark.long
def test_on_a_terminal_there_is_a_bar_for_each_way(tmp_path: Path) -> None:
    with orchestrator(
        tmp_path, "simulate", str(example_site(tmp_path)), "--hours", "0.4", error_terminal=True
    ) as running:
        assert running.exit_code() == 0

    for text in ("orchestrator", "no control", "same command to all", "100%"):
        assert text in running.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--hours", "0"), "must be a number above 0 and at most 744"),
        (("--hours", "a day"), "must be a number above 0"),
        (("--hours", "nan"), "must be a number above 0"),
        (("--weather", "snow"), "invalid choice: 'snow'"),
        (("--csv",), "--csv needs the name of a file, or --report"),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_computed(
    tmp_path: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = simulate(str(example_site(tmp_path)), *arguments)

    assert done.returncode == 2
    assert said in done.stderr
    assert "rehearsing" not in done.stderr


def test_a_page_that_cannot_be_written_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    done = simulate(str(example_site(tmp_path)), "--report", str(tmp_path / "nowhere" / "out.html"))

    assert done.returncode == 1
    assert "there is no folder" in done.stderr
    assert "rehearsing" not in done.stderr


def test_a_folder_in_the_place_of_the_page_is_said_before_anything_is_computed(tmp_path: Path) -> None:
    done = simulate(str(example_site(tmp_path)), "--report", str(tmp_path))

    assert done.returncode == 1
    assert "it is a folder" in done.stderr
    assert "rehearsing" not in done.stderr


def test_a_wrong_site_is_exit_code_2(tmp_path: Path) -> None:
    site = example_site(tmp_path, ("name: home", "nome: home"))
    done = simulate(str(site))

    assert done.returncode == 2
    assert f"{site}:" in done.stderr


def test_ctrl_c_ends_it_with_a_word_and_exit_code_130(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HEARS_CTRL_C, "simulate", str(example_site(tmp_path)), "--hours", "700"]
    with subprocess.Popen(
        command, cwd=REPOSITORY, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as running:
        assert running.stderr is not None
        assert running.stderr.readline() == "rehearsing: orchestrator\n"
        os.killpg(running.pid, signal.SIGINT)
        rest = running.stderr.read()

    assert running.returncode == 130
    assert rest.splitlines()[-1] == "interrupted"
    assert "Traceback" not in rest
