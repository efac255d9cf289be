"""The quick start, every step as it is written: from nothing to shadow mode, at a virtual site of four makes."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.config.file import load_config
from tests.support.servers.networks import NETWORK, network_of_makes, writes_of
from tests.support.servers.required import PATIENCE_S, free_port, wait_until
from tests.system.commands.conversation import conversation
from tools.release import python_packages

REPOSITORY = Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs/quick-start.md").read_text()
MAKES = ("kostal-plenticore", "huawei-luna", "goodwe-et", "solis-hybrid")
ANSWERS = (
    ("Where are they?", NETWORK),
    ("more somewhere else?", ""),
    ("Which of them belong to this site?", "all"),
    ("Name of KOSTAL", "house"),
    ("Name of Huawei", "barn"),
    ("Name of GoodWe", "shed"),
    ("How many Wh", "10 kWh"),
    ("Name of Solis", "garage"),
    ("on its type plate", "5000"),
    ("How many Wh", "10 kWh"),
    ("Which one is at the grid connection?", "1"),
    ("Does the site draw from the grid now, or feed into it?", "draw"),
    ("Most export", "5000"),
    ("Most import", ""),
    ("Below which state of charge", "10"),
    ("the site called?", "farm"),
    ("time zone", "Europe/Berlin"),
    ("batteries to be commanded", ""),
    ("Begin in shadow mode?", ""),
    ("Write this to site.yaml?", ""),
)


def steps() -> list[str]:
    """What is typed up to shadow mode, as it stands on the page."""
    until_shadow_mode = PAGE.partition("## Afterwards")[0]
    found = re.findall(r"^```sh\n(.*?)^```", until_shadow_mode, re.MULTILINE | re.DOTALL)
    return [line for block in found for line in block.splitlines()]


@pytest.mark.long
def test_from_nothing_to_shadow_mode(tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    wheel, _ = python_packages.build(REPOSITORY, tmp_path / "dist", 1_900_000_000)
    home = tmp_path / "home"
    home.mkdir()
    apt, pipx, version, init, check, run, health = steps()
    assert apt.startswith("sudo apt install ./solar-site-orchestrator_")  # instead of the wheel: test_debian_package
    assert wheel.name in pipx

    with network_of_makes(MAKES) as site:
        site.call(lambda virtual: virtual.set_load(3000.0))
        began_s = time.monotonic()
        bin_dir = installed(wheel, pipx, home)
        assert typed(version, bin_dir, home).stdout.startswith("orchestrator ")
        port = str(site.config.meter.port)  # type: ignore[union-attr]
        with conversation(home, *init.split()[1:], "--ports", port, program=bin_dir / "orchestrator") as person:
            for question, answer in ANSWERS:
                person.answer(question, answer)
            assert person.exit_code() == 0, person.said
        metrics = f"\nmetrics: {{port: {free_port()}}}\n"  # others are on this machine; a reader has it to himself
        (home / "site.yaml").write_text((home / "site.yaml").read_text() + metrics)
        checked = typed(check, bin_dir, home).stdout
        assert "is fine" in checked
        assert "shadow mode, nothing is written" in checked
        with subprocess.Popen(words_of(run, bin_dir), cwd=home, stdout=subprocess.DEVNULL) as running:
            wait_until(lambda: asked(health, bin_dir, home) == 0, "health")
            record_property("seconds", took_s := time.monotonic() - began_s)
            running.send_signal(signal.SIGTERM)
            assert running.wait(PATIENCE_S) == 0
        assert set(writes_of(site).values()) == {0}

    print(f"from nothing to shadow mode: {took_s:.0f} s of the machine's time")
    assert [each.name for each in load_config(home / "site.yaml").inverters] == ["house", "barn", "shed", "garage"]


def installed(wheel: Path, command: str, home: Path) -> Path:
    """What the line with pipx does, in folders of this test."""
    environment = {**os.environ, "PIPX_HOME": str(home / "pipx"), "PIPX_BIN_DIR": str(home / "bin")}
    environment["PIP_CONSTRAINT"] = str(REPOSITORY / "constraints.txt")
    program, verb, file = command.split()
    line = [python_packages.tool(program), verb, "--python", sys.executable, wheel.parent / file]
    done = subprocess.run(line, check=False, env=environment, cwd=home, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return home / "bin"


def words_of(line: str, bin_dir: Path) -> list[str]:
    program, *rest = line.split()
    return [str(bin_dir / program), *rest]


def typed(line: str, bin_dir: Path, home: Path) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(words_of(line, bin_dir), check=False, cwd=home, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def asked(line: str, bin_dir: Path, home: Path) -> int:
    return subprocess.run(words_of(line, bin_dir), check=False, cwd=home, capture_output=True).returncode
