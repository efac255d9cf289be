"""`orchestrator run` with and without tables, contacts and a utility server: what is not configured is not there."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from orchestrator.simulation.server import serve
from tests.support.command_line import REPOSITORY
from tests.support.plants.virtual_site import site_config
from tests.support.servers.required import PATIENCE_S, free_port, wait_until
from tests.system.csip.certificates import Authority

PROGRAM = """
import json, os, signal, sys, threading
from orchestrator.cli.main import main

def tell():
    sys.stdin.readline()
    threads = sorted(each.name for each in threading.enumerate() if each is not threading.current_thread())
    print(json.dumps({"threads": threads, "modules": sorted(sys.modules)}), flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=tell, daemon=True).start()
sys.exit(main(["run", sys.argv[1]]))
"""
"""The command, which says what it has loaded and started once it is asked."""
PACKAGES = ("cryptography", "xml.etree.ElementTree")
"""What others have made for these sources, and takes time and memory to load."""
OURS = ("orchestrator.setpoints.csip.client", "actors.commands.run.csip.utility", "actors.commands.run.csip.connection")
ZERO = {"export_limit_watts": 0}
SECTION_14A = {"rows": [{"says": "0"}, {"says": "1", "section_14a": {"devices": 2}}]}

pytestmark = pytest.mark.long


def told(folder: Path, setpoints: dict[str, Any]) -> tuple[list[str], set[str]]:
    """The threads and the modules of a run with these sources, once a cycle has been decided."""
    folder.mkdir(exist_ok=True)
    with serve(site_config(), new_port=free_port) as running:
        plant = {
            "site": {"name": "test"},
            "meter": {"host": "127.0.0.1", "port": running.config.meter.port, "unit_id": 200},  # type: ignore[union-attr]
            "inverters": [
                {"name": each.name, "host": "127.0.0.1", "port": each.port, "unit_id": 1}  # type: ignore[union-attr]
                for each in running.config.inverters
            ],
            "metrics": {"port": free_port()},
            "control": {"state_dir": str(folder / "state")},
            "setpoints": setpoints,
        }
        site, out, err = (folder / name for name in ("site.yaml", "out.txt", "err.txt"))
        site.write_text(json.dumps(plant))
        command = [sys.executable, "-c", PROGRAM, str(site)]
        with out.open("wb") as printed, err.open("wb") as said:
            process = subprocess.Popen(command, cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=printed, stderr=said)
        try:
            wait_until(
                lambda: "| east AC " in out.read_text() or process.poll() is not None,
                "the first line that says what the plant does",
            )
            process.communicate(b"\n", PATIENCE_S)
        finally:
            process.kill()
    assert process.returncode == 0, err.read_text()
    found = json.loads(next(line for line in out.read_text().splitlines() if line.startswith("{")))
    return found["threads"], set(found["modules"])


def test_what_is_not_configured_costs_no_import_and_no_thread(tmp_path: Path) -> None:
    threads, modules = told(tmp_path / "without", {"fixed": {"export_limit_watts": 1000}})

    assert not {each for each in threads if each.startswith(("contact-", "utility-"))}
    assert not modules & {*PACKAGES, *OURS}

    authority = Authority(tmp_path)
    certificate, key = authority.sign("site")
    tables = {
        "schedules": [{"name": "tariff", "rows": [{"hours": "10:00-16:00", "fields": ZERO}]}],
        "price_files": [
            {"name": "market", "prices_file": "none.json", "default": {}, "prices": [{"below": 0, "fields": ZERO}]}
        ],
    }
    with_tables, _ = told(tmp_path / "tables", tables)
    assert with_tables == threads, "tables need no thread of their own"

    spoken_to = {
        "modbus_contacts": [
            {"name": "ripple", "host": "127.0.0.1", "port": free_port(), "address": 0, "validity_s": 60, "default": {}}
            | {"contact": SECTION_14A}
        ],
        "csip_aus": {
            "server": f"https://127.0.0.1:{free_port()}/dcap",
            "ca_file": str(authority.file),
            "certificate_file": str(certificate),
            "key_file": str(key),
            "rated_watts": 10000,
            "default": {"export_limit_watts": 1000},
        },
    }
    with_all, loaded = told(tmp_path / "all", tables | spoken_to)
    assert {each for each in with_all if each not in threads} == {"contact-ripple", "utility-csip-aus"}
    assert {*PACKAGES, *OURS} <= loaded
