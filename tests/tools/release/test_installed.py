"""Wheel and sdist, built and installed by pipx on every Python that is here, where nothing of the source tree is."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import __version__
from tools.release import python_packages

REPOSITORY = Path(__file__).parents[3]
VERSIONS = ("3.11", "3.12", "3.13", "3.14")
MOMENT = 1_900_000_000


def python(version: str) -> str | None:
    """A Python of this version: the one that runs the tests, one on the path, or one of pyenv."""
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    named = shutil.which(f"python{version}")
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python"))
    for found in (named, *map(str, kept)):
        if found and subprocess.run([found, "--version"], check=False, capture_output=True).returncode == 0:
            return found
    return None


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return python_packages.build(REPOSITORY, tmp_path_factory.mktemp("dist"), MOMENT)


def installed(package: Path, folder: Path, interpreter: str) -> Path:
    """The folder of the commands that pipx has made of it."""
    environment = {
        **os.environ,
        "PIPX_HOME": str(folder / "pipx"),
        "PIPX_BIN_DIR": str(folder / "bin"),
        "PIPX_MAN_DIR": str(folder / "man"),
        "PIP_CONSTRAINT": str(REPOSITORY / "constraints.txt"),
    }
    command = [python_packages.tool("pipx"), "install", "--python", interpreter, str(package)]
    done = subprocess.run(command, check=False, cwd=folder, env=environment, text=True, capture_output=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "bin"


def works(commands: Path, folder: Path) -> None:
    """It says its version, takes the example site, has every make, and rehearses an hour."""

    def run(*arguments: str) -> str:
        command = [commands / "orchestrator", *arguments]
        done = subprocess.run(command, check=False, cwd=folder, text=True, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert run("--version") == f"orchestrator {__version__}\n"
    site = folder / "site.yaml"
    shutil.copyfile(REPOSITORY / "site.yaml", site)
    assert "is fine" in run("check", str(site))
    page = folder / "day.html"
    run("simulate", str(site), "--hours", "1", "--report", str(page))
    assert "</html>" in page.read_text()
    assert (commands / "solar-site-orchestrator").exists()


@pytest.mark.long
@pytest.mark.parametrize("version", VERSIONS)
def test_the_wheel_is_installed_by_pipx(built: tuple[Path, Path], tmp_path: Path, version: str) -> None:
    interpreter = python(version)
    if interpreter is None:
        pytest.skip(f"there is no Python {version} here")
    works(installed(built[0], tmp_path, interpreter), tmp_path)


@pytest.mark.long
def test_the_sdist_is_installed_by_pipx(built: tuple[Path, Path], tmp_path: Path) -> None:
    works(installed(built[1], tmp_path, sys.executable), tmp_path)


@pytest.mark.long
def test_a_second_build_is_the_same(built: tuple[Path, Path], tmp_path: Path) -> None:
    wheel, _ = python_packages.build(REPOSITORY, tmp_path, MOMENT)

    assert wheel.read_bytes() == built[0].read_bytes()
