"""The Debian package, built for real and installed into a clean Debian 12, where a site is made and run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from orchestrator import __version__
from tests.support.servers.networks import NETWORK, network_of_makes
from tests.support.servers.required import PATIENCE_S, free_port, require_server, wait_until
from tools.release import debian, python_packages

NAME = debian.NAME
MAKES = ("kostal-plenticore", "huawei-luna", "goodwe-et", "solis-hybrid")
SITE = "/etc/orchestrator/site.yaml"
MOMENT = 1_900_000_000
PACKAGES = "python3,adduser"


class Machine:
    """A Debian in a folder. It shares the network with this one."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def run(self, *command: str, user: str = "root") -> subprocess.CompletedProcess[str]:
        """A program of that Debian, to its end."""
        return subprocess.run(
            self.command(*command, user=user), check=False, text=True, capture_output=True, timeout=600
        )

    def command(self, *command: str, user: str = "root") -> list[str]:
        """What to type here to run it there."""
        return ["chroot", f"--userspec={user}:{user}", str(self.root), *command]


@pytest.fixture(scope="module")
def deb(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package for this machine, with compiled modules for the Python of Debian 12 only: the others take minutes."""
    architecture = subprocess.check_output([require_server("dpkg"), "--print-architecture"], text=True).strip()
    folder = tmp_path_factory.mktemp("dist")
    wheel, _ = python_packages.build(python_packages.ROOT, folder, MOMENT)
    return debian.build(wheel, folder, architecture, MOMENT, pythons=("3.11",))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory, deb: Path) -> Iterator[Machine]:
    """A clean Debian 12 with nothing but Python, and the package installed in it."""
    if os.geteuid() != 0:
        pytest.skip("a Debian in a folder needs root")
    root = tmp_path_factory.mktemp("debian")
    command = [require_server("debootstrap"), "--variant=minbase", f"--include={PACKAGES}", "bookworm", str(root)]
    made = subprocess.run(command, check=False, text=True, capture_output=True, timeout=800)
    assert made.returncode == 0, made.stdout[-2000:]
    installed = Machine(root)
    root.chmod(0o755)  # its users walk through it, and a folder of a test is root's alone
    (root / "root" / deb.name).write_bytes(deb.read_bytes())
    with _mounted(root):
        said = installed.run("dpkg", "--install", f"/root/{deb.name}")
        assert said.returncode == 0, said
        yield installed


@contextmanager
def _mounted(root: Path) -> Iterator[None]:
    """With its /proc, which the orchestrator looks into to see whether another one runs."""
    with ExitStack() as stack:
        subprocess.run(["mount", "-t", "proc", "proc", str(root / "proc")], check=True)
        stack.callback(subprocess.run, ["umount", "--lazy", str(root / "proc")], check=True)
        yield


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_it_is_installed_with_its_user_its_unit_and_an_empty_site(machine: Machine) -> None:
    assert machine.run("orchestrator", "--version").stdout == f"orchestrator {__version__}\n"
    assert machine.run("id", "--user", "--name", "orchestrator").stdout == "orchestrator\n"
    assert "sudo orchestrator init" in (machine.root / SITE[1:]).read_text()
    state = machine.root / "var/lib/orchestrator"
    assert oct(state.stat().st_mode)[-3:] == "700"
    unit = (machine.root / "usr/lib/systemd/system/orchestrator.service").read_text()
    assert f"\nExecStart=/usr/bin/orchestrator run {SITE}\n" in unit
    assert machine.run("dpkg", "--verify", NAME).stdout == ""
    example = f"/usr/share/doc/{NAME}/examples/virtual-site.yaml"
    assert machine.run("orchestrator", "check", "--quiet", example).returncode == 0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_site_is_made_and_run_by_the_user_of_the_service(machine: Machine, tmp_path: Path) -> None:
    with network_of_makes(MAKES) as site:
        search = ["--scan", NETWORK, "--ports", str(site.config.meter.port), "--units", "1,71,200,247"]  # type: ignore[union-attr]
        made = machine.run("orchestrator", "init", SITE, "--yes", *search)
        assert made.returncode == 0, made
        path = machine.root / SITE[1:]
        assert 'state_dir: "/var/lib/orchestrator/state"' in path.read_text()
        path.write_text(f"{path.read_text()}\nmetrics: {{port: {free_port()}}}\n")

        log = tmp_path / "log.txt"
        command = machine.command("orchestrator", "run", SITE, user="orchestrator")
        with log.open("w") as output, subprocess.Popen(command, stdout=output, stderr=output) as service:
            try:
                healthy = ("orchestrator", "health", SITE)
                wait_until(lambda: machine.run(*healthy, user="orchestrator").returncode == 0, "a decision")
            finally:
                service.send_signal(signal.SIGTERM)
                assert service.wait(PATIENCE_S) == 0, log.read_text()

    assert sum(len(device.writes) for device in site._site.devices.values()) == 0


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_a_purge_leaves_nothing_behind(machine: Machine) -> None:
    """The last one: it takes the package away."""
    said = machine.run("dpkg", "--purge", NAME)

    assert said.returncode == 0, said
    left = [
        path
        for name in ("usr/lib/orchestrator", "etc/orchestrator", "var/lib/orchestrator", f"usr/share/{NAME}")
        if (path := machine.root / name).exists()
    ]
    assert left == []
    assert machine.run("id", "orchestrator").returncode != 0


def test_the_scripts_are_those_of_a_plain_shell() -> None:
    for name in debian.SCRIPTS:
        assert subprocess.run(["sh", "-n", str(debian.DEBIAN / name)], check=False).returncode == 0
        assert re.match(r"#!/bin/sh\nset -e\n", (debian.DEBIAN / name).read_text())
